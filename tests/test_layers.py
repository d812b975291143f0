"""Which room of the package may import which: the table of the design, held.

The imports are read from the source, so that one inside a function counts too.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "lossfn"
CHECK = ("lossfn._check", "lossfn._tensors")
# What nn and losses are made of.
SHARED = (*CHECK, "lossfn._arguments", "lossfn._sigmoid", "lossfn._softmax")

# The rooms, those still to be built among them, and what each may import besides the
# standard library and itself. A name allows everything below it.
ALLOWED = {
    "__init__": (),
    "_check": ("numpy",),
    "_tensors": ("tensorflow", "lossfn._check"),
    "_arguments": ("tensorflow", *CHECK),
    "_sigmoid": ("tensorflow",),
    "_softmax": ("tensorflow",),
    "theory": ("numpy", "lossfn._check"),
    "reference": ("numpy", "lossfn._check"),
    "nn": ("tensorflow", *SHARED),
    "losses": ("tensorflow", *SHARED),
    "keras_losses": ("keras", "tensorflow", "lossfn.losses", "lossfn.nn", *CHECK),
    # What has no kernel, and the wording of errors, it takes from nn and losses.
    "native": ("tensorflow", "lossfn.nn", "lossfn.losses", *SHARED),
    "testing": ("numpy", "tensorflow", "keras", "pytest", *CHECK),
    "exercises": (
        "numpy",
        "tensorflow",
        "keras",
        "lossfn.theory",
        "lossfn.reference",
        "lossfn.nn",
        "lossfn.losses",
        "lossfn.keras_losses",
        "lossfn.testing",
        "lossfn.data",
        "lossfn.train",
        *CHECK,
    ),
    "data": ("numpy", "sklearn", "statsmodels", "lossfn._check"),
    "train": (
        "numpy",
        "tensorflow",
        "tqdm",
        "lossfn.losses",
        "lossfn.nn",
        "lossfn.keras_losses",
        "lossfn.data",
        *CHECK,
    ),
    # It confirms the other rooms, so it must not be made of them.
    "legacy": ("numpy", "tensorflow.compat.v1", "lossfn.data"),
    # cycler is a part of matplotlib that is installed under its own name.
    "plot": ("numpy", "matplotlib", "cycler", "lossfn._check"),
}
# Extras: the package must import without them.
ONLY_WHERE_USED = ("sklearn", "statsmodels", "pytest")
WITHOUT_TENSORFLOW = ("_check", "theory", "reference", "data", "plot")


class Import(NamedTuple):
    """One imported name, and whether a function has to be called to import it."""

    name: str
    line: int
    where_used: bool


def imports(source: str) -> Iterator[Import]:
    """Find the imports of a module, full names: ``from a import b`` is ``a.b``."""

    def visit(node: ast.AST, where_used: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, where_used)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                yield Import(f"{module}.{alias.name}", node.lineno, where_used)
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, where_used or inside)

    return visit(ast.parse(source), False)


def covers(allowed: str, name: str) -> bool:
    return name == allowed or name.startswith(f"{allowed}.")


def allowed_in(room: str) -> tuple[str, ...]:
    """Return what the room may import: a room that is a folder imports its parts."""
    return (*ALLOWED[room], f"lossfn.{room}")


def violations(room: str, source: str) -> list[str]:
    """List what the room imports and may not, one sentence each."""
    if room not in ALLOWED:
        return [f"lossfn/{room} is not in the table of rooms"]
    found = []
    for name, line, where_used in imports(source):
        if name.startswith("."):
            found.append(f"line {line}: {name}: write the whole name, lossfn...")
        elif name.split(".")[0] in sys.stdlib_module_names:
            continue
        elif not any(covers(allowed, name) for allowed in allowed_in(room)):
            found.append(f"line {line}: lossfn/{room} may not import {name}")
        elif name.split(".")[0] in ONLY_WHERE_USED and not where_used:
            found.append(f"line {line}: import {name} in the function that uses it")
    return found


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name
)
def test_a_room_imports_only_what_the_design_allows(path):
    source = path.read_text(encoding="utf-8")
    assert violations(room_of(path), source) == []


@pytest.mark.parametrize(
    ("room", "source", "expected"),
    [
        ("attic", "", "lossfn/attic is not in the table of rooms"),
        (
            "theory",
            "import numpy as np\nimport tensorflow as tf",
            "line 2: lossfn/theory may not import tensorflow",
        ),
        (
            "reference",
            "from lossfn import nn",
            "line 1: lossfn/reference may not import lossfn.nn",
        ),
        (
            "reference",
            "def f():\n    from lossfn.nn import g",
            "line 2: lossfn/reference may not import lossfn.nn.g",
        ),
        (
            "theory",
            "from . import nn",
            "line 1: ..nn: write the whole name, lossfn...",
        ),
        ("plot", "import book.a", "line 1: lossfn/plot may not import book.a"),
        ("nn", "from tests import a", "line 1: lossfn/nn may not import tests.a"),
        ("train", "import tools", "line 1: lossfn/train may not import tools"),
        ("__init__", "import numpy", "line 1: lossfn/__init__ may not import numpy"),
        (
            "legacy",
            "import tensorflow as tf",
            "line 1: lossfn/legacy may not import tensorflow",
        ),
        (
            "data",
            "try:\n    import sklearn\nexcept ImportError:\n    pass",
            "line 2: import sklearn in the function that uses it",
        ),
    ],
)
def test_the_check_finds(room, source, expected):
    assert violations(room, source) == [expected]


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("data", "def load():\n    from sklearn import datasets"),
        ("legacy", "from tensorflow.compat import v1 as tf"),
        ("nn", "import math\nfrom tensorflow.python.ops import math_ops"),
        ("data", "from lossfn.data._real import load_digits"),
    ],
)
def test_the_check_allows(room, source):
    assert violations(room, source) == []


def modules_after(statement: str) -> set[str]:
    """Run the statement in a fresh interpreter and name the packages it loaded."""
    program = f"{statement}\nimport sys\nprint(*(name for name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PACKAGE.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    return {name.split(".")[0] for name in done.stdout.split()}


def test_the_package_alone_loads_nothing_heavy():
    assert modules_after("import lossfn").isdisjoint(
        {"tensorflow", "keras", "numpy", "matplotlib", "sklearn", "statsmodels"}
    )


@pytest.mark.parametrize("room", WITHOUT_TENSORFLOW)
def test_a_numpy_room_leaves_tensorflow_out(room):
    loaded = modules_after(f"import lossfn.{room}")
    assert "numpy" in loaded
    assert loaded.isdisjoint({"tensorflow", "keras", *ONLY_WHERE_USED})


def test_a_tensorflow_room_brings_it_in():
    assert "tensorflow" in modules_after("import lossfn.nn")
