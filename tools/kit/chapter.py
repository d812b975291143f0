"""A chapter, read as parts: its text, its code, its exercises and their solutions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from tools import notebooks
from tools.kit import names

_DIRECTIVE = re.compile(r"(`{3,})\{(exercise|solution-start|solution-end)\}\s*(.*)")
_FENCE = re.compile(r"(`{3,}|~{3,})")
_OPTION = re.compile(r":(\w+):\s*(.*)")


class KitError(Exception):
    """A chapter that no kit can be made of; the message says where and why."""


@dataclass(frozen=True)
class Part:
    """A piece of a chapter.

    Attributes:
        kind: ``"text"``, ``"code"``, ``"exercise"``, ``"start"`` or ``"end"``, the last
            two of a solution.
        source: Markdown, code, or what the exercise asks for.
        label: The exercise's label, and "" in text and code outside of solutions.
        title: The exercise's title.
        cell: The cell that it comes from.
    """

    kind: str
    source: str
    label: str = ""
    title: str = ""
    cell: NotebookNode | None = field(default=None, repr=False)

    @property
    def of_solution(self) -> bool:
        """Whether it is hidden until the reader opens it."""
        return bool(self.label) and self.kind != "exercise"

    @property
    def is_withheld(self) -> bool:
        """Whether students do not get it: a solution, or the answers to questions."""
        tags = self.cell.metadata.get("tags", ()) if self.cell else ()
        return self.of_solution or (self.kind == "code" and "hide-cell" in tags)


@dataclass(frozen=True)
class Chapter:
    """A chapter in its parts.

    Attributes:
        stem: Its file's name, without the ending.
        parts: Its parts, in order.
    """

    stem: str
    parts: tuple[Part, ...]

    @property
    def number(self) -> str:
        """Its number, two digits."""
        return self.stem[:2]

    @property
    def labels(self) -> list[str]:
        """The labels of its exercises, in order."""
        return [part.label for part in self.parts if part.kind == "exercise"]

    def solution(self, label: str) -> list[Part]:
        """Return the code of a solution."""
        return [p for p in self.parts if p.kind == "code" and p.label == label]

    def graded(self) -> dict[str, str]:
        """Map each label that a solution checks to the name of the answer.

        Raises:
            KitError: If a solution checks another exercise, or what has no name.
        """
        found = {}
        for label in self.labels:
            source = "\n".join(part.source for part in self.solution(label))
            for checked, name in names.checks(source):
                if checked != label or name is None:
                    raise KitError(
                        f"{self.stem}: the solution of {label} must call "
                        f'check_answer("{label}", NAME) with a plain name'
                    )
                found[label] = name
        return found


def read(path: Path) -> Chapter:
    """Read a chapter.

    Raises:
        KitError: If a solution is not opened and closed in order, or has no exercise.
    """
    chapter = Chapter(path.stem, tuple(_labelled(path)))
    strangers = {p.label for p in chapter.parts if p.label} - set(chapter.labels)
    if strangers:
        raise KitError(f"{path.name}: no exercise {', '.join(sorted(strangers))}")
    return chapter


def _labelled(path: Path) -> Iterator[Part]:
    within = ""
    for part in _parts(notebooks.read(path).cells):
        if part.kind == "exercise":
            yield part
            continue
        if (part.kind == "start") == bool(within) and part.kind in ("start", "end"):
            name = f"solution-{part.kind} {part.label}".strip()
            raise KitError(f"{path.name}: {name} is out of turn")
        within = part.label if part.kind == "start" else within
        yield Part(part.kind, part.source, within, "", part.cell)
        within = "" if part.kind == "end" else within


def _parts(cells: list[NotebookNode]) -> Iterator[Part]:
    for cell in cells:
        if cell.cell_type == "code":
            yield Part("code", cell.source, cell=cell)
        else:
            yield from _parts_of_text(cell)


def _parts_of_text(cell: NotebookNode) -> Iterator[Part]:
    """Cut a text at the directives of exercises and solutions."""
    lines = iter(cell.source.split("\n"))
    text: list[str] = []
    for line in lines:
        found = _DIRECTIVE.fullmatch(line.strip())
        fence = found or _FENCE.match(line.lstrip())
        if not fence:
            text.append(line)
            continue
        body = _until(lines, fence[1])
        if not found:
            text += [line, *body, fence[1]]
            continue
        yield from _text(text, cell)
        yield _directive(found, body, cell)
        text = []
    yield from _text(text, cell)


def _until(lines: Iterator[str], fence: str) -> list[str]:
    body = []
    for line in lines:
        if line.strip() == fence:
            break
        body.append(line)
    return body


def _text(lines: list[str], cell: NotebookNode) -> Iterator[Part]:
    source = "\n".join(lines).strip("\n")
    if source.strip():
        yield Part("text", source, cell=cell)


def _directive(found: re.Match, body: list[str], cell: NotebookNode) -> Part:
    kind, argument = found[2].removeprefix("solution-"), found[3].strip()
    if kind != "exercise":
        return Part(kind, "", argument, cell=cell)
    options = [_OPTION.fullmatch(line.strip()) for line in body]
    label = next((o[2] for o in options if o and o[1] == "label"), "")
    asked = [line for line, o in zip(body, options, strict=True) if o is None]
    return Part(kind, "\n".join(asked).strip("\n"), label, argument, cell)
