"""The source's two programs as TensorFlow 1 graphs, run by TensorFlow 2.

They are here to confirm: :mod:`lossfn.train` has the same two in TensorFlow 2, and
these show that nothing was lost. So they use nothing of this package but its data. What
a TensorFlow 1 program needs is still there, in ``tensorflow.compat.v1``: placeholders,
a graph, a session that runs it, and an optimiser that adds its update to the graph.

With TensorFlow 1 they printed the same numbers, as readers' programs on GitHub record.

Each run has a graph and a session of its own. Nothing global is switched, so that
eager code before and after it is not touched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow.compat.v1 as tf

from lossfn import data

_BATCH_SIZE = 8
_DATA_SEED = 1
_OP_SEED = 1


@dataclass(frozen=True)
class GraphRun:
    """What one of the programs has to show.

    Attributes:
        initial_weights: the matrix of each layer before the first step, shape (inputs,
            outputs), float32.
        weights: the matrix of each layer after the last step.
        steps: the steps as the source counts them at each of R reports, shape (R,),
            int64. It counts from 0 and reports after a step, so that when it prints
            1000, 1001 steps have been made.
        losses: the loss on all data at each report, shape (R,), float64.
        predictions: what the network answers to all data after the last step, shape
            (128, 1), float32.

    Examples:
        >>> run = run_forecaster(loss_less=9, loss_more=1, steps=2, report_every=1)
        >>> run.steps, len(run.losses), run.predictions.shape
        (array([0, 1]), 2, (128, 1))
    """

    initial_weights: tuple[np.ndarray, ...]
    weights: tuple[np.ndarray, ...]
    steps: np.ndarray
    losses: np.ndarray
    predictions: np.ndarray


def run_classifier(*, steps: int = 5000, report_every: int = 1000) -> GraphRun:
    r"""Run the source's classifier, with the loss that it has.

    Two linear layers without a bias or an activation, and the loss

    .. math:: -\frac{1}{B} \sum_i y_i \log\min\bigl(\max(a_i, 10^{-10}), 1\bigr),

    of which :func:`lossfn.train.source_cross_entropy` says what is wrong.

    Args:
        steps: the number of steps, each on the next 8 of 128 points.
        report_every: the loss is reported after the first step and then every so many
            steps.

    Returns:
        The weights of both layers, the reports, and the answers.

    Raises:
        TypeError: if an argument is not an integer.
        ValueError: if an argument is less than 1.

    Examples:
        >>> run = run_classifier(steps=1)
        >>> for step, loss in zip(run.steps, run.losses):
        ...     print(f"After {step} training steps, the loss on all data is {loss:g}")
        After 0 training steps, the loss on all data is 0.0674925
    """
    features, labels = data.simulate_source_classes(seed=_DATA_SEED)
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, (None, 2))
        y_true = tf.placeholder(tf.float32, (None, 1))
        hidden_weights = tf.Variable(tf.random_normal([2, 3], stddev=1, seed=_OP_SEED))
        output_weights = tf.Variable(tf.random_normal([3, 1], stddev=1, seed=_OP_SEED))
        y_pred = tf.matmul(tf.matmul(x, hidden_weights), output_weights)
        clipped = tf.clip_by_value(y_pred, 1e-10, 1.0)
        program = _Program(
            feed=(x, y_true),
            weights=(hidden_weights, output_weights),
            predictions=y_pred,
            loss=-tf.reduce_mean(y_true * tf.log(clipped)),
        )
        return program.run(features, labels, steps=steps, report_every=report_every)


def run_forecaster(
    *,
    loss_less: float = 10.0,
    loss_more: float = 1.0,
    loss: str = "asymmetric",
    steps: int = 5000,
    report_every: int = 1000,
) -> GraphRun:
    r"""Run the source's sales forecaster.

    One linear layer without a bias, and one of two losses, for sales :math:`y` and
    forecasts :math:`a`:

    .. math::
        \text{asymmetric} &= \sum_i \begin{cases}
            (a_i - y_i) \cdot \text{loss\_more} & \text{if } a_i > y_i \\
            (y_i - a_i) \cdot \text{loss\_less} & \text{if } a_i \le y_i
            \end{cases} \\
        \text{mse} &= \frac{1}{B} \sum_i (y_i - a_i)^2 .

    The first is a sum, so that over all data it is 16 times as large as over a batch.
    The source's own program prints no loss but the weights; the reports are added.

    Args:
        loss_less: the cost of a unit too few, positive.
        loss_more: the cost of a unit too many, positive.
        loss: ``"asymmetric"`` or ``"mse"``, which does not use the two costs.
        steps: the number of steps, each on the next 8 of 128 examples.
        report_every: the loss is reported after the first step and then every so many
            steps.

    Returns:
        The weights, the reports, and the forecasts.

    Raises:
        TypeError: if an argument has the wrong kind of value.
        ValueError: if an argument is out of range.

    Examples:
        >>> run = run_forecaster(loss_less=10.0, loss_more=1.0)
        >>> print(run.weights[0].ravel().round(2))
        [1.02 1.04]
    """
    if loss not in ("asymmetric", "mse"):
        raise ValueError(f"loss must be 'asymmetric' or 'mse', got {loss!r}")
    _check_cost("loss_less", loss_less)
    _check_cost("loss_more", loss_more)
    features, sales = data.simulate_source_sales(seed=_DATA_SEED)
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, (None, 2))
        y_true = tf.placeholder(tf.float32, (None, 1))
        weights = tf.Variable(tf.random_normal([2, 1], stddev=1, seed=_OP_SEED))
        y_pred = tf.matmul(x, weights)
        if loss == "mse":
            value = tf.reduce_mean(tf.square(y_true - y_pred))
        else:
            too_many = (y_pred - y_true) * loss_more
            too_few = (y_true - y_pred) * loss_less
            value = tf.reduce_sum(
                tf.where(tf.greater(y_pred, y_true), too_many, too_few)
            )
        program = _Program(
            feed=(x, y_true), weights=(weights,), predictions=y_pred, loss=value
        )
        return program.run(features, sales, steps=steps, report_every=report_every)


@dataclass(frozen=True)
class _Program:
    """The loop that both programs have, to be run in the graph they are in."""

    feed: tuple[tf.Tensor, tf.Tensor]
    weights: tuple[tf.Variable, ...]
    predictions: tf.Tensor
    loss: tf.Tensor

    def run(
        self, features: np.ndarray, labels: np.ndarray, *, steps: int, report_every: int
    ) -> GraphRun:
        _check_count("steps", steps)
        _check_count("report_every", report_every)
        train_step = tf.train.AdamOptimizer(0.001).minimize(self.loss)
        everything = dict(zip(self.feed, (features, labels), strict=True))
        printed, losses = [], []
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            initial_weights = session.run(self.weights)
            for step in range(steps):
                start = (step * _BATCH_SIZE) % len(features)
                end = min(start + _BATCH_SIZE, len(features))
                batch = {key: value[start:end] for key, value in everything.items()}
                session.run(train_step, feed_dict=batch)
                if step % report_every == 0:
                    printed.append(step)
                    losses.append(session.run(self.loss, feed_dict=everything))
            return GraphRun(
                initial_weights=initial_weights,
                weights=session.run(self.weights),
                steps=np.array(printed, np.int64),
                losses=np.array(losses, np.float64),
                predictions=session.run(self.predictions, feed_dict=everything),
            )


def _check_count(name: str, value: int) -> None:
    if not isinstance(value, int | np.integer) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")


def _check_cost(name: str, value: float) -> None:
    if not isinstance(value, int | float | np.number) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not 0 < value < np.inf:
        raise ValueError(f"{name} must be positive and finite, got {value}")
