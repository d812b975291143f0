"""Call every operation with good and hostile inputs, for a tool that watches memory.

A script: ``python -m tests.native_calls CACHE FLAG ...`` compiles the sources in the
folder LOSSFN_SOURCES, or those of lossfn, with the flags, and keeps the library in the
cache. Results are only compared in other tests; here nothing may be read or written
where it should not be. Prints how many calls were accepted and refused.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tensorflow as tf

from lossfn.native import _build, _library

PARAMETERS = {"Softmax": 0, "SparseSoftmax": 0, "Sigmoid": 1, "Newsvendor": 2}
OF_CLASSES = {"Softmax", "SparseSoftmax"}
TASKS = ["", "Gradient", "Mean", "MeanGradient"]
DTYPES = ["float32", "float64", "bfloat16"]
# Around the sizes of blocks, of a thread's share, and of 4 MB.
SIZES = [1, 2, 127, 128, 129, 255, 257, 511, 512, 513, 32767, 32769]
SHAPES = [(2, size) for size in SIZES]
SHAPES += [(0, 3), (0, 0), (3, 0), (5,), (2, 3, 4), (3, 16384), (70000, 1)]
# Twice, so that the second output is written to memory that was kept.
SHAPES += [(33, 32768), (33, 32768)]
LABELS = [-1, 2**63 - 1, -(2**63), 2**31, 2**32]

Inputs = list[tf.Tensor]


def tensor(shape: tuple[int, ...], dtype: str) -> tf.Tensor:
    return tf.cast(np.random.default_rng(0).uniform(0.1, 0.9, size=shape), dtype)


def inputs_of(loss: str, task: str, dtype: str, shape: tuple[int, ...]) -> Inputs:
    """Return the inputs of an operation, as its kernel wants them."""
    computed = "float64" if dtype == "float64" else "float32"
    of_each = shape[:-1] if loss in OF_CLASSES else shape
    if loss == "SparseSoftmax":
        labels = np.random.default_rng(0).integers(max(1, shape[-1]), size=of_each)
        labels = tf.constant(labels, tf.int64)
    else:
        labels = tensor(shape, computed)
    inputs = [labels, tensor(shape, dtype)]
    # One parameter for all, and one for each logit.
    shapes = [(), shape][: PARAMETERS[loss]]
    inputs += [tensor(of, computed) for of in shapes]
    if task == "Gradient":
        inputs += [tensor(of_each, dtype)]
    if task == "MeanGradient":
        inputs += [tensor((), dtype), tensor(shape, dtype)]
    return inputs


def hostile(inputs: Inputs) -> Iterator[Inputs]:
    """Yield the inputs with one that does not fit, by shape, rank or value."""
    for i, good in enumerate(inputs):
        variants = [tf.zeros(shape, good.dtype) for shape in [(), (1,), (0,), (9, 7)]]
        variants += [good[tf.newaxis], tf.concat([good[tf.newaxis]] * 2, 0)]
        if good.shape.rank:
            variants += [good[..., :-1], good[:-1], tf.concat([good, good], 0)]
        if good.dtype.is_integer:
            outside = [*LABELS, inputs[1].shape[-1]]
            variants += [tf.fill(good.shape, tf.constant(k, tf.int64)) for k in outside]
        else:
            special = [np.nan, np.inf, -np.inf, -1, 0, 1e30]
            variants += [tf.fill(good.shape, tf.cast(x, good.dtype)) for x in special]
        for variant in variants:
            yield [*inputs[:i], variant, *inputs[i + 1 :]]


def accepted(loss: str, task: str, inputs: Inputs) -> bool:
    words = "".join(f"_{c.lower()}" if c.isupper() else c for c in loss + task)
    call = getattr(_library.loaded().operations, f"lossfn{words}")
    try:
        call(*inputs)
    except (tf.errors.InvalidArgumentError, tf.errors.ResourceExhaustedError):
        return False
    return True


def call_all(loss: str) -> list[bool]:
    done = []
    for task in TASKS:
        for dtype in DTYPES:
            for shape in SHAPES:
                done.append(accepted(loss, task, inputs_of(loss, task, dtype, shape)))
            for shape in [(3, 5), (600,)]:
                good = inputs_of(loss, task, dtype, shape)
                done += [accepted(loss, task, inputs) for inputs in hostile(good)]
    return done


def main(cache: str, *flags: str) -> None:
    os.environ["LOSSFN_CACHE"] = cache
    _build.FLAGS += flags
    if folder := os.environ.get("LOSSFN_SOURCES"):
        _build.SOURCES = [Path(folder) / path.name for path in _build.SOURCES]
    tf.config.threading.set_intra_op_parallelism_threads(4)
    with ThreadPoolExecutor(4) as pool:
        done = [x for xs in pool.map(call_all, PARAMETERS) for x in xs]
        _library.release_memory()
    print(f"accepted {sum(done)}, refused {len(done) - sum(done)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
