"""Who computes the losses: one module for each library, imported by its worker alone.

A module has

- ``peers(loss)``: from the names of the ways to compute a loss to functions of the
  inputs and of the names to take the gradient by, which return the mean loss and a
  sequence of gradients;
- ``tensors(inputs)``: the NumPy arrays as tensors of the library;
- ``wait(outcome)``: returns when the outcome is computed;
- ``about()``: its version, its threads, and what else bears on its speed.
"""

from __future__ import annotations

import importlib.util
import os
from typing import NamedTuple


class Library(NamedTuple):
    """A library: the package that must be installed, and the module with its peers."""

    package: str
    module: str

    @property
    def is_installed(self) -> bool:
        """Whether it can be imported."""
        return importlib.util.find_spec(self.package) is not None


# The first one holds lossfn's own ways.
LIBRARIES = {
    "TensorFlow": Library("tensorflow", "benchmarks.peers.with_tensorflow"),
    "PyTorch": Library("torch", "benchmarks.peers.with_torch"),
    "JAX": Library("jax", "benchmarks.peers.with_jax"),
}
FLOOR = Library("numpy", "benchmarks.floor")


def threads() -> int:
    """Return how many threads every library uses: the CPUs of this process."""
    return len(os.sched_getaffinity(0))
