"""A small book for the matrix, and rows that need no environment of their own."""

import sys
from pathlib import Path

import pytest
from nbformat import v4

from tools import notebooks
from tools.matrix import environments, work
from tools.matrix.rows import Environment, Row

PAIR = Environment("3.12", "2.20")
ONE_THREAD, TWO_THREADS = Row(PAIR, True, 1), Row(PAIR, True, 2)
VERSIONS = {"tensorflow": "2.20.0", "python": "3.12.9", "keras": "3.12.0"}
# Prints what one row sets and the other does not.
THREADS = 'import os\n\nprint("threads", os.environ["OMP_NUM_THREADS"])'


def write_chapter(root: Path, name: str, source: str, stored: str, text="") -> Path:
    """Write a chapter of one paragraph and one cell."""
    output = v4.new_output("stream", name="stdout", text=stored)
    cells = [
        v4.new_markdown_cell(f"# {name}\n\n{text}"),
        v4.new_code_cell(source, outputs=[output]),
    ]
    normal = notebooks.normalise(v4.new_notebook(cells=cells), name)
    path = root / "book" / f"{name}.ipynb"
    path.write_text(notebooks.to_text(normal), "utf-8")
    return path


def small_project(root: Path) -> Path:
    """Write a package, its tests and a book of two chapters; return the folder."""
    for folder in ("book", "lossfn", "tests"):
        (root / folder).mkdir()
    (root / "pyproject.toml").write_text("[project]\n")
    (root / "lossfn" / "nn.py").write_text("ONE = 1\n")
    (root / "tests" / "test_nn.py").write_text("import lossfn\n")
    (root / "tests" / "test_site.py").write_text("from tools import browser\n")
    write_chapter(root, "01-threads", THREADS, "threads 1\n")
    write_chapter(root, "02-nothing", "print(1)", "1\n")
    return root


def plan(root: Path, **changes) -> work.Plan:
    """Return the plan to run both chapters, one at a time."""
    chapters = sorted((root / "book").glob("*.ipynb"))
    return work.Plan(root, root / ".matrix", chapters, [], jobs=1)._replace(**changes)


def use_this_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every environment be the one of this process."""
    this = Path(sys.executable)
    monkeypatch.setattr(environments, "make", lambda *_, fresh: this)
    monkeypatch.setattr(environments, "versions", lambda _: dict(VERSIONS))
