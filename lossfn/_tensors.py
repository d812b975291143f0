"""The TensorFlow side of :mod:`lossfn._check`.

A shape is checked when the function is traced, as far as it is known then, and again
when it runs. A value is checked when it is there: eagerly it raises ``ValueError``, and
inside a ``tf.function`` ``tf.errors.InvalidArgumentError``. Compiled by XLA nothing can
raise, so that the callers also turn the loss of an example that breaks a rule to NaN. A
shape is known when XLA compiles; one that breaks a rule does not compile.
"""

from __future__ import annotations

import tensorflow as tf

from lossfn import _check


def static_shape(tensor: tf.Tensor) -> tuple[int | None, ...] | None:
    """Return the shape as far as it is known, or None where not even the rank is."""
    return None if tensor.shape.rank is None else tuple(tensor.shape)


def to_tensor(name: str, value: object, dtype_hint: tf.DType) -> tf.Tensor:
    """Convert a value; the hint is for Python numbers, which have no dtype."""
    hint = None if hasattr(value, "dtype") else dtype_hint
    try:
        return tf.convert_to_tensor(value, dtype_hint=hint)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be an array of numbers, got {value!r}") from None


def as_logits(value: object) -> tf.Tensor:
    """Convert logits to a tensor of a floating dtype."""
    logits = to_tensor("logits", value, tf.float32)
    _check.floating("logits", logits.dtype.name)
    return logits


def as_probability_labels(value: object, logits: tf.Tensor) -> tf.Tensor:
    """Convert labels that are probabilities, one for each logit."""
    labels = to_tensor("labels", value, logits.dtype)
    remedy = f"; tf.cast(labels, {logits.dtype.name!r}) makes probabilities of 0 and 1"
    _check.floating("labels", labels.dtype.name, remedy=remedy)
    return with_same_shape("labels", labels, "logits", logits)


def computing_dtype(dtype: tf.DType) -> tf.DType:
    """Return the dtype to compute in: 16-bit numbers are rounded once, at the end."""
    return tf.float32 if dtype.size < 4 else dtype


def with_same_shape(
    name: str, tensor: tf.Tensor, other_name: str, other: tf.Tensor
) -> tf.Tensor:
    """Return the tensor once its shape is known to be that of the other."""
    shape, other_shape = static_shape(tensor), static_shape(other)
    if shape is not None and other_shape is not None:
        _check.same_shape(name, shape, other_name, other_shape)
        if None not in shape and None not in other_shape:
            return tensor
    message = f"{name} and {other_name} must have the same shape"
    return with_shape(tensor, tf.shape(other), message)


def with_shape(tensor: tf.Tensor, shape: tf.Tensor, message: str) -> tf.Tensor:
    """Return the tensor once, at run time, its shape equals the expected one."""
    received = tf.shape(tensor)
    data = [f"{message}, got", received, "and", shape]
    # Vectors of different lengths cannot be compared, so the ranks come first.
    same_rank = tf.debugging.Assert(tf.equal(tf.size(received), tf.size(shape)), data)
    with tf.control_dependencies(_operations(same_rank)):
        same = tf.reduce_all(tf.equal(received, shape))
    tensor = after(tf.debugging.Assert(same, data), tensor)
    # XLA drops assertions; add_n, unlike +, takes only terms of one shape.
    return tf.add_n([tensor, tf.zeros(shape, tensor.dtype)])


def with_values(name: str, tensor: tf.Tensor, valid: tf.Tensor, rule: str) -> tf.Tensor:
    """Return the tensor once all of its values are known to keep the rule.

    XLA drops assertions: there a bad value becomes 0, to keep it out of the gradients.
    """
    if tf.executing_eagerly():
        if not tf.reduce_all(valid):
            _check.all_valid(name, tensor.numpy(), valid.numpy(), rule)
        return tensor
    data = [
        f"{name} must {rule}, got values from",
        tf.reduce_min(tensor),
        "to",
        tf.reduce_max(tensor),
    ]
    tensor = after(tf.debugging.Assert(tf.reduce_all(valid), data), tensor)
    return tf.where(valid, tensor, tf.zeros_like(tensor))


def after(assertion: tf.Operation | None, tensor: tf.Tensor) -> tf.Tensor:
    """Return the tensor, held back until the assertion has run."""
    with tf.control_dependencies(_operations(assertion)):
        return tf.identity(tensor)


def _operations(assertion: tf.Operation | None) -> list[tf.Operation]:
    # Eagerly an assertion has run already and is None.
    return [] if assertion is None else [assertion]


def classes_last(tensor: tf.Tensor, axis: int) -> tf.Tensor:
    """Move the axis of the classes to the end."""
    rank = tensor.shape.rank
    if rank is None:
        return _classes_last_of_any_rank(tensor, _check.integer_axis(axis))
    axis = _check.axis_in_range(axis, rank)
    if axis == rank - 1:
        return tensor
    return tf.transpose(tensor, [*range(axis), *range(axis + 1, rank), axis])


def _classes_last_of_any_rank(tensor: tf.Tensor, axis: int) -> tf.Tensor:
    rank = tf.rank(tensor)
    inside = tf.logical_and(axis >= -rank, axis < rank)
    message = f"axis must name an axis of logits, got {axis} for rank"
    assertion = tf.debugging.Assert(inside, [message, rank])
    if axis == -1:
        return after(assertion, tensor)
    rank = after(assertion, rank)
    # An axis out of range makes no permutation, so that XLA does not compile it.
    front = axis + rank if axis < 0 else axis
    order = tf.concat([tf.range(front), tf.range(front + 1, rank), [front]], 0)
    return tf.transpose(tensor, order)


def at_least_one_class(logits: tf.Tensor) -> tf.Tensor:
    """Return the logits once their last axis is known not to be empty."""
    rule = "logits must have at least one class"
    if logits.shape.rank is not None and logits.shape[-1] is not None:
        if logits.shape[-1] == 0:
            shape = _check.shape_text(static_shape(logits))
            raise ValueError(f"{rule}, got shape {shape}")
        return logits
    shape = tf.shape(logits)
    return after(tf.debugging.Assert(shape[-1] > 0, [f"{rule}, got", shape]), logits)


def broadcast_into(
    name: str, tensor: tf.Tensor, other_name: str, other: tf.Tensor
) -> tf.Tensor:
    """Return the tensor once it is known to broadcast to the shape of the other."""
    shape, whole = static_shape(tensor), static_shape(other)
    if shape is not None and whole is not None:
        _check.broadcasts_into(name, shape, other_name, whole)
        if None not in shape and None not in whole:
            return tensor
    shape, whole = tf.shape(tensor), tf.shape(other)
    rule = f"{name} must be a scalar or broadcast to the shape of {other_name}"
    data = [f"{rule},", whole, "got shape", shape]
    missing = tf.size(whole) - tf.size(shape)
    lower_rank = tf.debugging.Assert(missing >= 0, data)
    with tf.control_dependencies(_operations(lower_rank)):
        padded = tf.concat([tf.ones([missing], tf.int32), shape], 0)
    fits = tf.reduce_all((padded == 1) | (padded == whole))
    # XLA drops assertions; broadcast_to refuses what they do.
    return tf.broadcast_to(after(tf.debugging.Assert(fits, data), tensor), whole)
