"""No operation reads or writes where it should not: AddressSanitizer, UBSan."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lossfn.native import _build

FLAGS = [
    "-O1",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=undefined",
]
READS_BEYOND = ("losses.h", "k >= row.n", "k > row.n")
OVERFLOWS = ("losses.h", "k = *row.k;", "k = *row.k * row.n / row.n;")


def library_of_compiler(name: str) -> str:
    command = ["g++", f"-print-file-name={name}"]
    path = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    if not Path(path).is_absolute():
        pytest.skip(f"g++ is here without {name}")
    return path


def run_calls(cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run every call with a library that watches its memory."""
    # They must come before everything else; the second brings libstdc++ along, whose
    # exceptions the first wants to watch.
    libraries = [library_of_compiler(name) for name in ("libasan.so", "libubsan.so")]
    environment |= {"CXX": "g++", "LD_PRELOAD": " ".join(libraries)}
    return subprocess.run(
        [sys.executable, "-m", "tests.native_calls", str(cache), *FLAGS],
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0", **environment},
        capture_output=True,
        text=True,
    )


def test_nothing_is_read_or_written_where_it_should_not_be(tmp_path):
    ran = run_calls(tmp_path)
    assert "Sanitizer" not in ran.stderr
    assert "runtime error" not in ran.stderr
    assert ran.returncode == 0, ran.stderr[-3000:]
    accepted, refused = map(int, re.findall(r"\d+", ran.stdout.splitlines()[-1]))
    assert accepted > 1000
    assert refused > 1000


@pytest.mark.parametrize(
    ("plant", "report"),
    [
        (READS_BEYOND, "AddressSanitizer: heap-buffer-overflow"),
        (OVERFLOWS, "runtime error: signed integer overflow"),
    ],
    ids=["read", "overflow"],
)
def test_a_planted_fault_is_found(plant, report, tmp_path):
    for source in _build.SOURCES:
        shutil.copy(source, tmp_path)
    name, right, wrong = plant
    text = (tmp_path / name).read_text()
    assert text.count(right) == 1
    (tmp_path / name).write_text(text.replace(right, wrong))
    ran = run_calls(tmp_path / "cache", LOSSFN_SOURCES=str(tmp_path))
    assert ran.returncode != 0
    assert report in ran.stderr
