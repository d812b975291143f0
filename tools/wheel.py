"""The wheel of the package, the same bytes each time, for the bundle and the kit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

SOURCES = ("pyproject.toml", "README.md", "LICENSE")


class WheelError(Exception):
    """The wheel cannot be built; the message says why."""


def build(root: Path, folder: Path, date: datetime | None = None) -> Path:
    """Build the wheel with what is installed, in a copy, and without a network.

    Args:
        root: the folder of pyproject.toml.
        folder: where the wheel goes.
        date: the time of the files in it, now if None.

    Returns:
        The wheel.

    Raises:
        WheelError: If it cannot be built.
    """
    with tempfile.TemporaryDirectory() as scratch:
        _copy_sources(root, Path(scratch))
        made = Path(scratch, "made")
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet"]
        offline = ["--no-deps", "--no-index", "--no-build-isolation"]
        done = subprocess.run(
            [*pip, *offline, "--wheel-dir", made, scratch],
            capture_output=True,
            text=True,
            env=os.environ | _epoch(date),
            check=False,
        )
        if done.returncode:
            raise WheelError(f"the wheel cannot be built:\n{done.stdout}{done.stderr}")
        (wheel,) = made.glob("*.whl")
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy2(wheel, folder))


def _epoch(date: datetime | None) -> dict[str, str]:
    return {"SOURCE_DATE_EPOCH": f"{date.timestamp():.0f}"} if date else {}


def _copy_sources(root: Path, folder: Path) -> None:
    for name in SOURCES:
        shutil.copy2(root / name, folder)
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(root / "lossfn", folder / "lossfn", ignore=ignored)
