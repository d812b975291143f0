"""Which names a piece of code binds, and which it needs from elsewhere.

The repository of the kit gets a copy, for its grader.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator
from functools import cache

# What these bind, they bind before most of what stands in them is run.
_BLOCKS = (ast.For, ast.While, ast.With, ast.If, ast.Try)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)


@cache
def statements(source: str) -> list[tuple[ast.stmt, set[str], set[str], set[str]]]:
    """List each statement with the names that it binds, and reads now and later.

    Later is when a function that it defines is called.
    """
    found = []
    for statement in ast.parse(source).body:
        table = symtable.symtable(ast.unparse(statement), "<cell>", "exec")
        symbols = table.get_symbols()
        bound = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}
        now = {s.get_name() for s in symbols if s.is_referenced()}
        if isinstance(statement, _BLOCKS):
            now -= bound
        now |= bound & _added_to(statement)
        found.append((statement, bound, now, _globals_within(table)))
    return found


def _added_to(statement: ast.stmt) -> set[str]:
    """Return what ``+=`` reads too; a symbol table says only that it binds."""
    added = (node for node in ast.walk(statement) if isinstance(node, ast.AugAssign))
    return {getattr(node.target, "id", "") for node in added}


def _globals_within(table: symtable.SymbolTable) -> set[str]:
    found: set[str] = set()
    for inner in table.get_children():
        symbols = inner.get_symbols()
        found |= {s.get_name() for s in symbols if s.is_global() and s.is_referenced()}
        found |= _globals_within(inner)
    return found


def bound_in(source: str) -> set[str]:
    """Return the names that a piece of code binds."""
    return set().union(*(bound for _, bound, _, _ in statements(source)))


def needed_by(source: str) -> set[str]:
    """Return the names that must be bound before a piece of code can run."""
    bound: set[str] = set()
    needed: set[str] = set()
    later: set[str] = set()
    for _, binds, reads, reads_later in statements(source):
        needed |= reads - bound
        bound |= binds
        later |= reads_later
    return needed | (later - bound)


def imports_of(source: str) -> dict[str, str]:
    """Map the names that a piece of code imports to the statements that do it."""
    found = {}
    for statement, bound, _, _ in statements(source):
        if isinstance(statement, _IMPORTS):
            found.update(dict.fromkeys(bound, ast.unparse(statement)))
    return found


def defined_in(source: str) -> set[str]:
    """Return the names of the functions and classes that a piece of code defines."""
    tree = ast.parse(source).body
    return {node.name for node in tree if isinstance(node, _DEFINITIONS)}


def checks(source: str) -> Iterator[tuple[str | None, str | None]]:
    """Yield label and name of each ``check_answer(label, name)``, None if not plain."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "id", getattr(node.func, "attr", None))
        if called == "check_answer":
            label, name = [*node.args, None, None][:2]
            yield getattr(label, "value", None), getattr(name, "id", None)
