"""How a loss calls its operation."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from lossfn.native._arguments import Inputs
from lossfn.native._gradients import LOGITS, operation


def loss_of_each(name: str, inputs: Inputs, twin: Callable[[], tf.Tensor]) -> tf.Tensor:
    """Return the losses; the twin, of TensorFlow primitives, words the errors."""
    _check_without_losses(inputs, twin)
    try:
        losses = operation(name)(*inputs.tensors)
    except tf.errors.InvalidArgumentError:
        twin()
        raise
    return losses if losses.dtype == inputs.dtype else tf.cast(losses, inputs.dtype)


def mean_loss(name: str, inputs: Inputs, twin: Callable[[], tf.Tensor]) -> tf.Tensor:
    """Return the mean, whose gradient by the logits is computed in the same pass."""
    _check_without_losses(inputs, twin)
    mean = _mean_of_many if _is_large(inputs.tensors[LOGITS]) else _mean
    try:
        loss = mean(name, inputs.tensors)
    except tf.errors.InvalidArgumentError:
        twin()
        raise
    return loss if loss.dtype == inputs.dtype else tf.cast(loss, inputs.dtype)


def _check_without_losses(inputs: Inputs, twin: Callable[[], tf.Tensor]) -> None:
    """Let the twin check parameters, at which the operation looks beside a logit."""
    if inputs.tensors[LOGITS].shape.num_elements() == 0:
        twin()


def _is_large(logits: tf.Tensor) -> bool:
    return tf.executing_eagerly() and logits.shape.num_elements() > 1 << 16


def _mean(name: str, arguments: list[tf.Tensor]) -> tf.Tensor:
    loss, _ = operation(f"{name}Mean")(*arguments)
    return loss


def _mean_of_many(name: str, arguments: list[tf.Tensor]) -> tf.Tensor:
    """Keep the slopes from the tape, which eagerly would make zeros for them.

    An operation has a gradient by each of its results, and here one of the results is
    as large as the logits. tf.custom_gradient shows the tape the mean alone.
    """

    @tf.custom_gradient
    def mean(logits: tf.Tensor) -> tuple[tf.Tensor, Callable[..., tf.Tensor]]:
        inputs = [*arguments[:LOGITS], logits, *arguments[LOGITS + 1 :]]
        loss, slopes = operation(f"{name}Mean")(*inputs)
        scaled = operation(f"{name}MeanGradient")
        return loss, lambda upstream: scaled(*inputs, upstream, slopes)

    return mean(arguments[LOGITS])
