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
NO_ROOM = ["No space left on device", "Disk quota exceeded"]
WORKS_WITHOUT = "Everything else in lossfn works without it."


class BuildError(RuntimeError):
    """The library could not be compiled or loaded; the message says what to do.

    Examples:
        >>> from lossfn import native, nn
        >>> try:
        ...     library = native.load()
        ... except native.BuildError as error:
        ...     print(error)
        ...     losses_of = nn  # the same names and arguments, without a compiler
        ... else:
        ...     losses_of = native
        >>> loss = losses_of.sigmoid_cross_entropy_with_logits(labels=1.0, logits=-2.0)
        >>> print(f"{loss:.4f}")
        2.1269
    """


class Library(NamedTuple):
    """A compiled library.

    Examples:
        >>> from lossfn import native
        >>> library = native.load()
        >>> library.path.suffix, library.seconds is None or library.seconds > 0
        ('.so', True)
    """

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
    problems = []
    for place in (cache_folder, _folder_of_this_process):
        try:
            folder = place()
            if not again and (path := find(folder, name)):
                return Library(path, None)
            return _compile_into(folder, name)
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

    Raises:
        OSError: If the user has no home.
    """
    if named := os.environ.get("LOSSFN_CACHE"):
        return Path(named).absolute()
    if cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(cache).absolute() / "lossfn"
    try:
        return Path.home().absolute() / ".cache" / "lossfn"
    except RuntimeError as error:  # HOME is not set, and the system knows no such user
        raise FileNotFoundError(error) from None


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
    try:
        named = shlex.split(os.environ.get("CXX", ""))
    except ValueError as error:
        raise BuildError(
            f"lossfn.native cannot read CXX={os.environ['CXX']}: {error}. "
            f"{WORKS_WITHOUT}"
        ) from None
    if named:
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


def commands(output: Path) -> list[list[str]]:
    """Return the commands that compile the library.

    It names the library of TensorFlow that it needs, or releases before 2.21 would not
    find its symbols. Linking with that one, of many thousand symbols, takes longer than
    compiling, so that an empty one of the same name stands for it.
    """
    stand_in = output.with_name("stand-in.so")
    soname = tf.sysconfig.get_link_flags()[-1].removeprefix("-l:")
    empty = ["-shared", "-nostdlib", f"-Wl,-soname,{soname}", "-x", "c", os.devnull]
    include = ["-I", tf.sysconfig.get_include()]
    needed = ["-Wl,--no-as-needed", str(stand_in), "-Wl,--as-needed"]
    return [
        [*compiler(), *empty, "-o", str(stand_in)],
        [*compiler(), *FLAGS, *include, str(SOURCES[0]), *needed, "-o", str(output)],
    ]


def _compile(output: Path) -> float:
    """Compile, and return how many seconds it took.

    Raises:
        BuildError: If the compiler refuses the sources.
        OSError: If there is no room.
    """
    started = time.perf_counter()
    for command in commands(output):
        _run(command, output.parent)
    if not output.is_file():
        raise _failed(command, "wrote no library. ")
    return time.perf_counter() - started


def _run(command: list[str], folder: Path) -> None:
    # What the compiler itself writes must not depend on another folder having room.
    environment = {**os.environ, "TMPDIR": str(folder), "LC_ALL": "C"}
    try:
        ran = subprocess.run(
            command, env=environment, capture_output=True, text=True, errors="replace"
        )
    except OSError as error:
        raise _failed(command, f"cannot be run: {error}. ") from None
    if any(problem in ran.stderr for problem in NO_ROOM):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    if ran.returncode != 0:
        said = ran.stderr[:2000].strip()
        raise _failed(command, f"ended with status {ran.returncode}:\n{said}\n")


def _failed(command: list[str], how: str) -> BuildError:
    return BuildError(
        f"lossfn.native could not be compiled: {shlex.join(command)} {how}"
        f"{WORKS_WITHOUT}"
    )
