"""Focal losses of one class out of several, given the logits."""

from __future__ import annotations

import tensorflow as tf

from lossfn import _softmax
from lossfn.losses import _examples, _parameters


def categorical_focal_crossentropy(
    y_true: tf.Tensor,
    y_pred: tf.Tensor,
    *,
    gamma: float | tf.Tensor = 2.0,
    alpha: float | tf.Tensor | None = None,
) -> tf.Tensor:
    r"""Cross entropy of label distributions in which easy examples count little.

    With labels :math:`y`, weights :math:`\alpha` and the softmax :math:`p` of the
    logits :math:`z`,

    .. math::

        \ell = -\sum_k \alpha_k\,y_k\,(1 - p_k)^\gamma \log p_k.

    That is the cross entropy of the labels :math:`\alpha_k y_k (1 - p_k)^\gamma`, and
    :func:`lossfn.nn.softmax_cross_entropy_with_logits` is exact for labels that do not
    sum to one. The gradient is one of a cross entropy, too: since
    :math:`\partial p_k / \partial z_j = p_k ([j = k] - p_j)`,

    .. math::

        \frac{\partial \ell}{\partial z_j}
            &= \sum_k \alpha_k\,y_k\,h_k\,(p_j - [j = k]), \\
        h_k &= (1 - p_k)^\gamma
               \Bigl(1 + \gamma\,\frac{p_k}{1 - p_k}\,(-\log p_k)\Bigr),

    that of the labels :math:`\alpha_k y_k h_k`. The factor that :math:`\gamma`
    multiplies lies between 0 and 1, also where :math:`p_k` rounds to 1.

    For the class :math:`t` with the largest logit,
    :math:`1 - p_t = r/(1 + r)` with :math:`r = \sum_{j \ne t} e^{z_j - z_t}`, and
    nothing cancels; every other :math:`p_k` is at most 1/2. The power is
    :math:`e^{\gamma \log(1 - p_k)}`.

    With :math:`\gamma = 0` and no :math:`\alpha` this is, bit for bit,
    :func:`categorical_crossentropy`.

    Args:
        y_true: Probabilities, of a floating dtype, the shape of the logits. They are
            not negative and finite, and need not sum to one.
        y_pred: Logits, of a floating dtype, of shape (..., K). A class with logit
            ``-inf`` is impossible; it costs nothing where its label is 0.
        gamma: :math:`\gamma`, finite and not negative, a scalar.
        alpha: :math:`\alpha`, positive and finite, a scalar or of shape (K,); None
            means ones.

    Returns:
        The loss in nats, of the shape of the logits without their last axis.

    Raises:
        TypeError: If labels or logits are not floating, or a parameter is not a number.
        ValueError: If the shapes differ, there is no class, a label is negative or
            infinite, or a parameter breaks its rule.

    Examples:
        >>> labels = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
        >>> logits = [[4.0, 0.0, 0.0], [4.0, 0.0, 0.0]]
        >>> loss = categorical_focal_crossentropy(labels, logits, gamma=2.0)
        >>> print(f"{loss[0]:.6f} {loss[1]:.4f}")
        0.000045 3.8946

    References:
        Lin, Goyal, Girshick, He and Dollár (2017), Focal loss for dense object
        detection, ICCV.
    """
    examples = _examples.dense(y_true, y_pred)
    logits = examples.logits
    gamma = _parameters.gamma(gamma, logits.dtype)
    alpha = _parameters.focal_alpha(alpha, logits)
    loss = _dense(alpha.value * examples.labels, logits, gamma.value)
    return examples.result(loss, gamma.valid, alpha.valid)


def sparse_categorical_focal_crossentropy(
    y_true: tf.Tensor,
    y_pred: tf.Tensor,
    *,
    gamma: float | tf.Tensor = 2.0,
    alpha: float | tf.Tensor | None = None,
    ignore_index: int | None = None,
) -> tf.Tensor:
    r"""Cross entropy of class indices in which easy examples count little.

    With the true class :math:`y` in place of one-hot labels, weights :math:`\alpha` and
    the softmax :math:`p` of the logits,

    .. math::

        \ell = -\alpha_y\,(1 - p_y)^\gamma \log p_y.

    That is :func:`categorical_focal_crossentropy` of the one-hot labels, which are
    never made; the derivation is there. With :math:`\gamma = 0` and no :math:`\alpha`
    it is, bit for bit, :func:`sparse_categorical_crossentropy`.

    Args:
        y_true: Class indices in :math:`[0, K)`, or ``ignore_index``, of an integer
            dtype, of the shape of the logits without their last axis.
        y_pred: Logits, of a floating dtype, of shape (..., K). A class with logit
            ``-inf`` is impossible.
        gamma: :math:`\gamma`, finite and not negative, a scalar.
        alpha: :math:`\alpha`, positive and finite, a scalar or of shape (K,); None
            means ones.
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
        >>> logits = [[4.0, 0.0, 0.0], [4.0, 0.0, 0.0]]
        >>> loss = sparse_categorical_focal_crossentropy([0, 2], logits, gamma=2.0)
        >>> print(f"{loss[0]:.6f} {loss[1]:.4f}")
        0.000045 3.8946

    References:
        Lin, Goyal, Girshick, He and Dollár (2017), Focal loss for dense object
        detection, ICCV.
    """
    examples = _examples.sparse(
        y_true,
        y_pred,
        ignore_index=ignore_index,
        for_probabilities="categorical_focal_crossentropy",
    )
    logits = examples.logits
    gamma = _parameters.gamma(gamma, logits.dtype)
    alpha = _parameters.focal_alpha(alpha, logits)
    loss = _sparse(examples.labels, logits, gamma.value)
    loss *= _parameters.of_label(alpha.value, examples.labels)
    return examples.result(loss, gamma.valid, alpha.valid)


