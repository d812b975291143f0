"""Links inside highlighted code, from each name of lossfn to where it is described."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from .references import Reference

# A tag, or one character as HTML writes it.
PIECE = re.compile(r"<[^>]*>|&[^;\s]+;|.", re.DOTALL)


def places(env: BuildEnvironment) -> dict[str, tuple[str, str]]:
    """Map every described object and module to its page and its anchor."""
    domain = env.domains["py"]
    found = {name: (m.docname, m.node_id) for name, m in domain.modules.items()}
    return found | {n: (o.docname, o.node_id) for n, o in domain.objects.items()}


def with_links(
    highlighted: str, references: Iterable[Reference], addresses: dict[str, str]
) -> str:
    """Put links into highlighted code.

    Args:
        highlighted: HTML in which every line of the code is a line.
        references: what to link, by line and column of the code.
        addresses: where each full name leads; one without an address gets no link.

    Returns:
        The HTML with the links.
    """
    lines = highlighted.split("\n")
    spans: dict[int, dict[int, tuple[int, str]]] = {}
    for full, line, start, end, _ in references:
        if full in addresses and end > start:
            spans.setdefault(line, {})[start] = end, addresses[full]
    for line, of_line in spans.items():
        lines[line - 1] = _link(lines[line - 1], of_line)
    return "\n".join(lines)


def _link(line: str, spans: dict[int, tuple[int, str]]) -> str:
    """Link columns of a line: each starts and ends inside one tag."""
    written, column, end = [], 0, 0
    for piece in PIECE.findall(line):
        is_text = not piece.startswith("<")
        if is_text and column in spans:
            end, address = spans[column]
            written.append(f'<a class="to-api" href="{html.escape(address)}">')
        written.append(piece)
        if is_text:
            column += 1
            if column == end:
                written.append("</a>")
    return "".join(written)


def visit_literal_block(translator, node: nodes.literal_block) -> None:
    """Write a block of code as always, and then its links."""
    try:
        type(translator).visit_literal_block(translator, node)
    except nodes.SkipNode:
        references = node.get("lossfn_references")
        if references:
            page = translator.builder.current_docname
            targets = addresses(translator.builder.app, page)
            translator.body[-1] = with_links(translator.body[-1], references, targets)
        raise


def depart_literal_block(translator, node: nodes.literal_block) -> None:
    """Leave a block that is not highlighted."""
    type(translator).depart_literal_block(translator, node)


def addresses(app: Sphinx, page: str) -> dict[str, str]:
    """Map what the API pages describe to an address relative to a page."""
    relative = app.builder.get_relative_uri
    found = places(app.builder.env)
    pages = {document: relative(page, document) for document, _ in found.values()}
    return {name: f"{pages[doc]}#{anchor}" for name, (doc, anchor) in found.items()}
