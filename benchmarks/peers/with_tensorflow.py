"""TensorFlow, Keras, and lossfn itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from benchmarks.cases import OVERAGE_COST, POS_WEIGHT, UNDERAGE_COST
from benchmarks.peers import threads
from benchmarks.worker import resident
from lossfn import losses, native, nn

Tensors = dict[str, tf.Tensor]
MeanLoss = Callable[..., tf.Tensor]

SOFTMAX = "softmax_cross_entropy_with_logits"
SPARSE = "sparse_softmax_cross_entropy_with_logits"
SIGMOID = "sigmoid_cross_entropy_with_logits"
WEIGHTED = "weighted_cross_entropy_with_logits"
SETTINGS = ("TF_ENABLE_ONEDNN_OPTS", "TF_CPU_ALLOCATOR_USE_BFC")
COSTS = {"underage_cost": UNDERAGE_COST, "overage_cost": OVERAGE_COST}


def _mean(loss: Callable[..., tf.Tensor], **parameters: float) -> MeanLoss:
    return lambda truth, prediction: tf.reduce_mean(
        loss(truth, prediction, **parameters)
    )


def _with_logits(name: str, **parameters: float) -> dict[str, MeanLoss]:
    """Return the ways that share the names and arguments of tf.nn."""

    def mean_of(module: object) -> MeanLoss:
        loss = getattr(module, name)
        return lambda truth, prediction: tf.reduce_mean(
            loss(labels=truth, logits=prediction, **parameters)
        )

    whole = getattr(native, f"mean_{name}")
    return {
        "native mean": lambda truth, prediction: whole(
            labels=truth, logits=prediction, **parameters
        ),
        "native each": mean_of(native),
        "nn": mean_of(nn),
        "tf": mean_of(tf.nn),
    }


def _cost(truth: tf.Tensor, prediction: tf.Tensor) -> tf.Tensor:
    short = truth - prediction
    return tf.reduce_mean(tf.maximum(UNDERAGE_COST * short, -OVERAGE_COST * short))


def _keras_cost(truth: tf.Tensor, prediction: tf.Tensor) -> tf.Tensor:
    short = truth - prediction
    return keras.ops.mean(
        keras.ops.maximum(UNDERAGE_COST * short, -OVERAGE_COST * short)
    )


def _after_a_layer(loss: MeanLoss) -> MeanLoss:
    return lambda truth, features, kernel: loss(truth, features @ kernel)


# The ways to compute a mean loss, lossfn's first. Keras has no weighted loss.
WAYS: dict[str, dict[str, MeanLoss]] = {
    "dense": {
        **_with_logits(SOFTMAX),
        "losses": _mean(losses.categorical_crossentropy),
        "Keras": keras.losses.CategoricalCrossentropy(from_logits=True),
    },
    "sparse": {
        **_with_logits(SPARSE),
        "losses": _mean(losses.sparse_categorical_crossentropy),
        "Keras": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    },
    "sigmoid": {
        **_with_logits(SIGMOID),
        "losses": _mean(losses.binary_crossentropy),
        "Keras": keras.losses.BinaryCrossentropy(from_logits=True),
    },
    "weighted": {
        **_with_logits(WEIGHTED, pos_weight=POS_WEIGHT),
        "losses": _mean(losses.binary_crossentropy, pos_weight=POS_WEIGHT),
    },
    "newsvendor": {
        "native mean": lambda truth, prediction: native.mean_newsvendor(
            truth, prediction, **COSTS
        ),
        "native each": _mean(native.newsvendor, **COSTS),
        "losses": _mean(losses.newsvendor, **COSTS),
        "tf": _cost,
        "Keras": _keras_cost,
    },
    "linear": {
        "losses": losses.linear_softmax_cross_entropy,
        "native mean": _after_a_layer(_with_logits(SPARSE)["native mean"]),
        "tf": _after_a_layer(_with_logits(SPARSE)["tf"]),
    },
}


def _with_gradient(loss: MeanLoss) -> Callable[[Tensors, Sequence[str]], tuple]:
    def run(inputs: Tensors, gradient_of: Sequence[str]) -> tuple:
        sources = [inputs[name] for name in gradient_of]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(sources)
            mean = loss(*inputs.values())
        return mean, tape.gradient(mean, sources)

    return run


def peers(loss: str) -> dict[str, Callable[[Tensors, Sequence[str]], tuple]]:
    """Return every way in eager mode and as a graph; tf.nn's also through XLA."""
    found = {}
    for name, mean in WAYS[loss].items():
        run = _with_gradient(mean)
        found[f"{name} eager"] = run
        found[f"{name} graph"] = tf.function(run)
        if name == "tf":
            found["tf XLA"] = tf.function(run, jit_compile=True)
    return found


def tensors(inputs: dict[str, np.ndarray]) -> Tensors:
    """Copy the arrays into TensorFlow's memory."""
    return {name: tf.constant(values) for name, values in inputs.items()}


def wait(outcome: tuple) -> None:
    """Return at once: on the CPU a result that is there is computed."""


def about() -> dict[str, object]:
    """Return the versions, and the settings that bear on the speed."""
    intra_op = tf.config.threading.get_intra_op_parallelism_threads()
    return {
        "version": tf.__version__,
        "Keras": keras.__version__,
        "threads": intra_op or threads(),
        "allocator": _allocator(),
        **{name: os.environ.get(name, "not set") for name in SETTINGS},
    }


def _allocator() -> str:
    """Look what becomes of memory that was freed: oneDNN brings a pool with it."""
    tensor = tf.ones(1 << 24)  # 64 MB
    held = resident()
    del tensor
    returned = held - resident() > 1 << 25
    return "returns freed memory" if returned else "keeps freed memory"