@tf.custom_gradient
def _dense(labels: tf.Tensor, logits: tf.Tensor, gamma: tf.Tensor):
    eased = labels * _easing(_softmax.split(logits), gamma)
    value = _softmax.cross_entropy(eased, logits)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        # Computed from the arguments anew, so that it can be differentiated again.
        row, upstream = _softmax.split(logits), upstream[..., None]
        by_label = _easing(row, gamma) * _softmax.minus_log(row)
        by_label = tf.math.multiply_no_nan(by_label, upstream)
        by_logit = _softmax.cross_entropy_by_logit(labels * _pull(row, gamma), logits)
        by_gamma = tf.reduce_sum(upstream * labels * _by_gamma(row, gamma))
        return by_label, upstream * by_logit, by_gamma

    return value, gradient


@tf.custom_gradient
def _sparse(labels: tf.Tensor, logits: tf.Tensor, gamma: tf.Tensor):
    easing = _easing(_column(_softmax.split(logits), labels), gamma)
    value = easing[:, 0] * _softmax.sparse_cross_entropy(labels, logits)

    def gradient(upstream: tf.Tensor) -> tuple[None, tf.Tensor, tf.Tensor]:
        column = _column(_softmax.split(logits), labels)
        upstream = upstream[:, None]
        by_logit = _softmax.sparse_cross_entropy_by_logit(labels, logits)
        by_logit *= upstream * _pull(column, gamma)
        return None, by_logit, tf.reduce_sum(upstream * _by_gamma(column, gamma))

    return value, gradient


def _column(row: _softmax.Softmax, labels: tf.Tensor) -> _softmax.Softmax:
    """Keep the true class of each row, shape (N, 1)."""
    is_top, gap, others = (
        tf.gather(entry, labels[:, None], batch_dims=1)
        for entry in (row.is_top, row.gap, row.others)
    )
    return _softmax.Softmax(is_top, gap, others, row.rest)


def _easing(row: _softmax.Softmax, gamma: tf.Tensor) -> tf.Tensor:
    """Return (1 - p)^gamma, exactly 1 for gamma 0."""
    return tf.exp(-gamma * _minus_log_of_rest(row))


def _pull(row: _softmax.Softmax, gamma: tf.Tensor) -> tf.Tensor:
    """Return h: what the gradient of the cross entropy is multiplied by."""
    return _easing(row, gamma) * (1 + gamma * _odds_times_loss(row))


def _by_gamma(row: _softmax.Softmax, gamma: tf.Tensor) -> tf.Tensor:
    """Return the derivative of a class's term, log(1 - p) (1 - p)^gamma (-log p)."""
    # -log(p) may be infinite: then log(1 - p) is 0, and so is the product.
    product = tf.math.multiply_no_nan(_softmax.minus_log(row), _minus_log_of_rest(row))
    return -_easing(row, gamma) * product


def _minus_log_of_rest(row: _softmax.Softmax) -> tf.Tensor:
    """Return -log(1 - p), and some number where the top has p = 1.

    That number is of no account, and must only be finite: it is part of a factor of a
    loss that is 0. The smallest numbers are left out with 0, because some operations
    take them for 0.
    """
    smallest = 4 / row.rest.dtype.max  # but for subnormal numbers
    rest = tf.where(row.rest >= smallest, row.rest, tf.ones_like(row.rest))
    at_top = -tf.math.log(rest / (1 + rest))
    return tf.where(row.is_top, at_top, -tf.math.log1p(-_below_top(row)))


def _odds_times_loss(row: _softmax.Softmax) -> tf.Tensor:
    """Return p / (1 - p) (-log p), which is log(1 + r) / r at the top."""
    at_top = _log1p_over(row.rest)
    # A class with logit -inf has no part in it, nor in its derivatives.
    possible = tf.math.is_finite(row.gap)
    gap = tf.where(possible, row.gap, tf.zeros_like(row.gap))
    p = _below_top(row)
    below = tf.where(possible, p / (1 - p) * (tf.math.log1p(row.rest) - gap), 0)
    return tf.where(row.is_top, at_top, below)


def _log1p_over(rest: tf.Tensor) -> tf.Tensor:
    """Return log(1 + r) / r, by its series where the square of r might be 0."""
    is_small = rest < 1e-4
    large = tf.where(is_small, tf.ones_like(rest), rest)
    series = 1 - rest * (1 / 2 - rest * (1 / 3 - rest / 4))
    return tf.where(is_small, series, tf.math.log1p(large) / large)


def _below_top(row: _softmax.Softmax) -> tf.Tensor:
    """Return p below the top, and 0 at the top."""
    return row.others / (1 + row.rest)
