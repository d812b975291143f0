"""Which section of which chapter uses which public name, and where its code says so."""

from __future__ import annotations

import ast
from typing import NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors import EnvironmentCollector

from .names import paths_to, public_names, rooms
from .references import bindings, references


class Use(NamedTuple):
    """A use of a public name.

    Attributes:
        full: the name.
        anchor: the section that uses it; empty for what stands above all sections.
        section: the section's title.
        is_import: whether the code only imports it there.
    """

    full: str
    anchor: str
    section: str
    is_import: bool


class Uses(EnvironmentCollector):
    """Reads the code cells of each chapter, for its links and for ``Used in``."""

    def __init__(self) -> None:
        """Learn the names once; a build does not change them."""
        names = public_names()
        modules = {f"lossfn.{room}": f"lossfn.{room}" for room in rooms()}
        self.paths = {**paths_to(names), **modules}

    def clear_doc(self, app: Sphinx, env: BuildEnvironment, docname: str) -> None:
        """Forget a chapter."""
        uses_of(env).pop(docname, None)

    def merge_other(
        self,
        app: Sphinx,
        env: BuildEnvironment,
        docnames: set[str],
        other: BuildEnvironment,
    ) -> None:
        """Take over what another process has read."""
        uses_of(env).update((name, uses_of(other).get(name, [])) for name in docnames)

    def process_doc(self, app: Sphinx, doctree: nodes.document) -> None:
        """Read a chapter."""
        cells = [
            cell for cell in doctree.findall(nodes.literal_block) if _is_code(cell)
        ]
        bound = bindings(ast.parse(cell.astext()) for cell in cells)
        uses = uses_of(app.env)[app.env.docname] = []
        for cell in cells:
            found = sorted(references(cell.astext(), bound, self.paths))
            cell["lossfn_references"] = found
            where = _section(cell)
            uses += [Use(each.full, *where, each.is_import) for each in found]


def uses_of(env: BuildEnvironment) -> dict[str, list[Use]]:
    """Return what each document uses, in its order."""
    if not hasattr(env, "lossfn_uses"):
        env.lossfn_uses = {}
    return env.lossfn_uses


def _is_code(block: nodes.literal_block) -> bool:
    return "cell_input" in block.parent.get("classes", ())


def _has_title(node: nodes.Node) -> bool:
    """Whether it is a section; the one around a solution has no title."""
    return isinstance(node, nodes.section) and isinstance(node[0], nodes.title)


def _section(node: nodes.Node) -> tuple[str, str]:
    """Return anchor and title of the innermost section that has a place of its own."""
    while not _has_title(node):
        node = node.parent
    is_page = not isinstance(node.parent, nodes.section)
    title = node.next_node(nodes.title)
    return ("", "") if is_page else (node["ids"][0], title.astext())
