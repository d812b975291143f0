"""Execute the chapters and write them in one normal form.

    python -m tools.notebooks            execute and normalise every chapter
    python -m tools.notebooks PATH...    only these
    python -m tools.notebooks --check    execute nothing, name what is not normal

A normal notebook holds only what the reader sees and what the author wrote: no
times or widget state, cell ids that depend on nothing but the chapter's name and
the cell's source, and the execution counts of one run from top to bottom.  (nbval
compares nothing in a cell without a count.)  So executing a chapter twice gives
the same file, and a changed line is a changed result.  What does change, the time
that it took and the versions that it ran on, is in book/runs.json (tools/runs.py).
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import multiprocessing
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import (
    CellExecutionError,
    CellTimeoutError,
    DeadKernelError,
)
from nbformat import NotebookNode

from tools import runs
from tools.files import write_whole

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"
PROCESSES = 2
CELL_SECONDS = 900

NOTEBOOK_METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}
# What an author writes; a tool that adds anything else meant it for itself.
KEPT_CELL_METADATA = ("jupyter", "mystnb", "tags")

_ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_CELL_FRAME = re.compile(r"\ACell(?: In\[\d+\])?, line ")
_NOT_IN_AN_ID = re.compile(r"[^a-zA-Z0-9_-]+")


class NotebookError(Exception):
    """A chapter that could not be executed; the message says where and why."""


# --- the normal form ---------------------------------------------------------


def normalise(notebook: NotebookNode, stem: str) -> NotebookNode:
    """Return the notebook in normal form.

    Args:
        notebook: A version 4 notebook.  It is not changed.
        stem: The file's name without its ending; every cell id starts with it.

    Returns:
        A new, valid notebook.  Normalising it again changes nothing.
    """
    cells = [_normal_cell(cell) for cell in notebook.cells if cell.source.strip()]
    for cell, cell_id in zip(cells, _cell_ids(cells, stem), strict=True):
        cell.id = cell_id
    _number([cell for cell in cells if cell.cell_type == "code"])
    normal = nbformat.from_dict(
        {
            "cells": cells,
            "metadata": NOTEBOOK_METADATA,
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )
    nbformat.validate(normal)
    return normal


def _normal_cell(cell: NotebookNode) -> NotebookNode:
    normal = {
        "cell_type": cell.cell_type,
        "metadata": _normal_metadata(cell.metadata),
        "source": cell.source.strip("\n"),
    }
    if cell.cell_type == "code":
        normal["outputs"] = _normal_outputs(cell.outputs)
    elif cell.get("attachments"):
        normal["attachments"] = cell.attachments
    return nbformat.from_dict(normal)


def _number(code_cells: Sequence[NotebookNode]) -> None:
    for count, cell in enumerate(code_cells, start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count


def _normal_metadata(metadata: NotebookNode) -> dict:
    kept = {key: metadata[key] for key in KEPT_CELL_METADATA if metadata.get(key)}
    if "tags" in kept:
        kept["tags"] = sorted(set(kept["tags"]))
    return kept


def _normal_outputs(outputs: Sequence[NotebookNode]) -> list[dict]:
    normal: list[dict] = []
    for output in outputs:
        output = dict(output)
        if output["output_type"] == "stream":
            if normal and normal[-1].get("name") == output["name"]:
                normal[-1]["text"] += output["text"]
                continue
        elif output["output_type"] == "error":
            output["traceback"] = _normal_traceback(output["traceback"])
        output.pop("transient", None)
        normal.append(output)
    return normal


def _normal_traceback(traceback: Sequence[str]) -> list[str]:
    """Keep the cell's own lines and the message.

    The other frames name files of one machine and lines that move with every
    edit of a library; the message is what the chapter is about.
    """
    if not traceback:
        return []
    blocks = [_ANSI_COLOUR.sub("", block).strip() for block in traceback]
    frames = [
        _CELL_FRAME.sub("Cell, line ", block)
        for block in blocks[:-1]
        if _CELL_FRAME.match(block)
    ]
    return [*frames, blocks[-1]]


def _cell_ids(cells: Sequence[NotebookNode], stem: str) -> list[str]:
    # nbformat allows 64 characters; 8 go to the hash and a few to a suffix.
    prefix = _NOT_IN_AN_ID.sub("-", stem)[:48]
    seen: dict[str, int] = {}
    ids = []
    for cell in cells:
        content = f"{cell.cell_type}\n{cell.source}".encode()
        cell_id = f"{prefix}-{hashlib.sha256(content).hexdigest()[:8]}"
        seen[cell_id] = seen.get(cell_id, 0) + 1
        ids.append(cell_id if seen[cell_id] == 1 else f"{cell_id}-{seen[cell_id]}")
    return ids


def to_text(notebook: NotebookNode) -> str:
    """Return the file's text: sorted keys, indent 1, one newline at the end."""
    return nbformat.v4.writes(notebook).rstrip("\n") + "\n"


def read(path: Path) -> NotebookNode:
    """Read a version 4 notebook.

    ``nbformat.read`` would repair what it finds and say so in a warning; the
    normal form repairs the same things in silence.
    """
    return nbformat.v4.reads(path.read_text(encoding="utf-8"))


def what_is_not_normal(path: Path) -> str | None:
    """Return the first line that differs from the normal form, or None."""
    found = path.read_text(encoding="utf-8")
    wanted = to_text(normalise(read(path), path.stem))
    if found == wanted:
        return None
    lines = difflib.ndiff(found.splitlines(), wanted.splitlines())
    first = next((line for line in lines if line[0] in "+-"), "- the last newline")
    return first if len(first) <= 100 else first[:100] + "…"


