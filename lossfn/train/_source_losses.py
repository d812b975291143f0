"""The two losses that the source wrote itself, as they are."""

from __future__ import annotations

import tensorflow as tf


def source_cross_entropy(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    r"""Return the loss that the source trains its classifier with, which is broken.

    For a label :math:`y` and the output :math:`a` of the network it is

    .. math:: \ell = -y \log \min\bigl(\max(a, 10^{-10}), 1\bigr).

    Three things are wrong with it.

    - The term :math:`-(1 - y) \log(1 - a)` is missing. An example of class 0 costs
      nothing whatever the network answers, so that "1" to everything is a minimum.
    - It takes :math:`a` for a probability, but the source's network ends in a linear
      layer, whose output may be any number. Above 1 the clip hides that: the loss is
      0, and so is its gradient.
    - Below :math:`10^{-10}` the clip stops the loss at 23.03, with a gradient of 0: an
      example that is wrong beyond doubt teaches nothing.

    It is here so that its failure can be reproduced.
    :func:`lossfn.losses.binary_crossentropy` is the loss to use.

    Args:
        y_true: labels, 0 or 1, of a floating dtype.
        y_pred: outputs of the network, of the same shape and dtype.

    Returns:
        One loss for each output, of their shape.

    Examples:
        Both answers are wrong beyond doubt, and neither teaches anything:

        >>> y_true, y_pred = tf.constant([0.0, 1.0]), tf.constant([0.9, -5.0])
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(y_pred)
        ...     loss = source_cross_entropy(y_true, y_pred)
        >>> print(loss.numpy().round(2))
        [ 0.   23.03]
        >>> float(tf.reduce_max(tf.abs(tape.gradient(loss, y_pred))))
        0.0
    """
    return -y_true * tf.math.log(tf.clip_by_value(y_pred, 1e-10, 1.0))


def source_sales_cost(
    y_true: tf.Tensor, y_pred: tf.Tensor, *, loss_less: float, loss_more: float
) -> tf.Tensor:
    r"""Return the cost that the source trains its forecaster with.

    For sales :math:`y` and a forecast :math:`a` it is

    .. math:: \ell = \begin{cases}
            (a - y) \cdot \text{loss\_more} & \text{if } a > y \\
            (y - a) \cdot \text{loss\_less} & \text{if } a \le y.
        \end{cases}

    That is :func:`lossfn.losses.newsvendor` with ``underage_cost=loss_less`` and
    ``overage_cost=loss_more``, but for the derivative where the forecast is exact: it
    is :math:`-\text{loss\_less}` here and 0 there. Both are subgradients. In float32
    exact forecasts happen, and then the two paths part.

    Args:
        y_true: sales, of a floating dtype.
        y_pred: forecasts, of the same shape and dtype.
        loss_less: the cost of a unit too few.
        loss_more: the cost of a unit too many.

    Returns:
        One cost for each forecast, of their shape.

    Examples:
        >>> cost = source_sales_cost(
        ...     tf.constant([1.0, 1.0]),
        ...     tf.constant([0.5, 1.5]),
        ...     loss_less=10.0,
        ...     loss_more=1.0,
        ... )
        >>> print(cost.numpy())
        [5.  0.5]
    """
    return tf.where(
        y_pred > y_true, (y_pred - y_true) * loss_more, (y_true - y_pred) * loss_less
    )
