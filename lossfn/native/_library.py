"""The compiled library in this process: loaded on first use, and once."""

from __future__ import annotations

import ctypes
import os
import threading
from types import ModuleType
from typing import NamedTuple

import tensorflow as tf

from lossfn.native import _build


class Loaded(NamedTuple):
    """The operations, and the few functions of the library that are none."""

    operations: ModuleType
    functions: ctypes.CDLL
    library: _build.Library


_loading = threading.Lock()
_loaded: Loaded | None = None


def loaded() -> Loaded:
    """Return the library, compiled and loaded if it was not yet."""
    global _loaded
    if _loaded is None:
        with _loading:
            if _loaded is None:
                _loaded = _load()
    return _loaded


def _load() -> Loaded:
    library = _build.build()
    try:
        operations = tf.load_op_library(str(library.path))
        functions = ctypes.CDLL(str(library.path))
        functions.lossfn_use_threads(threads())
    except (tf.errors.OpError, OSError, AttributeError) as error:
        library.path.unlink(missing_ok=True)  # or every process would find it
        raise _build.BuildError(
            f"lossfn.native compiled {library.path}, but TensorFlow {tf.__version__} "
            f"cannot load it: {error}. {_build.WORKS_WITHOUT}"
        ) from None
    return Loaded(operations, functions, library)


def threads() -> int:
    """Return how many threads TensorFlow gives an operation: all CPUs, if not told."""
    chosen = tf.config.threading.get_intra_op_parallelism_threads()
    return chosen or len(os.sched_getaffinity(0))


def load() -> _build.Library:
    """Compile the library if there is none yet, and load it into this process.

    The first loss does the same; call this to choose the moment, to see a
    :exc:`BuildError` early, or before a saved graph with these operations is loaded.
    It is safe to call from several threads and processes at once.

    Returns:
        Where the library is, and how long it took to compile.

    Raises:
        BuildError: If the system is not Linux, there is no compiler, the compiler
            fails, no folder can be written, or TensorFlow cannot load the library.

    Examples:
        >>> library = load()
        >>> library.path.suffix
        '.so'
    """
    return loaded().library


def release_memory() -> None:
    """Give back the memory that large gradients left for the next call.

    That is at most two blocks, each of 4 MB or more; the C library may keep some of it.

    Examples:
        >>> release_memory()
    """
    if _loaded is not None:
        _loaded.functions.lossfn_release_memory()
