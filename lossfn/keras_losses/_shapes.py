"""Which shapes of labels, predictions and weights belong together."""

from __future__ import annotations

import tensorflow as tf

from lossfn import _check, _tensors


def as_numbers(name: str, value: object, dtype: tf.DType) -> tf.Tensor:
    """Convert numbers or booleans to a tensor of the dtype and of a known rank."""
    tensor = known_rank(name, _tensors.to_tensor(name, value, dtype))
    kind = tensor.dtype
    if not (kind.is_floating or kind.is_integer or kind.is_bool):
        raise TypeError(f"{name} must be an array of numbers, got dtype {kind.name}")
    return tf.cast(tensor, dtype)


def known_rank(name: str, tensor: tf.Tensor) -> tf.Tensor:
    """Refuse a tensor of which not even the rank is known."""
    if tensor.shape.rank is None:
        raise ValueError(
            f"{name} must have a known rank, got a shape of unknown rank "
            "(tf.ensure_shape states one)"
        )
    return tensor


def as_indices(name: str, value: object) -> tf.Tensor:
    """Return integers as they are, and floats of 32 or 64 bits as integers.

    The floats must be whole numbers. They are let in for Keras: with two replicas it
    looks at the mean of their labels, for the shapes, before it trains.
    """
    tensor = known_rank(name, _tensors.to_tensor(name, value, tf.int64))
    if not tensor.dtype.is_floating or tensor.dtype.size < 4:
        return tensor
    whole = (tf.round(tensor) == tensor) & tf.math.is_finite(tensor)
    tensor = _tensors.with_values(name, tensor, whole, "be whole numbers")
    # Under XLA nothing raises; this is no class, and the loss becomes NaN.
    return tf.where(whole, tf.cast(tensor, tf.int64), tf.int64.min)


def with_last_axis(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Give the targets the last axis, of size 1, that only the predictions have."""
    one_fewer = y_true.shape.rank == y_pred.shape.rank - 1
    return y_true[..., None] if one_fewer and _may_be_1(y_pred) else y_true


def without_last_axis(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Take away the last axis, of size 1, of class indices as deep as the logits."""
    if labels.shape.rank != logits.shape.rank or not _may_be_1(labels):
        return labels
    expected = tf.concat([tf.shape(logits)[:-1], [1]], 0)
    message = "y_true must have the shape of y_pred with 1 for the number of classes"
    return _tensors.with_shape(labels, expected, message)[..., 0]


def _may_be_1(tensor: tf.Tensor) -> bool:
    return tensor.shape[-1] in (1, None)


def weights_of(
    losses: tf.Tensor, sample_weight: object, mask: tf.Tensor | None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return weights of the shape of the losses, and where they keep their rule.

    Under the mask they may be anything. They are given for all losses, or for the first
    axes of the losses. (Keras aligns the last axes: there one weight for each of N
    sequences becomes one weight for each of N steps.)
    """
    weights = as_numbers("sample_weight", sample_weight, losses.dtype)
    weights = _along_first_axes(losses, weights)
    if mask is not None:
        weights = tf.where(mask, weights, tf.zeros_like(weights))
    valid = (weights >= 0) & tf.math.is_finite(weights)
    rule = "be finite and not negative"
    return _tensors.with_values("sample_weight", weights, valid, rule), valid


def _along_first_axes(losses: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    whole = tuple(losses.shape)
    given = _without_ones_at_the_end(tuple(weights.shape))
    rank = len(given)
    if rank == 0 or _check.shapes_differ(given, whole[:rank]):
        raise ValueError(
            "sample_weight must have the shape of the losses, "
            f"{_check.shape_text(whole)}, or of their first axes, "
            f"got {_check.shape_text(weights.shape)}"
        )
    ones = [1] * (len(whole) - rank)
    weights = tf.reshape(weights, tf.concat([tf.shape(weights)[:rank], ones], 0))
    if None in given or None in whole[:rank]:
        expected = tf.concat([tf.shape(losses)[:rank], ones], 0)
        message = "sample_weight must have the shape of the first axes of the losses"
        weights = _tensors.with_shape(weights, expected, message)
    return tf.broadcast_to(weights, tf.shape(losses))


def _without_ones_at_the_end(shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape
