"""The cross entropy of a linear layer, without the logits of all examples."""

from __future__ import annotations

import tensorflow as tf

from lossfn import _arguments, _check, _softmax, _tensors
from lossfn.losses._linear_blocks import Examples, Layer, logits, loss_and_gradients
from lossfn.losses._masks import masked_mean


def linear_softmax_cross_entropy(
    y_true: tf.Tensor,
    features: tf.Tensor,
    kernel: tf.Tensor,
    bias: tf.Tensor | None = None,
    *,
    ignore_index: int | None = None,
    block_size: int | None = None,
) -> tf.Tensor:
    r"""Mean cross entropy of a linear layer's classes, never holding all the logits.

    With features :math:`h_i`, kernel :math:`W`, bias :math:`b` and true classes
    :math:`y_i` of the :math:`n` examples that count,

    .. math::

        z_i = h_i W + b, \qquad
        L = -\frac{1}{n} \sum_i \log\frac{e^{z_{i y_i}}}{\sum_j e^{z_{ij}}}.

    That is the mean of :func:`sparse_categorical_crossentropy` of the logits :math:`z`.
    For 8,192 words out of 32,000 these take 1 GB in float32, and their gradient another
    one. Here the logits of one block of examples at a time are made, turned into loss
    and gradient, and dropped. With the softmax :math:`q_i` of :math:`z_i` and
    :math:`g_{ik} = (q_{ik} - [k = y_i]) / n`,

    .. math::

        \frac{\partial L}{\partial h_i} = g_i W^\top, \qquad
        \frac{\partial L}{\partial W} = \sum_i h_i^\top g_i, \qquad
        \frac{\partial L}{\partial b} = \sum_i g_i.

    So the gradients are there before anybody asks for them, which is why the result is
    a mean: what an example counts for has to be known. Who wants only the value pays
    for the gradients too.

    With oneDNN, TensorFlow's default on x86, a matrix product needs less memory besides
    its result than without it, and the peak is lower. A second derivative is right, but
    is computed from all the logits at once, in the memory that takes.

    Args:
        y_true: Class indices in :math:`[0, K)`, or ``ignore_index``, of an integer
            dtype, of the shape of the features without their last axis.
        features: :math:`h`, what goes into the layer, of a floating dtype, of shape
            (..., D).
        kernel: :math:`W`, of the dtype of the features, of shape (D, K), as in
            ``keras.layers.Dense``.
        bias: :math:`b`, of the dtype of the features, of shape (K,); None means zeros.
            A class with bias ``-inf`` is impossible.
        ignore_index: A label, in :math:`[0, K)` or not, whose examples do not count and
            cost nothing, not even time, whatever their features are; None ignores none.
        block_size: How many examples a block has, at most: at least 1. None takes as
            many as have about 4 million logits, 131 of 32,000 classes. More of them
            are a little faster and take more memory.

    Returns:
        The mean loss in nats, a scalar of the dtype of the features; 0, with gradient
        0, where no example counts. 16-bit numbers are computed in float32, and value
        and gradients rounded once, at the end.

    Raises:
        TypeError: If the labels are not integers, or features, kernel and bias are not
            of one floating dtype.
        ValueError: If the shapes do not match, there is no class, a label lies outside
            :math:`[0, K)` and is not ``ignore_index``, or ``block_size`` is not
            positive.

    Examples:
        >>> features, kernel = [[1.0, 2.0], [0.0, 1.0]], [[1.0, 0.0, 0.0], [0, 1, 0]]
        >>> loss = linear_softmax_cross_entropy([1, 0], features, kernel)
        >>> print(f"{loss:.4f}")
        0.9795
        >>> print(f"{linear_softmax_cross_entropy([1], features[:1], kernel):.4f}")
        0.4076

    References:
        Wijmans, Huval, Hertzberg, Koltun and Krähenbühl (2025), Cut your losses in
        large-vocabulary language models, ICLR. Hsu et al. (2024), Liger Kernel:
        efficient Triton kernels for LLM training.
    """
    layer = _as_layer(features, kernel, bias)
    y_true, valid = _class_labels(y_true, layer, ignore_index)
    examples = _in_order(y_true, ignore_index)
    dtype, layer = layer[0].dtype, _flat(layer)
    loss = _mean(examples, _block_size(block_size), layer)
    return _tensors.nan_unless(tf.cast(loss, dtype), tf.reduce_all(valid))


# --- the arguments ---------------------------------------------------------------


def _as_layer(features: object, kernel: object, bias: object) -> Layer:
    features = _tensors.as_floating("features", features)
    kernel = _as_parameter("kernel", kernel, features.dtype)
    kernel = _with_row_for_each_feature(kernel, features)
    kernel = _tensors.at_least_one_class("kernel", kernel)
    if bias is None:
        return features, kernel
    bias = _as_parameter("bias", bias, features.dtype)
    return features, kernel, _tensors.one_for_each_class("bias", bias, "kernel", kernel)


def _as_parameter(name: str, value: object, dtype: tf.DType) -> tf.Tensor:
    """Convert to a tensor of the dtype of the features; Python numbers have none."""
    tensor = _tensors.to_tensor(name, value, dtype)
    if tensor.dtype != dtype:
        raise TypeError(
            f"{name} must have the dtype of features, {dtype.name}, "
            f"got {tensor.dtype.name}"
        )
    return tensor


