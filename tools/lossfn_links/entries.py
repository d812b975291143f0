"""What each entry of the API pages says last: ``Used in`` and ``Tested by``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from .chapters import Use, uses_of
from .names import PublicName, makers
from .proofs import Proof

SHOWN = 8
SHOWN_OF_A_FILE = 3
NOT_USED = "Not used in a chapter."
NOT_TESTED = "No test refers to it."


class Links:
    """Adds the links to a page of the API."""

    def __init__(
        self, names: dict[str, PublicName], proofs: dict[str, list[Proof]]
    ) -> None:
        """Take what is the same for every page."""
        self.names, self.proofs, self.makers = names, proofs, makers(names)

    def add(self, app: Sphinx, doctree: nodes.document, docname: str) -> None:
        """Add them to every entry of a page that describes a public name."""
        for entry in list(doctree.findall(addnodes.desc)):
            ids = [i for signature in entry[:-1] for i in signature.get("ids", ())]
            described = [name for name in ids if name in self.names]
            if described:
                self._add_to(app, docname, entry, described)

    def _add_to(
        self, app: Sphinx, page: str, entry: addnodes.desc, names: list[str]
    ) -> None:
        relative = app.builder.get_relative_uri
        used = list(_chapters(app, self._uses(app, names), page))
        if len(used) > SHOWN:
            used[SHOWN:] = [_more(len(used) - SHOWN, used[SHOWN:])]
        tested = list(_tests(_shared(self.proofs, names), page, relative))
        fields = nodes.field_list(
            "",
            _field("Used in", used, NOT_USED),
            _field("Tested by", tested, NOT_TESTED),
            classes=["lossfn-links"],
        )
        content = entry[-1]
        # Above the methods of a class.
        parts = (addnodes.index, addnodes.desc)
        at = content.first_child_matching_class(parts)
        content.insert(len(content) if at is None else at, fields)

    def _uses(self, app: Sphinx, names: list[str]) -> dict[str, list[Use]]:
        """Return the uses, by chapter, of the names or of what gives them."""
        wanted = set(names).union(*(self.makers.get(name, ()) for name in names))
        chapters = {
            docname: [use for use in uses if use.full in wanted and not use.is_import]
            for docname, uses in uses_of(app.env).items()
        }
        return {docname: uses for docname, uses in chapters.items() if uses}


def _shared(proofs: dict[str, list[Proof]], names: list[str]) -> list[Proof]:
    """Return the tests of names that share an entry, each once."""
    return list(dict.fromkeys(proof for name in names for proof in proofs[name]))


def _chapters(
    app: Sphinx, uses: dict[str, list[Use]], page: str
) -> Iterator[nodes.list_item]:
    """Link each chapter, at the first section that uses the name."""
    for docname in sorted(uses):
        first = uses[docname][0]
        target = app.builder.get_relative_uri(page, docname)
        address = f"{target}#{first.anchor}" if first.anchor else target
        title = _title(app, docname)
        text = f"{title}: {first.section}" if first.section else title
        yield nodes.list_item("", nodes.paragraph("", "", _link(text, address)))


def _title(app: Sphinx, docname: str) -> str:
    number = app.env.toc_secnumbers.get(docname, {}).get("", ())
    title = app.env.titles[docname].astext()
    return f"{'.'.join(map(str, number))}. {title}" if number else title


def _tests(proofs: Sequence[Proof], page: str, relative) -> Iterator[nodes.list_item]:
    """Link the most telling tests, and the rest by file behind a disclosure."""
    shown = _most_telling(proofs)
    for file, tests in _by_file(shown):
        links = [_test(proof, page, relative) for proof in tests]
        parts = [part for link in links for part in (nodes.Text(", "), link)]
        yield _item(nodes.Text(f"{file}.py: "), *parts[1:])
    rest = [proof for proof in proofs if proof not in set(shown)]
    if rest:
        yield _more(len(rest), _rest(rest, page, relative))


def _most_telling(proofs: Sequence[Proof]) -> list[Proof]:
    counts: dict[str, int] = {}
    shown = []
    for proof in proofs:
        counts[proof.file] = counts.get(proof.file, 0) + 1
        if counts[proof.file] <= SHOWN_OF_A_FILE and len(shown) < SHOWN:
            shown.append(proof)
    return shown


def _by_file(proofs: Iterable[Proof]) -> Iterator[tuple[str, list[Proof]]]:
    of_file = attrgetter("file")
    for file, tests in groupby(sorted(proofs, key=of_file), of_file):
        yield file, list(tests)


def _rest(rest: list[Proof], page: str, relative) -> Iterator[nodes.list_item]:
    """Link the other tests, one link a file: a table of cases is used by hundreds."""
    for file, tests in _by_file(rest):
        link = _test(tests[0], page, relative)
        others = len(tests) - 1
        text = f" and {others} more" if others else ""
        yield _item(nodes.Text(f"{file}.py: "), link, nodes.Text(text))


def _more(count: int, items: Iterable[nodes.list_item]) -> nodes.list_item:
    """Put items behind a disclosure, which works without a script."""
    opening = f"<details><summary>and {count} more</summary>"
    parts = _raw(opening), nodes.bullet_list("", *items), _raw("</details>")
    return nodes.list_item("", *parts)


def _test(proof: Proof, page: str, relative) -> nodes.reference:
    target = relative(page, page_of(proof.file))
    return _link(proof.test, f"{target}#{proof.test}", nodes.literal)


def page_of(file: str) -> str:
    """Return the page that shows a file of tests."""
    return f"_tests/{file}"


def _link(text: str, address: str, kind=nodes.inline) -> nodes.reference:
    return nodes.reference("", "", kind("", text), refuri=address, internal=True)


def _item(*parts: nodes.Node) -> nodes.list_item:
    return nodes.list_item("", nodes.paragraph("", "", *parts))


def _field(name: str, items: list[nodes.list_item], nothing: str) -> nodes.field:
    body = nodes.bullet_list("", *items) if items else nodes.paragraph("", nothing)
    return nodes.field("", nodes.field_name("", name), nodes.field_body("", body))


def _raw(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")
