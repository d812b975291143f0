"""Losses of predicted numbers."""

from __future__ import annotations

from collections.abc import Sequence

from lossfn import _check, losses
from lossfn.keras_losses import _parameters
from lossfn.keras_losses._base import LossPerOutput, registered

Numbers = float | Sequence


@registered
class SquaredError(LossPerOutput):
    """Squared error of the outputs: :func:`lossfn.losses.squared_error`.

    Its minimiser is the mean.

    Args:
        reduction: How the losses of the examples become one number. By default their
            weighted sum is divided by their number, not by the sum of the weights.
        name: What Keras calls the loss, in the names of metrics for example.
        dtype: The dtype of the loss, or a ``keras.DTypePolicy``; None is
            ``keras.config.floatx()``.

    Raises:
        TypeError: If the dtype is not floating.

    Examples:
        >>> loss = SquaredError()
        >>> print(loss([[1.0], [2.0]], [[1.0], [4.0]]).numpy())
        2.0

        With weights, the sum is still divided by the two examples:

        >>> weights = [0.0, 3.0]
        >>> print(loss([[1.0], [2.0]], [[1.0], [4.0]], sample_weight=weights).numpy())
        6.0
    """

    _function = staticmethod(losses.squared_error)

    def __init__(
        self,
        *,
        reduction: str | None = "sum_over_batch_size",
        name: str = "squared_error",
        dtype: object = None,
    ):
        """Make the loss."""
        super().__init__(reduction=reduction, name=name, dtype=dtype)


@registered
class Huber(LossPerOutput):
    r"""Squared error near 0, absolute error away from it: :func:`lossfn.losses.huber`.

    A loss of an error :math:`e` is :math:`e^2/2` up to :math:`|e| = \delta` and
    :math:`\delta(|e| - \delta/2)` beyond.

    Args:
        delta: Where the two meet, in the units of the targets; positive.
        reduction: How the losses of the examples become one number. By default their
            weighted sum is divided by their number, not by the sum of the weights.
        name: What Keras calls the loss, in the names of metrics for example.
        dtype: The dtype of the loss, or a ``keras.DTypePolicy``; None is
            ``keras.config.floatx()``.

    Raises:
        TypeError: If ``delta`` is not a number or the dtype is not floating.
        ValueError: If ``delta`` is not a scalar, or not positive and finite.

    Examples:
        >>> loss = Huber(delta=1.0)
        >>> print(loss([[0.0], [0.0]], [[1.0], [3.0]]).numpy())
        1.5
        >>> Huber.from_config(loss.get_config())
        Huber(delta=1.0)
    """

    _function = staticmethod(losses.huber)
    _checks = _parameters.checks(delta=_parameters.scalar(_parameters.POSITIVE))

    def __init__(
        self,
        *,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber",
        dtype: object = None,
    ):
        """Make the loss."""
        super().__init__(reduction=reduction, name=name, dtype=dtype, delta=delta)


@registered
class Pinball(LossPerOutput):
    r"""Loss of a predicted quantile: :func:`lossfn.losses.pinball`.

    With the error :math:`e = y - \hat y` it is :math:`\max(q e, (q - 1) e)`, and
    its minimiser is the quantile :math:`q`.

    Args:
        quantile: The quantile :math:`q` to predict, strictly between 0 and 1. A
            vector has one for each output: three of them take predictions and targets
            of shape ``(N, 3)``.
        reduction: How the losses of the examples become one number. By default their
            weighted sum is divided by their number, not by the sum of the weights.
        name: What Keras calls the loss, in the names of metrics for example.
        dtype: The dtype of the loss, or a ``keras.DTypePolicy``; None is
            ``keras.config.floatx()``.

    Raises:
        TypeError: If ``quantile`` is not made of numbers or the dtype is not floating.
        ValueError: If a quantile does not lie in (0, 1).

    Examples:
        Too little costs nine times as much as too much:

        >>> loss = Pinball(quantile=0.9)
        >>> print(f"{loss([5.0], [4.0]):.1f} {loss([5.0], [6.0]):.1f}")
        0.9 0.1

        The mean over the outputs of the one example, for three quantiles at once:

        >>> loss = Pinball(quantile=[0.1, 0.5, 0.9])
        >>> print(f"{loss([[5.0, 5.0, 5.0]], [[4.0, 5.0, 7.0]]):.1f}")
        0.1
    """

    _function = staticmethod(losses.pinball)
    _checks = _parameters.checks(
        quantile=_parameters.for_each_output(_parameters.BETWEEN_0_AND_1)
    )

    def __init__(
        self,
        *,
        quantile: Numbers,
        reduction: str | None = "sum_over_batch_size",
        name: str = "pinball",
        dtype: object = None,
    ):
        """Make the loss."""
        super().__init__(reduction=reduction, name=name, dtype=dtype, quantile=quantile)


@registered
class Newsvendor(LossPerOutput):
    r"""Cost of ordering too little or too much: :func:`lossfn.losses.newsvendor`.

    The prediction is the quantity ordered, the target is the demand. With costs
    :math:`c_u` per unit short and :math:`c_o` per unit left over, the minimiser is the
    quantile :math:`c_u / (c_u + c_o)` of the demand.

    Args:
        underage_cost: Cost per unit short, positive. A vector has one for each output.
        overage_cost: Cost per unit left over, positive. A vector has one for each
            output.
        reduction: How the losses of the examples become one number. By default their
            weighted sum is divided by their number, not by the sum of the weights.
        name: What Keras calls the loss, in the names of metrics for example.
        dtype: The dtype of the loss, or a ``keras.DTypePolicy``; None is
            ``keras.config.floatx()``.

    Raises:
        TypeError: If a cost is not made of numbers or the dtype is not floating.
        ValueError: If a cost is not positive and finite, or the shapes of the costs
            do not fit each other.

    Examples:
        >>> loss = Newsvendor(underage_cost=3.0, overage_cost=1.0)
        >>> print(loss([10.0, 10.0], [9.0, 11.0]).numpy())
        2.0
        >>> print(loss([10.0, 10.0], [9.0, 11.0], sample_weight=[2.0, 0.0]).numpy())
        3.0
    """

    _function = staticmethod(losses.newsvendor)
    _checks = _parameters.checks(
        underage_cost=_parameters.for_each_output(_parameters.POSITIVE),
        overage_cost=_parameters.for_each_output(_parameters.POSITIVE),
    )

    def __init__(
        self,
        *,
        underage_cost: Numbers,
        overage_cost: Numbers,
        reduction: str | None = "sum_over_batch_size",
        name: str = "newsvendor",
        dtype: object = None,
    ):
        """Make the loss."""
        super().__init__(
            reduction=reduction,
            name=name,
            dtype=dtype,
            underage_cost=underage_cost,
            overage_cost=overage_cost,
        )
        underage = _parameters.shape(self.underage_cost)
        overage = _parameters.shape(self.overage_cost)
        if underage and overage:
            _check.same_shape("underage_cost", underage, "overage_cost", overage)
