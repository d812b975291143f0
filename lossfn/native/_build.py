"""Compile the C++ sources once, and keep the library where every process finds it."""

from __future__ import annotations

import atexit
import contextlib
import errno
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

SOURCES = [
    Path(__file__).with_name(name)
    for name in ("operations.cc", "losses.h", "numbers.h")
]
FLAGS = [
    "-std=c++17",
    "-O2",
    "-ftree-vectorize",
    "-march=native",
    "-fopenmp-simd",  # honour "#pragma omp simd"; needs no OpenMP at run time
    "-fno-math-errno",
    "-fno-trapping-math",  # compare and select, as vectors
    "-fno-exceptions",
    "-fno-rtti",
    "-fPIC",
    "-shared",
]
COMPILERS = ["g++", "clang++", "c++"]
WORKS_WITHOUT = "Everything else in lossfn works without it."


class BuildError(RuntimeError):
    """The library could not be compiled or loaded; the message says what to do."""


class Library(NamedTuple):
    """A compiled library."""

    path: Path
    seconds: float | None  # that the compiler took; None: it was there already


def build(*, again: bool = False) -> Library:
    """Return the library for these sources, this CPU and this TensorFlow.

    It is compiled in a folder of its own and moved to its place when it is whole, so
    that neither an interrupted build nor another process leaves half of one.

    Args:
        again: Whether to compile even if there is a library.

    Returns:
        Where the library is, and how long it took to compile.

    Raises:
        BuildError: If the system is not Linux, there is no compiler, the compiler
            fails, or no folder can be written.
    """
    if platform.system() != "Linux":
        raise BuildError(
            f"lossfn.native works on Linux; this is {platform.system()}. "
            f"{WORKS_WITHOUT}"
        )
    name = key()
    if not again and (path := find(cache_folder(), name)):
        return Library(path, None)
    problems = []
    for folder in (cache_folder, _folder_of_this_process):
        try:
            return _compile_into(folder(), name)
        except OSError as error:
            problems.append(str(error))
    raise BuildError(
        "lossfn.native found no folder to write its library to (LOSSFN_CACHE names "
        f"one): {'; '.join(problems)}. {WORKS_WITHOUT}"
    )


def key() -> str:
    """Return what a library depends on, as one short word."""
    digest = hashlib.sha256()
    for source in SOURCES:
        digest.update(source.read_bytes())
    digest.update(repr((FLAGS, _cpu(), tf.__version__)).encode())
    return digest.hexdigest()[:16]


def _cpu() -> list[str]:
    """Return the kind of CPU: -march=native makes a library for that kind only."""
    kind = [platform.machine()]
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        fields = ("model name", "flags", "CPU part", "Features")
        kind += sorted({line for line in lines if line.startswith(fields)})
    return kind


def cache_folder() -> Path:
    """Return the folder of the libraries: LOSSFN_CACHE, or lossfn in the user's cache.

    Returns:
        A folder that need not exist.
    """
    if named := os.environ.get("LOSSFN_CACHE"):
        return Path(named).absolute()
    if cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(cache).absolute() / "lossfn"
    return Path(os.path.expanduser("~")).absolute() / ".cache" / "lossfn"


def _folder_of_this_process() -> Path:
    """Make a folder that goes when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="lossfn-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def find(folder: Path, name: str) -> Path | None:
    """Return a whole library of this name; its file name holds its checksum."""
    for path in sorted(folder.glob(f"{name}-*.so")):
        with contextlib.suppress(OSError):
            if path.name == _file_name(name, path.read_bytes()):
                return path
    return None


def _file_name(name: str, content: bytes) -> str:
    return f"{name}-{hashlib.sha256(content).hexdigest()[:16]}.so"


def _compile_into(folder: Path, name: str) -> Library:
    folder.mkdir(parents=True, exist_ok=True)
    _remove_remains(folder)
    with tempfile.TemporaryDirectory(prefix="lossfn-build-", dir=folder) as workplace:
        unfinished = Path(workplace) / "library.so"
        seconds = _compile(unfinished)
        content = unfinished.read_bytes()
        path = folder / _file_name(name, content)
        os.replace(unfinished, path)
    return Library(path, seconds)


def _remove_remains(folder: Path) -> None:
    """Remove what builds left that were killed more than an hour ago."""
    for remains in folder.glob("lossfn-build-*"):
        with contextlib.suppress(OSError):
            if time.time() - remains.stat().st_mtime > 3600:
                shutil.rmtree(remains, ignore_errors=True)


def compiler() -> list[str]:
    """Return the command of the C++ compiler: that of CXX, or the first one found."""
    if named := shlex.split(os.environ.get("CXX", "")):
        candidates = [named]
    else:
        candidates = [[name] for name in COMPILERS]
    for command in candidates:
        if shutil.which(command[0]):
            return command
    raise BuildError(
        "lossfn.native needs a C++ compiler and found none: looked for "
        f"{', '.join(command[0] for command in candidates)}. Debian and Ubuntu: "
        f"apt-get install g++. Fedora: dnf install gcc-c++. {WORKS_WITHOUT}"
    )


def command(output: Path) -> list[str]:
    """Return the command that compiles the library."""
    include = tf.sysconfig.get_include()
    return [*compiler(), *FLAGS, "-I", include, str(SOURCES[0]), "-o", str(output)]


def _compile(output: Path) -> float:
    """Compile, and return how many seconds it took.

    Raises:
        BuildError: If the compiler refuses the sources.
        OSError: If there is no room.
    """
    # What the compiler itself writes must not depend on another folder having room.
    environment = {**os.environ, "TMPDIR": str(output.parent), "LC_ALL": "C"}
    started = time.perf_counter()
    ran = subprocess.run(
        command(output), env=environment, capture_output=True, text=True, check=False
    )
    if ran.returncode == 0:
        return time.perf_counter() - started
    if "No space left on device" in ran.stderr:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(output.parent))
    raise BuildError(
        f"lossfn.native could not be compiled: {shlex.join(command(output))} ended "
        f"with status {ran.returncode}:\n{ran.stderr[:2000].strip()}\n{WORKS_WITHOUT}"
    )
