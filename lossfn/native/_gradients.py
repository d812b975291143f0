"""The gradients of the operations, as TensorFlow asks for them.

The derivative by the logits has an operation of its own. What is asked for rarely, the
derivatives by labels and parameters and those of higher order, comes from the same loss
in :mod:`lossfn.nn` or :mod:`lossfn.losses`, which can be differentiated ever again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import tensorflow as tf

from lossfn import losses, nn
from lossfn.native import _library

LOGITS = 1  # the inputs are labels, logits, parameters, and what an operation adds


def _softmax(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def _sparse_softmax(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def _sigmoid(labels: tf.Tensor, logits: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    return nn.weighted_cross_entropy_with_logits(
        labels=labels, logits=logits, pos_weight=weight
    )


def _newsvendor(
    y_true: tf.Tensor, y_pred: tf.Tensor, underage: tf.Tensor, overage: tf.Tensor
) -> tf.Tensor:
    return losses.newsvendor(
        y_true, y_pred, underage_cost=underage, overage_cost=overage
    )


# The name of an operation, and the same loss from TensorFlow primitives.
TWINS: dict[str, Callable[..., tf.Tensor]] = {
    "Softmax": _softmax,
    "SparseSoftmax": _sparse_softmax,
    "Sigmoid": _sigmoid,
    "Newsvendor": _newsvendor,
}
Gradients = list[tf.Tensor | None]


@functools.cache
def operation(name: str) -> Callable[..., tf.Tensor]:
    """Return an operation by its name in C++, such as SparseSoftmaxGradient."""
    words = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
    return getattr(_library.loaded().operations, f"lossfn{words}")


def by_autodiff(
    function: Callable[..., tf.Tensor],
    inputs: Sequence[tf.Tensor],
    wanted: Sequence[int],
    upstream: tf.Tensor,
) -> Gradients:
    """Differentiate a function of TensorFlow primitives by some of its inputs."""
    gradients: Gradients = [None] * len(inputs)
    if wanted:
        sources = [inputs[i] for i in wanted]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            value = function(*inputs)
        for i, gradient in zip(
            wanted, tape.gradient(value, sources, upstream), strict=True
        ):
            gradients[i] = gradient
    return gradients


def _wanted(operation: tf.Operation) -> list[int]:
    """Return which inputs a gradient is wanted by, as far as it is known."""
    # Eagerly the tape knows; in a graph what is not used is not run.
    skipped = getattr(operation, "skip_input_indices", None) or ()
    floating = (i for i, x in enumerate(operation.inputs) if x.dtype.is_floating)
    return [i for i in floating if i not in skipped]


def _slopes(loss: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    """Return the derivative of a loss by the logits, times what comes from above."""

    def slopes(*inputs: tf.Tensor) -> tf.Tensor:
        *arguments, upstream = inputs
        with tf.GradientTape() as tape:
            tape.watch(arguments[LOGITS])
            value = loss(*arguments)
        return tape.gradient(value, arguments[LOGITS], upstream)

    return slopes


def _mean_of(loss: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    """Return the mean of a loss, and 0 of no losses."""

    def mean(*arguments: tf.Tensor) -> tf.Tensor:
        losses = loss(*arguments)
        count = tf.maximum(tf.size(losses), 1)
        return tf.reduce_sum(losses) / tf.cast(count, losses.dtype)

    return mean


def _register(name: str, loss: Callable[..., tf.Tensor]) -> None:
    @tf.RegisterGradient(f"Lossfn{name}")
    def of_loss(node: tf.Operation, upstream: tf.Tensor) -> Gradients:
        inputs = list(node.inputs)
        rare = [i for i in _wanted(node) if i != LOGITS]
        gradients = by_autodiff(loss, inputs, rare, upstream)
        gradients[LOGITS] = operation(f"{name}Gradient")(*inputs, upstream)
        return gradients

    @tf.RegisterGradient(f"Lossfn{name}Gradient")
    def of_gradient(node: tf.Operation, upstream: tf.Tensor) -> Gradients:
        return by_autodiff(_slopes(loss), list(node.inputs), _wanted(node), upstream)

    @tf.RegisterGradient(f"Lossfn{name}Mean")
    def of_mean(node: tf.Operation, upstream: tf.Tensor, _: tf.Tensor) -> Gradients:
        inputs = list(node.inputs)
        gradients: Gradients = [None] * len(inputs)
        scaled = operation(f"{name}MeanGradient")
        gradients[LOGITS] = scaled(*inputs, upstream, node.outputs[1])
        return gradients

    @tf.RegisterGradient(f"Lossfn{name}MeanGradient")
    def of_gradient_of_mean(node: tf.Operation, upstream: tf.Tensor) -> Gradients:
        # The last input is what the operation hands on. It was made from the others.
        *inputs, slopes = node.inputs
        above = len(inputs) - 1
        rare = [i for i in _wanted(node) if i < above]
        gradients = by_autodiff(_slopes(_mean_of(loss)), inputs, rare, upstream)
        # Times 1, it can be differentiated by the logits again.
        one = tf.ones_like(inputs[above])
        slopes = operation(f"{name}MeanGradient")(*inputs[:above], one, slopes)
        gradients[above] = tf.reduce_sum(upstream * slopes)
        return [*gradients, None]


for _name, _loss in TWINS.items():
    _register(_name, _loss)
