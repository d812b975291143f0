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


def as_floating(name: str, value: object) -> tf.Tensor:
    """Convert a value to a tensor of a floating dtype."""
    tensor = to_tensor(name, value, tf.float32)
    _check.floating(name, tensor.dtype.name)
    return tensor


def as_number(name: str, value: object, dtype: tf.DType) -> tf.Tensor:
    """Convert a parameter, of numbers and not of booleans, to a dtype."""
    if any(isinstance(part, bool) for part in tf.nest.flatten(value)):
        raise TypeError(f"{name} must be a number, got {value!r}")
    number = to_tensor(name, value, dtype)
    if not (number.dtype.is_floating or number.dtype.is_integer):
        raise TypeError(f"{name} must be a number, got {number.dtype.name}")
    return tf.cast(number, dtype)


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
    if tensor.dtype == tf.bool:
        same = tf.add_n([tf.cast(tensor, tf.int32), tf.zeros(shape, tf.int32)])
        return tf.cast(same, tf.bool)
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


def nan_unless(loss: tf.Tensor, *valid: tf.Tensor) -> tf.Tensor:
    """Turn a loss to NaN, with no gradient, where under XLA a rule is broken."""
    for kept in valid:
        loss = tf.where(kept, loss, tf.constant(float("nan"), loss.dtype))
    return loss


def after(assertion: tf.Operation | None, tensor: tf.Tensor) -> tf.Tensor:
    """Return the tensor, held back until the assertion has run."""
    with tf.control_dependencies(_operations(assertion)):
        return tf.identity(tensor)


def _operations(assertion: tf.Operation | None) -> list[tf.Operation]:
    # Eagerly an assertion has run already and is None.
    return [] if assertion is None else [assertion]


def as_scalar(name: str, tensor: tf.Tensor) -> tf.Tensor:
    """Return the tensor once it is known to have no axes."""
    shape = static_shape(tensor)
    rule = f"{name} must be a scalar, got shape"
    if shape is None:
        no_axes = tf.debugging.Assert(
            tf.equal(tf.rank(tensor), 0), [rule, tf.shape(tensor)]
        )
        # XLA drops assertions; broadcast_to refuses what they do. (With add_n, Grappler
        # concludes from its other term that the rank is 0, and drops the assertion.)
        return tf.broadcast_to(after(no_axes, tensor), tf.zeros([0], tf.int32))
    if shape:
        raise ValueError(f"{rule} {_check.shape_text(shape)}")
    return tensor


def at_least_one_axis(name: str, tensor: tf.Tensor) -> tf.Tensor:
    """Return the tensor once it is known to have an axis for the classes."""
    rule = f"{name} must have an axis of classes, got a scalar"
    if tensor.shape.rank == 0:
        raise ValueError(rule)
    if tensor.shape.rank is None:
        return after(tf.debugging.Assert(tf.rank(tensor) > 0, [rule]), tensor)
    return tensor


def classes_last(name: str, tensor: tf.Tensor, axis: int) -> tf.Tensor:
    """Move the axis of the classes to the end."""
    rank = tensor.shape.rank
    if rank is None:
        return _classes_last_of_any_rank(name, tensor, _check.integer_axis(axis))
    axis = _check.axis_in_range(axis, rank)
    if axis == rank - 1:
        return tensor
    return tf.transpose(tensor, [*range(axis), *range(axis + 1, rank), axis])


def _classes_last_of_any_rank(name: str, tensor: tf.Tensor, axis: int) -> tf.Tensor:
    rank = tf.rank(tensor)
    inside = tf.logical_and(axis >= -rank, axis < rank)
    message = f"axis must name an axis of {name}, got {axis} for rank"
    assertion = tf.debugging.Assert(inside, [message, rank])
    if axis == -1:
        return after(assertion, tensor)
    rank = after(assertion, rank)
    # An axis out of range makes no permutation, so that XLA does not compile it.
    front = axis + rank if axis < 0 else axis
    order = tf.concat([tf.range(front), tf.range(front + 1, rank), [front]], 0)
    return tf.transpose(tensor, order)


def at_least_one_class(name: str, logits: tf.Tensor) -> tf.Tensor:
    """Return the logits once their last axis is known not to be empty."""
    rule = f"{name} must have at least one class"
    if logits.shape.rank is not None and logits.shape[-1] is not None:
        if logits.shape[-1] == 0:
            shape = _check.shape_text(static_shape(logits))
            raise ValueError(f"{rule}, got shape {shape}")
        return logits
    shape = tf.shape(logits)
    return after(tf.debugging.Assert(shape[-1] > 0, [f"{rule}, got", shape]), logits)


def one_for_each_class(
    name: str, tensor: tf.Tensor, other_name: str, other: tf.Tensor
) -> tf.Tensor:
    """Return the tensor once its one axis is known to be as long as the last of other.

    The rank of the other is 1 or more.
    """
    rule = f"{name} must have one entry for each class of {other_name}"
    shape = static_shape(tensor)
    classes = (None if other.shape.rank is None else other.shape[-1],)
    if shape is not None:
        _check.one_for_each_class(name, shape, other_name, classes)
        if None not in (*shape, *classes):
            return tensor
    return with_shape(tensor, tf.shape(other)[-1:], rule)


def for_all_classes_or_each(
    name: str, tensor: tf.Tensor, other_name: str, other: tf.Tensor
) -> tf.Tensor:
    """Return the tensor once it is known to be a scalar or one entry for each class."""
    if tensor.shape.rank == 0:
        return tensor
    if tensor.shape.rank is not None:
        return one_for_each_class(name, tensor, other_name, other)
    rule = f"{name} must be a scalar or have one entry for each class of {other_name}"
    classes = tf.shape(other)[-1:]
    tensor = with_shape(tensor, classes[: tf.rank(tensor)], rule)
    return tf.broadcast_to(tensor, classes)


def of_first_axes(
    name: str, tensor: tf.Tensor, other_name: str, other: tf.Tensor
) -> tf.Tensor:
    """Return the tensor, of the shape of the first axes of other, in its rank."""
    shape, whole = static_shape(tensor), static_shape(other)
    rank = tf.rank(tensor)
    if shape is not None and whole is not None:
        rank = len(shape)
        _check.same_shape(name, shape, f"the first axes of {other_name}", whole[:rank])
    message = f"{name} and the first axes of {other_name} must have the same shape"
    if shape is None or whole is None or None in (*shape, *whole):
        tensor = with_shape(tensor, tf.shape(other)[:rank], message)
    missing = tf.ones([tf.rank(other) - rank], tf.int32)
    return tf.reshape(tensor, tf.concat([tf.shape(tensor), missing], 0))


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
