"""Losses of predicted numbers."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from lossfn import _arguments, _tensors
from lossfn.losses import _parameters


def squared_error(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    r"""Square of the error; its mean is least where the prediction is the mean.

    For a true value :math:`y` and a prediction :math:`\hat y`,

    .. math::

        \ell = (y - \hat y)^2, \qquad
        \frac{\partial \ell}{\partial \hat y} = -2\,(y - \hat y).

    Args:
        y_true: What came true, of a floating dtype, the shape of the predictions.
        y_pred: The predictions, of a floating dtype and any shape.

    Returns:
        The loss, in squared units of ``y_true``, of the shape of the predictions.

    Raises:
        TypeError: If an argument is not floating.
        ValueError: If the shapes differ.

    Examples:
        >>> loss = squared_error([3.0, 5.0], [4.0, 3.0])
        >>> print(loss.numpy())
        [1. 4.]

    References:
        Legendre (1805), Nouvelles méthodes pour la détermination des orbites des
        comètes, Appendice sur la méthode des moindres quarrés.
    """
    each = _errors(y_true, y_pred)
    return each.result(tf.square(each.error))


def huber(
    y_true: tf.Tensor, y_pred: tf.Tensor, *, delta: float | tf.Tensor = 1.0
) -> tf.Tensor:
    r"""Huber's loss: a parabola for small errors, with straight arms for large ones.

    For the error :math:`e = y - \hat y`,

    .. math::

        \ell = \begin{cases}
            e^2 / 2 & |e| \le \delta \\
            \delta\,(|e| - \delta/2) & |e| > \delta.
        \end{cases}

    With the error clipped to :math:`c = \min(\max(e, -\delta), \delta)` both are
    one, and nothing that is not wanted can overflow:

    .. math::

        \ell = c\,(e - c/2), \qquad
        \frac{\partial \ell}{\partial \hat y} = -c.

    So an error counts like a squared one, but no error pulls harder than
    :math:`\delta`, and an outlier moves the fit by no more than that. (Twice this loss
    is the square near 0: the factor 1/2 is Huber's.)

    Args:
        y_true: What came true, of a floating dtype, the shape of the predictions.
        y_pred: The predictions, of a floating dtype and any shape.
        delta: The error from which on the loss grows in a straight line, in units of
            ``y_true``: positive and finite, a scalar.

    Returns:
        The loss, in squared units of ``y_true``, of the shape of the predictions.

    Raises:
        TypeError: If an argument is not floating, or ``delta`` is not a number.
        ValueError: If the shapes differ or ``delta`` is not positive and finite.

    Examples:
        >>> loss = huber([0.0, 0.0], [0.5, 3.0], delta=1.0)
        >>> print(loss.numpy())
        [0.125 2.5  ]

    References:
        Huber (1964), Robust estimation of a location parameter, The Annals of
        Mathematical Statistics 35(1).
    """
    each = _errors(y_true, y_pred)
    delta = _parameters.scalar("delta", delta, each.error.dtype, _parameters.POSITIVE)
    # Inside, the clipped error is the error; outside it is delta or -delta.
    clipped = tf.maximum(tf.minimum(each.error, delta.value), -delta.value)
    return each.result(clipped * (each.error - clipped / 2), delta.valid)


def pinball(
    y_true: tf.Tensor, y_pred: tf.Tensor, *, quantile: float | tf.Tensor
) -> tf.Tensor:
    r"""Pinball loss; its mean is least where the prediction is a quantile.

    For the error :math:`e = y - \hat y` and a quantile level :math:`q`,

    .. math::

        \ell = \max(q e, (q - 1)\,e)
             = \begin{cases}
                 q\,(y - \hat y) & y > \hat y \\
                 (1 - q)\,(\hat y - y) & y < \hat y.
             \end{cases}

    If :math:`y` has the distribution function :math:`F`, the expected loss has the
    derivative :math:`-q\,(1 - F(\hat y)) + (1 - q)\,F(\hat y)
    = F(\hat y) - q` by :math:`\hat y`. It is 0 where :math:`F(\hat y) = q`: at
    the quantile. With :math:`q = 1/2` that is the median, and the loss is half the
    absolute error.

    At :math:`y = \hat y` the loss has a kink. Any slope between :math:`-q` and
    :math:`1 - q` is a subgradient there; this function returns 0.

    Args:
        y_true: What came true, of a floating dtype, the shape of the predictions.
        y_pred: The predicted quantiles, of a floating dtype and any shape.
        quantile: The level :math:`q`, in (0, 1): a scalar, or of a shape that
            broadcasts to that of the predictions, such as (Q,) for predictions of
            shape (N, Q).

    Returns:
        The loss, in units of ``y_true``, of the shape of the predictions.

    Raises:
        TypeError: If an argument is not floating, or ``quantile`` is not a number.
        ValueError: If the shapes differ, ``quantile`` would broadcast the predictions,
            or one of its entries does not lie in (0, 1).

    Examples:
        >>> loss = pinball([10.0, 10.0], [8.0, 12.0], quantile=0.75)
        >>> print(loss.numpy())
        [1.5 0.5]

    References:
        Koenker and Bassett (1978), Regression quantiles, Econometrica 46(1).
    """
    each = _errors(y_true, y_pred)
    quantile = _parameters.for_each(
        "quantile", quantile, each.error, _parameters.BETWEEN_0_AND_1
    )
    cost = _cost(each.error, quantile.value, 1 - quantile.value)
    return each.result(cost, quantile.valid)


def newsvendor(
    y_true: tf.Tensor,
    y_pred: tf.Tensor,
    *,
    underage_cost: float | tf.Tensor,
    overage_cost: float | tf.Tensor,
) -> tf.Tensor:
    r"""Cost of ordering too little or too much, when each unit has its price.

    Who orders :math:`\hat y` and could have sold :math:`y` pays :math:`c_u` for each
    unit that was short and :math:`c_o` for each that is left over:

    .. math::

        \ell = \max(c_u\,(y - \hat y), c_o\,(\hat y - y))
             = \begin{cases}
                 c_u\,(y - \hat y) & y > \hat y \\
                 c_o\,(\hat y - y) & y < \hat y.
             \end{cases}

    Divided by :math:`c_u + c_o` this is the pinball loss of the level

    .. math:: q = \frac{c_u}{c_u + c_o},

    the critical fractile. So the order with the least expected cost is that quantile of
    the demand: high where a missed sale is dear, low where a leftover is.

    At :math:`y = \hat y` the loss has a kink. Any slope between :math:`-c_u` and
    :math:`c_o` is a subgradient there; this function returns 0.

    Args:
        y_true: The demand, of a floating dtype, the shape of the predictions.
        y_pred: The orders, of a floating dtype and any shape.
        underage_cost: What a unit costs that was short: positive and finite, a scalar
            or of a shape that broadcasts to that of the predictions.
        overage_cost: What a unit costs that is left over, of the same kind.

    Returns:
        The cost, of the shape of the predictions.

    Raises:
        TypeError: If an argument is not floating, or a cost is not a number.
        ValueError: If the shapes differ, or a cost would broadcast the predictions or
            is not positive and finite.

    Examples:
        Two short at a profit of 9 each, then two left at a cost of 1 each:

        >>> loss = newsvendor(
        ...     [10.0, 10.0], [8.0, 12.0], underage_cost=9.0, overage_cost=1.0
        ... )
        >>> print(loss.numpy())
        [18.  2.]

    References:
        Arrow, Harris and Marschak (1951), Optimal inventory policy, Econometrica 19(3).
    """
    each = _errors(y_true, y_pred)
    underage, overage = (
        _parameters.for_each(name, cost, each.error, _parameters.POSITIVE)
        for name, cost in (
            ("underage_cost", underage_cost),
            ("overage_cost", overage_cost),
        )
    )
    cost = _cost(each.error, underage.value, overage.value)
    return each.result(cost, underage.valid, overage.valid)


def _cost(error: tf.Tensor, short: tf.Tensor, left: tf.Tensor) -> tf.Tensor:
    """Charge ``short`` for each unit of an error above 0, ``left`` for one below 0."""
    # At the kink the slope is the error itself: 0, as a constant, so that every
    # derivative is 0 there. Where the error is NaN, the slope is NaN too.
    neither = tf.stop_gradient(error)
    slope = tf.where(error > 0, short, tf.where(error < 0, -left, neither))
    return slope * error


class _Errors(NamedTuple):
    """The errors y_true - y_pred, in the dtype to compute in."""

    error: tf.Tensor
    dtype: tf.DType  # of the result

    def result(self, loss: tf.Tensor, *valid: tf.Tensor) -> tf.Tensor:
        """Return the loss in its dtype, NaN where a rule is broken."""
        return _tensors.nan_unless(tf.cast(loss, self.dtype), *valid)


def _errors(y_true: object, y_pred: object) -> _Errors:
    y_pred = _tensors.as_floating("y_pred", y_pred)
    y_true = _arguments.as_floating_as(
        y_pred.dtype, "y_true", y_true, a_cast="converts it"
    )
    y_true = _tensors.with_same_shape("y_true", y_true, "y_pred", y_pred)
    dtype = _tensors.computing_dtype(y_pred.dtype)
    return _Errors(tf.cast(y_true, dtype) - tf.cast(y_pred, dtype), y_pred.dtype)
