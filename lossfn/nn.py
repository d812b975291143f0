"""The four cross-entropy losses of tf.nn, from TensorFlow primitives.

They have tf.nn's names and give its numbers where tf.nn is right. They are right where
it is not: at a logit of 0, beyond a confident margin, for labels near 0 and 1, for
masked logits, and for gradients that flow into the labels. Arguments are keyword only,
because (labels, logits) in the wrong order is a silent mistake.

Common to all four:

- The result is one loss per example (per label for the binary losses), in nats, not
  reduced, in the dtype of the logits.
- float16 and bfloat16 are computed in float32 and rounded once, at the end.
- Shapes never broadcast, and a bad argument raises: ``ValueError`` or ``TypeError``
  when it can be seen as the function is called or traced,
  ``tf.errors.InvalidArgumentError`` when only the running graph can see it. Under XLA,
  where no value can raise, the loss of the example that breaks the rule is NaN and its
  gradient is zero.
- NaN in an example gives NaN for that example alone.
- Derivatives of every order are those of the value.
"""

from __future__ import annotations

import tensorflow as tf

from lossfn import _arguments, _sigmoid, _softmax, _tensors

_NAMES = _arguments.Names(labels="labels", logits="logits")


def softmax_cross_entropy_with_logits(
    *, labels: tf.Tensor, logits: tf.Tensor, axis: int = -1
) -> tf.Tensor:
    r"""Cross entropy between label distributions and the softmax of the logits.

    For one example with labels :math:`p` and logits :math:`z`, where :math:`t` is the
    class of the largest logit,

    .. math::

        \ell &= -\sum_k p_k \log\frac{e^{z_k}}{\sum_j e^{z_j}}
              = \sum_k p_k \Bigl(\log\sum_j e^{z_j} - z_k\Bigr) \\
             &= \Bigl(\sum_k p_k\Bigr) \log\Bigl(1 + \sum_{j \ne t} e^{z_j - z_t}\Bigr)
              + \sum_k p_k (z_t - z_k).

    The last line cannot overflow, and ``log1p`` keeps a sum that is tiny beside 1: all
    its terms are at least 0, so nothing cancels.

    Labels need not sum to one: the loss is linear in them, and value and gradient are
    exact for any that are not negative. A row of zeros has loss 0 and gradient 0.

    Args:
        labels: Probabilities, of a floating dtype, the shape of the logits. Gradients
            flow into them; ``tf.stop_gradient`` stops that.
        logits: Unscaled log probabilities, of a floating dtype, of rank 1 or more. A
            class with logit ``-inf`` is impossible; it costs nothing where its label
            is 0.
        axis: The axis of the classes.

    Returns:
        The loss in nats, of the shape of the logits without ``axis``.

    Raises:
        TypeError: If labels or logits are not floating.
        ValueError: If the shapes differ, the axis is out of range, there is no class,
            or a label is negative or infinite.

    Examples:
        >>> import tensorflow as tf
        >>> logits = tf.constant([[2.0, 1.0, 0.0]])
        >>> labels = tf.constant([[1.0, 0.0, 0.0]])
        >>> loss = softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        >>> print(f"{loss[0]:.4f}")
        0.4076

    References:
        Blanchard, Higham and Higham (2021), Accurately computing the log-sum-exp and
        softmax functions, IMA Journal of Numerical Analysis 41(4).
    """
    examples = _arguments.dense(_NAMES, labels, logits, axis)
    loss = _softmax.cross_entropy(examples.labels, examples.logits)
    return examples.result(loss)


def sparse_softmax_cross_entropy_with_logits(
    *, labels: tf.Tensor, logits: tf.Tensor, axis: int = -1
) -> tf.Tensor:
    r"""Cross entropy between class indices and the softmax of the logits.

    With the true class :math:`y` in place of one-hot labels the sum over the classes
    has one term,

    .. math::

        \ell = \log\Bigl(1 + \sum_{j \ne t} e^{z_j - z_t}\Bigr) + (z_t - z_y),

    where :math:`t` is the class of the largest logit.

    Args:
        labels: Class indices in :math:`[0, K)`, of an integer dtype, of the shape of
            the logits without ``axis``.
        logits: Unscaled log probabilities, of a floating dtype, of rank 1 or more, with
            :math:`K` classes. A class with logit ``-inf`` is impossible.
        axis: The axis of the classes.

    Returns:
        The loss in nats, of the shape of the labels.

    Raises:
        TypeError: If the labels are not integers or the logits not floating.
        ValueError: If the shapes do not match, the axis is out of range, there is no
            class, or a label lies outside :math:`[0, K)`.

    Examples:
        >>> import tensorflow as tf
        >>> logits = tf.constant([[2.0, 1.0, 0.0]])
        >>> loss = sparse_softmax_cross_entropy_with_logits(labels=[0], logits=logits)
        >>> print(f"{loss[0]:.4f}")
        0.4076

    References:
        Blanchard, Higham and Higham (2021), Accurately computing the log-sum-exp and
        softmax functions, IMA Journal of Numerical Analysis 41(4).
    """
    dense = "softmax_cross_entropy_with_logits"
    examples = _arguments.sparse(_NAMES, labels, logits, axis, for_probabilities=dense)
    loss = _softmax.sparse_cross_entropy(examples.labels, examples.logits)
    return examples.result(loss)


