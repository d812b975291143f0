"""Zip files that are the same, byte for byte, whenever they are made."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

# The earliest time that a zip file can say.
LONG_AGO = (1980, 1, 1, 0, 0, 0)
# What a picture, a font or an archive does not get any smaller by.
COMPRESSED = {".png", ".woff", ".woff2", ".epub", ".whl", ".zip"}


def add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a file, packed where that helps, with a time that is always the same."""
    kept = Path(name).suffix in COMPRESSED
    _add(archive, name, content, zipfile.ZIP_STORED if kept else zipfile.ZIP_DEFLATED)


def add_stored(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a file as it is."""
    _add(archive, name, content, zipfile.ZIP_STORED)


def _add(archive: zipfile.ZipFile, name: str, content: bytes, method: int) -> None:
    entry = zipfile.ZipInfo(name, LONG_AGO)
    entry.compress_type = method
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content)


def pack(path: Path, top: str, files: Mapping[str, Path | bytes]) -> None:
    """Write a zip file.

    Args:
        path: the file to write.
        top: the one folder that everything lies in.
        files: for each name below ``top`` the file that it comes from, or its content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(files):
            source = files[name]
            content = source if isinstance(source, bytes) else source.read_bytes()
            add(archive, f"{top}/{name}", content)


def tree(folder: Path, below: str) -> dict[str, Path]:
    """List the files of a folder for :func:`pack`, without caches and hidden files."""
    found = {}
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        skipped = any(p.startswith(".") or p == "__pycache__" for p in parts)
        if path.is_file() and not skipped:
            found["/".join((below, *parts))] = path
    return found
