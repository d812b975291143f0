"""What is minimised: a loss on data, as a function of variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from lossfn import _check, _tensors

Predict = Callable[[tf.Tensor], tf.Tensor]
LossFunction = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

_REDUCTIONS = {"mean": tf.reduce_mean, "sum": tf.reduce_sum}
_DTYPES = (tf.float32, tf.float64)


@dataclass(frozen=True)
class Problem:
    """A loss on data, as a function of variables; make one with :func:`checked`."""

    predict: Predict
    variables: list[tf.Variable]
    features: tf.Tensor
    labels: tf.Tensor
    loss: LossFunction
    reduction: str

    def value(self, features: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Return the reduced loss of some examples."""
        losses = self.loss(labels, self.predict(features))
        return _REDUCTIONS[self.reduction](losses)

    def batch(self, step: tf.Tensor, size: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the examples of a step: in their order, from the front again."""
        count = self.features.shape[0]
        start = step * size % count
        end = tf.minimum(start + size, count)
        features, labels = self.features[start:end], self.labels[start:end]
        if count % size == 0:
            # A slice forgets its length; a loss that knows it has less to check.
            features = tf.ensure_shape(features, (size, *features.shape[1:]))
            labels = tf.ensure_shape(labels, (size, *labels.shape[1:]))
        return features, labels


def checked(
    predict: Predict,
    variables: Sequence[tf.Variable],
    features: np.ndarray,
    labels: np.ndarray,
    *,
    loss: LossFunction,
    reduction: str,
) -> Problem:
    """Make a problem, and run it once where an error can still say what is wrong."""
    for name, value in (("predict", predict), ("loss", loss)):
        if not callable(value):
            raise TypeError(f"{name} must be callable, got {value!r}")
    if reduction not in _REDUCTIONS:
        raise ValueError(f"reduction must be 'mean' or 'sum', got {reduction!r}")
    features = _as_features(features)
    problem = Problem(
        predict=predict,
        variables=_as_variables(variables, features.dtype),
        features=features,
        labels=_as_labels(labels, features),
        loss=loss,
        reduction=reduction,
    )
    _run_once(problem)
    return problem


def _run_once(problem: Problem) -> None:
    with tf.GradientTape() as tape:
        predictions = tf.convert_to_tensor(problem.predict(problem.features))
        _same_dtype("predict", predictions, problem.features)
        _one_row_each(predictions, len(problem.features))
        losses = tf.convert_to_tensor(problem.loss(problem.labels, predictions))
        _same_dtype("loss", losses, problem.features)
        _one_loss_each(losses, predictions)
        value = _REDUCTIONS[problem.reduction](losses)
    if not np.isfinite(value):
        raise ValueError(f"loss must be finite before the first step, got {value}")
    for index, gradient in enumerate(tape.gradient(value, problem.variables)):
        if gradient is None:
            raise ValueError(
                "loss must have a gradient for every variable, "
                f"got none for variables[{index}]"
            )


def _same_dtype(name: str, result: tf.Tensor, features: tf.Tensor) -> None:
    if result.dtype != features.dtype:
        raise TypeError(
            f"{name} must return the dtype of features, {features.dtype.name}, "
            f"got {result.dtype.name}"
        )


def _one_row_each(predictions: tf.Tensor, count: int) -> None:
    if predictions.shape[:1] != (count,):
        raise ValueError(
            f"predict must return one row for each example, first axis {count}, "
            f"got shape {_check.shape_text(predictions.shape)}"
        )


def _one_loss_each(losses: tf.Tensor, predictions: tf.Tensor) -> None:
    """Refuse sums, and what comes of labels and predictions that broadcast."""
    each_example, each_prediction = predictions.shape[:1], predictions.shape
    if losses.shape not in (each_example, each_prediction):
        raise ValueError(
            "loss must return one value for each example, shape "
            f"{_check.shape_text(each_example)}, or for each prediction, shape "
            f"{_check.shape_text(each_prediction)}, "
            f"got shape {_check.shape_text(losses.shape)}"
        )


def _as_features(value: object) -> tf.Tensor:
    features = _tensors.to_tensor("features", value, tf.float32)
    if features.dtype not in _DTYPES:
        raise TypeError(
            f"features must be of float32 or float64, got {features.dtype.name}"
        )
    if not features.shape.rank or not features.shape[0]:
        raise ValueError(
            "features must have at least one example, shape (N, ...), "
            f"got {_check.shape_text(features.shape)}"
        )
    array = features.numpy()
    _check.all_valid("features", array, np.isfinite(array), "be finite")
    return features


def _as_labels(value: object, features: tf.Tensor) -> tf.Tensor:
    """Return labels in the dtype of the features, or as they are if not floating."""
    labels = _tensors.to_tensor("labels", value, features.dtype)
    if labels.shape[:1] != features.shape[:1]:
        raise ValueError(
            "labels must have one entry for each example, first axis "
            f"{features.shape[0]}, got shape {_check.shape_text(labels.shape)}"
        )
    return tf.cast(labels, features.dtype) if labels.dtype.is_floating else labels


def _as_variables(value: object, dtype: tf.DType) -> list[tf.Variable]:
    # A variable can be iterated over too: its rows would come out.
    if not isinstance(value, list | tuple) or not value:
        raise TypeError(
            f"variables must be a list of one tf.Variable or more, got {value!r}"
        )
    variables = [_unwrapped(variable) for variable in value]
    for index, variable in enumerate(variables):
        if not isinstance(variable, tf.Variable):
            raise TypeError(
                f"variables[{index}] must be a tf.Variable, "
                f"got {type(variable).__name__}"
            )
        if variable.dtype != dtype:
            raise TypeError(
                f"variables[{index}] must have the dtype of features, {dtype.name}, "
                f"got {variable.dtype.name}"
            )
    return variables


def _unwrapped(variable: object) -> object:
    """Return the tf.Variable inside a variable of Keras."""
    inside = getattr(variable, "value", None)
    return inside if isinstance(inside, tf.Variable) else variable
