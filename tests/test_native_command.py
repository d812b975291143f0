"""``python -m lossfn.native``: what it prints, and its exit status."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from lossfn import native
from lossfn.native import __main__ as command
from lossfn.native import _library

REPORT = r"""library:    {path}
            {took}, \d+ KB
TensorFlow: {version}
threads:    {threads}
check:      0\.407606, as lossfn\.nn says 0\.407606
"""
COMPILED = r"compiled in \d+\.\d\d s"
HELP = """usage: python -m lossfn.native [-h] [--again]

Compile the losses in C++, load them, and say what was done.

options:
  -h, --help  show this help message and exit
  --again     compile even if there is a library
"""


def is_report(text: str, *, took: str, path: str) -> bool:
    pattern = REPORT.format(
        path=path,
        took=took,
        version=re.escape(tf.__version__),
        threads=_library.threads(),
    )
    return re.fullmatch(pattern, text) is not None


def run_in_process(*options: str, **environment: str):
    return subprocess.run(
        [sys.executable, "-m", "lossfn.native", *options],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def test_an_empty_cache_is_filled(tmp_path):
    ran = run_in_process(LOSSFN_CACHE=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    (path,) = tmp_path.iterdir()
    assert is_report(ran.stdout, took=COMPILED, path=re.escape(str(path)))


def test_a_library_that_is_there_is_found(capsys, monkeypatch):
    path = native.load().path
    found = _library.loaded()._replace(library=native.Library(path, None))
    monkeypatch.setattr(_library, "_loaded", found)
    assert command.main([]) == 0
    assert is_report(capsys.readouterr().out, took="found", path=re.escape(str(path)))


def test_again_compiles(capsys, monkeypatch, tmp_path):
    path = native.load().path
    monkeypatch.setenv("LOSSFN_CACHE", str(tmp_path))
    assert command.main(["--again"]) == 0
    out = capsys.readouterr().out
    assert is_report(out, took=COMPILED, path=re.escape(str(path)))
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("options", [[], ["--again"]], ids=["found", "again"])
def test_without_a_compiler_the_status_is_1(options, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(_library, "_loaded", None)
    monkeypatch.setenv("LOSSFN_CACHE", str(tmp_path))
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert command.main(options) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        "lossfn.native needs a C++ compiler and found none: looked for "
        "no-such-compiler. Debian and Ubuntu: apt-get install g++. Fedora: "
        "dnf install gcc-c++. Everything else in lossfn works without it.\n"
    )


def test_help(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    with pytest.raises(SystemExit) as caught:
        command.main(["--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == HELP


def test_an_unknown_option_is_told(capsys):
    with pytest.raises(SystemExit) as caught:
        command.main(["--agian"])
    assert caught.value.code == 2
    assert "unrecognized arguments: --agian" in capsys.readouterr().err


EVERYTHING_ELSE = """
import importlib, pkgutil, lossfn
for module in pkgutil.walk_packages(lossfn.__path__, "lossfn."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
from lossfn import native, nn
arguments = {"labels": [0], "logits": [[2.0, 1.0, 0.0]]}
print(f"{nn.sparse_softmax_cross_entropy_with_logits(**arguments)[0]:.6f}")
native.release_memory()
try:
    native.sparse_softmax_cross_entropy_with_logits(**arguments)
except native.BuildError as error:
    print(error)
"""


def test_everything_else_works_without_a_compiler(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", EVERYTHING_ELSE],
        env={
            **{k: v for k, v in os.environ.items() if k != "CXX"},
            "PATH": str(tmp_path),
            "LOSSFN_CACHE": str(tmp_path / "cache"),
        },
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == (
        "0.407606\n"
        "lossfn.native needs a C++ compiler and found none: looked for g++, clang++, "
        "c++. Debian and Ubuntu: apt-get install g++. Fedora: dnf install gcc-c++. "
        "Everything else in lossfn works without it.\n"
    )
    assert list((tmp_path / "cache").iterdir()) == []
