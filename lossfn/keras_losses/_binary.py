"""Losses of yes-or-no labels, given their logits."""

from __future__ import annotations

from collections.abc import Sequence

from lossfn import losses
from lossfn.keras_losses import _parameters
from lossfn.keras_losses._base import LossPerOutput, registered


@registered
class BinaryCrossentropy(LossPerOutput):
    """Cross entropy of independent labels: :func:`lossfn.losses.binary_crossentropy`.

    It takes logits: the last layer has no activation.

    Args:
        pos_weight: What a positive counts for, as a multiple of a negative; positive. A
            vector has one for each label.
        label_smoothing: How much of a label, from 0 to 1, is replaced by a half.
        reduction: How the losses of the examples become one number. By default their
            weighted sum is divided by their number, not by the sum of the weights.
        name: What Keras calls the loss, in the names of metrics for example.
        dtype: The dtype of the loss, or a ``keras.DTypePolicy``; None is
            ``keras.config.floatx()``.

    Raises:
        TypeError: If a parameter is not made of numbers or the dtype is not floating.
        ValueError: If a weight is not positive and finite, or the smoothing does not
            lie in [0, 1].

    Examples:
        >>> labels, logits = [[1], [0]], [[0.0], [0.0]]
        >>> print(f"{BinaryCrossentropy()(labels, logits):.4f}")
        0.6931
        >>> print(f"{BinaryCrossentropy(pos_weight=3.0)(labels, logits):.4f}")
        1.3863

        The first label counts three times, and the sum is divided by 3 + 1:

        >>> loss = BinaryCrossentropy(reduction="mean_with_sample_weight")
        >>> print(f"{loss(labels, logits, sample_weight=[3.0, 1.0]):.4f}")
        0.6931
    """

    _function = staticmethod(losses.binary_crossentropy)
    _checks = _parameters.checks(
        pos_weight=_parameters.for_each_output(_parameters.POSITIVE),
        label_smoothing=_parameters.scalar(_parameters.FROM_0_TO_1),
    )

    def __init__(
        self,
        *,
        pos_weight: float | Sequence = 1.0,
        label_smoothing: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: object = None,
    ):
        """Make the loss."""
        super().__init__(
            reduction=reduction,
            name=name,
            dtype=dtype,
            pos_weight=pos_weight,
            label_smoothing=label_smoothing,
        )


@registered
class BinaryFocalCrossentropy(LossPerOutput):
    r"""Focal loss of labels: :func:`lossfn.losses.binary_focal_crossentropy`.

    A label that has the probability :math:`p` costs :math:`-(1 - p)^\gamma \log p`, so
    that easy examples count for less. It takes logits.

    Args:
        gamma: How much less; 0 is cross entropy.
        alpha: Weight of the positives, from 0 to 1; negatives have ``1 - alpha``. None:
            no weights.
        reduction: How the losses of the examples become one number. By default their
            weighted sum is divided by their number, not by the sum of the weights.
        name: What Keras calls the loss, in the names of metrics for example.
        dtype: The dtype of the loss, or a ``keras.DTypePolicy``; None is
            ``keras.config.floatx()``.

    Raises:
        TypeError: If a parameter is not a number or the dtype is not floating.
        ValueError: If ``gamma`` is negative or infinite, or ``alpha`` does not lie in
            [0, 1].

    Examples:
        >>> loss = BinaryFocalCrossentropy(gamma=2.0)
        >>> print(f"{loss([[1], [0]], [[0.0], [0.0]]):.4f}")
        0.1733
    """

    _function = staticmethod(losses.binary_focal_crossentropy)
    _checks = _parameters.checks(
        gamma=_parameters.scalar(_parameters.NOT_NEGATIVE),
        alpha=_parameters.optional(_parameters.scalar(_parameters.FROM_0_TO_1)),
    )

    def __init__(
        self,
        *,
        gamma: float = 2.0,
        alpha: float | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_focal_crossentropy",
        dtype: object = None,
    ):
        """Make the loss."""
        super().__init__(
            reduction=reduction, name=name, dtype=dtype, gamma=gamma, alpha=alpha
        )
