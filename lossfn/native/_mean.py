"""The mean of each loss over a batch, with its gradient in one pass.

The formulas are in :mod:`lossfn.nn` and :mod:`lossfn.losses`.
"""

from __future__ import annotations

import tensorflow as tf

from lossfn import losses, nn
from lossfn.native import _arguments
from lossfn.native._run import mean_loss


def mean_softmax_cross_entropy_with_logits(
    *, labels: tf.Tensor, logits: tf.Tensor, axis: int = -1
) -> tf.Tensor:
    """Mean cross entropy between label distributions and softmax.

    The mean of :func:`softmax_cross_entropy_with_logits` over all losses, and 0
    over none. Gradients flow into the logits alone.

    Args:
        labels: Probabilities, of a floating dtype, the shape of the logits.
        logits: Unscaled log probabilities, of a floating dtype, of rank 1 or more.
        axis: The axis of the classes; another than the last costs a transposition.

    Returns:
        The mean, a scalar in the dtype of the logits.

    Raises:
        TypeError, ValueError: As the twin does; inside a ``tf.function`` a bad value is
            ``tf.errors.InvalidArgumentError``.
        BuildError: If the library cannot be compiled.

    Examples:
        >>> import tensorflow as tf
        >>> logits = tf.constant([[2.0, 1.0, 0.0]])
        >>> labels = tf.constant([[1.0, 0.0, 0.0]])
        >>> loss = mean_softmax_cross_entropy_with_logits(
        ...     labels=labels, logits=logits
        ... )
        >>> print(f"{loss:.4f}")
        0.4076
    """
    inputs = _arguments.dense(labels, logits, axis)
    return mean_loss(
        "Softmax",
        inputs,
        lambda: nn.softmax_cross_entropy_with_logits(
            labels=labels, logits=logits, axis=axis
        ),
    )


def mean_sparse_softmax_cross_entropy_with_logits(
    *, labels: tf.Tensor, logits: tf.Tensor, axis: int = -1
) -> tf.Tensor:
    """Mean cross entropy between class indices and softmax.

    The mean of :func:`sparse_softmax_cross_entropy_with_logits` over all losses,
    and 0 over none. Gradients flow into the logits alone.

    Args:
        labels: Class indices in :math:`[0, K)`, of an integer dtype, of the shape of
            the logits without ``axis``.
        logits: Unscaled log probabilities, of a floating dtype, of rank 1 or more, with
            :math:`K` classes.
        axis: The axis of the classes; another than the last costs a transposition.

    Returns:
        The mean, a scalar in the dtype of the logits.

    Raises:
        TypeError, ValueError: As the twin does; inside a ``tf.function`` a bad value is
            ``tf.errors.InvalidArgumentError``.
        BuildError: If the library cannot be compiled.

    Examples:
        >>> import tensorflow as tf
        >>> logits = tf.constant([[2.0, 1.0, 0.0]])
        >>> loss = mean_sparse_softmax_cross_entropy_with_logits(
        ...     labels=[0], logits=logits
        ... )
        >>> print(f"{loss:.4f}")
        0.4076
    """
    inputs = _arguments.sparse(labels, logits, axis)
    return mean_loss(
        "SparseSoftmax",
        inputs,
        lambda: nn.sparse_softmax_cross_entropy_with_logits(
            labels=labels, logits=logits, axis=axis
        ),
    )


def mean_sigmoid_cross_entropy_with_logits(
    *, labels: tf.Tensor, logits: tf.Tensor
) -> tf.Tensor:
    """Mean cross entropy of independent yes-or-no labels.

    The mean of :func:`sigmoid_cross_entropy_with_logits` over all losses, and 0
    over none. Gradients flow into the logits alone.

    Args:
        labels: Probabilities in [0, 1], of a floating dtype, the shape of the logits.
        logits: Log odds, of a floating dtype and any shape.

    Returns:
        The mean, a scalar in the dtype of the logits.

    Raises:
        TypeError, ValueError: As the twin does; inside a ``tf.function`` a bad value is
            ``tf.errors.InvalidArgumentError``.
        BuildError: If the library cannot be compiled.

    Examples:
        >>> loss = mean_sigmoid_cross_entropy_with_logits(
        ...     labels=[0.0], logits=[2.0]
        ... )
        >>> print(f"{loss:.4f}")
        2.1269
    """
    inputs = _arguments.binary(labels, logits, 1.0)
    return mean_loss(
        "Sigmoid",
        inputs,
        lambda: nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits),
    )


def mean_weighted_cross_entropy_with_logits(
    *, labels: tf.Tensor, logits: tf.Tensor, pos_weight: tf.Tensor
) -> tf.Tensor:
    """Mean sigmoid cross entropy with a weight for the positives.

    The mean of :func:`weighted_cross_entropy_with_logits` over all losses, and 0
    over none. Gradients flow into the logits alone.

    Args:
        labels: Probabilities in [0, 1], of a floating dtype, the shape of the logits.
        logits: Log odds, of a floating dtype and any shape.
        pos_weight: What a positive counts for, as a multiple of a negative: positive
            and finite, a scalar or of a shape that broadcasts to that of the logits.

    Returns:
        The mean, a scalar in the dtype of the logits.

    Raises:
        TypeError, ValueError: As the twin does; inside a ``tf.function`` a bad value is
            ``tf.errors.InvalidArgumentError``.
        BuildError: If the library cannot be compiled.

    Examples:
        >>> loss = mean_weighted_cross_entropy_with_logits(
        ...     labels=[1.0], logits=[0.0], pos_weight=3.0
        ... )
        >>> print(f"{loss:.4f}")
        2.0794
    """
    inputs = _arguments.binary(labels, logits, pos_weight)
    return mean_loss(
        "Sigmoid",
        inputs,
        lambda: nn.weighted_cross_entropy_with_logits(
            labels=labels, logits=logits, pos_weight=pos_weight
        ),
    )


def mean_newsvendor(
    y_true: tf.Tensor,
    y_pred: tf.Tensor,
    *,
    underage_cost: float | tf.Tensor,
    overage_cost: float | tf.Tensor,
) -> tf.Tensor:
    """Mean cost of ordering too little or too much.

    The mean of :func:`newsvendor` over all losses, and 0 over none. Gradients flow
    into the predictions alone.

    Args:
        y_true: The demand, of a floating dtype, the shape of the predictions.
        y_pred: The orders, of a floating dtype and any shape.
        underage_cost: What a unit costs that was short: positive and finite, a scalar
            or of a shape that broadcasts to that of the predictions.
        overage_cost: What a unit costs that is left over, of the same kind.

    Returns:
        The mean, a scalar in the dtype of the predictions.

    Raises:
        TypeError, ValueError: As the twin does; inside a ``tf.function`` a bad value is
            ``tf.errors.InvalidArgumentError``.
        BuildError: If the library cannot be compiled.

    Examples:
        >>> loss = mean_newsvendor(
        ...     [10.0], [8.0], underage_cost=9.0, overage_cost=1.0
        ... )
        >>> print(f"{loss:.4f}")
        18.0000
    """
    inputs = _arguments.regression(
        y_true, y_pred, underage_cost=underage_cost, overage_cost=overage_cost
    )
    return mean_loss(
        "Newsvendor",
        inputs,
        lambda: losses.newsvendor(
            y_true, y_pred, underage_cost=underage_cost, overage_cost=overage_cost
        ),
    )
