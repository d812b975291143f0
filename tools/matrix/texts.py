"""Hashes of what a result depends on: a result for an older text is shown as such."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from tools import notebooks

CODE = {".py", ".cc", ".h", ".csv", ".json", ".txt"}
# Tests of the site, the tools and the benchmarks are none of the package's.
ELSEWHERE = re.compile(
    r"^\s*(?:from|import) (?:tests(?:\.| import )\w+_sample|"
    r"tools\b(?! import notebooks$)|benchmarks|playwright|sphinx|yaml)\b",
    re.MULTILINE,
)


def chapters(root: Path) -> list[Path]:
    """Return the book's notebooks."""
    return sorted((root / "book").glob("*.ipynb"))


def package_tests(root: Path) -> list[Path]:
    """Return the files under ``tests`` that test the package."""
    files = sorted((root / "tests").glob("test_*.py"))
    return [f for f in files if not ELSEWHERE.search(f.read_text(encoding="utf-8"))]


def of_chapter(path: Path) -> str:
    """Return the hash of what nbval runs and compares; prose is free to change."""
    cells = [
        [cell.source, cell.metadata, cell.outputs]
        for cell in notebooks.read(path).cells
        if cell.cell_type == "code"
    ]
    return _short(json.dumps(cells, sort_keys=True).encode())


def of_package(root: Path) -> str:
    """Return the hash of the package, and of the scripts that chapters call."""
    return _of_files(root, [root / "lossfn", root / "book" / "scripts"])


def of_tests(root: Path) -> str:
    """Return the hash of the tests."""
    return _of_files(root, [root / "tests"])


def _of_files(root: Path, folders: Iterable[Path]) -> str:
    files = sorted(
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in CODE and "__pycache__" not in path.parts
    )
    digest = hashlib.sha256()
    for path in files:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()[:12]


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
