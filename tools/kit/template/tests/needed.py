"""Which cells of a notebook an answer needs, so that not all have to run.

Read from the code, not from a run, and so a guess: the grader believes it when the
answer is right, or not begun, and runs the whole notebook otherwise.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

import names


def cells_needed(
    sources: Sequence[str], answers: Sequence[tuple[str, int]]
) -> set[int]:
    """Find the cells that bind or change what some answers need.

    Args:
        sources: The code of the cells.
        answers: The name of each answer, and the position of the cell that checks it.

    Returns:
        Positions of cells. All of them, if the code of one cannot be read.
    """
    try:
        imported = set().union(*(names.imports_of(source) for source in sources))
        changed = [set(_changed(source)) - imported for source in sources]
        bound = [names.bound_in(source) for source in sources]
        needs = [names.needed_by(source) for source in sources]
    except SyntaxError:  # a magic, or a slip
        return set(range(len(sources)))
    needed = {at for _, at in answers if at >= 0}
    wanted = {name for name, _ in answers}
    while True:
        wanted = wanted.union(*(needs[i] for i in needed))
        makers = {i for i in range(len(sources)) if (bound[i] | changed[i]) & wanted}
        if makers <= needed:
            return needed
        needed |= makers


def _changed(source: str) -> Iterator[str]:
    """Yield the names whose object a cell may change.

    As in ``x[0] = 1``, ``x.a = 1``, ``x.append(1)``, ``train(x)``.
    """
    for node in ast.walk(ast.parse(source)):
        stored = isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
        if stored and isinstance(node, ast.Subscript | ast.Attribute):
            yield _root(node)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            yield _root(called) if isinstance(called, ast.Attribute) else ""
            if _root(called) != "print":
                yield from map(_root, node.value.args)


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
