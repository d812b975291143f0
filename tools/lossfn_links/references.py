"""Where Python code refers to public names of lossfn, and at which letters."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

PACKAGE = "lossfn"


class Reference(NamedTuple):
    """One identifier that stands for something of lossfn.

    Attributes:
        full: what it stands for, ``lossfn.nn`` or ``lossfn.nn.softmax_...``.
        line: its line, from 1.
        start: its first column, from 0, in characters.
        end: the column after its last.
        is_import: whether the code only imports it there.
    """

    full: str
    line: int
    start: int
    end: int
    is_import: bool


def bindings(trees: Iterable[ast.AST]) -> dict[str, str]:
    """Map the names that code binds to parts of lossfn: imports, and loops over them.

    A chapter runs the same lines for two libraries: after ``for name, module in
    [("lossfn.nn", nn), ("tf.nn", tf.nn)]``, ``module`` stands for ``lossfn.nn``.
    """
    nodes = [node for tree in trees for node in ast.walk(tree)]
    bound = dict(pair for node in nodes for pair in _imports(node))
    loops = {}
    for node in nodes:
        if isinstance(node, ast.For | ast.comprehension):
            for target, element in _iterations(node):
                full = dotted(element, bound)
                if full and full.count(".") == 1:
                    loops[target] = full
    return {**loops, **bound}


def dotted(node: ast.AST, bound: dict[str, str]) -> str | None:
    """Return the path that an expression names, if it starts at lossfn."""
    if isinstance(node, ast.Name):
        return bound.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value, bound)
        return owner and f"{owner}.{node.attr}"
    return None


def references(
    source: str, bound: dict[str, str], paths: dict[str, str]
) -> Iterator[Reference]:
    """Find what a source refers to.

    Args:
        source: Python.
        bound: its :func:`bindings`, with those of the code that ran before it.
        paths: the full name of each path that counts.

    Yields:
        The references in the order of :func:`ast.walk`.
    """
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                full = paths.get(f"{node.module}.{alias.name}")
                yield from _at(full, lines, alias.lineno, alias.col_offset, alias.name)
        elif isinstance(node, ast.Attribute):
            full = paths.get(dotted(node, bound) or "")
            start = node.end_col_offset - len(node.attr.encode())
            yield from _at(full, lines, node.end_lineno, start, node.attr, False)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            full = paths.get(bound.get(node.id, ""))
            yield from _at(full, lines, node.lineno, node.col_offset, node.id, False)


def _at(
    full: str | None,
    lines: list[str],
    line: int,
    offset: int,
    word: str,
    is_import: bool = True,
) -> Iterator[Reference]:
    """Turn an offset in bytes into columns.

    Inside an f-string, Python before 3.12 gives a wrong place: that reference has the
    columns 0 to 0.
    """
    if full is None:
        return
    start = len(lines[line - 1].encode()[:offset].decode(errors="ignore"))
    end = start + len(word)
    if lines[line - 1][start:end] != word:
        start = end = 0
    yield Reference(full, line, start, end, is_import)


def _imports(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.ImportFrom) and _is_ours(node.module):
        for alias in node.names:
            yield alias.asname or alias.name, f"{node.module}.{alias.name}"
    elif isinstance(node, ast.Import):
        for alias in filter(lambda alias: _is_ours(alias.name), node.names):
            yield alias.asname or PACKAGE, alias.name if alias.asname else PACKAGE


def _is_ours(module: str | None) -> bool:
    return module is not None and module.split(".")[0] == PACKAGE


def _iterations(loop: ast.For | ast.comprehension) -> Iterator[tuple[str, ast.AST]]:
    """Yield what each variable of a loop over a display becomes, in turn."""
    if not isinstance(loop.iter, ast.List | ast.Tuple):
        return
    for element in loop.iter.elts:
        yield from _assigned(loop.target, element)


def _assigned(target: ast.AST, value: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for part, its_value in zip(target.elts, value.elts, strict=False):
            yield from _assigned(part, its_value)
