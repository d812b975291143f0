"""What a public name of lossfn lacks: a docstring, an example, a test, an API page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from .names import ROOT, PublicName, public_names
from .proofs import proofs_of

API = "book/api"
AUTOMODULE = "```{{eval-rst}}\n.. automodule:: lossfn.{room}\n   :members:\n"


def gaps(root: Path = ROOT) -> Iterator[str]:
    """Yield one sentence for each thing that a public name lacks.

    A constant is described on its page, where it has an entry of its own, and its value
    is its example.
    """
    names = public_names(root)
    proofs = proofs_of(names, root)
    listed = (root / "_toc.yml").read_text(encoding="utf-8").split()
    for full, name in names.items():
        page = _page(root, name)
        if f"{API}/{name.room}" not in listed or not _is_on(page, name):
            yield f"{full} has no place in {API}/{name.room}.md"
        elif name.is_constant and not _entries(page)[name.name]:
            yield f"{full} has no description in {API}/{name.room}.md"
        if not name.is_constant and not ast.get_docstring(name.node):
            yield f"{full} has no docstring"
        elif not name.is_constant and not _has_example(name.node):
            yield f"{full} has no example"
        if not proofs[full]:
            yield f"{full} has no test"


def _page(root: Path, name: PublicName) -> str:
    path = root / API / f"{name.room}.md"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _is_on(page: str, name: PublicName) -> bool:
    if name.is_constant:
        return name.name in _entries(page)
    return AUTOMODULE.format(room=name.room) in page


def _entries(page: str) -> dict[str, str]:
    """Map the constants of a page to their descriptions."""
    entries = {}
    for entry in page.split("\n.. py:data:: ")[1:]:
        head, _, text = entry.partition("\n\n")
        description = re.match(r"   \S.*", text)
        names = filter(str.isidentifier, head.split())
        entries |= dict.fromkeys(names, description.group() if description else "")
    return entries


def _has_example(node: ast.stmt) -> bool:
    """Whether a docstring has an example: its own, or for a class that of its init."""
    parts = node.body if isinstance(node, ast.ClassDef) else []
    inits = [part for part in parts if getattr(part, "name", "") == "__init__"]
    return any(">>>" in (ast.get_docstring(part) or "") for part in (node, *inits))
