"""The arguments of the losses, made ready for an operation.

Dtypes, and shapes as far as they are known, are checked here. Values, and shapes that
only a running graph knows, are checked by the operation, which reads them anyway.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from lossfn import _arguments, _check, _tensors

# The dtypes of logits that have kernels; others are computed in float32.
DTYPES = (tf.float32, tf.float64, tf.bfloat16)


class Inputs(NamedTuple):
    """What an operation takes, and the dtype of the result."""

    tensors: list[tf.Tensor]  # labels, logits, parameters
    dtype: tf.DType


def dense(labels: object, logits: object, axis: int) -> Inputs:
    """Prepare labels that are weights of classes."""
    logits = _tensors.as_floating("logits", logits)
    labels = _arguments.as_floating_as(logits.dtype, "labels", labels)
    labels = _of_same_shape("labels", labels, "logits", logits)
    examples = _with_classes_last(logits, axis)
    labels = _tensors.classes_last("logits", labels, axis)
    return _inputs([labels, examples], logits.dtype)


def sparse(labels: object, logits: object, axis: int) -> Inputs:
    """Prepare labels that are class indices."""
    logits = _tensors.as_floating("logits", logits)
    dense = "softmax_cross_entropy_with_logits"
    labels = _arguments.as_classes("labels", labels, dense)
    shape, logits_shape = _tensors.static_shape(labels), _tensors.static_shape(logits)
    if shape is not None and logits_shape is not None:
        last = _check.axis_in_range(axis, len(logits_shape))
        _check.one_label_per_example(
            shape, logits_shape, last, labels="labels", logits="logits"
        )
    return _inputs([labels, _with_classes_last(logits, axis)], logits.dtype)


def binary(labels: object, logits: object, pos_weight: object) -> Inputs:
    """Prepare labels that are independent probabilities."""
    logits = _tensors.as_floating("logits", logits)
    labels = _arguments.as_floating_as(logits.dtype, "labels", labels)
    labels = _of_same_shape("labels", labels, "logits", logits)
    weight = _parameter("pos_weight", pos_weight, "logits", logits)
    return _inputs([labels, logits, weight], logits.dtype)


def regression(y_true: object, y_pred: object, **parameters: object) -> Inputs:
    """Prepare true values, predictions, and what belongs to each prediction."""
    y_pred = _tensors.as_floating("y_pred", y_pred)
    y_true = _arguments.as_floating_as(
        y_pred.dtype, "y_true", y_true, a_cast="converts it"
    )
    y_true = _of_same_shape("y_true", y_true, "y_pred", y_pred)
    prepared = [
        _parameter(name, value, "y_pred", y_pred) for name, value in parameters.items()
    ]
    return _inputs([y_true, y_pred, *prepared], y_pred.dtype)


def _of_same_shape(
    name: str, tensor: tf.Tensor, other_name: str, other: tf.Tensor
) -> tf.Tensor:
    """Return a tensor of the shape of the other, in the dtype to compute in."""
    shape, other_shape = _tensors.static_shape(tensor), _tensors.static_shape(other)
    if shape is not None and other_shape is not None:
        _check.same_shape(name, shape, other_name, other_shape)
    return tf.cast(tensor, _tensors.computing_dtype(other.dtype))


def _with_classes_last(logits: tf.Tensor, axis: int) -> tf.Tensor:
    examples = _tensors.classes_last("logits", logits, axis)
    if examples.shape.rank is not None and examples.shape[-1] is not None:
        _tensors.at_least_one_class("logits", examples)
    return examples


def _parameter(
    name: str, value: object, other_name: str, other: tf.Tensor
) -> tf.Tensor:
    """Return a parameter as a scalar, or in the shape of the other."""
    number = _tensors.as_number(name, value, _tensors.computing_dtype(other.dtype))
    if number.shape.rank == 0:
        return number
    number = _tensors.broadcast_into(name, number, other_name, other)
    return tf.broadcast_to(number, tf.shape(other))


def _inputs(tensors: list[tf.Tensor], dtype: tf.DType) -> Inputs:
    if dtype not in DTYPES:
        tensors[1] = tf.cast(tensors[1], tf.float32)
    return Inputs(tensors, dtype)
