"""Examples that do not count."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from lossfn import _check, _tensors


def masked(
    loss: Callable[..., tf.Tensor],
    y_true: tf.Tensor,
    y_pred: tf.Tensor,
    *,
    mask: tf.Tensor,
    **parameters: object,
) -> tf.Tensor:
    r"""Loss of the examples that count, and 0 for the others.

    Multiplying a loss by 0 does not take an example out: if its loss or its gradient is
    NaN or infinite, :math:`0 \cdot \infty` makes NaN of both. So 0 is put in place of
    what is masked, labels and predictions, before the loss sees it, and again in place
    of its loss. Whatever stood there leaves no trace in value and gradient.

    Args:
        loss: A function ``loss(y_true, y_pred, **parameters)`` that returns one loss
            for each example, such as those of this module. At a label and a prediction
            of 0 its value and its gradient must be finite.
        y_true: The labels. Python integers are class indices; for other losses write
            ``1.0`` or give an array.
        y_pred: The predictions or logits, of a floating dtype.
        mask: True where an example counts, of dtype bool, the shape of the losses: that
            of the predictions, or for losses of classes that without the last axis.
        **parameters: Passed on to the loss.

    Returns:
        The losses, 0 where the mask is False. Their mean over the rest is
        :func:`masked_mean`.

    Raises:
        TypeError: If the mask is not boolean, the predictions are not floating, or the
            loss is not a function.
        ValueError: If the mask does not have the shape of the losses.

    Examples:
        >>> nan = float("nan")
        >>> from lossfn import losses
        >>> mask = [True, False]
        >>> loss = masked(losses.squared_error, [1.0, nan], [3.0, 5.0], mask=mask)
        >>> print(loss.numpy())
        [4. 0.]
    """
    if not callable(loss):
        raise TypeError(f"loss must be a function, got {loss!r}")
    mask = _as_mask(mask)
    y_pred = _tensors.as_floating("y_pred", y_pred)
    y_true = _labels(y_true, y_pred.dtype)
    losses = loss(
        _without_masked("y_true", y_true, mask),
        _without_masked("y_pred", y_pred, mask),
        **parameters,
    )
    losses = _tensors.as_floating("the loss", losses)
    mask = _tensors.with_same_shape("mask", mask, "the loss", losses)
    return tf.where(mask, losses, tf.zeros_like(losses))


def masked_mean(losses: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    r"""Mean of the losses of the examples that count.

    .. math::

        L = \frac{\sum_i m_i \ell_i}{\max(1, \sum_i m_i)}

    The sum is divided by the number of examples that count, not of all: the mean over
    all would make a batch with much padding look good. Where none counts, the mean is
    0, with gradient 0.

    A masked loss may be NaN: neither the mean nor its gradient by the losses sees it.
    What that loss was computed from may see it still, as 0 times NaN on the way back;
    :func:`masked` keeps it from there.

    Args:
        losses: One loss for each example, of a floating dtype and any shape.
        mask: True where an example counts, of dtype bool, the shape of the losses.

    Returns:
        The mean, a scalar of the dtype of the losses; sums of 16-bit losses are made
        in float32.

    Raises:
        TypeError: If the losses are not floating or the mask is not boolean.
        ValueError: If the shapes differ.

    Examples:
        >>> mean = masked_mean([1.0, 3.0, 100.0], [True, True, False])
        >>> print(mean.numpy())
        2.0
    """
    losses = _tensors.as_floating("losses", losses)
    mask = _tensors.with_same_shape("mask", _as_mask(mask), "losses", losses)
    dtype = _tensors.computing_dtype(losses.dtype)
    counted = tf.where(mask, tf.cast(losses, dtype), tf.constant(0, dtype))
    number = tf.cast(tf.math.count_nonzero(mask), dtype)
    return tf.cast(tf.reduce_sum(counted) / tf.maximum(number, 1), losses.dtype)


def _labels(value: object, dtype: tf.DType) -> tf.Tensor:
    """Convert labels of either kind: Python integers are classes."""
    labels = _tensors.to_tensor("y_true", value, tf.int64)
    if labels.dtype.is_integer:
        return labels
    return _tensors.to_tensor("y_true", value, dtype)


def _as_mask(value: object) -> tf.Tensor:
    mask = _tensors.to_tensor("mask", value, tf.bool)
    _check.boolean("mask", mask.dtype.name)
    return mask


def _without_masked(name: str, tensor: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Return the tensor with 0 wherever the mask, of its first axes, is False."""
    mask = _tensors.of_first_axes("mask", mask, name, tensor)
    return tf.where(mask, tensor, tf.zeros_like(tensor))
