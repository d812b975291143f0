"""The one table of cases that drives the tests of the four losses.

A case is one of the losses with one kind of labels. It draws its arguments from a seed,
and knows where to find the loss in lossfn.nn, in tf.nn, and in lossfn.reference.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import ml_dtypes
import numpy as np
import tensorflow as tf

from lossfn import nn, reference

Arguments = dict[str, np.ndarray]
DTYPES = ["float16", "bfloat16", "float32", "float64"]
# Arguments whose first axis is that of the examples.
EXAMPLES_FIRST = ("labels", "logits", "y_true", "y_pred", "mask", "losses")
MODES = ["eager", "function", "xla", "unknown_batch", "unknown_shape", "unknown_xla"]


def one_hot_labels(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    classes = class_indices(rng, shape)
    return (np.asarray(classes)[..., None] == np.arange(shape[-1])).astype(np.float64)


def distributions(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.dirichlet(np.ones(shape[-1]), size=shape[:-1])


def any_total(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw labels that sum to anything; every third example is a row of zeros."""
    labels = rng.uniform(0, 5, size=shape)
    labels.reshape(-1, shape[-1])[1::3] = 0
    return labels


def class_indices(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(shape[-1], size=shape[:-1])


def hard_labels(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(2, size=shape).astype(np.float64)


def soft_labels(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(size=shape)


def scalar_weight(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.float64(3.0)


def weight_per_class(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(0.1, 10, size=shape[-1:])


@dataclass(frozen=True)
class Case:
    """One loss with one kind of labels."""

    name: str
    function: str
    draw_labels: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
    draw_weight: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray] | None = (
        None
    )

    @property
    def is_sparse(self) -> bool:
        return self.function.startswith("sparse")

    @property
    def has_classes(self) -> bool:
        """Whether one axis holds the classes, and the result loses it."""
        return "softmax" in self.function

    @property
    def loss(self) -> Callable[..., tf.Tensor]:
        return getattr(nn, self.function)

    @property
    def tf_loss(self) -> Callable[..., tf.Tensor]:
        return getattr(tf.nn, self.function)

    @property
    def reference(self) -> Callable[..., np.ndarray]:
        return getattr(reference, self.function)

    @property
    def textbook(self) -> Callable[..., np.ndarray]:
        return getattr(reference, f"{self.function}_textbook")

    @property
    def gradient(self) -> Callable[..., np.ndarray]:
        return getattr(reference, f"{self.function}_gradient")

    @property
    def of(self) -> str:
        """The argument that the gradient is taken by."""
        return "logits"

    def expected(
        self, arguments: Arguments, **options: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return value and gradient of the reference."""
        value = self.reference(**arguments, **options)
        return value, self.gradient(**arguments, **options)

    def arguments(
        self,
        *,
        seed: int,
        shape: tuple[int, ...] = (6, 5),
        scale: float = 3.0,
        axis: int = -1,
        dtype: str = "float64",
    ) -> Arguments:
        """Draw arguments that ``dtype`` can hold, as float64 (class indices: int64)."""
        rng = np.random.default_rng(seed)
        classes_last = shape
        if self.has_classes:
            axis %= len(shape)
            classes_last = (*shape[:axis], *shape[axis + 1 :], shape[axis])
        arguments = {
            "labels": self.draw_labels(rng, classes_last),
            "logits": rng.normal(scale=scale, size=classes_last),
        }
        if self.has_classes:
            arguments["logits"] = np.moveaxis(arguments["logits"], -1, axis)
            if not self.is_sparse:
                arguments["labels"] = np.moveaxis(arguments["labels"], -1, axis)
        if self.draw_weight is not None:
            arguments["pos_weight"] = self.draw_weight(rng, classes_last)
        return {name: rounded(value, dtype) for name, value in arguments.items()}


SOFTMAX = "softmax_cross_entropy_with_logits"
SPARSE = "sparse_softmax_cross_entropy_with_logits"
SIGMOID = "sigmoid_cross_entropy_with_logits"
WEIGHTED = "weighted_cross_entropy_with_logits"

CASES = [
    Case("softmax-one_hot", SOFTMAX, one_hot_labels),
    Case("softmax-soft", SOFTMAX, distributions),
    Case("softmax-any_total", SOFTMAX, any_total),
    Case("sparse", SPARSE, class_indices),
    Case("sigmoid-hard", SIGMOID, hard_labels),
    Case("sigmoid-soft", SIGMOID, soft_labels),
    Case("weighted-hard", WEIGHTED, hard_labels, scalar_weight),
    Case("weighted-soft", WEIGHTED, soft_labels, weight_per_class),
]
BY_NAME = {case.name: case for case in CASES}
FOUR = [
    BY_NAME[name]
    for name in ("softmax-soft", "sparse", "sigmoid-soft", "weighted-soft")
]
CASES_WITH_CLASSES = [case for case in CASES if case.has_classes]
BINARY_CASES = [case for case in CASES if not case.has_classes]


def ids(case: Case) -> str:
    return case.name


def rounded(value: np.ndarray, dtype: str) -> np.ndarray:
    """Round to a dtype and return float64, so that all dtypes get the same numbers."""
    value = np.asarray(value)
    if value.dtype.kind == "i":
        return value
    return value.astype(tf.as_dtype(dtype).as_numpy_dtype).astype(np.float64)


def as_tensors(arguments: Arguments, dtype: str) -> dict[str, tf.Tensor]:
    """Turn arguments into tensors: floats of the dtype, class indices of int64."""
    return {
        name: tf.constant(
            value, tf.int64 if np.asarray(value).dtype.kind == "i" else dtype
        )
        for name, value in arguments.items()
    }


def value_and_gradient(
    loss: Callable[..., tf.Tensor],
    arguments: dict[str, tf.Tensor],
    of: str = "logits",
    **options: int,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the losses, and the gradient of their sum by one of the arguments."""
    with tf.GradientTape() as tape:
        tape.watch(arguments[of])
        value = loss(**arguments, **options)
    return value, tape.gradient(value, arguments[of])


def as_arrays(tensors: tuple[tf.Tensor, ...]) -> tuple[np.ndarray, ...]:
    """Return float64 arrays; tf.cast would flush the smallest numbers to 0."""
    return tuple(tensor.numpy().astype(np.float64) for tensor in tensors)


@functools.cache
def in_mode(function: str, mode: str, *, axis: int | None = None) -> Callable:
    """Return a function of arguments that gives value and gradient, in a mode."""
    options = {} if axis is None else {"axis": axis}
    loss = getattr(nn, function)

    def run(arguments: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        return value_and_gradient(loss, arguments, **options)

    return compiled(run, mode)


def compiled(run: Callable, mode: str) -> Callable:
    """Return a function of a dict of tensors as it runs in a mode."""
    return run if mode == "eager" else _Compiled(run, mode)


class _Compiled:
    """Traces once for each set of dtypes, knowing as much of the shapes as its mode."""

    def __init__(self, run: Callable, mode: str):
        self.run, self.mode, self.traced = run, mode, {}

    def __call__(self, arguments: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        specs = {name: self._spec(name, value) for name, value in arguments.items()}
        key = tuple(specs.items())
        if key not in self.traced:
            self.traced[key] = tf.function(
                self.run, input_signature=[specs], jit_compile="xla" in self.mode
            )
        return self.traced[key](arguments)

    def _spec(self, name: str, value: tf.Tensor) -> tf.TensorSpec:
        shape = value.shape
        if self.mode.startswith("unknown_"):
            shape = None
        if self.mode == "unknown_batch" and value.shape.rank > 0:
            unknown = 1 if name in EXAMPLES_FIRST else 0
            shape = [None] * unknown + value.shape.as_list()[unknown:]
        return tf.TensorSpec(shape, value.dtype)


def ulps(got: np.ndarray, want: np.ndarray, dtype: str = "float32") -> np.ndarray:
    """Return the error in units in the last place of the right answer."""
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    return np.abs(got - want) / ulp(want, dtype)


def ulp(value: np.ndarray, dtype: str = "float32") -> np.ndarray:
    """Return the gap between the numbers of a dtype around a value."""
    limits = ml_dtypes.finfo(tf.as_dtype(dtype).as_numpy_dtype)
    _, exponent = np.frexp(np.asarray(value, np.float64))
    return np.ldexp(1.0, np.maximum(exponent - 1, limits.minexp) - limits.nmant)


def label_total(case: Case, arguments: Arguments) -> np.ndarray:
    """Return what the two terms that a gradient subtracts add up to, at most.

    A gradient such as q - p has a root where q = p. Near it the rounding of q and p
    themselves is many ulp of the small difference, in any form: that is the
    conditioning of the problem. So gradients are judged in ulp of this total.
    """
    if case.is_sparse:
        return np.float64(1.0)
    if case.has_classes:
        return arguments["labels"].sum(-1, keepdims=True)
    return np.maximum(1.0, arguments.get("pos_weight", 1.0) * arguments["labels"])
