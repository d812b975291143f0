"""Losses of yes-or-no labels, given their logits."""

from __future__ import annotations

import tensorflow as tf

from lossfn import _sigmoid
from lossfn.losses import _examples, _parameters


def binary_crossentropy(
    y_true: tf.Tensor,
    y_pred: tf.Tensor,
    *,
    pos_weight: float | tf.Tensor = 1.0,
    label_smoothing: float | tf.Tensor = 0.0,
) -> tf.Tensor:
    r"""Cross entropy of independent yes-or-no labels, weighted and smoothed.

    Smoothing by :math:`s` moves a label towards 1/2, which caps the logit that fits
    best: :math:`y' = y\,(1 - s) + s/2`. With the logit :math:`z` and the weight
    :math:`w` of a positive,

    .. math::

        \ell &= -w\,y' \log\sigma(z) - (1 - y') \log(1 - \sigma(z)) \\
             &= w\,y'\,\mathrm{softplus}(-z) + (1 - y')\,\mathrm{softplus}(z).

    Without smoothing this is, bit for bit,
    :func:`lossfn.nn.weighted_cross_entropy_with_logits`.

    Args:
        y_true: Probabilities in [0, 1], of a floating dtype, the shape of the logits.
        y_pred: Logits, of a floating dtype and any shape; ``-inf`` and ``inf`` mean
            certainty.
        pos_weight: What a positive counts for, as a multiple of a negative: positive
            and finite, a scalar or of a shape that broadcasts to that of the logits.
        label_smoothing: :math:`s`, in [0, 1], a scalar.

    Returns:
        The loss in nats, one for each label, of the shape of the logits.

    Raises:
        TypeError: If labels or logits are not floating, or a parameter is not a number.
        ValueError: If the shapes differ, a label lies outside [0, 1], or a parameter
            breaks its rule.

    Examples:
        >>> loss = binary_crossentropy([1.0, 0.0], [2.0, 2.0], pos_weight=3.0)
        >>> print(f"{loss[0]:.4f} {loss[1]:.4f}")
        0.3808 2.1269
        >>> loss = binary_crossentropy([1.0], [2.0], label_smoothing=0.1)
        >>> print(f"{loss[0]:.4f}")
        0.2269

    References:
        King and Zeng (2001), Logistic regression in rare events data, Political
        Analysis 9. Szegedy, Vanhoucke, Ioffe, Shlens and Wojna (2016), Rethinking the
        Inception architecture for computer vision, CVPR.
    """
    each = _examples.binary(y_true, y_pred)
    weight = _parameters.for_each(
        "pos_weight", pos_weight, each.logits, _parameters.POSITIVE
    )
    smoothing = _parameters.label_smoothing(label_smoothing, each.logits.dtype)
    # Not 1 - positive, which would round away a label that is close to 1.
    positive, negative = (
        label * (1 - smoothing.value) + smoothing.value / 2
        for label in (each.labels, 1 - each.labels)
    )
    loss = _sigmoid.cross_entropy(weight.value * positive, negative, each.logits)
    return each.result(loss, weight.valid, smoothing.valid)