# --- execution ---------------------------------------------------------------


class _ThisInterpreter(AsyncKernelManager):
    """A kernel of the interpreter that runs this file, whatever is registered."""

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(
            argv=[
                sys.executable,
                "-m",
                "ipykernel_launcher",
                "-f",
                "{connection_file}",
            ],
            display_name="Python 3",
            language="python",
        )


def execute(notebook: NotebookNode, path: Path) -> None:
    """Execute the notebook in place.

    Args:
        notebook: The notebook to fill with outputs.
        path: Its file, which sets the working folder and names it in errors.

    Raises:
        NotebookError: If a cell raises without the tag ``raises-exception``,
            does not raise with it, or the kernel stops.
    """
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        startup_timeout=120,
        kernel_manager_class=_ThisInterpreter,
        resources={"metadata": {"path": str(path.parent)}},
        # TensorFlow's library writes start-up lines with times to the process's
        # stderr; captured, they would be stored as outputs.
        extra_arguments=["--IPKernelApp.capture_fd_output=False"],
        record_timing=False,
    )
    try:
        with tempfile.TemporaryDirectory() as profile:
            client.execute(env=_kernel_environment(profile))
    except CellExecutionError as error:
        cell = _cell_that_failed(notebook)
        raise NotebookError(
            f"{_where(notebook, cell, path)} raised {error.ename}: {error.evalue}\n"
            f"{_indented(cell.source)}"
        ) from None
    except (CellTimeoutError, DeadKernelError) as error:
        raise NotebookError(f"{_short(path)}: {error}") from None
    _check_promised_errors(notebook, path)


def _kernel_environment(profile: str) -> dict[str, str]:
    environment = dict(os.environ)
    # matplotlib's figures are stored only with the kernel's own backend.
    environment.pop("MPLBACKEND", None)
    search_path = [str(ROOT), *environment.get("PYTHONPATH", "").split(os.pathsep)]
    environment.update(
        PYTHONPATH=os.pathsep.join(filter(None, search_path)),
        # The reader's own start-up files must not change a chapter.
        IPYTHONDIR=profile,
        TF_ENABLE_ONEDNN_OPTS="0",
        TF_CPP_MIN_LOG_LEVEL="3",
        # A progress bar holds times; a chapter may show one, its outputs may not.
        TQDM_DISABLE="1",
    )
    return environment


def _raised(cell: NotebookNode) -> bool:
    outputs = cell.get("outputs", [])
    return any(output.output_type == "error" for output in outputs)


def _may_raise(cell: NotebookNode) -> bool:
    return "raises-exception" in cell.metadata.get("tags", [])


def _cell_that_failed(notebook: NotebookNode) -> NotebookNode:
    return next(c for c in notebook.cells if _raised(c) and not _may_raise(c))


def _check_promised_errors(notebook: NotebookNode, path: Path) -> None:
    for cell in notebook.cells:
        if _may_raise(cell) and not _raised(cell):
            raise NotebookError(
                f"{_where(notebook, cell, path)} is tagged raises-exception and "
                f"raised nothing\n{_indented(cell.source)}"
            )


def _where(notebook: NotebookNode, cell: NotebookNode, path: Path) -> str:
    number = 1 + next(i for i, c in enumerate(notebook.cells) if c is cell)
    return f"{_short(path)}, cell {number} of {len(notebook.cells)} ({cell.id})"


def _indented(source: str) -> str:
    return "\n".join(f"    {line}" for line in source.splitlines())


def _short(path: Path) -> str:
    return os.path.relpath(path)


def refresh(path: Path) -> str | None:
    """Execute one notebook and write it in normal form.

    Returns:
        None, or the message of what went wrong; the file is then left alone.
    """
    notebook = normalise(read(path), path.stem)
    start = time.perf_counter()
    try:
        execute(notebook, path)
    except NotebookError as error:
        return str(error)
    seconds = time.perf_counter() - start
    write_whole(path, to_text(normalise(notebook, path.stem)))
    if path.parent == BOOK:
        runs.record(path, runs.new_run(notebook, seconds))
    return None


# --- the command -------------------------------------------------------------


def _check_all(paths: Sequence[Path]) -> int:
    failures = 0
    for path in paths:
        difference = what_is_not_normal(path)
        if difference:
            failures += 1
            print(f"{_short(path)} is not normal: {difference}")
    if failures:
        print("Run `make outputs`, or `python -m tools.notebooks` with its name.")
    return int(failures > 0)


def _refresh_all(paths: Sequence[Path]) -> int:
    failures = 0
    # A fresh process for each worker: a forked one would share event loops.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(PROCESSES, len(paths)), mp_context=context) as pool:
        for path, message in zip(paths, pool.map(refresh, paths), strict=True):
            print(message or f"{_short(path)} executed", flush=True)
            failures += message is not None
    return int(failures > 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="only report")
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    options = parser.parse_args(arguments)
    paths = [path.resolve() for path in options.paths] or sorted(BOOK.glob("*.ipynb"))
    missing = [path for path in paths if not path.is_file()]
    if missing:
        parser.error("no such file: " + ", ".join(map(_short, missing)))
    if not paths:
        print("There is no notebook in book/.")
        return 0
    if options.check:
        return _check_all(paths)
    if not options.paths:
        runs.forget_missing(BOOK)
    return _refresh_all(paths)


if __name__ == "__main__":
    sys.exit(main())
