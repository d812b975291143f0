"""Run one chapter, or the package's tests, in an environment; say what failed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from tools import notebooks
from tools.matrix.report import Failure, failures_in, short

CHAPTER_SECONDS = 1800
TESTS_SECONDS = 7200

_CELL = re.compile(r"Cell (\d+)$")
_running: set[subprocess.Popen] = set()
_lock = threading.Lock()


def chapter(
    python: Path, root: Path, path: Path, variables: Mapping[str, str]
) -> list[Failure]:
    """Compare every output of a notebook; return what failed."""
    arguments = ["--nbval", "--nbval-current-env", str(path)]
    failures = _pytest(python, root, arguments, variables, CHAPTER_SECONDS)
    ids = [c.id for c in notebooks.read(path).cells if c.cell_type == "code"]
    return [_with_cell_id(failure, ids) for failure in failures]


def tests(
    python: Path, root: Path, paths: Sequence[Path], variables: Mapping[str, str]
) -> list[Failure]:
    """Run the package's tests and doctests; return what failed."""
    arguments = ["--numprocesses", "2", "--dist", "loadfile"]
    arguments += [*map(str, paths), str(root / "lossfn")]
    return _pytest(python, root, arguments, variables, TESTS_SECONDS)


def stop_all() -> None:
    """Stop what is running; a run that was interrupted has no result."""
    with _lock:
        for process in _running:
            _stop(process)


def _with_cell_id(failure: Failure, ids: Sequence[str]) -> Failure:
    cell = _CELL.search(failure.where)
    return failure._replace(where=ids[int(cell[1])]) if cell else failure


def _pytest(
    python: Path,
    root: Path,
    arguments: Sequence[str],
    variables: Mapping[str, str],
    seconds: int,
) -> list[Failure]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [str(python), "-m", "pytest", "--quiet", "-p", "no:cacheprovider"]
        command += ["--junitxml", str(report), *arguments]
        output = Path(folder) / "output"
        surroundings = _surroundings(python, variables)
        with output.open("wb") as file:
            stopped = _wait(command, root, surroundings, file, seconds)
        if stopped or not report.is_file():
            failures = [Failure("", stopped or _tail(output))]
        else:
            failures = list(failures_in(report))
    # The results are no place for a folder of this machine.
    return [Failure(*(text.replace(f"{root}/", "") for text in f)) for f in failures]


def _wait(
    command: Sequence[str],
    root: Path,
    variables: Mapping[str, str],
    file: BinaryIO,
    seconds: int,
) -> str | None:
    """Return None when the command has ended, whatever its exit status."""
    process = subprocess.Popen(
        command,
        cwd=root,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=file,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # so that it can be stopped with its workers
    )
    with _lock:
        _running.add(process)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        _stop(process)
        return f"not done after {seconds} seconds"
    finally:
        with _lock:
            _running.discard(process)
    return None


def _stop(process: subprocess.Popen) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _surroundings(python: Path, variables: Mapping[str, str]) -> dict[str, str]:
    place = python.parent.parent
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PY", "MPL"))}
    return kept | {
        "PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", "")]),
        "IPYTHONDIR": str(place / "ipython"),
        "MPLCONFIGDIR": str(place / "matplotlib"),
        "XDG_CACHE_HOME": str(place / "cache"),  # lossfn.native's libraries among it
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TQDM_DISABLE": "1",
        **variables,
    }


def _tail(output: Path) -> str:
    return short(output.read_text("utf-8", errors="replace")) or "the process stopped"