def binary_focal_crossentropy(
    y_true: tf.Tensor,
    y_pred: tf.Tensor,
    *,
    gamma: float | tf.Tensor = 2.0,
    alpha: float | tf.Tensor | None = None,
) -> tf.Tensor:
    r"""Cross entropy in which easy examples count little.

    With :math:`p = \sigma(z)`, each term is multiplied by a power of its own error:

    .. math::

        \ell = -\alpha\,y\,(1 - p)^\gamma \log p
              - (1 - \alpha)\,(1 - y)\,p^\gamma \log(1 - p).

    A positive that the model is sure of, :math:`p = 0.99`, counts :math:`0.01^\gamma`
    of its cross entropy; one that it gets wrong keeps nearly all. Since
    :math:`1 - p = e^{-\mathrm{softplus}(z)}`, the loss of a positive is

    .. math::

        f(z) = e^{-\gamma\,\mathrm{softplus}(z)}\,\mathrm{softplus}(-z),

    that of a negative is :math:`f(-z)`, and the derivative

    .. math::

        f'(z) = -e^{-\gamma\,\mathrm{softplus}(z)}\,
            \bigl(\sigma(-z) + \gamma\,\sigma(z)\,\mathrm{softplus}(-z)\bigr)

    has no power of :math:`1 - p` below :math:`\gamma`. Differentiating
    :math:`(1 - p)^\gamma` itself makes one of :math:`\gamma - 1`: for
    :math:`\gamma < 1` it is infinite where :math:`p` rounds to 1, and the gradient NaN.

    With :math:`\gamma = 0` and no :math:`\alpha` this is, bit for bit,
    :func:`binary_crossentropy`. (Keras agrees for labels of 0 and 1. For a soft label
    it raises :math:`1 - (y p + (1 - y)(1 - p))` to the power instead, so that a model
    that is sure is eased off even where the label says that nothing is.)

    Args:
        y_true: Probabilities in [0, 1], of a floating dtype, the shape of the logits.
        y_pred: Logits, of a floating dtype and any shape; ``-inf`` and ``inf`` mean
            certainty.
        gamma: :math:`\gamma`, finite and not negative, a scalar.
        alpha: :math:`\alpha`, in [0, 1], a scalar; None leaves both weights out.

    Returns:
        The loss in nats, one for each label, of the shape of the logits.

    Raises:
        TypeError: If labels or logits are not floating, or a parameter is not a number.
        ValueError: If the shapes differ, a label lies outside [0, 1], or a parameter
            breaks its rule.

    Examples:
        >>> loss = binary_focal_crossentropy([1.0, 1.0], [4.0, -4.0], gamma=2.0)
        >>> print(f"{loss[0]:.6f} {loss[1]:.4f}")
        0.000006 3.8749

    References:
        Lin, Goyal, Girshick, He and Dollár (2017), Focal loss for dense object
        detection, ICCV.
    """
    each = _examples.binary(y_true, y_pred)
    dtype = each.logits.dtype
    gamma = _parameters.scalar("gamma", gamma, dtype, _parameters.NOT_NEGATIVE)
    positive, negative, valid = each.labels, 1 - each.labels, [gamma.valid]
    if alpha is not None:
        alpha = _parameters.scalar("alpha", alpha, dtype, _parameters.FROM_0_TO_1)
        positive, negative = alpha.value * positive, (1 - alpha.value) * negative
        valid.append(alpha.valid)
    missed = _focal(each.logits, gamma.value)
    alarm = _focal(-each.logits, gamma.value)
    # A term with weight 0 costs nothing, not even at a logit of +-inf.
    loss = tf.math.multiply_no_nan(missed, positive)
    loss += tf.math.multiply_no_nan(alarm, negative)
    return each.result(loss, *valid)


@tf.custom_gradient
def _focal(logits: tf.Tensor, gamma: tf.Tensor):
    r"""Return the focal loss of a positive, :math:`f(z)` above.

    Differentiated by :math:`\gamma` it is :math:`-\mathrm{softplus}(z)\,f(z)`.
    """
    value = _easing(logits, gamma) * _sigmoid.softplus(-logits)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        by_logit, by_gamma = _focal_derivatives(logits, gamma)
        by_gamma = tf.math.multiply_no_nan(by_gamma, upstream)
        return upstream * by_logit, tf.reduce_sum(by_gamma)

    return value, gradient


def _easing(logits: tf.Tensor, gamma: tf.Tensor) -> tf.Tensor:
    """Return (1 - p)^gamma, which is 1 for gamma 0 whatever p is."""
    exponent = tf.math.multiply_no_nan(_sigmoid.softplus(logits), gamma)
    return tf.exp(-exponent)


def _focal_derivatives(
    logits: tf.Tensor, gamma: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the derivatives of the focal loss of a positive by logit and by gamma."""
    easing = _easing(logits, gamma)
    by_logit = _sigmoid.sigmoid(-logits) + gamma * _expected_surprise(logits)
    # Both softplus in order of size: at a logit of +-inf the product is 0.
    far = tf.abs(logits)
    both = tf.math.multiply_no_nan(_sigmoid.softplus(far), _sigmoid.softplus(-far))
    return -easing * by_logit, -easing * both


@tf.custom_gradient
def _expected_surprise(logits: tf.Tensor):
    r"""Return :math:`u = \sigma(z)\,\mathrm{softplus}(-z) = -p \log p`.

    At :math:`z = -\infty` it is 0, and so is its derivative
    :math:`\sigma(-z)\,(u - \sigma(z))`.
    """
    probability = _sigmoid.sigmoid(logits)
    value = tf.math.multiply_no_nan(_sigmoid.softplus(-logits), probability)

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        rise = _expected_surprise(logits) - _sigmoid.sigmoid(logits)
        return upstream * _sigmoid.sigmoid(-logits) * rise

    return value, gradient
