"""One library in a process of its own: it checks and times peers when told to."""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from benchmarks.cases import Case, few

# A mean of 33 million float32 numbers, added one by one as some compilers do, is wrong
# in the third digit: reported, and not refused. So is what rounding does to a gradient,
# up to ``Loss.rounding``.
LOSS_TOLERANCE = 1e-2
GRADIENT_TOLERANCE = 1e-3

# A turn of a fast peer is as many calls as fit into this.
SECONDS_PER_TURN = 0.02
MOST_CALLS = 1000
CALLS_FOR_MEMORY = 2


def serve(
    connection: Connection,
    module: str,
    case: Case,
    folder: Path,
    environment: dict[str, str],
) -> None:
    """Answer requests, a name of a :class:`Bench` method and its arguments."""
    os.environ.update(environment)  # before the library is imported
    try:
        bench = Bench(module, case, folder)
        connection.send(("done", None))
        while request := connection.recv():
            name, *arguments = request
            connection.send(("done", getattr(bench, name)(*arguments)))
    except EOFError:  # the asking process is gone
        pass
    except Exception as error:
        connection.send(("failed", f"{type(error).__name__}: {error}"))


class Bench:
    """The peers of one library for one case, and the inputs as its tensors."""

    def __init__(self, module: str, case: Case, folder: Path) -> None:
        """Import the library and read the inputs."""
        self._case = case
        self._library = importlib.import_module(module)
        self._peers = self._library.peers(case.name)
        self._folder = folder
        arrays = load(folder, "input")
        self._few = self._library.tensors(few(arrays))
        self._inputs = self._library.tensors(arrays)

    def names(self) -> list[str]:
        """Return the names of the peers."""
        return list(self._peers)

    def about(self) -> dict[str, object]:
        """Return the library's version and settings."""
        return self._library.about()

    def check(self, peer: str) -> tuple[float, float]:
        """Compare with the reference; return how far loss and gradient are off."""
        loss, gradients = self._call(peer, self._inputs)
        expected = load(self._folder, "expected", mmap_mode="r")
        of_loss = error_of_loss(peer, float(loss), float(expected["loss"]))
        about = self._case.loss
        names = [f"gradient by {name}" for name in about.gradient_of]
        of_gradients = [
            error_of_gradient(
                f"{peer}, {name}", np.asarray(ours), expected[name], about.rounding
            )
            for name, ours in zip(names, gradients, strict=True)
        ]
        return of_loss, max(of_gradients)

    def warm_up(self, peer: str) -> tuple[int, float]:
        """Return how many calls make a turn, and how long one call took."""
        seconds = self.time(peer, 1)
        if (
            seconds < 1
        ):  # a slow call is slow because of the work, not of the first time
            seconds = self.time(peer, 1)
        calls = int(SECONDS_PER_TURN / max(seconds, 1e-9))
        return min(max(calls, 1), MOST_CALLS), seconds

    def time(self, peer: str, calls: int) -> float:
        """Return the seconds of one call: computed, waited for, and released."""
        start = time.perf_counter()
        for _ in range(calls):
            self._call(peer, self._inputs)
        return (time.perf_counter() - start) / calls

    def memory(self, peer: str) -> int | None:
        """Return the peak of the memory above the start, in bytes, if Linux tells."""
        self._call(peer, self._few)
        _give_back()
        try:
            Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        except OSError:
            return None
        start = resident()
        for _ in range(CALLS_FOR_MEMORY):
            self._call(peer, self._inputs)
        return _kilobytes("VmHWM") * 1024 - start

    def _call(self, peer: str, inputs: dict) -> tuple:
        outcome = self._peers[peer](inputs, self._case.loss.gradient_of)
        self._library.wait(outcome)
        return outcome


def save(folder: Path, kind: str, arrays: dict[str, np.ndarray | float]) -> None:
    """Write arrays where a worker finds them."""
    for number, (name, values) in enumerate(arrays.items()):
        np.save(folder / f"{kind} {number} {name}.npy", values)


def load(
    folder: Path, kind: str, mmap_mode: str | None = None
) -> dict[str, np.ndarray]:
    """Read the arrays of one kind, in their order."""
    return {
        file.stem.split(" ", 2)[2]: np.load(file, mmap_mode=mmap_mode)
        for file in sorted(folder.glob(f"{kind} *.npy"))
    }


def error_of_loss(peer: str, loss: float, expected: float) -> float:
    """Return the relative error, or raise ValueError if it is another loss."""
    error = abs(loss - expected) / abs(expected)
    if not error <= LOSS_TOLERANCE:  # NaN too
        raise ValueError(
            f"{peer} computes another loss: {loss:.6g}, the reference {expected:.6g}"
        )
    return error


def error_of_gradient(
    name: str, gradient: np.ndarray, expected: np.ndarray, rounding: float
) -> float:
    """Return the largest error, as a share of the largest slope.

    Raises:
        ValueError: If it is not the gradient.
    """
    if gradient.shape != expected.shape:
        raise ValueError(
            f"{name} is wrong: shape {gradient.shape}, the reference {expected.shape}"
        )
    largest = np.abs(expected).max()
    error = np.abs(gradient - expected)
    allowed = GRADIENT_TOLERANCE * np.abs(expected) + rounding * largest
    if not (error <= allowed).all():
        worst = np.unravel_index(np.argmax(error - allowed), error.shape)
        raise ValueError(
            f"{name} is wrong: {gradient[worst]:.6g} at {tuple(map(int, worst))}, "
            f"the reference {expected[worst]:.6g}"
        )
    return float(error.max() / largest)


def _give_back() -> None:
    """Let nobody keep memory that is free: it would serve a call unseen."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # where there is glibc
    if trim is not None:
        trim(0)


def resident() -> int:
    """Return the memory of this process, in bytes."""
    return _kilobytes("VmRSS") * 1024


def _kilobytes(name: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])