def sigmoid_cross_entropy_with_logits(
    *, labels: tf.Tensor, logits: tf.Tensor
) -> tf.Tensor:
    r"""Cross entropy of independent yes-or-no labels, given their logits.

    For a label :math:`y` with logit :math:`z`, since
    :math:`-\log\sigma(z) = \log(1 + e^{-z}) = \mathrm{softplus}(-z)` and
    :math:`1 - \sigma(z) = \sigma(-z)`,

    .. math::

        \ell &= -y \log\sigma(z) - (1 - y) \log(1 - \sigma(z)) \\
             &= y\,\mathrm{softplus}(-z) + (1 - y)\,\mathrm{softplus}(z).

    Both terms are at least 0, so nothing cancels, and softplus is smooth at 0. The
    classes are independent and need not exclude each other.

    Args:
        labels: Probabilities in [0, 1], of a floating dtype, the shape of the logits.
        logits: Log odds, of a floating dtype and any shape; ``-inf`` and ``inf`` mean
            certainty.

    Returns:
        The loss in nats, one for each label, of the shape of the logits.

    Raises:
        TypeError: If labels or logits are not floating.
        ValueError: If the shapes differ or a label lies outside [0, 1].

    Examples:
        >>> import tensorflow as tf
        >>> loss = sigmoid_cross_entropy_with_logits(labels=[1.0, 0.0], logits=[2, 2])
        >>> print(tf.strings.as_string(loss, precision=4).numpy().tolist())
        [b'0.1269', b'2.1269']

    References:
        Goodfellow, Bengio and Courville (2016), Deep Learning, section 6.2.2.2.
    """
    each = _arguments.binary(_NAMES, labels, logits)
    loss = _sigmoid.cross_entropy(each.labels, 1 - each.labels, each.logits)
    return each.result(loss)


def weighted_cross_entropy_with_logits(
    *, labels: tf.Tensor, logits: tf.Tensor, pos_weight: tf.Tensor
) -> tf.Tensor:
    r"""Sigmoid cross entropy with the positive term multiplied by a weight.

    For a label :math:`y` with logit :math:`z` and weight :math:`w`,

    .. math::

        \ell &= -w\,y \log\sigma(z) - (1 - y) \log(1 - \sigma(z)) \\
             &= w\,y\,\mathrm{softplus}(-z) + (1 - y)\,\mathrm{softplus}(z).

    A weight above 1 makes a missed positive dearer and raises recall; a weight below 1
    raises precision. Softplus is smooth, so the derivative at :math:`z = 0` is
    :math:`(1 - y)/2 - w\,y/2`, as it should be.

    Args:
        labels: Probabilities in [0, 1], of a floating dtype, the shape of the logits.
        logits: Log odds, of a floating dtype and any shape; ``-inf`` and ``inf`` mean
            certainty.
        pos_weight: What a positive counts for, as a multiple of a negative: positive
            and finite, a scalar or of a shape that broadcasts to that of the logits.

    Returns:
        The loss in nats, one for each label, of the shape of the logits.

    Raises:
        TypeError: If labels or logits are not floating, or the weight is not a number.
        ValueError: If the shapes differ, the weight would broadcast the logits or is
            not positive and finite, or a label lies outside [0, 1].

    Examples:
        >>> loss = weighted_cross_entropy_with_logits(
        ...     labels=[1.0], logits=[0.0], pos_weight=3.0
        ... )
        >>> print(f"{loss[0]:.4f}")
        2.0794

    References:
        King and Zeng (2001), Logistic regression in rare events data, Political
        Analysis 9.
    """
    each = _arguments.binary(_NAMES, labels, logits)
    pos_weight = _positive_weight(pos_weight, each.logits)
    positive = (pos_weight > 0) & tf.math.is_finite(pos_weight)
    pos_weight = _tensors.with_values(
        "pos_weight", pos_weight, positive, "be positive and finite"
    )
    loss = _sigmoid.cross_entropy(
        pos_weight * each.labels, 1 - each.labels, each.logits
    )
    return each.result(loss, positive)


def _positive_weight(pos_weight: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the weight once it is known to broadcast to the shape of the logits."""
    weight = _tensors.as_number("pos_weight", pos_weight, logits.dtype)
    return _tensors.broadcast_into("pos_weight", weight, "logits", logits)
