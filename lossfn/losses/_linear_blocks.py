"""Mean cross entropy of a linear layer and its gradients, block by block.

In a block there is one matrix of a size to speak of, (B, K) for B examples and K
classes: the logits, then their exponentials, then the gradient, each in the place of
the one before it. TensorFlow computes in place where nobody else will read a tensor,
which is what the control dependencies see to.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from lossfn import _tensors

# The logits of a block, by default. Fewer, and adding up the gradient of the kernel
# takes over; more, and the blocks take the memory that they are there to save.
LOGITS_PER_BLOCK = 2**22
# The gradient of the kernel is added up in so many parts, so that what a block adds to
# it is never as large as itself.
PARTS = 4

Layer = tuple[tf.Tensor, ...]  # features, kernel and, if there is one, bias


class Examples(NamedTuple):
    """Labels, and which examples to take, one after the other."""

    labels: tf.Tensor  # (N,) int64, a class for the examples that do not count, too
    order: tf.Tensor  # (N,) int32 indices of examples, those that count in front
    number: tf.Tensor  # () int32, how many count


class _Sums(NamedTuple):
    """What the blocks add up to."""

    loss: tf.Tensor  # ()
    by_features: tf.Tensor  # (N, D)
    by_kernel: list[tf.Tensor]  # parts of (D, K), one below the other
    by_bias: list[tf.Tensor]  # one of (K,), or none


class _Block(NamedTuple):
    """The examples of a block; its last ones may be none, to fill it."""

    index: tf.Tensor  # (B,) of the example
    counts: tf.Tensor  # (B,)
    labels: tf.Tensor  # (B,)
    features: tf.Tensor  # (B, D), 0 for what does not count


class _Errors(NamedTuple):
    """Losses, and their gradient by the logits as scale * errors."""

    losses: tf.Tensor  # (B,)
    errors: tf.Tensor  # (B, K)
    scale: tf.Tensor  # (B,)


def loss_and_gradients(
    examples: Examples, block_size: int | None, layer: Layer
) -> list[tf.Tensor]:
    """Return the mean loss and its gradient by each of the layer's tensors."""
    size = _size_of_block(examples, block_size, layer[1])
    if not tf.executing_eagerly():
        return _by_blocks(examples, size, layer)
    # An eager loop holds its memory longer; a function frees what it has used.
    dtype, shape = layer[0].dtype, tuple(layer[1].shape)
    return _traced(dtype, shape, len(layer))(examples, size, layer)


@functools.lru_cache(maxsize=64)
def _traced(
    dtype: tf.DType, kernel: tuple[int, int], length: int
) -> Callable[..., list[tf.Tensor]]:
    """Return a function for any number of examples, that is traced once."""
    integers, integer = tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int32)
    examples = Examples(tf.TensorSpec([None], tf.int64), integers, integer)
    shapes = [(None, kernel[0]), kernel, kernel[1:]][:length]
    layer = tuple(tf.TensorSpec(shape, dtype) for shape in shapes)
    return tf.function(_by_blocks, input_signature=(examples, integer, layer))


