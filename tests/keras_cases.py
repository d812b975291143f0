"""The one table of cases that drives the tests of the loss classes.

A case is a class with parameters. It draws labels and predictions for five examples
with three outputs or classes from a seed, and knows the function that the class calls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import keras
import numpy as np
import tensorflow as tf

from lossfn import keras_losses, losses

WIDTH = 3
Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def targets(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(size=shape).astype(np.float32)


def yes_or_no(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(2, size=shape)


def one_hot(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.eye(shape[-1], dtype=int)[indices(rng, shape)]


def indices(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(shape[-1], size=shape[:-1])


@dataclass(frozen=True)
class LossCase:
    """A class with parameters, and labels of one kind."""

    name: str
    cls: type[keras.Loss]
    draw: Draw
    parameters: dict[str, object] = field(default_factory=dict)

    @property
    def function(self) -> Callable[..., tf.Tensor]:
        """The function that the class is named after."""
        name = "".join(f"_{c.lower()}" if c.isupper() else c for c in self.cls.__name__)
        return getattr(losses, name[1:])

    @property
    def is_per_output(self) -> bool:
        return self.draw in (targets, yes_or_no)

    @property
    def is_sparse(self) -> bool:
        return self.draw is indices

    def make(self, **keywords: object) -> keras.Loss:
        return self.cls(**self.parameters, **keywords)

    def arguments(
        self, *, seed: int = 0, shape: tuple[int, ...] = (5, WIDTH)
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw labels (integers where they can be) and predictions."""
        rng = np.random.default_rng(seed)
        predictions = rng.normal(scale=2, size=shape).astype(np.float32)
        return self.draw(rng, shape), predictions

    def per_example(
        self, y_true: np.ndarray, y_pred: np.ndarray, dtype: str = "float64"
    ) -> np.ndarray:
        """Return one loss per example from the function, in float64."""
        if not self.is_sparse:
            y_true = tf.cast(y_true, dtype)
        values = self.function(y_true, tf.cast(y_pred, dtype), **self.parameters)
        values = values.numpy().astype(np.float64)
        return values.mean(-1) if self.is_per_output and y_pred.ndim > 1 else values


K = keras_losses
CASES = [
    LossCase("squared_error", K.SquaredError, targets),
    LossCase("huber", K.Huber, targets, {"delta": 0.5}),
    LossCase("pinball", K.Pinball, targets, {"quantile": 0.9}),
    LossCase("pinball-each", K.Pinball, targets, {"quantile": [0.1, 0.5, 0.9]}),
    LossCase(
        "newsvendor", K.Newsvendor, targets, {"underage_cost": 3.0, "overage_cost": 1.0}
    ),
    LossCase(
        "newsvendor-each",
        K.Newsvendor,
        targets,
        {"underage_cost": [3.0, 2.0, 1.0], "overage_cost": 1},
    ),
    LossCase(
        "binary",
        K.BinaryCrossentropy,
        yes_or_no,
        {"pos_weight": 3.0, "label_smoothing": 0.2},
    ),
    LossCase(
        "binary-each", K.BinaryCrossentropy, yes_or_no, {"pos_weight": [0.5, 1.0, 9.0]}
    ),
    LossCase(
        "binary_focal",
        K.BinaryFocalCrossentropy,
        yes_or_no,
        {"gamma": 1.5, "alpha": 0.25},
    ),
    LossCase(
        "categorical",
        K.CategoricalCrossentropy,
        one_hot,
        {"label_smoothing": 0.3, "class_weight": [0.5, 1.0, 4.0]},
    ),
    LossCase(
        "sparse",
        K.SparseCategoricalCrossentropy,
        indices,
        {"label_smoothing": 0.3, "class_weight": [0.5, 1.0, 4.0], "ignore_index": -1},
    ),
    LossCase("sparse-plain", K.SparseCategoricalCrossentropy, indices),
    LossCase(
        "categorical_focal",
        K.CategoricalFocalCrossentropy,
        one_hot,
        {"gamma": 0.5, "alpha": 0.25},
    ),
    LossCase(
        "sparse_focal",
        K.SparseCategoricalFocalCrossentropy,
        indices,
        {"gamma": 3, "alpha": [0.2, 0.3, 0.5], "ignore_index": -100},
    ),
    LossCase(
        "generalized", K.GeneralizedCrossentropy, indices, {"q": 0.4, "ignore_index": 9}
    ),
    LossCase(
        "symmetric",
        K.SymmetricCrossentropy,
        indices,
        {"alpha": 0.2, "beta": 0.5, "log_zero": -6.0, "ignore_index": -1},
    ),
]
# How exactly Keras divides: an older one by the number of labels that count plus its
# epsilon, 1e-7.
IS_OLDER = tuple(map(int, keras.__version__.split(".")[:2])) < (3, 15)
MEAN_PRECISION = 1.01e-7 if IS_OLDER else 1e-12
SLOPE_PRECISION = (
    {"rtol": 1.01e-7, "atol": 1e-7} if IS_OLDER else {"rtol": 1e-11, "atol": 1e-13}
)

BY_NAME = {case.name: case for case in CASES}
# One for each way to line up labels and predictions.
FOUR = [BY_NAME[name] for name in ("pinball", "binary", "categorical", "sparse")]
PER_OUTPUT = [case for case in CASES if case.is_per_output]
SPARSE = [case for case in CASES if case.is_sparse]
IGNORING = [case for case in SPARSE if "ignore_index" in case.parameters]


def ids(case: LossCase) -> str:
    return case.name


def with_mask(y_pred: np.ndarray, mask: np.ndarray) -> tf.Tensor:
    """Return predictions that carry a mask, as layers hand it on."""
    y_pred = tf.constant(y_pred)
    y_pred._keras_mask = tf.constant(mask)
    return y_pred
