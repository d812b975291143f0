"""What the losses give on two replicas, as one line of JSON.

    python -m tests.two_replicas

It is a program of its own, because devices have to be set before TensorFlow is used,
and a test cannot know what ran before it. ``test_distribute.py`` compares.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from book.scripts import train_newsvendor
from tests.keras_cases import CASES, FOUR, IGNORING, WIDTH, LossCase

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]
Found = dict[str, tuple[tf.Tensor, tf.Tensor]]

# How many examples each of the two replicas has.
SHARES = {"3 + 3": (3, 3), "3 + 2": (3, 2), "1 + 0": (1, 0)}
# Which labels count; the others are the index that is ignored.
COUNTED = {"3 + 1 count": [1, 1, 1, 0, 0, 1], "2 + 0 count": [1, 1, 0, 0, 0, 0]}
WAYS = {
    "3 + 3": ("mean", "mean of weighted"),
    "3 + 2": ("mean", "sum", "sum of weighted", "average", "function"),
    "1 + 0": ("mean", "sum", "function"),
    "3 + 1 count": ("mean", "sum", "function"),
    "2 + 0 count": ("mean", "own weighted mean", "function"),
}


def batch(case: LossCase, shares: tuple[int, int]) -> Arrays:
    """Draw labels, predictions and sample weights for one global batch."""
    y_true, y_pred = case.arguments(seed=1, shape=(sum(shares), WIDTH))
    if y_true.dtype == np.float32:
        y_true = y_true.astype(np.float64)
    return y_true, y_pred.astype(np.float64), np.linspace(0.5, 3, len(y_true))


def ignoring(case: LossCase, counted: list[int]) -> Arrays:
    """Draw a batch in which only some labels count; these have the weight 1."""
    counted = np.array(counted)
    y_true, y_pred, _ = batch(case, SHARES["3 + 3"])
    ignored = case.parameters["ignore_index"]
    return np.where(counted, y_true, ignored), y_pred, counted.astype(np.float64)


def batches_of(case: LossCase) -> dict[str, Arrays]:
    """Return every batch of a case, by name."""
    found = {name: batch(case, shares) for name, shares in SHARES.items()}
    if case in IGNORING:
        found |= {name: ignoring(case, counted) for name, counted in COUNTED.items()}
    return found


def reductions(case: LossCase) -> dict[str, Callable]:
    """Return the ways to reduce, as functions of labels, predictions and weights."""

    def make(reduction: str) -> keras.Loss:
        return case.make(reduction=reduction, dtype="float64")

    mean, total, none = map(make, ("sum_over_batch_size", "sum", "none"))
    weighted_mean = make("mean_with_sample_weight")

    def of_function(y_true, y_pred):
        if not case.is_sparse:
            y_true = tf.cast(y_true, y_pred.dtype)
        each = case.function(y_true, y_pred, **case.parameters)
        return tf.reduce_mean(each, -1) if case.is_per_output else each

    def average(y, p, w):
        context = tf.distribute.get_replica_context()
        size = context.all_reduce("SUM", tf.size(w))
        # Its argument sample_weight would round everything to float32.
        return tf.nn.compute_average_loss(w * none(y, p), global_batch_size=size)

    return {
        "mean": lambda y, p, w: mean(y, p),
        "mean of weighted": mean,
        "own weighted mean": weighted_mean,
        "sum": lambda y, p, w: total(y, p),
        "sum of weighted": total,
        "function": lambda y, p, w: train_newsvendor.global_mean(of_function(y, p), w),
        "average": average,
    }


def on_two_replicas(strategy: tf.distribute.Strategy, case: LossCase) -> dict:
    """Return the loss and the gradient by a shared bias, both added over replicas."""
    with strategy.scope():
        bias = tf.Variable(tf.zeros(WIDTH, tf.float64))
    ways, batches = reductions(case), batches_of(case)

    def on_replica(*shares: Arrays) -> Found:
        found = {}
        for name, (y_true, y_pred, weights) in zip(batches, shares, strict=True):
            for way in WAYS[name]:
                with tf.GradientTape() as tape:
                    loss = ways[way](y_true, y_pred + bias, weights)
                found[f"{name}, {way}"] = loss, tape.gradient(loss, bias)
        return found

    shares = [train_newsvendor.shared(strategy, *arrays) for arrays in batches.values()]
    found = strategy.run(on_replica, args=shares)  # eager: tracing takes far longer
    return tf.nest.map_structure(
        lambda each: strategy.reduce("SUM", each, axis=None).numpy().tolist(), found
    )


def fit(strategy: tf.distribute.Strategy, case: LossCase) -> list[float]:
    """Fit a linear layer in batches that split evenly; return losses and weights."""
    rng = np.random.default_rng(2)
    features, y_true = rng.normal(size=(12, 4)), case.draw(rng, (12, WIDTH))
    with strategy.scope():
        model = keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(WIDTH, kernel_initializer="zeros")]
        )
        model.compile(keras.optimizers.SGD(0.1), loss=case.make())
    history = model.fit(
        features,
        y_true,
        sample_weight=np.linspace(0, 2, 12),
        batch_size=4,
        epochs=2,
        shuffle=False,
        verbose=0,
    )
    return [*history.history["loss"], *train_newsvendor.flat(model).tolist()]


def main() -> None:
    """Print everything."""
    for case in CASES:  # importing and making losses must not start the devices
        case.make()
    cpu = tf.config.list_physical_devices("CPU")[0]
    half = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(cpu, [half, half])
    tf.get_logger().setLevel("ERROR")  # eager runs are slow
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    training = train_newsvendor.train(strategy, train_newsvendor.global_mean)
    found = {
        "losses": {case.name: on_two_replicas(strategy, case) for case in CASES},
        "fits": {case.name: fit(strategy, case) for case in FOUR},
        "weights": training.path[-1].tolist(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
