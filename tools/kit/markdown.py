"""The book's Markdown, as Jupyter shows it: without roles, directives and targets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from tools.kit.chapter import KitError
from tools.kit.labels import Labels

_TITLED = re.compile(r"(.*?)\s*<([^<>]+)>", re.DOTALL)
_TARGET = re.compile(r"^\(([\w-]+)\)=[ \t]*$", re.MULTILINE)
_EQUATION = re.compile(r"[ \t]*\n?\$\$[ \t]*\(([\w-]+)\)[ \t]*$", re.MULTILINE)
_CHAPTER_LINK = re.compile(r"\[([^\]]+)\]\(([\w-]+)\.(?:ipynb|md)(#[\w-]*)?\)")
# From left to right, so that a role's backticks do not begin a piece of code.
_ROLE_OR_CODE = re.compile(
    r"\{(?P<role>[a-z]+(?::[a-z]+)?)\}`(?P<content>[^`]+)`"
    r"|^[ \t]*(?P<fence>`{3,}|~{3,}).*?^[ \t]*(?P=fence)[ \t]*$"
    r"|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)",
    re.MULTILINE | re.DOTALL,
)
_HELD = "\x00"  # stands for a piece of code while the text around it changes
_DIRECTIVE = re.compile(r"^[ \t]*(`{3,}|:{3,})\{([\w:-]+)\}[ \t]*(.*)$")
_OPTION = re.compile(r":[\w-]+:.*")
# Directives that say something to the reader; the first word is what Jupyter shows.
_ASIDES = {
    "note": "Note",
    "tip": "Tip",
    "hint": "Hint",
    "important": "Important",
    "warning": "Warning",
    "caution": "Caution",
    "seealso": "See also",
    "margin": "",
    "admonition": "",
    "dropdown": "",
}
# Directives of the site alone: where Jupyter runs, they have nothing to say.
_OF_THE_SITE = {"tags", "contents", "raw"}


class Markdown:
    """Turns the book's Markdown into plain Markdown.

    Attributes:
        labels: What the labels lead to.
        stems: The chapters that a link may lead to.
    """

    def __init__(self, labels: Labels, stems: Iterable[str]):
        """Keep what the labels lead to, and the chapters of the kit."""
        self.labels, self.stems = labels, set(stems)

    def plain(self, text: str) -> str:
        """Return a text as plain Markdown.

        Raises:
            KitError: If it has a role, a directive or a label that is not known.
        """
        text = "\n".join(self._without_directives(text.split("\n")))
        held: list[str] = []

        def without_roles_and_code(found: re.Match) -> str:
            if found["role"]:
                return self._role(found["role"], found["content"])
            held.append(found[0])
            return _HELD

        text = _ROLE_OR_CODE.sub(without_roles_and_code, text)
        text = _TARGET.sub(r'<a id="\1"></a>\n', text)
        text = _EQUATION.sub(self._equation, text)
        text = _CHAPTER_LINK.sub(self._link, text)
        return re.sub(_HELD, lambda _: held.pop(0), text)

    def _equation(self, found: re.Match) -> str:
        return f"\n\\tag{{{self._look_up('equations', found[1])}}}\n$$"

    def _link(self, found: re.Match) -> str:
        text, stem, place = found.groups()
        return f"[{text}]({stem}.ipynb{place or ''})" if stem in self.stems else text

    def _look_up(self, kind: str, label: str) -> str:
        try:
            return getattr(self.labels, kind)[label]
        except KeyError:
            raise KitError(f"no {kind[:-1]} is labelled {label}") from None

    # --- roles ---------------------------------------------------------------

    def _role(self, role: str, content: str) -> str:
        titled = _TITLED.fullmatch(content)
        title, target = titled.groups() if titled else ("", content)
        if role.startswith("py:"):
            return f"`{title or _short(target)}`"
        if role not in _ROLES:
            raise KitError(f"Jupyter has no role {{{role}}}, of {content}")
        return _ROLES[role](self, target.strip(), title)

    def _term(self, target: str, title: str) -> str:
        return title or target

    def _eq(self, target: str, title: str) -> str:
        return f"({self._look_up('equations', target)})"

    def _numref(self, target: str, title: str) -> str:
        labels = self.labels
        if target in labels.exercises:
            return f"Exercise {labels.exercises[target]}"
        number = self._look_up("figures", target)
        # The title may hold the place of the number.
        return title.replace("%s", number) if title else f"Figure {number}"

    def _ref(self, target: str, title: str) -> str:
        if target in self.labels.exercises:
            return title or f"Exercise {self.labels.exercises[target]}"
        return title or f"“{self.plain(self._look_up('headings', target))}”"

    def _doc(self, target: str, title: str) -> str:
        stem = target.rsplit("/", 1)[-1]
        text = title or stem
        return f"[{text}]({stem}.ipynb)" if stem in self.stems else text

    def _cite(self, target: str, title: str) -> str:
        papers = [self._look_up("papers", key.strip()) for key in target.split(",")]
        return "({})".format("; ".join(f"{who}, {year}" for who, year in papers))

    def _cite_in_text(self, target: str, title: str) -> str:
        papers = [self._look_up("papers", key.strip()) for key in target.split(",")]
        return " and ".join(f"{who} ({year})" for who, year in papers)

    # --- directives ----------------------------------------------------------

    def _without_directives(self, lines: list[str]) -> Iterator[str]:
        rest = iter(lines)
        for line in rest:
            found = _DIRECTIVE.match(line)
            if not found:
                yield line
                continue
            body = []
            for inner in rest:
                if inner.strip() == found[1]:
                    break
                body.append(inner)
            yield from self._directive(found[2], found[3], body)

    def _directive(self, name: str, argument: str, body: list[str]) -> Iterator[str]:
        if name in _OF_THE_SITE:
            return
        if name in ("code-block", "code"):
            yield from [f"```{argument}", *_without_options(body), "```"]
        elif name == "math":
            yield from ["$$", *_without_options(body), "$$"]
        elif name in _ASIDES:
            said = argument or _ASIDES[name]
            yield from [f"> **{said}**", ">"] if said else []
            inside = self._without_directives(_without_options(body))
            yield from (f"> {line}".rstrip() for line in inside)
        else:
            raise KitError(f"Jupyter has no directive {{{name}}}")


_ROLES: dict[str, Callable[[Markdown, str, str], str]] = {
    "term": Markdown._term,
    "eq": Markdown._eq,
    "numref": Markdown._numref,
    "ref": Markdown._ref,
    "doc": Markdown._doc,
    "cite": Markdown._cite,
    "cite:p": Markdown._cite,
    "cite:t": Markdown._cite_in_text,
}


def _short(target: str) -> str:
    return target.rsplit(".", 1)[-1] if target.startswith("~") else target


def _without_options(body: list[str]) -> list[str]:
    while body and (_OPTION.fullmatch(body[0].strip()) or not body[0].strip()):
        body = body[1:]
    return body
