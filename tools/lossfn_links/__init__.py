"""Links between the chapters, the API pages, the source and the tests.

From each function that a chapter's code uses to its entry in the API pages; from each
entry to its source, to the chapters that use it and to the tests that prove it, which
are pages of the site too. All of it is read from the code and the notebooks: nothing is
typed, and nothing is imported.
"""

from __future__ import annotations

from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx

from .chapters import Uses
from .code import depart_literal_block, visit_literal_block
from .entries import Links
from .names import public_names
from .pages import Page, pages_of_tests
from .proofs import proofs_of
from .source import Sources


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_env_collector(Uses)
    app.add_node(
        nodes.literal_block,
        override=True,
        html=(visit_literal_block, depart_literal_block),
    )
    app.connect("builder-inited", connect)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def connect(app: Sphinx) -> None:
    """Answer viewcode; add links where there is a site with source and tests."""
    names = public_names()
    sources = Sources(names)
    app.connect("viewcode-follow-imported", sources.module_that_defines)
    app.connect("viewcode-find-source", sources.source)
    if app.builder.name != "html":
        return
    found = proofs_of(names)

    def collect(app: Sphinx) -> Iterator[Page]:
        return pages_of_tests(app, names, found)

    app.connect("doctree-resolved", Links(names, found).add)
    app.connect("html-collect-pages", collect)
