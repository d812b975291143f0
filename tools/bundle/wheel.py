"""The wheel of the package, the same bytes each time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from tools.bundle.pages import BundleError

SOURCES = ("pyproject.toml", "README.md", "LICENSE")


def build(root: Path, folder: Path, date: datetime) -> Path:
    """Build the wheel with what is installed, in a copy, and without a network.

    Args:
        root: the folder of pyproject.toml.
        folder: where the wheel goes.
        date: the time of the files in it.

    Returns:
        The wheel.

    Raises:
        BundleError: If it cannot be built.
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
            env={**os.environ, "SOURCE_DATE_EPOCH": f"{date.timestamp():.0f}"},
            check=False,
        )
        if done.returncode:
            raise BundleError(f"the wheel cannot be built:\n{done.stdout}{done.stderr}")
        (wheel,) = made.glob("*.whl")
        return Path(shutil.copy2(wheel, folder))


def _copy_sources(root: Path, folder: Path) -> None:
    for name in SOURCES:
        shutil.copy2(root / name, folder)
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(root / "lossfn", folder / "lossfn", ignore=ignored)
