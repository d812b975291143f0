"""The floor: how fast the memory is read and written, whatever is computed.

NumPy reads every input of the size of the gradient once and writes one array of that
size, with plain loads and stores, on as many threads as the losses have. Nothing is
allocated, so no page is touched for the first time. A loss that makes one pass can be
as fast as this; a large one cannot be much faster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.cases import Inputs
from benchmarks.peers import threads

NAME = "floor"

_pool = ThreadPoolExecutor(threads())


def peers(loss: str) -> dict[str, Callable[[Inputs, Sequence[str]], None]]:
    """Return the one way, for any loss whose gradient has the predictions' shape."""
    written: list[np.ndarray] = []

    def run(inputs: Inputs, gradient_of: Sequence[str]) -> None:
        (name,) = gradient_of
        shape = inputs[name].shape
        read = [values for values in inputs.values() if values.shape == shape]
        if not written or written[0].shape != shape:
            written[:] = [np.zeros(shape, inputs[name].dtype)]
        traffic(read, written[0])

    return {NAME: run}


def traffic(read: Sequence[np.ndarray], written: np.ndarray) -> None:
    """Write the negative of one array, or the sum of two, in parts of equal size."""
    ufunc = np.negative if len(read) == 1 else np.add

    def part(rows: np.ndarray) -> None:
        rows = slice(rows[0], rows[-1] + 1)
        ufunc(*(values[rows] for values in read), out=written[rows])

    parts = np.array_split(np.arange(len(written)), threads())
    list(_pool.map(part, (rows for rows in parts if len(rows))))


def tensors(inputs: Inputs) -> Inputs:
    """Return the arrays."""
    return inputs


def wait(outcome: None) -> None:
    """Return at once."""


def about() -> dict[str, object]:
    """Return the version and the threads."""
    return {"version": np.__version__, "threads": threads()}
