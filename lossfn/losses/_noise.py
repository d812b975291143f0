"""Losses of class indices of which some are wrong."""

from __future__ import annotations

import tensorflow as tf

from lossfn import _softmax, _tensors
from lossfn.losses import _examples, _parameters


def generalized_crossentropy(
    y_true: tf.Tensor,
    y_pred: tf.Tensor,
    *,
    q: float | tf.Tensor = 0.7,
    ignore_index: int | None = None,
) -> tf.Tensor:
    r"""Cross entropy that gives up on examples it cannot fit.

    With the probability :math:`p_y` of the true class and its cross entropy
    :math:`\mathrm{CE} = -\log p_y`,

    .. math::

        \ell = \frac{1 - p_y^q}{q} = \frac{1 - e^{-q\,\mathrm{CE}}}{q}
             = \frac{-\mathrm{expm1}(-q\,\mathrm{CE})}{q}, \qquad
        \frac{\partial \ell}{\partial z} = p_y^q\,
            \frac{\partial\,\mathrm{CE}}{\partial z}.

    The factor :math:`p_y^q` fades out an example whose label the model finds unlikely,
    which may be because the label is wrong; and the loss is never more than
    :math:`1/q`. As :math:`q` goes to 0 the loss becomes the cross entropy; with
    :math:`q = 1` it is :math:`1 - p_y`, half the absolute error of the probabilities,
    summed over the classes.

    Args:
        y_true: Class indices in :math:`[0, K)`, or ``ignore_index``, of an integer
            dtype, of the shape of the logits without their last axis.
        y_pred: Logits, of a floating dtype, of shape (..., K). A class with logit
            ``-inf`` is impossible.
        q: :math:`q`, in (0, 1], a scalar.
        ignore_index: A label, in :math:`[0, K)` or not, whose examples have loss 0 and
            gradient 0 whatever their logits are; None ignores none.

    Returns:
        The loss, between 0 and :math:`1/q`, of the shape of the labels.

    Raises:
        TypeError: If the labels are not integers, the logits not floating, or ``q`` is
            not a number.
        ValueError: If the shapes do not match, there is no class, a label lies outside
            :math:`[0, K)` and is not ``ignore_index``, or ``q`` lies outside (0, 1].

    Examples:
        >>> logits = [[2.0, 1.0, 0.0], [20.0, 10.0, 0.0]]
        >>> loss = generalized_crossentropy([0, 2], logits, q=0.5)
        >>> print(f"{loss[0]:.4f} {loss[1]:.4f}")
        0.3688 1.9999

    References:
        Zhang and Sabuncu (2018), Generalized cross entropy loss for training deep
        neural networks with noisy labels, NeurIPS.
    """
    examples = _examples.sparse(y_true, y_pred, ignore_index=ignore_index)
    q = _parameters.scalar("q", q, examples.logits.dtype, _parameters.ABOVE_0_TO_1)
    loss = _softmax.sparse_cross_entropy(examples.labels, examples.logits)
    # An infinite loss has no part in the derivative by q.
    loss = -tf.math.expm1(-tf.math.multiply_no_nan(loss, q.value)) / q.value
    return examples.result(loss, q.valid)


def symmetric_crossentropy(
    y_true: tf.Tensor,
    y_pred: tf.Tensor,
    *,
    alpha: float | tf.Tensor = 0.1,
    beta: float | tf.Tensor = 1.0,
    log_zero: float | tf.Tensor = -4.0,
    ignore_index: int | None = None,
) -> tf.Tensor:
    r"""Cross entropy in both directions: the model's own view of the label counts too.

    With one-hot labels :math:`q` and the softmax :math:`p` of the logits, the cross
    entropy is :math:`\mathrm{CE} = -\sum_k q_k \log p_k = -\log p_y`, and the reverse
    one is

    .. math::

        \mathrm{RCE} = -\sum_k p_k \log q_k = -A \sum_{k \ne y} p_k
            = -A\,(1 - p_y) = A\,\mathrm{expm1}(-\mathrm{CE}),

    where :math:`A < 0` stands in for :math:`\log 0`. The loss is

    .. math::

        \ell = \alpha\,\mathrm{CE} + \beta\,\mathrm{RCE}.

    The first part learns fast from every label, wrong ones included; the second is
    bounded, and a wrong label cannot pull it far.

    Args:
        y_true: Class indices in :math:`[0, K)`, or ``ignore_index``, of an integer
            dtype, of the shape of the logits without their last axis.
        y_pred: Logits, of a floating dtype, of shape (..., K). A class with logit
            ``-inf`` is impossible.
        alpha: :math:`\alpha`, finite and not negative, a scalar.
        beta: :math:`\beta`, finite and not negative, and not 0 where ``alpha`` is, a
            scalar.
        log_zero: :math:`A`, negative and finite, a scalar.
        ignore_index: A label, in :math:`[0, K)` or not, whose examples have loss 0 and
            gradient 0 whatever their logits are; None ignores none.

    Returns:
        The loss in nats, of the shape of the labels.

    Raises:
        TypeError: If the labels are not integers, the logits not floating, or a
            parameter is not a number.
        ValueError: If the shapes do not match, there is no class, a label lies outside
            :math:`[0, K)` and is not ``ignore_index``, or a parameter breaks its rule.

    Examples:
        >>> logits = [[2.0, 1.0, 0.0]]
        >>> loss = symmetric_crossentropy([0], logits, alpha=1.0, beta=0.5)
        >>> print(f"{loss[0]:.4f}")
        1.0771

    References:
        Wang, Ma, Chen, Luo, Yi and Bailey (2019), Symmetric cross entropy for robust
        learning with noisy labels, ICCV.
    """
    examples = _examples.sparse(y_true, y_pred, ignore_index=ignore_index)
    dtype = examples.logits.dtype
    alpha, beta = _weights(alpha, beta, dtype)
    log_zero = _parameters.scalar("log_zero", log_zero, dtype, _parameters.NEGATIVE)
    loss = _softmax.sparse_cross_entropy(examples.labels, examples.logits)
    reverse = log_zero.value * tf.math.expm1(-loss)
    loss = tf.math.multiply_no_nan(loss, alpha.value) + beta.value * reverse
    return examples.result(loss, alpha.valid, beta.valid, log_zero.valid)


def _weights(
    alpha: object, beta: object, dtype: tf.DType
) -> tuple[_parameters.Parameter, _parameters.Parameter]:
    alpha = _parameters.scalar("alpha", alpha, dtype, _parameters.NOT_NEGATIVE)
    beta = _parameters.scalar("beta", beta, dtype, _parameters.NOT_NEGATIVE)
    either = (alpha.value > 0) | (beta.value > 0)
    value = _tensors.with_values(
        "beta", beta.value, either, "be positive where alpha is 0"
    )
    return alpha, _parameters.Parameter(value, beta.valid & either)
