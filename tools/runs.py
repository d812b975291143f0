"""How long each chapter's last execution took, when it was, and on what versions.

``book/runs.json`` has one entry a notebook; executing a notebook writes its own. The
entry holds a hash of the code that ran, so that a chapter whose code has changed since
is found. Its text may change freely.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from importlib import metadata
from pathlib import Path

from nbformat import NotebookNode

from tools.files import write_whole

NAME = "runs.json"
PACKAGES = ("keras", "numpy", "tensorflow")

Runs = dict[str, dict]


def code_hash(notebook: NotebookNode) -> str:
    """Return a hash of the sources of the code cells, in their order."""
    cells = (cell.source.strip("\n") for cell in notebook.cells if is_code(cell))
    return hashlib.sha256("\0".join(cells).encode()).hexdigest()[:16]


def is_code(cell: NotebookNode) -> bool:
    """Whether a cell has code to run."""
    return cell.cell_type == "code" and bool(cell.source.strip())


def new_run(notebook: NotebookNode, seconds: float) -> dict:
    """Describe an execution by this interpreter that ended now."""
    return {
        "code": code_hash(notebook),
        "date": date.today().isoformat(),
        "python": platform.python_version(),
        "seconds": max(1, round(seconds)),
        **{package: metadata.version(package) for package in PACKAGES},
    }


def read(folder: Path) -> Runs:
    """Read a folder's runs, from a notebook's name without its ending to its run."""
    file = folder / NAME
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def to_text(runs: Runs) -> str:
    """Return the file's text: sorted keys, indent 1, one newline at the end."""
    return json.dumps(runs, indent=1, sort_keys=True) + "\n"


def record(path: Path, run: dict) -> None:
    """Write the run of one notebook and leave the others as they are."""
    _change(path.parent, lambda runs: {**runs, path.stem: run})


def forget_missing(folder: Path) -> None:
    """Take out the runs of notebooks that are no longer there."""
    there = _stems(folder)
    _change(folder, lambda runs: {k: run for k, run in runs.items() if k in there})


def faults(folder: Path, read_notebook: Callable[[Path], NotebookNode]) -> list[str]:
    """Say which runs do not belong to a notebook as it is, and what to do."""
    runs = read(folder)
    found = [_fault(path, runs, read_notebook) for path in _notebooks(folder)]
    found += [
        f"{NAME} has a run of {stem}.ipynb, which does not exist: run `make outputs`"
        for stem in sorted(set(runs) - _stems(folder))
    ]
    return [fault for fault in found if fault]


def _fault(
    path: Path, runs: Runs, read_notebook: Callable[[Path], NotebookNode]
) -> str | None:
    command = f"run `python -m tools.notebooks {path.parent.name}/{path.name}`"
    if path.stem not in runs:
        return f"{path.name} has no run in {NAME}: {command}"
    if runs[path.stem]["code"] != code_hash(read_notebook(path)):
        return f"{path.name} has other code than what was executed: {command}"
    return None


def _notebooks(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.ipynb"))


def _stems(folder: Path) -> set[str]:
    return {path.stem for path in _notebooks(folder)}


def _change(folder: Path, change: Callable[[Runs], Runs]) -> None:
    with _locked(folder):
        write_whole(folder / NAME, to_text(change(read(folder))))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    # Two workers may finish at once. A lock on the folder leaves no file behind.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
