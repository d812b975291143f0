"""Compilers that are shell scripts, and processes that compile without TensorFlow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import tensorflow as tf

from lossfn.native import _build

# The output is the last argument. Every call leaves a line in the file "calls".
WRITES = 'for output; do :; done\necho "$@" >> "{folder}/calls"\n'


def fake_compiler(folder: Path, script: str = 'echo library > "$output"') -> Path:
    """Write a compiler that runs this script after noting that it was called."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "compiler"
    path.write_text(f"#!/bin/sh\n{WRITES.format(folder=folder)}{script}\n")
    path.chmod(0o755)
    return path


def calls(compiler: Path) -> int:
    """Return how often a fake compiler was called; a build calls it twice."""
    noted = compiler.with_name("calls")
    return len(noted.read_text().splitlines()) if noted.exists() else 0


# TensorFlow takes seconds to import; building needs three facts of it.
BUILDS = """
import importlib.util, sys, types
tf = types.ModuleType("tensorflow")
version, include, soname, path = sys.argv[1:]
tf.__version__ = version
tf.sysconfig = types.SimpleNamespace(
    get_include=lambda: include, get_link_flags=lambda: [f"-l:{soname}"]
)
sys.modules["tensorflow"] = tf
spec = importlib.util.spec_from_file_location("_build", path)
build = importlib.util.module_from_spec(spec)
sys.modules["_build"] = build
spec.loader.exec_module(build)
"""
NAMES = "print(build.build().path)"
# Everything that a user without rights may be unable to read has been read by then.
AS_NOBODY = """
import os
key = build.key()
build.key = lambda: key
os.setgroups([]), os.setgid(65534), os.setuid(65534)
"""


def start_build(
    *, as_nobody: bool = False, **environment: str
) -> subprocess.Popen[str]:
    """Start a process, in a group of its own, that builds the library and names it."""
    script = f"{BUILDS}{AS_NOBODY * as_nobody}{NAMES}"
    soname = tf.sysconfig.get_link_flags()[-1].removeprefix("-l:")
    facts = [tf.__version__, tf.sysconfig.get_include(), soname, _build.__file__]
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script, *facts],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