def _with_row_for_each_feature(kernel: tf.Tensor, features: tf.Tensor) -> tf.Tensor:
    rule = "kernel must have shape (D, K) for features of shape (..., D)"
    shape, of_features = map(_tensors.static_shape, (kernel, features))
    if shape is not None and of_features is not None:
        if _check.shapes_differ(shape, [*of_features[-1:], None]):
            raise ValueError(
                f"{rule}, got {_check.shape_text(shape)} "
                f"and {_check.shape_text(of_features)}"
            )
        if None not in (shape[0], of_features[-1]):
            return kernel
    expected = tf.concat([tf.shape(features)[-1:], tf.shape(kernel)[-1:]], 0)
    kernel = _tensors.with_shape(kernel, expected, f"{rule}; shape of kernel")
    return tf.ensure_shape(kernel, [None, None])


def _class_labels(
    value: object, layer: Layer, ignore_index: int | None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return int64 labels, flat, and which of them are valid."""
    features, kernel = layer[:2]
    labels = _arguments.as_classes("y_true", value, None)
    labels = _with_shape_of_examples(labels, features)
    valid, rule = _arguments.in_range(labels, kernel, _arguments.ignored(ignore_index))
    labels = _tensors.with_values("y_true", labels, valid, rule)
    return tf.reshape(labels, [-1]), valid


def _with_shape_of_examples(labels: tf.Tensor, features: tf.Tensor) -> tf.Tensor:
    rule = "y_true must have the shape of features without the last axis"
    shape, of_features = map(_tensors.static_shape, (labels, features))
    if shape is not None and of_features is not None:
        if _check.shapes_differ(shape, of_features[:-1]):
            raise ValueError(
                f"{rule}, {_check.shape_text(of_features[:-1])}, "
                f"got {_check.shape_text(shape)}"
            )
        if None not in (*shape, *of_features[:-1]):
            return labels
    return _tensors.with_shape(labels, tf.shape(features)[:-1], rule)


def _in_order(labels: tf.Tensor, ignore_index: int | None) -> Examples:
    if ignore_index is None:
        number = tf.size(labels)
        return Examples(labels, tf.range(number), number)
    counted = labels != ignore_index
    order = tf.argsort(tf.cast(counted, tf.int32), direction="DESCENDING", stable=True)
    number = tf.math.count_nonzero(counted, dtype=tf.int32)
    return Examples(tf.where(counted, labels, tf.zeros_like(labels)), order, number)


def _flat(layer: Layer) -> Layer:
    """Return the layer with features of shape (N, D)."""
    features, kernel, *bias = layer
    return tf.reshape(features, [-1, tf.shape(kernel)[0]]), kernel, *bias


def _block_size(value: int | None) -> int | None:
    if value is None:
        return None
    # More than 2^31 examples fit in no tensor that is indexed by int32.
    return min(_check.whole_number("block_size", value, 1), 2**31 - 1)


# --- loss and gradients ----------------------------------------------------------


def _mean(examples: Examples, block_size: int | None, layer: Layer) -> tf.Tensor:
    """Return the mean loss, in the dtype to compute in."""
    if 0 in (examples.labels.shape[0], layer[0].shape[0]):
        # No block can be taken of no examples, and their logits cost nothing.
        return _mean_of_all_logits(examples, layer)

    @tf.custom_gradient
    def mean(*layer: tf.Tensor):
        # A tape that saw the loop would keep the logits of every block.
        unseen = tuple(tf.stop_gradient(each) for each in layer)
        loss, *gradients = loss_and_gradients(examples, block_size, unseen)

        def gradient(upstream: tf.Tensor) -> list[tf.Tensor]:
            return _scaled(examples, gradients, upstream, layer)

        return loss, gradient

    return mean(*layer)


def _scaled(
    examples: Examples, gradients: list[tf.Tensor], upstream: tf.Tensor, layer: Layer
) -> list[tf.Tensor]:
    """Return the gradients times upstream, in the dtypes of the layer.

    The gradients are constants to TensorFlow: what they depend on is said here.
    """

    @tf.custom_gradient
    def scaled(upstream: tf.Tensor, *layer: tf.Tensor):
        # Eagerly a product would be a second kernel in memory, for nothing.
        is_one = tf.executing_eagerly() and bool(upstream == 1)
        products = gradients if is_one else [upstream * each for each in gradients]
        products = [
            tf.cast(product, each.dtype)
            for product, each in zip(products, layer, strict=True)
        ]

        def gradient(*upstreams: tf.Tensor) -> list[tf.Tensor]:
            return _second_derivative(examples, upstream, layer, upstreams)

        return products, gradient

    return scaled(upstream, *layer)


def _second_derivative(
    examples: Examples,
    upstream: tf.Tensor,
    layer: Layer,
    upstreams: tuple[tf.Tensor, ...],
) -> list[tf.Tensor]:
    """Differentiate the gradients by upstream and layer, from all logits at once."""
    with tf.GradientTape() as second:
        second.watch([upstream, *layer])
        with tf.GradientTape() as first:
            first.watch(layer)
            loss = _mean_of_all_logits(examples, layer)
        gradients = first.gradient(loss, layer, output_gradients=upstream)
    return second.gradient(gradients, [upstream, *layer], output_gradients=upstreams)


def _mean_of_all_logits(examples: Examples, layer: Layer) -> tf.Tensor:
    dtype = _tensors.computing_dtype(layer[0].dtype)
    features, kernel, *bias = (tf.cast(each, dtype) for each in layer)
    counted = tf.math.invert_permutation(examples.order) < examples.number
    features = tf.where(counted[:, None], features, tf.zeros_like(features))
    losses = _softmax.sparse_cross_entropy(
        examples.labels, logits(features, kernel, *bias)
    )
    return masked_mean(losses, counted)
