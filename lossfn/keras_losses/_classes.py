"""Losses of one class out of several, given the logits."""

from __future__ import annotations

from collections.abc import Sequence

from lossfn import losses
from lossfn.keras_losses import _parameters
from lossfn.keras_losses._base import LossOfIndex, LossPerClass, registered

SMOOTHING = _parameters.scalar(_parameters.FROM_0_TO_1)
CLASS_WEIGHT = _parameters.optional(_parameters.for_each_class(_parameters.POSITIVE))
GAMMA = _parameters.scalar(_parameters.NOT_NEGATIVE)
ALPHA = _parameters.optional(_parameters.scalar_or_for_each_class(_parameters.POSITIVE))
INDEX = _parameters.optional(_parameters.integer)


@registered
class CategoricalCrossentropy(LossPerClass):
    """Cross entropy of one-hot labels: :func:`lossfn.losses.categorical_crossentropy`.

    Labels are distributions over the classes, one-hot or soft; predictions are logits.

    Args:
        label_smoothing: How much of a label, from 0 to 1, is spread over all classes.
        class_weight: What each class counts for, a vector of positive numbers. None:
            all count 1.
        reduction: How the losses of the examples become one number. By default their
            weighted sum is divided by their number, not by the sum of the weights.
        name: What Keras calls the loss, in the names of metrics for example.
        dtype: The dtype of the loss, or a ``keras.DTypePolicy``; None is
            ``keras.config.floatx()``.

    Raises:
        TypeError: If a parameter is not made of numbers or the dtype is not floating.
        ValueError: If the smoothing does not lie in [0, 1], or the weights are not a
            vector of positive and finite numbers.

    Examples:
        >>> labels, logits = [[1, 0], [0, 1]], [[0.0, 0.0], [0.0, 0.0]]
        >>> print(f"{CategoricalCrossentropy()(labels, logits):.4f}")
        0.6931

        The weights of the classes are not in the denominator, here the number of
        examples:

        >>> loss = CategoricalCrossentropy(class_weight=[3.0, 1.0])
        >>> print(f"{loss(labels, logits):.4f}")
        1.3863
    """

    _function = staticmethod(losses.categorical_crossentropy)
    _checks = _parameters.checks(label_smoothing=SMOOTHING, class_weight=CLASS_WEIGHT)

    def __init__(
        self,
        *,
        label_smoothing: float = 0.0,
        class_weight: Sequence[float] | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: object = None,
    ):
        """Make the loss."""
        super().__init__(
            reduction=reduction,
            name=name,
            dtype=dtype,
            label_smoothing=label_smoothing,
            class_weight=class_weight,
        )


@registered
class SparseCategoricalCrossentropy(LossOfIndex):
    """Cross entropy of classes: :func:`lossfn.losses.sparse_categorical_crossentropy`.

    Labels are class indices, predictions are logits.

    Args:
        label_smoothing: How much of a label, from 0 to 1, is spread over all classes.
        class_weight: What each class counts for, a vector of positive numbers. None:
            all count 1.
        ignore_index: A label that masks its example; it need not be a class. None: no
            label does.
        reduction: How the losses of the examples become one number. By default their
            weighted sum is divided by their number, not by the sum of the weights.
        name: What Keras calls the loss, in the names of metrics for example.
        dtype: The dtype of the loss, or a ``keras.DTypePolicy``; None is
            ``keras.config.floatx()``.

    Raises:
        TypeError: If a parameter is not made of numbers, the index is not an integer,
            or the dtype is not floating.
        ValueError: If the smoothing does not lie in [0, 1], or the weights are not a
            vector of positive and finite numbers.

    Examples:
        The mean is over the two examples that count:

        >>> loss = SparseCategoricalCrossentropy(ignore_index=-1)
        >>> logits = [[0.0, 0.0], [0.0, 0.0], [5.0, 9.0]]
        >>> print(f"{loss([0, 1, -1], logits):.4f}")
        0.6931

        So it is if these have weights:

        >>> print(f"{loss([0, 1, -1], logits, sample_weight=[3.0, 1.0, 1.0]):.4f}")
        1.3863
    """

    _function = staticmethod(losses.sparse_categorical_crossentropy)
    _checks = _parameters.checks(
        label_smoothing=SMOOTHING,
        class_weight=CLASS_WEIGHT,
        ignore_index=INDEX,
    )

    def __init__(
        self,
        *,
        label_smoothing: float = 0.0,
        class_weight: Sequence[float] | None = None,
        ignore_index: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "sparse_categorical_crossentropy",
        dtype: object = None,
    ):
        """Make the loss."""
        super().__init__(
            reduction=reduction,
            name=name,
            dtype=dtype,
            label_smoothing=label_smoothing,
            class_weight=class_weight,
            ignore_index=ignore_index,
        )


