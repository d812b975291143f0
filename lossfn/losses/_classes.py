"""Losses of one class out of several, given the logits."""

from __future__ import annotations

import tensorflow as tf

from lossfn import _softmax
from lossfn.losses import _examples, _parameters


def categorical_crossentropy(
    y_true: tf.Tensor,
    y_pred: tf.Tensor,
    *,
    label_smoothing: float | tf.Tensor = 0.0,
    class_weight: tf.Tensor | None = None,
) -> tf.Tensor:
    r"""Cross entropy of label distributions, smoothed and weighted by class.

    Smoothing by :math:`s` gives each of the :math:`K` classes a share of the label,
    :math:`p'_k = p_k\,(1 - s) + s/K`. With the logits :math:`z` and the weights
    :math:`w`,

    .. math::

        \ell = -\sum_k w_k\,p'_k \log\frac{e^{z_k}}{\sum_j e^{z_j}}.

    Each class's term is weighted by the class it speaks for: a smoothed label has terms
    of every class, each with its own weight. The products :math:`w_k p'_k` need not sum
    to one, and the gradient knows that:
    :math:`\partial\ell/\partial z_k = W q_k - w_k p'_k`, where :math:`q` is the
    softmax and :math:`W = \sum_k w_k p'_k`. (``tf.nn`` takes :math:`W` to be 1, and
    with weights in the labels its gradient is wrong.)

    Without smoothing and weights this is, bit for bit,
    :func:`lossfn.nn.softmax_cross_entropy_with_logits`.

    Args:
        y_true: Probabilities, of a floating dtype, the shape of the logits. They are
            not negative and finite, and need not sum to one.
        y_pred: Logits, of a floating dtype, of shape (..., K). A class with logit
            ``-inf`` is impossible: it costs nothing where its label is 0, and
            infinitely much where smoothing gives it a share.
        label_smoothing: :math:`s`, in [0, 1], a scalar.
        class_weight: :math:`w`, positive and finite, of shape (K,); None means ones.

    Returns:
        The loss in nats, of the shape of the logits without their last axis.

    Raises:
        TypeError: If labels or logits are not floating, or a parameter is not a number.
        ValueError: If the shapes differ, there is no class, a label is negative or
            infinite, or a parameter breaks its rule.

    Examples:
        >>> labels, logits = [[1.0, 0.0, 0.0]], [[2.0, 1.0, 0.0]]
        >>> loss = categorical_crossentropy(labels, logits, class_weight=[5.0, 1, 1])
        >>> print(f"{loss[0]:.4f}")
        2.0380
        >>> loss = categorical_crossentropy(labels, logits, label_smoothing=0.1)
        >>> print(f"{loss[0]:.4f}")
        0.5076

    References:
        Szegedy, Vanhoucke, Ioffe, Shlens and Wojna (2016), Rethinking the Inception
        architecture for computer vision, CVPR.
    """
    examples = _examples.dense(y_true, y_pred)
    logits = examples.logits
    smoothing = _parameters.label_smoothing(label_smoothing, logits.dtype)
    weight = _parameters.class_weight(class_weight, logits)
    labels = examples.labels * (1 - smoothing.value)
    labels += _parameters.spread(smoothing.value, logits)
    loss = _softmax.cross_entropy(weight.value * labels, logits)
    return examples.result(loss, smoothing.valid, weight.valid)


def sparse_categorical_crossentropy(
    y_true: tf.Tensor,
    y_pred: tf.Tensor,
    *,
    label_smoothing: float | tf.Tensor = 0.0,
    class_weight: tf.Tensor | None = None,
    ignore_index: int | None = None,
) -> tf.Tensor:
    r"""Cross entropy of class indices, smoothed and weighted by class.

    With the true class :math:`y` in place of one-hot labels, and
    :math:`\mathrm{CE}_k = -\log q_k` where :math:`q` is the softmax of the logits,

    .. math::

        \ell = (1 - s)\,w_y\,\mathrm{CE}_y
              + \frac{s}{K} \sum_k w_k\,\mathrm{CE}_k.

    That is :func:`categorical_crossentropy` of the one-hot labels, which are never
    made. Without smoothing and weights it is, bit for bit,
    :func:`lossfn.nn.sparse_softmax_cross_entropy_with_logits`.

    Args:
        y_true: Class indices in :math:`[0, K)`, or ``ignore_index``, of an integer
            dtype, of the shape of the logits without their last axis.
        y_pred: Logits, of a floating dtype, of shape (..., K). A class with logit
            ``-inf`` is impossible.
        label_smoothing: :math:`s`, in [0, 1], a scalar.
        class_weight: :math:`w`, positive and finite, of shape (K,); None means ones.
        ignore_index: A label, in :math:`[0, K)` or not, whose examples have loss 0 and
            gradient 0 whatever their logits are; None ignores none. A mean over the
            other examples is :func:`masked_mean` with the mask
            ``y_true != ignore_index``.

    Returns:
        The loss in nats, of the shape of the labels.

    Raises:
        TypeError: If the labels are not integers, the logits not floating, or a
            parameter is not a number.
        ValueError: If the shapes do not match, there is no class, a label lies outside
            :math:`[0, K)` and is not ``ignore_index``, or a parameter breaks its rule.

    Examples:
        >>> logits = [[2.0, 1.0, 0.0], [2.0, 1.0, 0.0]]
        >>> loss = sparse_categorical_crossentropy([0, -1], logits, ignore_index=-1)
        >>> print(f"{loss[0]:.4f} {loss[1]:.4f}")
        0.4076 0.0000

    References:
        Szegedy, Vanhoucke, Ioffe, Shlens and Wojna (2016), Rethinking the Inception
        architecture for computer vision, CVPR.
    """
    examples = _examples.sparse(
        y_true,
        y_pred,
        ignore_index=ignore_index,
        for_probabilities="categorical_crossentropy",
    )
    logits = examples.logits
    smoothing = _parameters.label_smoothing(label_smoothing, logits.dtype)
    weight = _parameters.class_weight(class_weight, logits)
    loss = _softmax.sparse_cross_entropy(examples.labels, logits)
    loss *= _parameters.of_label(weight.value, examples.labels)
    if not _parameters.is_zero(label_smoothing):
        spread = _parameters.spread(smoothing.value, logits)
        everywhere = tf.broadcast_to(weight.value * spread, tf.shape(logits))
        loss = tf.math.multiply_no_nan(loss, 1 - smoothing.value)
        loss += _softmax.cross_entropy(everywhere, logits)
    return examples.result(loss, smoothing.valid, weight.valid)
