"""Train a forecast of the source's sales, on however many replicas there are.

A notebook imports ``train`` and runs it on one device or on two. As a program, this
file is one worker of several, which share each batch and add their gradients:

    TF_CONFIG='{"cluster": {"worker": ["host1:port", "host2:port"]},
                "task": {"type": "worker", "index": 0}}' python train_newsvendor.py

It prints what it found as one line of JSON, and ends by itself after WORKER_SECONDS, if
that is set. ``two_workers.py`` starts two of them.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import NamedTuple

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from lossfn import data, keras_losses, losses

COSTS = {"underage_cost": 10.0, "overage_cost": 1.0}
PORT_IS_TAKEN = 75  # an exit status: "try again", by the convention of sysexits.h


class Training(NamedTuple):
    """What a training run found.

    Attributes:
        path: two weights and a bias, at first and after each step, (steps + 1, 3).
        parts: what this process's first replica added to the loss of each step.
        sizes: how many examples of each batch that replica had.
    """

    path: np.ndarray
    parts: np.ndarray
    sizes: np.ndarray


def own_mean(losses: tf.Tensor) -> tf.Tensor:
    """Average over the replica's own examples: the wrong reduction."""
    return tf.reduce_mean(losses)


def global_mean(losses: tf.Tensor, weights: tf.Tensor | None = None) -> tf.Tensor:
    """Return this replica's part of a (weighted) mean over all replicas' examples."""
    weights = tf.ones_like(losses) if weights is None else weights
    context = tf.distribute.get_replica_context()
    total_weight = context.all_reduce("SUM", tf.reduce_sum(weights))
    return tf.math.divide_no_nan(tf.reduce_sum(weights * losses), total_weight)


def gradient_descent() -> keras.Optimizer:
    """Return the optimizer of a plain step against the gradient."""
    return keras.optimizers.SGD(0.02)


def make_step(
    strategy: tf.distribute.Strategy,
    model: keras.Model,
    optimizer: keras.Optimizer,
    reduce: Callable[[tf.Tensor], tf.Tensor],
) -> Callable:
    """Return a function of a batch that takes one training step on every replica."""

    def on_replica(features, sales):
        with tf.GradientTape() as tape:
            forecasts = model(features, training=True)
            loss = reduce(losses.newsvendor(sales, forecasts, **COSTS)[:, 0])
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients)  # which adds them up over the replicas
        return loss, tf.size(sales)

    return tf.function(lambda batch: strategy.run(on_replica, args=batch))


def train(
    strategy: tf.distribute.Strategy,
    reduce: Callable[[tf.Tensor], tf.Tensor],
    *,
    make_optimizer: Callable[[], keras.Optimizer] = gradient_descent,
    batch_size: int = 25,
    epochs: int = 2,
) -> Training:
    """Fit a linear forecast to the newsvendor loss, from zero weights."""
    with strategy.scope():
        model = keras.Sequential(
            [
                keras.Input((2,), dtype="float64"),
                keras.layers.Dense(1, kernel_initializer="zeros", dtype="float64"),
            ]
        )
        optimizer = make_optimizer()
        optimizer.build(model.trainable_variables)
    step = make_step(strategy, model, optimizer, reduce)
    features, sales = data.simulate_source_sales(seed=1)

    path, parts, sizes = [flat(model)], [], []
    for start in epochs * list(range(0, len(sales), batch_size)):
        batch = slice(start, start + batch_size)
        results = step(shared(strategy, features[batch], sales[batch]))
        loss, size = map(strategy.experimental_local_results, results)
        path.append(flat(model))
        parts.append(loss[0].numpy())
        sizes.append(size[0].numpy())
    return Training(np.array(path), np.array(parts), np.array(sizes))


def shared(strategy: tf.distribute.Strategy, *arrays: np.ndarray) -> tuple:
    """Spread one batch over all replicas; the first ones get one example more."""

    def share_of(context: tf.distribute.ValueContext) -> tuple:
        replicas, index = context.num_replicas_in_sync, context.replica_id_in_sync_group
        return tuple(tf.constant(np.array_split(a, replicas)[index]) for a in arrays)

    return strategy.experimental_distribute_values_from_function(share_of)


def flat(model: keras.Model) -> np.ndarray:
    """Return all weights of a model as one vector."""
    return np.concatenate([weight.ravel() for weight in model.get_weights()])


def be_a_worker() -> dict:
    """Train with both reductions as the worker that TF_CONFIG names."""
    # Several may share one machine, and then its cores; a GPU only one could have.
    tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(2)
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    found = {"worker": strategy.cluster_resolver.task_id}
    for reduce in (own_mean, global_mean):
        training = train(strategy, reduce)
        found["sizes"] = training.sizes.tolist()
        found[reduce.__name__] = {
            "parts": training.parts.tolist(),
            "weights": training.path[-1].tolist(),
        }
    found["fit"] = try_fit(strategy)
    return found


def try_fit(strategy: tf.distribute.Strategy) -> str:
    """Say whether Keras's ``fit`` works under a strategy, in equal batches."""
    with strategy.scope():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", loss=keras_losses.Newsvendor(**COSTS))
    try:
        model.fit(*data.simulate_source_sales(seed=1), batch_size=32, verbose=0)
    except (ValueError, tf.errors.OpError) as error:
        return f"raises {type(error).__name__}"
    return "works"


def main() -> int:
    """Print what this worker found, and return the exit status."""
    # The signal ends even a worker that waits for another one inside TensorFlow.
    signal.alarm(int(os.environ.get("WORKER_SECONDS", "0")))  # 0: no limit
    try:
        found = be_a_worker()
    except tf.errors.UnknownError as error:
        if "Could not start gRPC server" not in error.message:
            raise
        print("the port of this worker is taken", file=sys.stderr)
        return PORT_IS_TAKEN
    print(json.dumps(found), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
