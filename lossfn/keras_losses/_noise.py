"""Losses of class indices of which some are wrong."""

from __future__ import annotations

from lossfn import losses
from lossfn.keras_losses import _parameters
from lossfn.keras_losses._base import LossOfIndex, registered

INDEX = _parameters.optional(_parameters.integer)
WEIGHT = _parameters.scalar(_parameters.NOT_NEGATIVE)


@registered
class GeneralizedCrossentropy(LossOfIndex):
    r"""Bounded cross entropy: :func:`lossfn.losses.generalized_crossentropy`.

    A class that has the probability :math:`p` costs :math:`(1 - p^q)/q`, at most
    :math:`1/q`, so that a wrong label cannot outweigh the right ones. Labels are class
    indices, predictions are logits.

    Args:
        q: In (0, 1]: near 0 cross entropy, at 1 the probability of another class.
        ignore_index: A label that masks its example; it need not be a class. None: no
            label does.
        reduction: How the losses of the examples become one number. By default their
            weighted sum is divided by their number, not by the sum of the weights.
        name: What Keras calls the loss, in the names of metrics for example.
        dtype: The dtype of the loss, or a ``keras.DTypePolicy``; None is
            ``keras.config.floatx()``.

    Raises:
        TypeError: If ``q`` is not a number, the index is not an integer, or the dtype
            is not floating.
        ValueError: If ``q`` does not lie in (0, 1].

    Examples:
        >>> loss = GeneralizedCrossentropy(q=1.0)
        >>> print(f"{loss([0, 1], [[0.0, 0.0], [0.0, 0.0]]):.4f}")
        0.5000
    """

    _function = staticmethod(losses.generalized_crossentropy)
    _checks = _parameters.checks(
        q=_parameters.scalar(_parameters.ABOVE_0_TO_1),
        ignore_index=INDEX,
    )

    def __init__(
        self,
        *,
        q: float = 0.7,
        ignore_index: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "generalized_crossentropy",
        dtype: object = None,
    ):
        """Make the loss."""
        super().__init__(
            reduction=reduction,
            name=name,
            dtype=dtype,
            q=q,
            ignore_index=ignore_index,
        )


@registered
class SymmetricCrossentropy(LossOfIndex):
    r"""Cross entropy in both directions: :func:`lossfn.losses.symmetric_crossentropy`.

    A class that has the probability :math:`p` costs
    :math:`-\alpha \log p - \beta A (1 - p)`, where :math:`A` stands in for
    :math:`\log 0`. Labels are class indices, predictions are logits.

    Args:
        alpha: Weight of the cross entropy, at least 0.
        beta: Weight of the reverse cross entropy, at least 0.
        log_zero: What the logarithm of 0 is replaced by; negative.
        ignore_index: A label that masks its example; it need not be a class. None: no
            label does.
        reduction: How the losses of the examples become one number. By default their
            weighted sum is divided by their number, not by the sum of the weights.
        name: What Keras calls the loss, in the names of metrics for example.
        dtype: The dtype of the loss, or a ``keras.DTypePolicy``; None is
            ``keras.config.floatx()``.

    Raises:
        TypeError: If a parameter is not a number, the index is not an integer, or the
            dtype is not floating.
        ValueError: If a weight is negative or infinite, both are 0, or ``log_zero`` is
            not negative and finite.

    Examples:
        >>> loss = SymmetricCrossentropy(alpha=0.0, beta=1.0, log_zero=-4.0)
        >>> print(f"{loss([0, 1], [[0.0, 0.0], [0.0, 0.0]]):.4f}")
        2.0000
    """

    _function = staticmethod(losses.symmetric_crossentropy)
    _checks = _parameters.checks(
        alpha=WEIGHT,
        beta=WEIGHT,
        log_zero=_parameters.scalar(_parameters.NEGATIVE),
        ignore_index=INDEX,
    )

    def __init__(
        self,
        *,
        alpha: float = 0.1,
        beta: float = 1.0,
        log_zero: float = -4.0,
        ignore_index: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "symmetric_crossentropy",
        dtype: object = None,
    ):
        """Make the loss."""
        super().__init__(
            reduction=reduction,
            name=name,
            dtype=dtype,
            alpha=alpha,
            beta=beta,
            log_zero=log_zero,
            ignore_index=ignore_index,
        )
        if self.alpha == self.beta == 0:
            raise ValueError(f"beta must be positive where alpha is 0, got {self.beta}")
