"""Which tests refer to which public names of lossfn, read from the tests' source.

A test refers to what it names, and to what is named by anything that it uses: helpers,
fixtures, and the tables of cases, in its own file or in another one of ``tests/``. A
table that looks a function up, ``getattr(nn, case.function)``, refers to the functions
of ``nn`` whose names, or both halves of whose names, are strings of the table.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from .names import ROOT, PublicName, defined_by, makers, parse, paths_to
from .references import bindings, dotted

TESTS = "tests"
# A test of another room that refers to more names than this is not about any of them.
MOST_NAMES = 8
Key = tuple[str, str]  # a module of the tests, and a name defined there


class Proof(NamedTuple):
    """A test that refers to a public name.

    Attributes:
        file: the stem of its file, ``test_nn``.
        test: the name of its function.
        line: where it starts, its decorators included.
        breadth: the number of public names that it refers to.
    """

    file: str
    test: str
    line: int
    breadth: int


@dataclass
class Definition:
    """A name of a file of tests, and what the statements that define it mention."""

    nodes: list[ast.stmt] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    rooms: set[str] = field(default_factory=set)
    strings: set[str] = field(default_factory=set)
    uses: set[Key] = field(default_factory=set)


def proofs_of(
    names: dict[str, PublicName], root: Path = ROOT
) -> dict[str, list[Proof]]:
    """Map every public name to the tests that refer to it, the most telling first.

    A test of the name's own room comes before others, one that is called after the name
    before the rest, and one that is about few names before one that is about many.
    """
    graph = _graph(names, root)
    found: dict[str, list[Proof]] = {full: [] for full in names}
    for (file, test), definition in graph.items():
        if test.startswith("test_") and hasattr(definition.nodes[0], "name"):
            referred = _referred(_closure((file, test), graph), names)
            for full in referred:
                line = _line(definition.nodes[0])
                found[full].append(Proof(file, test, line, len(referred)))
    for full, given_by in makers(names).items():
        known = {(proof.file, proof.test) for proof in found[full]}
        more = {proof for maker in given_by for proof in found[maker]}
        found[full] += [p for p in more if (p.file, p.test) not in known]
    return {
        full: sorted(_about(name, found[full]), key=_telling(name))
        for full, name in names.items()
    }


def _about(name: PublicName, proofs: list[Proof]) -> list[Proof]:
    """Leave out tests of other rooms that only pass by, if there are any others."""
    about = [
        proof for proof in proofs if _is_own(name, proof) or proof.breadth <= MOST_NAMES
    ]
    return about or proofs


def _is_own(name: PublicName, proof: Proof) -> bool:
    return proof.file.startswith(f"test_{name.room}")


def _telling(name: PublicName):
    def key(proof: Proof) -> tuple[bool, bool, int, str, int]:
        is_own = _is_own(name, proof)
        is_called_so = name.name.lower() in proof.test
        return not is_own, not is_called_so, proof.breadth, proof.file, proof.line

    return key


def _line(node: ast.stmt) -> int:
    return min([node.lineno, *(d.lineno for d in node.decorator_list)])


def _graph(names: dict[str, PublicName], root: Path) -> dict[Key, Definition]:
    trees = {path.stem: parse(path) for path in sorted((root / TESTS).glob("*.py"))}
    graph: dict[Key, Definition] = {}
    for file, tree in trees.items():
        for statement in tree.body:
            for name in _names_of(statement):
                graph.setdefault((file, name), Definition()).nodes.append(statement)
    for file, tree in trees.items():
        _mention(file, tree, graph, names)
    return graph


def _names_of(statement: ast.stmt) -> set[str]:
    """Return what a statement defines; a fixture may have a name of its own."""
    named = {
        keyword.value.value
        for decorator in getattr(statement, "decorator_list", [])
        for keyword in getattr(decorator, "keywords", [])
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant)
    }
    return defined_by(statement) | named


def _mention(
    file: str,
    tree: ast.Module,
    graph: dict[Key, Definition],
    names: dict[str, PublicName],
) -> None:
    """Fill in what each definition of a file mentions."""
    bound, paths = bindings([tree]), paths_to(names)
    rooms = {f"lossfn.{name.room}" for name in names.values()}
    imported = dict(_from_tests(tree))
    for definition in (graph[key] for key in graph if key[0] == file):
        for node in (n for s in definition.nodes for n in ast.walk(s)):
            path = dotted(node, bound)
            if path in paths:
                definition.names.add(paths[path])
            elif path in rooms:
                definition.rooms.add(path)
            definition.strings |= _string(node)
            definition.uses |= set(_used(node, file, imported)) & graph.keys()


def _string(node: ast.AST) -> set[str]:
    is_string = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return {node.value} if is_string and node.value.isidentifier() else set()


def _from_tests(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what a file has from other files of tests: a file, or a name of a file."""
    for node in tree.body:
        module = getattr(node, "module", None) or ""
        if isinstance(node, ast.ImportFrom) and module.split(".")[0] == TESTS:
            file = module.split(".")[1:]
            for alias in node.names:
                yield alias.asname or alias.name, (*file, alias.name)


def _used(
    node: ast.AST, file: str, imported: dict[str, tuple[str, ...]]
) -> Iterator[Key]:
    """Yield the definitions that a node may use; an argument may be a fixture."""
    if isinstance(node, ast.Name):
        yield file, node.id
        if len(imported.get(node.id, ())) == 2:
            yield imported[node.id]
    elif isinstance(node, ast.arg):
        yield file, node.arg
        yield "conftest", node.arg
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        if len(imported.get(node.value.id, ())) == 1:
            yield imported[node.value.id][0], node.attr


def _closure(key: Key, graph: dict[Key, Definition]) -> list[Definition]:
    """Return a definition and everything that it uses, directly or not."""
    seen, waiting = {key}, [key]
    while waiting:
        new = graph[waiting.pop()].uses - seen
        seen |= new
        waiting += new
    return [graph[each] for each in seen]


def _referred(closure: list[Definition], names: dict[str, PublicName]) -> set[str]:
    direct = {full for definition in closure for full in definition.names}
    rooms = {room for definition in closure for room in definition.rooms}
    strings = {string for definition in closure for string in definition.strings}
    looked_up = {
        full
        for full, name in names.items()
        if f"lossfn.{name.room}" in rooms and _is_written(name.name, strings)
    }
    return direct | looked_up


def _is_written(name: str, strings: set[str]) -> bool:
    halves = (name[:cut] for cut in range(1, len(name)))
    return name in strings or any(
        half in strings and name[len(half) :] in strings for half in halves
    )