def _size_of_block(
    examples: Examples, block_size: int | None, kernel: tf.Tensor
) -> tf.Tensor:
    """Return how many examples make a block, if all blocks are about the same size."""
    limit = block_size
    if limit is None:
        limit = tf.maximum(LOGITS_PER_BLOCK // tf.shape(kernel)[1], 1)
    number = tf.size(examples.order)
    blocks = tf.maximum(_ceil_of_ratio(number, limit), 1)
    return tf.maximum(_ceil_of_ratio(number, blocks), 1)


def _ceil_of_ratio(a: tf.Tensor, b: int | tf.Tensor) -> tf.Tensor:
    return -(-a // b)


@tf.autograph.experimental.do_not_convert
def _by_blocks(examples: Examples, size: tf.Tensor, layer: Layer) -> list[tf.Tensor]:
    dtype = _tensors.computing_dtype(layer[0].dtype)
    features, *weights = layer
    weights = [tf.cast(each, dtype) for each in weights]
    positions = tf.range(size)

    def add_block(i: tf.Tensor, sums: _Sums) -> tuple[tf.Tensor, _Sums]:
        block = _take(examples, features, i * size + positions, dtype)
        return i + 1, _add(sums, block, weights, examples.number)

    blocks = _ceil_of_ratio(examples.number, size)
    _, sums = tf.while_loop(
        lambda i, _: i < blocks,
        add_block,
        (tf.constant(0), _zeros(examples, features, weights)),
        parallel_iterations=1,
    )
    by_kernel = tf.concat(sums.by_kernel, 0)
    loss = sums.loss / _at_least_one(examples.number, dtype)
    return [loss, sums.by_features, by_kernel, *sums.by_bias]


def _zeros(examples: Examples, features: tf.Tensor, weights: list[tf.Tensor]) -> _Sums:
    kernel, *bias = weights
    # It is 0, but not a constant: TensorFlow would store a kernel of zeros for good.
    zero = tf.cast(tf.reduce_any(examples.labels < 0), kernel.dtype)
    return _Sums(
        tf.zeros([], kernel.dtype),
        tf.fill(tf.shape(features), zero),
        [tf.fill(tf.shape(part), zero) for part in _parts(kernel, 0)],
        [tf.fill(tf.shape(each), zero) for each in bias],
    )


def _parts(tensor: tf.Tensor, axis: int) -> list[tf.Tensor]:
    """Split the axis of the features, if its length is known, into similar parts."""
    length = tensor.shape[axis]
    if length is None or length < PARTS:
        return [tensor]
    sizes = [(length + part) // PARTS for part in range(PARTS)]
    return tf.split(tensor, sizes, axis)


def _take(
    examples: Examples, features: tf.Tensor, positions: tf.Tensor, dtype: tf.DType
) -> _Block:
    counts = positions < examples.number
    last = tf.size(examples.order) - 1
    index = tf.gather(examples.order, tf.minimum(positions, last))
    rows = tf.cast(tf.gather(features, index), dtype)
    # A weight of 0 would not do: 0 times NaN is NaN.
    rows = tf.where(counts[:, None], rows, tf.zeros_like(rows))
    labels = tf.cast(tf.gather(examples.labels, index), tf.int32)
    return _Block(index, counts, labels, rows)


def _add(
    sums: _Sums, block: _Block, weights: list[tf.Tensor], number: tf.Tensor
) -> _Sums:
    kernel = weights[0]
    losses, errors, scale = _errors(block.labels, logits(block.features, *weights))
    # The scale goes to the small factor of each product, not to the errors.
    scale = tf.where(block.counts, scale / _at_least_one(number, scale.dtype), 0)
    scale = scale[:, None]
    rows = scale * tf.matmul(errors, kernel, transpose_b=True)
    rows = tf.where(block.counts[:, None], rows, tf.zeros_like(rows))
    losses = tf.where(block.counts, losses, tf.zeros_like(losses))
    return _Sums(
        sums.loss + tf.reduce_sum(losses),
        tf.tensor_scatter_nd_add(sums.by_features, block.index[:, None], rows),
        _add_products(sums.by_kernel, _parts(scale * block.features, 1), errors),
        [
            each + tf.matmul(errors, scale, transpose_a=True)[:, 0]
            for each in sums.by_bias
        ],
    )


def _add_products(
    sums: list[tf.Tensor], factors: list[tf.Tensor], errors: tf.Tensor
) -> list[tf.Tensor]:
    """Add factors^T errors to the parts, one after the other."""
    results, done = [], []
    for part, factor in zip(sums, factors, strict=True):
        with tf.control_dependencies(done):
            results.append(part + tf.matmul(factor, errors, transpose_a=True))
        done = results[-1:]
    return results


def logits(features: tf.Tensor, kernel: tf.Tensor, *bias: tf.Tensor) -> tf.Tensor:
    """Return features @ kernel + bias, of shape (N, K)."""
    product = tf.matmul(features, kernel)
    return tf.nn.bias_add(product, *bias) if bias else product


def _errors(labels: tf.Tensor, logits: tf.Tensor) -> _Errors:
    r"""Return the losses and their derivative by the logits, in few passes.

    It is :mod:`lossfn._softmax` with :math:`r = \sum_{k \ne t} e^{z_k - z_t}` for the
    top class :math:`t`, but for what rounding took from :math:`z_k - z_t`: the product
    that made the logits took more. Times :math:`1 + r` the derivative is
    :math:`e^{z_k - z_t} - (1 + r)\,[k = y]`, and :math:`-r` where :math:`k = y = t`.
    """
    top_class = tf.argmax(logits, -1, output_type=tf.int32)
    at_top, at_true = _entries(top_class), _entries(labels)
    top = tf.gather_nd(logits, at_top)
    below = tf.gather_nd(logits, at_true) - top
    with tf.control_dependencies([below]):
        others = tf.exp(logits - top[:, None])
    others = tf.tensor_scatter_nd_update(others, at_top, tf.zeros_like(top))
    # top - top is 0, or NaN for a row that has no softmax: all -inf, or inf, or NaN.
    rest = tf.reduce_sum(others, -1) + (top - top)
    is_top, one = labels == top_class, tf.ones_like(rest)
    changes = [
        tf.where(is_top, -rest, one),
        tf.where(is_top, tf.zeros_like(rest), -1 - rest),
    ]
    with tf.control_dependencies([rest]):
        errors = tf.tensor_scatter_nd_add(
            others, tf.concat([at_top, at_true], 0), tf.concat(changes, 0)
        )
    return _Errors(tf.math.log1p(rest) - below, errors, 1 / (1 + rest))


def _entries(classes: tf.Tensor) -> tf.Tensor:
    """Return the indices of one entry in each row."""
    return tf.stack([tf.range(tf.size(classes)), classes], 1)


def _at_least_one(number: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    return tf.cast(tf.maximum(number, 1), dtype)
