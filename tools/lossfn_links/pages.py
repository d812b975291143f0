"""The pages that show the tests, highlighted, with a place for each test."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from sphinx.application import Sphinx

from .code import addresses, with_links
from .entries import page_of
from .names import ROOT, PublicName, paths_to
from .proofs import TESTS, Proof
from .references import bindings, references

Page = tuple[str, dict[str, object], str]


def pages_of_tests(
    app: Sphinx, names: dict[str, PublicName], proofs: dict[str, list[Proof]]
) -> Iterator[Page]:
    """Make a page of each file with a test that an entry links to."""
    tests: dict[str, set[Proof]] = {}
    for found in proofs.values():
        for proof in found:
            tests.setdefault(proof.file, set()).add(proof)
    paths = paths_to(names)
    for file in sorted(tests):
        body = _heading(file) + _body(app, file, tests[file], paths)
        title = f"{TESTS}/{file}.py"
        yield page_of(file), {"title": title, "body": body, "parents": []}, "page.html"


def _heading(file: str) -> str:
    return (
        f"<h1>Tests: {file}.py</h1>\n<p>Run them with "
        f"<code>.venv/bin/python -m pytest {TESTS}/{file}.py</code>.</p>\n"
    )


def _body(app: Sphinx, file: str, tests: Iterable[Proof], paths: dict[str, str]) -> str:
    source = (ROOT / TESTS / f"{file}.py").read_text(encoding="utf-8")
    highlighted = app.builder.highlighter.highlight_block(source, "python")
    found = references(source, bindings([ast.parse(source)]), paths)
    linked = with_links(highlighted, found, addresses(app, page_of(file)))
    return with_places(linked, {proof.test: proof.line for proof in tests})


def with_places(highlighted: str, lines: dict[str, int]) -> str:
    """Put a named place at the start of lines of highlighted code.

    The first line begins with the tags around the code, and no test stands there.
    """
    written = highlighted.split("\n")
    for name, line in lines.items():
        written[line - 1] = (
            f'<span class="place" id="{name}"></span>' + written[line - 1]
        )
    return "\n".join(written)
