"""The arguments that nn and losses share: labels and logits, checked and made ready.

nn calls them labels and logits, losses y_true and y_pred; an error has to name them as
the caller does. Each function returns the arguments in the dtype to compute in, with
what is needed to turn a loss into the result.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from lossfn import _check, _tensors

INFINITY = float("inf")


class Names(NamedTuple):
    """What the caller calls its two tensors."""

    labels: str
    logits: str


class Labelled(NamedTuple):
    """Labels and logits of one shape."""

    labels: tf.Tensor
    logits: tf.Tensor
    valid: tf.Tensor  # of the shape of the losses: False where a rule is broken
    dtype: tf.DType  # of the result

    def result(self, loss: tf.Tensor, *valid: tf.Tensor) -> tf.Tensor:
        """Return the loss in its dtype, NaN where this or another rule is broken."""
        return _tensors.nan_unless(tf.cast(loss, self.dtype), self.valid, *valid)


class Sparse(NamedTuple):
    """Class indices, flat, and a row of logits for each."""

    labels: tf.Tensor  # (N,)
    logits: tf.Tensor  # (N, K)
    counted: tf.Tensor | None  # (N,) False at the index to ignore; None: all count
    valid: tf.Tensor  # of the shape of the losses
    dtype: tf.DType

    def result(self, loss: tf.Tensor, *valid: tf.Tensor) -> tf.Tensor:
        """Return the loss in its shape and dtype, 0 where the label is ignored."""
        if self.counted is not None:
            loss = tf.where(self.counted, loss, tf.zeros_like(loss))
        loss = tf.reshape(loss, tf.shape(self.valid))
        return _tensors.nan_unless(tf.cast(loss, self.dtype), self.valid, *valid)


def binary(names: Names, labels: object, logits: object) -> Labelled:
    """Check labels that are independent probabilities."""
    logits = _tensors.as_floating(names.logits, logits)
    labels = _probability_labels(names, labels, logits)
    valid = ((labels >= 0) & (labels <= 1)) | tf.math.is_nan(labels)
    labels = _tensors.with_values(names.labels, labels, valid, "lie in [0, 1]")
    return Labelled(labels, tf.cast(logits, labels.dtype), valid, logits.dtype)


def dense(names: Names, labels: object, logits: object, axis: int = -1) -> Labelled:
    """Check labels that are weights of classes, and move the classes to the end."""
    logits = _tensors.as_floating(names.logits, logits)
    labels = _probability_labels(names, labels, logits)
    examples = _tensors.classes_last(names.logits, logits, axis)
    examples = _tensors.at_least_one_class(names.logits, examples)
    labels = _tensors.classes_last(names.logits, labels, axis)
    # NaN passes, and makes its own loss NaN; not(labels < 0) would stop it in a graph,
    # because Grappler turns that into labels >= 0.
    valid = ((labels >= 0) & (labels < INFINITY)) | tf.math.is_nan(labels)
    labels = _tensors.with_values(names.labels, labels, valid, "lie in [0, inf)")
    examples = tf.cast(examples, labels.dtype)
    return Labelled(labels, examples, tf.reduce_all(valid, -1), logits.dtype)


def sparse(
    names: Names,
    labels: object,
    logits: object,
    axis: int = -1,
    *,
    for_probabilities: str | None = None,
    ignore_index: int | None = None,
) -> Sparse:
    """Check class indices; a caller with probabilities is told which loss takes them.

    The logits of an ignored example become 0, so that not even NaN leaves a trace.
    """
    ignore_index = ignored(ignore_index)
    logits = _tensors.as_floating(names.logits, logits)
    labels = _class_labels(names, labels, logits, axis, for_probabilities)
    examples = _tensors.classes_last(names.logits, logits, axis)
    examples = _tensors.at_least_one_class(names.logits, examples)
    valid, rule = in_range(labels, examples, ignore_index)
    flat = tf.reshape(_tensors.with_values(names.labels, labels, valid, rule), [-1])
    rows = tf.reshape(examples, [-1, tf.shape(examples)[-1]])
    rows = tf.cast(rows, _tensors.computing_dtype(logits.dtype))
    if ignore_index is None:
        return Sparse(flat, rows, None, valid, logits.dtype)
    counted = flat != ignore_index
    flat = tf.where(counted, flat, tf.zeros_like(flat))
    rows = tf.where(counted[:, None], rows, tf.zeros_like(rows))
    return Sparse(flat, rows, counted, valid, logits.dtype)


def ignored(index: int | None) -> int | None:
    """Check the label of the examples that do not count."""
    if index is None:
        return None
    return _check.whole_number("ignore_index", index, -(2**63), 2**63 - 1)


def in_range(
    labels: tf.Tensor, classes_last: tf.Tensor, ignore_index: int | None
) -> tuple[tf.Tensor, str]:
    """Return where the labels are valid, and the rule in words.

    The last axis of the other tensor is that of the classes.
    """
    valid = (labels >= 0) & (labels < tf.shape(classes_last, tf.int64)[-1])
    classes = classes_last.shape[-1]
    rule = f"lie in [0, {'the number of classes' if classes is None else classes})"
    if ignore_index is None:
        return valid, rule
    return valid | (labels == ignore_index), f"{rule} or be {ignore_index}"


def _probability_labels(names: Names, value: object, logits: tf.Tensor) -> tf.Tensor:
    """Return labels, one for each logit, in the dtype to compute in."""
    labels = as_floating_as(logits.dtype, names.labels, value)
    labels = _tensors.with_same_shape(names.labels, labels, names.logits, logits)
    return tf.cast(labels, _tensors.computing_dtype(logits.dtype))


def as_floating_as(
    dtype: tf.DType,
    name: str,
    value: object,
    *,
    a_cast: str = "makes probabilities of 0 and 1",
) -> tf.Tensor:
    """Convert labels that must be floating too; an error says what a cast does."""
    labels = _tensors.to_tensor(name, value, dtype)
    remedy = f"; tf.cast({name}, {dtype.name!r}) {a_cast}"
    _check.floating(name, labels.dtype.name, remedy=remedy)
    return labels


def as_classes(name: str, value: object, for_probabilities: str | None) -> tf.Tensor:
    """Convert labels that must be integers to int64."""
    labels = _tensors.to_tensor(name, value, tf.int64)
    remedy = ""
    if for_probabilities is not None:
        remedy = f"; probabilities belong to {for_probabilities}"
    _check.integer(name, labels.dtype.name, remedy=remedy)
    return tf.cast(labels, tf.int64)


def _class_labels(
    names: Names,
    value: object,
    logits: tf.Tensor,
    axis: int,
    for_probabilities: str | None,
) -> tf.Tensor:
    """Return int64 labels of the shape of the logits without the classes."""
    labels = as_classes(names.labels, value, for_probabilities)
    shape, logits_shape = _tensors.static_shape(labels), _tensors.static_shape(logits)
    if logits_shape is not None:
        axis = _check.axis_in_range(axis, len(logits_shape))
        if shape is not None:
            _check.one_label_per_example(shape, logits_shape, axis, **names._asdict())
            if None not in shape and None not in logits_shape:
                return labels
    expected = tf.shape(_tensors.classes_last(names.logits, logits, axis))[:-1]
    message = (
        f"{names.labels} must have the shape of {names.logits} without the class axis"
    )
    return _tensors.with_shape(labels, expected, message)