@registered
class CategoricalFocalCrossentropy(LossPerClass):
    r"""Focal loss: :func:`lossfn.losses.categorical_focal_crossentropy`.

    A class that has the probability :math:`p` costs :math:`-(1 - p)^\gamma \log p`, so
    that easy examples count for less. Labels are one-hot, predictions are logits.

    Args:
        gamma: How much less; 0 is cross entropy.
        alpha: A positive weight for all classes, or a vector with one for each. None:
            no weights.
        reduction: How the losses of the examples become one number. By default their
            weighted sum is divided by their number, not by the sum of the weights.
        name: What Keras calls the loss, in the names of metrics for example.
        dtype: The dtype of the loss, or a ``keras.DTypePolicy``; None is
            ``keras.config.floatx()``.

    Raises:
        TypeError: If a parameter is not made of numbers or the dtype is not floating.
        ValueError: If ``gamma`` is negative or infinite, or ``alpha`` is not positive
            and finite, or has more axes than one.

    Examples:
        >>> loss = CategoricalFocalCrossentropy(gamma=2.0)
        >>> print(f"{loss([[1, 0], [0, 1]], [[0.0, 0.0], [0.0, 0.0]]):.4f}")
        0.1733
    """

    _function = staticmethod(losses.categorical_focal_crossentropy)
    _checks = _parameters.checks(gamma=GAMMA, alpha=ALPHA)

    def __init__(
        self,
        *,
        gamma: float = 2.0,
        alpha: float | Sequence[float] | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_focal_crossentropy",
        dtype: object = None,
    ):
        """Make the loss."""
        super().__init__(
            reduction=reduction, name=name, dtype=dtype, gamma=gamma, alpha=alpha
        )


@registered
class SparseCategoricalFocalCrossentropy(LossOfIndex):
    r"""Focal loss: :func:`lossfn.losses.sparse_categorical_focal_crossentropy`.

    A class that has the probability :math:`p` costs :math:`-(1 - p)^\gamma \log p`, so
    that easy examples count for less. Labels are class indices, predictions are logits.

    Args:
        gamma: How much less; 0 is cross entropy.
        alpha: A positive weight for all classes, or a vector with one for each. None:
            no weights.
        ignore_index: A label that masks its example; it need not be a class. None: no
            label does.
        reduction: How the losses of the examples become one number. By default their
            weighted sum is divided by their number, not by the sum of the weights.
        name: What Keras calls the loss, in the names of metrics for example.
        dtype: The dtype of the loss, or a ``keras.DTypePolicy``; None is
            ``keras.config.floatx()``.

    Raises:
        TypeError: If a parameter is not made of numbers, the index is not an integer,
            or the dtype is not floating.
        ValueError: If ``gamma`` is negative or infinite, or ``alpha`` is not positive
            and finite, or has more axes than one.

    Examples:
        >>> loss = SparseCategoricalFocalCrossentropy(gamma=2.0)
        >>> print(f"{loss([0, 1], [[0.0, 0.0], [0.0, 0.0]]):.4f}")
        0.1733
    """

    _function = staticmethod(losses.sparse_categorical_focal_crossentropy)
    _checks = _parameters.checks(gamma=GAMMA, alpha=ALPHA, ignore_index=INDEX)

    def __init__(
        self,
        *,
        gamma: float = 2.0,
        alpha: float | Sequence[float] | None = None,
        ignore_index: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "sparse_categorical_focal_crossentropy",
        dtype: object = None,
    ):
        """Make the loss."""
        super().__init__(
            reduction=reduction,
            name=name,
            dtype=dtype,
            gamma=gamma,
            alpha=alpha,
            ignore_index=ignore_index,
        )
