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

from typing import NamedTuple

import tensorflow as tf

from lossfn import _check, _tensors

NAN = float("nan")
INFINITY = float("inf")


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
    logits = _tensors.as_logits(logits)
    labels = _tensors.as_probability_labels(labels, logits)
    dtype = _tensors.computing_dtype(logits.dtype)
    examples = _tensors.at_least_one_class(_tensors.classes_last(logits, axis))
    labels = tf.cast(_tensors.classes_last(labels, axis), dtype)
    # NaN passes, and makes its own loss NaN; not(labels < 0) would stop it in a graph,
    # because Grappler turns that into labels >= 0.
    valid = ((labels >= 0) & (labels < INFINITY)) | tf.math.is_nan(labels)
    labels = _tensors.with_values("labels", labels, valid, "lie in [0, inf)")
    loss = _softmax_loss(labels, tf.cast(examples, dtype))
    return _nan_unless(tf.reduce_all(valid, -1), tf.cast(loss, logits.dtype))


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
    logits = _tensors.as_logits(logits)
    labels = _class_labels(labels, logits, axis)
    examples = _tensors.at_least_one_class(_tensors.classes_last(logits, axis))
    classes = examples.shape[-1]
    valid = (labels >= 0) & (labels < tf.shape(examples, tf.int64)[-1])
    upper = "the number of classes" if classes is None else classes
    labels = _tensors.with_values("labels", labels, valid, f"lie in [0, {upper})")
    rows = tf.reshape(examples, [-1, tf.shape(examples)[-1]])
    rows = tf.cast(rows, _tensors.computing_dtype(logits.dtype))
    loss = _sparse_loss(tf.reshape(labels, [-1]), rows)
    loss = tf.reshape(loss, tf.shape(labels))
    return _nan_unless(valid, tf.cast(loss, logits.dtype))


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
    logits, labels, valid = _binary(labels, logits)
    loss = _binary_loss(labels, tf.cast(logits, labels.dtype), pos_weight=1.0)
    return _nan_unless(valid, tf.cast(loss, logits.dtype))


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
    logits, labels, valid = _binary(labels, logits)
    pos_weight = _positive_weight(pos_weight, logits, labels.dtype)
    positive = (pos_weight > 0) & tf.math.is_finite(pos_weight)
    pos_weight = _tensors.with_values(
        "pos_weight", pos_weight, positive, "be positive and finite"
    )
    loss = _binary_loss(labels, tf.cast(logits, labels.dtype), pos_weight)
    return _nan_unless(valid & positive, tf.cast(loss, logits.dtype))


class _Softmax(NamedTuple):
    """Rows of logits as gaps below their largest, and what their softmax is made of."""

    is_top: tf.Tensor  # (..., K) True at one largest logit
    gap: tf.Tensor  # (..., K) logit minus the largest logit, at most 0
    others: tf.Tensor  # (..., K) exp(gap), and 0 at the top
    rest: tf.Tensor  # (..., 1) the sum of others: softmax is exp(gap) / (1 + rest)


def _split(logits: tf.Tensor) -> _Softmax:
    is_top = _one_hot(tf.argmax(logits, -1), logits)
    zero = tf.constant(0, logits.dtype)
    # The logit at one index, not reduce_max: its derivative is 1 there, ties or not.
    top = tf.reduce_sum(tf.where(is_top, logits, zero), -1, keepdims=True)
    gap = tf.where(is_top, zero, logits - top)
    others = tf.where(is_top, zero, tf.exp(gap) * (1 + _lost(gap, logits, top)))
    # top - top is 0, or NaN for a row that has no softmax: all -inf, or inf, or NaN.
    rest = tf.reduce_sum(others, -1, keepdims=True) + (top - top)
    return _Softmax(is_top, gap, others, rest)


