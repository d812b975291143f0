"""The public names of lossfn, read from its source: nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "lossfn"


@dataclass(frozen=True)
class PublicName:
    """A name that a room offers.

    Attributes:
        full: as a reader imports it, ``lossfn.losses.huber``.
        module: where it is defined, ``lossfn.losses._regression``.
        node: its definition: a function, a class, or an assignment.
    """

    full: str
    module: str
    node: ast.stmt = field(repr=False)

    @property
    def room(self) -> str:
        """The room that offers it, ``losses``."""
        return self.full.split(".")[1]

    @property
    def name(self) -> str:
        """The name alone."""
        return self.full.split(".")[2]

    @property
    def is_constant(self) -> bool:
        """Whether it is neither a function nor a class."""
        return not hasattr(self.node, "name")


@cache
def parse(path: Path) -> ast.Module:
    """Read a source file, once."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def file_of(module: str, root: Path = ROOT) -> Path:
    """Return the file of a module of the package."""
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def defined_by(statement: ast.stmt) -> set[str]:
    """Return the names that a statement defines or assigns, at its own level."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def rooms(root: Path = ROOT) -> dict[str, Path]:
    """Find the rooms: the modules and folders whose names are public."""
    folder = root / PACKAGE
    folders = {path.parent.name: path for path in folder.glob("*/__init__.py")}
    modules = {path.stem: path for path in folder.glob("*.py")}
    found = {**folders, **modules}
    return {name: found[name] for name in sorted(found) if name[0] != "_"}


def public_names(root: Path = ROOT) -> dict[str, PublicName]:
    """Map every public name, in full, to its definition."""
    found = {}
    for room, path in rooms(root).items():
        for name in _offered(parse(path)):
            full = f"{PACKAGE}.{room}.{name}"
            module, node = _definition(root, f"{PACKAGE}.{room}", name)
            found[full] = PublicName(full, module, node)
    return found


def paths_to(names: dict[str, PublicName]) -> dict[str, str]:
    """Map every path to a public name, that of its definition too, to its full name."""
    defined = {f"{p.module}.{p.name}": full for full, p in names.items()}
    return {**defined, **{full: full for full in names}}


def makers(names: dict[str, PublicName]) -> dict[str, set[str]]:
    """Map each class to the public names of its room that give it.

    A reader meets ``Split`` as what ``load_digits`` returns, and seldom by its name.
    """
    return {
        full: {
            other.full
            for other in names.values()
            if other.room == cls.room and cls.name in _promised(other.node)
        }
        for full, cls in names.items()
        if isinstance(cls.node, ast.ClassDef)
    }


def _promised(node: ast.stmt) -> set[str]:
    """Return the names in what a function returns, or in a constant's annotation."""
    promise = getattr(node, "returns", None) or getattr(node, "annotation", None)
    found = ast.walk(promise) if promise is not None else ()
    return {part.id for part in found if isinstance(part, ast.Name)}


def _offered(module: ast.Module) -> list[str]:
    """List what a room offers: ``__all__``, or what it defines without underscore."""
    own: list[str] = []
    for statement in module.body:
        defined = defined_by(statement)
        if defined == {"__all__"}:
            return list(ast.literal_eval(statement.value))
        own += sorted(name for name in defined if not name.startswith("_"))
    return own


def _definition(root: Path, module: str, name: str) -> tuple[str, ast.stmt]:
    """Follow imports to the statement that defines a name."""
    tree = parse(file_of(module, root))
    for statement in tree.body:
        if name in defined_by(statement):
            return module, statement
    for source, original, bound in _imported(tree):
        if bound == name:
            return _definition(root, source, original)
    for part in sorted(file_of(module, root).parent.glob("_[!_]*.py")):
        # A room may import its parts when they are asked for.
        if any(name in defined_by(statement) for statement in parse(part).body):
            return _definition(root, f"{module}.{part.stem}", name)
    raise LookupError(f"{module} offers {name} and does not define it")


def _imported(tree: ast.Module) -> Iterator[tuple[str, str, str]]:
    """Yield the module, the name there and the name here of what is imported."""
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                yield statement.module or "", alias.name, alias.asname or alias.name
