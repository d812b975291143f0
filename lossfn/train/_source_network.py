"""The networks of the source: where they start, and how they are trained."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from lossfn import _check
from lossfn.train import _adam, _problem

Activation = Callable[[tf.Tensor], tf.Tensor]

_BATCH_SIZE = 8
_LEARNING_RATE = 0.001
# The default of tf.compat.v1.train.AdamOptimizer; that of Keras is 1e-7.
_EPSILON = 1e-8
_OP_SEED = 1
# tensorflow/python/framework/random_seed.py calls it DEFAULT_GRAPH_SEED.
_GRAPH_SEED = 87654321


@dataclass(frozen=True)
class SourceFit:
    """A network of the source after its training.

    Attributes:
        initial_weights: the matrix of each layer before the first step, shape (inputs,
            outputs), of the dtype of the fit.
        weights: the matrix of each layer after the last step.
        biases: the bias of each layer after the last step, shape (outputs,); empty if
            the network has none. They start at 0.
        steps: the steps as the source counts them at each of R reports, shape (R,),
            int64. It counts from 0 and reports after a step, so that when it prints
            1000, 1001 steps have been made.
        losses: the loss on all data at each report, shape (R,), float64.
        hidden: what is applied to the first layer, if there are two.
        output: what is applied to the last layer.

    Examples:
        >>> from lossfn.train import fit_source_forecaster
        >>> fit = fit_source_forecaster(steps=2, report_every=1)
        >>> fit.steps, len(fit.losses), fit.predict([[1.0, 1.0]]).shape
        (array([0, 1]), 2, (1, 1))
    """

    initial_weights: tuple[np.ndarray, ...]
    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    steps: np.ndarray
    losses: np.ndarray
    hidden: Activation
    output: Activation

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the outputs of the trained network.

        Args:
            features: shape (N, 2).

        Returns:
            Shape (N, 1), in the dtype of the fit.

        Raises:
            TypeError: if ``features`` is not an array of numbers.
            ValueError: if ``features`` has another shape or an entry is not finite.
        """
        features = _check.as_floats("features", features)
        inputs = len(self.weights[0])
        if features.ndim != 2 or features.shape[1] != inputs:
            shape = _check.shape_text(features.shape)
            raise ValueError(f"features must have shape (N, {inputs}), got {shape}")
        _check.all_valid("features", features, np.isfinite(features), "be finite")
        features = tf.cast(features, self.weights[0].dtype)
        return _forward(
            features, self.weights, self.biases, self.hidden, self.output
        ).numpy()


class Network:
    """Layers that start at the source's weights."""

    def __init__(
        self,
        *sizes: int,
        hidden: Activation = tf.identity,
        output: Activation = tf.identity,
        bias: bool = False,
        dtype: str,
    ) -> None:
        for name, activation in (("hidden", hidden), ("output", output)):
            if not callable(activation):
                raise TypeError(f"{name} must be callable, got {activation!r}")
        if dtype not in ("float32", "float64"):
            raise ValueError(f"dtype must be 'float32' or 'float64', got {dtype!r}")
        self.dtype = dtype
        self.hidden, self.output = hidden, output
        self.weights = [
            tf.Variable(tf.cast(_graph_normal(shape), dtype))
            for shape in itertools.pairwise(sizes)
        ]
        self.biases = [tf.Variable(tf.zeros(n, dtype)) for n in sizes[1:] if bias]

    def __call__(self, features: tf.Tensor) -> tf.Tensor:
        return _forward(features, self.weights, self.biases, self.hidden, self.output)

    def fit(
        self,
        features: np.ndarray,
        labels: np.ndarray,
        *,
        loss: _problem.LossFunction,
        reduction: str,
        steps: int,
        report_every: int,
        progress: bool,
    ) -> SourceFit:
        """Train with the source's optimiser on its batches, and report when it does."""
        steps = _check.whole_number("steps", steps, 1)
        report_every = _check.whole_number("report_every", report_every, 1)
        initial_weights = _values(self.weights)
        printed = np.arange(0, steps, report_every, dtype=np.int64)
        problem = _problem.checked(
            self,
            [*self.weights, *self.biases],
            tf.cast(features, self.dtype),
            labels,
            loss=loss,
            reduction=reduction,
        )
        fit = _adam.minimise(
            problem,
            report_at=[*(printed + 1).tolist(), steps],
            batch_size=_BATCH_SIZE,
            learning_rate=_LEARNING_RATE,
            epsilon=_EPSILON,
            progress=progress,
        )
        return SourceFit(
            initial_weights=initial_weights,
            weights=_values(self.weights),
            biases=_values(self.biases),
            steps=printed,
            losses=fit.losses[: len(printed)],
            hidden=self.hidden,
            output=self.output,
        )


def _forward(
    features: tf.Tensor,
    weights: Sequence[tf.Variable | np.ndarray],
    biases: Sequence[tf.Variable | np.ndarray],
    hidden: Activation,
    output: Activation,
) -> tf.Tensor:
    values = features
    for layer, weight in enumerate(weights, start=1):
        values = values @ weight
        if biases:
            values += biases[layer - 1]
        values = output(values) if layer == len(weights) else hidden(values)
    return values


def _graph_normal(shape: tuple[int, int]) -> tf.Tensor:
    """Draw what ``tf.random_normal(shape, seed=1)`` drew in a graph without a seed."""
    state = [0, _OP_SEED, _GRAPH_SEED]
    return tf.random.Generator.from_state(state, alg="philox").normal(shape)


def _values(variables: Sequence[tf.Variable]) -> tuple[np.ndarray, ...]:
    return tuple(variable.numpy() for variable in variables)