def _one_hot(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    classes = tf.shape(logits)[-1]
    return tf.one_hot(labels, classes, on_value=True, off_value=False, dtype=tf.bool)


def _lost(gap: tf.Tensor, logits: tf.Tensor, top: tf.Tensor) -> tf.Tensor:
    """Return what rounding took from ``gap = logits - top`` (Knuth's two-sum).

    A gap of -80 is rounded to about 4e-6, and exp makes that a relative error.
    """
    minus_top = gap - logits
    lost = (logits - (gap - minus_top)) - (top + minus_top)
    zero = tf.constant(0, gap.dtype)
    # At a gap of -inf nothing was lost; a constant has no part in the derivatives.
    return tf.stop_gradient(tf.where(tf.math.is_finite(gap), lost, zero))


@tf.custom_gradient
def _softmax_loss(labels: tf.Tensor, logits: tf.Tensor):
    row = _split(logits)
    total = tf.reduce_sum(labels, -1)
    # A class with label 0 costs nothing, not even at a gap of -inf.
    below = tf.reduce_sum(tf.math.multiply_no_nan(row.gap, labels), -1)
    loss = total * tf.math.log1p(row.rest[..., 0]) - below

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # Computed from the arguments anew, so that it can be differentiated again.
        upstream = upstream[..., None]
        by_label = tf.math.multiply_no_nan(_minus_log_softmax(logits), upstream)
        return by_label, upstream * _softmax_loss_by_logit(labels, logits)

    return loss, gradient


def _minus_log_softmax(logits: tf.Tensor) -> tf.Tensor:
    row = _split(logits)
    return tf.math.log1p(row.rest) - row.gap


def _softmax_loss_by_logit(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    r"""Derivative of the dense loss by the logits, :math:`P q_k - p_k`, P = sum of p.

    At the top class :math:`q_t = 1/(1 + r)` comes close to 1, and close to :math:`p_t`.
    There :math:`P q_t - p_t = (P - p_t) - P r/(1 + r)`, where :math:`P - p_t` is the
    sum of the other labels: two small numbers instead of two large ones.
    """
    row = _split(logits)
    total = tf.reduce_sum(labels, -1, keepdims=True)
    direct = total * _softmax(row) - labels
    others = tf.where(row.is_top, tf.zeros_like(labels), labels)
    total_of_others = tf.reduce_sum(others, -1, keepdims=True)
    at_top = total_of_others - total * _one_minus_top(row)
    return tf.where(row.is_top & (row.rest < 1), at_top, direct)


def _softmax(row: _Softmax) -> tf.Tensor:
    return tf.where(row.is_top, tf.ones_like(row.others), row.others) / (1 + row.rest)


def _one_minus_top(row: _Softmax) -> tf.Tensor:
    """Return what the softmax leaves to the classes that are not the top."""
    return row.rest / (1 + row.rest)


@tf.custom_gradient
def _sparse_loss(labels: tf.Tensor, logits: tf.Tensor):
    row = _split(logits)
    below = tf.gather(row.gap, labels, batch_dims=1)
    loss = tf.math.log1p(row.rest[:, 0]) - below

    def gradient(upstream: tf.Tensor) -> tuple[None, tf.Tensor]:
        return None, upstream[:, None] * _sparse_loss_by_logit(labels, logits)

    return loss, gradient


def _sparse_loss_by_logit(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    r"""Derivative of the sparse loss by the logits, :math:`q_k - [k = y]`.

    Where the true class is the top, :math:`q_t - 1 = -r/(1 + r)` and nothing cancels.
    """
    row = _split(logits)
    model = _softmax(row)
    at_true = tf.where(row.is_top, -_one_minus_top(row), model - 1)
    return tf.where(_one_hot(labels, logits), at_true, model)


def _binary_loss(
    labels: tf.Tensor, logits: tf.Tensor, pos_weight: tf.Tensor | float
) -> tf.Tensor:
    # multiply_no_nan: a term with weight 0 costs nothing, not even at a logit of +-inf.
    positive = tf.math.multiply_no_nan(_softplus(-logits), pos_weight * labels)
    return positive + tf.math.multiply_no_nan(_softplus(logits), 1 - labels)


@tf.custom_gradient
def _softplus(x: tf.Tensor):
    """Return log(1 + exp(x)) within 4 ulp in float32; tf.nn.softplus takes 7 at -13.9.

    The derivative is given, because that of the formula is wrong at the kinks of max
    and of the absolute value.
    """
    value = tf.maximum(x, 0) + tf.math.log1p(tf.exp(-tf.abs(x)))
    return value, lambda upstream: upstream * _sigmoid(x)


@tf.custom_gradient
def _sigmoid(x: tf.Tensor):
    """Return 1 / (1 + exp(-x)) within 3 ulp in float32; tf.sigmoid takes 6 at -53."""
    power = tf.exp(-tf.abs(x))
    value = tf.where(x < 0, power, tf.ones_like(power)) / (1 + power)
    return value, lambda upstream: upstream * _sigmoid(x) * _sigmoid(-x)


def _binary(
    labels: tf.Tensor, logits: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return logits, labels in the dtype to compute in, and where they are valid."""
    logits = _tensors.as_logits(logits)
    labels = _tensors.as_probability_labels(labels, logits)
    labels = tf.cast(labels, _tensors.computing_dtype(logits.dtype))
    valid = ((labels >= 0) & (labels <= 1)) | tf.math.is_nan(labels)
    labels = _tensors.with_values("labels", labels, valid, "lie in [0, 1]")
    return logits, labels, valid


def _class_labels(labels: tf.Tensor, logits: tf.Tensor, axis: int) -> tf.Tensor:
    """Return int64 labels of the shape of the logits without the classes."""
    labels = _tensors.to_tensor("labels", labels, tf.int64)
    remedy = "; probabilities belong to softmax_cross_entropy_with_logits"
    _check.integer("labels", labels.dtype.name, remedy=remedy)
    labels = tf.cast(labels, tf.int64)
    shape, logits_shape = _tensors.static_shape(labels), _tensors.static_shape(logits)
    if logits_shape is not None:
        axis = _check.axis_in_range(axis, len(logits_shape))
        if shape is not None:
            _check.one_label_per_example(shape, logits_shape, axis)
            if None not in shape and None not in logits_shape:
                return labels
    expected = tf.shape(_tensors.classes_last(logits, axis))[:-1]
    message = "labels must have the shape of logits without the class axis"
    return _tensors.with_shape(labels, expected, message)


def _positive_weight(
    pos_weight: tf.Tensor, logits: tf.Tensor, dtype: tf.DType
) -> tf.Tensor:
    """Return the weight once it is known to broadcast to the shape of the logits."""
    weight = _tensors.to_tensor("pos_weight", pos_weight, dtype)
    if not (weight.dtype.is_floating or weight.dtype.is_integer):
        raise TypeError(f"pos_weight must be a number, got {weight.dtype.name}")
    return _tensors.broadcast_into(
        "pos_weight", tf.cast(weight, dtype), "logits", logits
    )


def _nan_unless(valid: tf.Tensor, loss: tf.Tensor) -> tf.Tensor:
    """Turn the loss to NaN, with no gradient, where under XLA a rule is broken."""
    return tf.where(valid, loss, tf.constant(NAN, loss.dtype))
