"""Grades the solutions, which must pass, and the empty notebooks, which must not."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

# How the verdict on an empty notebook says that nothing was written yet.
EMPTY = ("is still to be written", "is still None", "is still to be made")


def faults(kit: Path, *options: str) -> Iterator[str]:
    """Yield what is wrong: a solution that fails, an empty answer that passes.

    Args:
        kit: The folder of the kit, with its wheel.
        *options: More options of pytest.
    """
    for row in graded(kit, "solution", *options):
        if row["points"] != row["of"]:
            yield f"the solution of {row['exercise']} fails: {row['why']}"
    for row in graded(kit, "student", *options):
        if float(row["points"]):
            yield f"{row['exercise']} passes without an answer"
        elif not any(words in row["why"] for words in EMPTY):
            yield f"{row['exercise']} is empty, and its words do not help: {row['why']}"


def graded(kit: Path, notebooks: str, *options: str) -> list[dict[str, str]]:
    """Grade a folder of the kit with its grader and its lossfn; returns the table.

    Raises:
        RuntimeError: If the grader fails by itself.
    """
    with tempfile.TemporaryDirectory() as scratch:
        table = Path(scratch) / "points.csv"
        command = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider"]
        command += [f"--notebooks={kit / notebooks}", f"--csv={table}", *options]
        run = subprocess.run(
            command,
            cwd=kit / "repository",
            env=_environment(kit, Path(scratch) / "lossfn"),
            capture_output=True,
            text=True,
        )
        if run.returncode not in (0, 1) or not table.is_file():
            raise RuntimeError(f"the grader failed:\n{run.stdout}{run.stderr}")
        with open(table, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def _environment(kit: Path, unpacked: Path) -> dict[str, str]:
    """Take lossfn from the wheel, whatever is installed."""
    for wheel in (kit / "repository" / "wheels").glob("lossfn-*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)
    environment = dict(
        os.environ, PYTHONPATH=str(unpacked), PYTHONDONTWRITEBYTECODE="1"
    )
    environment.pop("GITHUB_STEP_SUMMARY", None)
    return environment
