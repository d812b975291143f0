"""Broken losses: what comes out, in which shape, and who has a part in it."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from tests.broken import (
    Rows,
    binary_cross_entropy,
    cross_entropy,
    distribution,
    error,
    yes_or_no,
)

ROWS = Rows()
row = ROWS.row
REGRESSION = "regression"


# --- runs ------------------------------------------------------------------------


@row("binary_probabilities", "runs", shows="log")
def names_of_tensorflow_1(y_true, y_pred):
    return -tf.reduce_sum(y_true * tf.log(y_pred), reduction_indices=[1])


@row(REGRESSION, "runs", shows="None")
def forgets_to_return(y_true, y_pred):
    tf.square(error(y_true, y_pred))


@row(REGRESSION, "runs", shows="str")
def formatted_for_the_log(y_true, y_pred):
    return f"{float(tf.reduce_mean(tf.square(error(y_true, y_pred)))):.4f}"


@row(REGRESSION, "runs", shows="complex64")
def spectrum_without_abs(y_true, y_pred):
    return tf.signal.fft(tf.cast(error(y_true, y_pred), tf.complex64))


@row(REGRESSION, "runs", shows="list")
def with_its_metrics(y_true, y_pred):
    loss = tf.square(error(y_true, y_pred))
    return [loss, {"rmse": tf.sqrt(tf.reduce_mean(loss))}]


@row("sparse_logits", "runs", shows="bool")
def accuracy_as_a_loss(y_true, y_pred):
    return tf.argmax(y_pred, -1) != tf.cast(y_true, tf.int64)


@row(REGRESSION, "runs", shows="different")
def noise_on_the_targets(y_true, y_pred):
    noise = np.random.default_rng().normal(scale=0.1, size=y_pred.shape)
    return tf.square(error(y_true + tf.cast(noise, y_true.dtype), y_pred))


@row(REGRESSION, "runs", shows="different")
def dropout_inside(y_true, y_pred):
    return tf.square(error(y_true, tf.nn.dropout(y_pred, rate=0.5)))


@row(REGRESSION, "runs", shows="different")
def noise_for_one_in_thirty(y_true, y_pred):
    return tf.square(error(y_true, tf.nn.dropout(y_pred, rate=1 / 30)))


@row(REGRESSION, "runs", shows="missing 1 required")
def wants_a_third_argument(y_true, y_pred, weights):
    return weights * tf.square(error(y_true, y_pred))


@row(REGRESSION, "runs", shows="TypeError")
def python_math(y_true, y_pred):
    return math.exp(tf.abs(error(y_true, y_pred))) - 1


@row(REGRESSION, "runs", shows="not done", time_limit=1.0)
def waits_until_it_is_small(y_true, y_pred):
    loss = tf.square(error(y_true, y_pred))
    while tf.reduce_max(loss) > 1e-30:
        y_pred = y_pred - 0.0 * y_pred
        loss = tf.square(error(y_true, y_pred))
    return loss


@row("sparse_logits", "runs", shows="ResourceExhausted")
def table_of_all_hashes(y_true, y_pred):
    weights = tf.ones([1 << 50], y_pred.dtype)  # 4 PiB in float32
    loss = cross_entropy(y_true, y_pred)
    return tf.gather(weights, y_true) * loss


# --- one_value_per_example -------------------------------------------------------


@row(
    REGRESSION,
    "one_value_per_example",
    "replicas_add_up",
    "sample_weights",
    shows="one number",
)
def mean_over_the_batch(y_true, y_pred):
    return tf.reduce_mean(tf.square(error(y_true, y_pred)))


@row("onehot_logits", "one_value_per_example", shows="(4, 1)")
def keeps_the_class_axis(y_true, y_pred):
    labels = distribution(y_true, y_pred)
    return -tf.reduce_sum(labels * tf.nn.log_softmax(y_pred), -1, keepdims=True)


@row(
    REGRESSION,
    "one_value_per_example",
    "nan_stays_alone",
    "replicas_add_up",
    "sample_weights",
    shows="(2,)",
    outputs=2,
)
def mean_over_the_wrong_axis(y_true, y_pred):
    return tf.reduce_mean(tf.square(error(y_true, y_pred)), axis=0)


@row(
    REGRESSION,
    "one_value_per_example",
    "finite_16_bits",
    "replicas_add_up",
    shows="mean",
    reduction="mean",
)
def declares_a_mean_and_sums(y_true, y_pred):
    return tf.reduce_sum(tf.square(error(y_true, y_pred)))


@row(REGRESSION, "one_value_per_example", shows="(4, 1)", reduction="sum")
def declares_a_sum_and_does_not(y_true, y_pred):
    return tf.square(error(y_true, y_pred))


# --- no_broadcast ----------------------------------------------------------------


@row(REGRESSION, "no_broadcast", "no_broadcast_unknown_shapes", shows="(2, 2)")
def subtracts_whatever_comes(y_true, y_pred):
    return tf.square(y_true - y_pred)


@row(
    REGRESSION,
    "no_broadcast",
    "no_broadcast_unknown_shapes",
    shows="no error",
    outputs=3,
)
def rows_of_outputs_whatever_comes(y_true, y_pred):
    return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)


@row(
    "multilabel_logits",
    "no_broadcast",
    "no_broadcast_unknown_shapes",
    shows="no error",
)
def one_label_for_all_outputs(y_true, y_pred):
    y_true = tf.ones_like(y_pred) * y_true
    return binary_cross_entropy(y_true, y_pred)


@row(
    "quantile",
    "no_broadcast",
    "no_broadcast_unknown_shapes",
    shows="no error",
    target=[0.1, 0.5, 0.9],
    outputs=3,
)
def each_quantile_minus_the_column(y_true, y_pred):
    e = y_true - y_pred
    q = tf.constant([0.1, 0.5, 0.9], y_pred.dtype)
    return tf.maximum(q * e, (q - 1) * e)


# --- no_broadcast_unknown_shapes -------------------------------------------------


@row(REGRESSION, "no_broadcast_unknown_shapes", shows="does not know")
def compares_static_shapes(y_true, y_pred):
    if y_true.shape != y_pred.shape:
        raise ValueError(f"shapes differ: {y_true.shape} and {y_pred.shape}")
    return tf.square(y_true - y_pred)


@row(REGRESSION, "no_broadcast_unknown_shapes", shows="does not know")
def checks_only_eagerly(y_true, y_pred):
    if tf.executing_eagerly():
        assert tuple(y_true.shape) == tuple(y_pred.shape)
    return tf.square(y_true - y_pred)


@row(REGRESSION, "no_broadcast_unknown_shapes", shows="does not know")
def ensures_the_shape_it_knows(y_true, y_pred):
    return tf.square(tf.ensure_shape(y_true, y_pred.shape) - y_pred)


@row(REGRESSION, "no_broadcast_unknown_shapes", shows="does not know")
def asserts_compatible_shapes(y_true, y_pred):
    y_true.shape.assert_is_compatible_with(y_pred.shape)
    return tf.abs(y_true - y_pred)


# --- neighbours ------------------------------------------------------------------


@row(
    REGRESSION,
    "neighbours",
    "nan_stays_alone",
    "replicas_add_up",
    "sample_weights",
)
def in_deviations_of_the_batch(y_true, y_pred):
    spread = tf.math.reduce_std(y_true) + tf.cast(1.0, y_true.dtype)
    return tf.square(error(y_true, y_pred) / spread)


@row(REGRESSION, "neighbours", "replicas_add_up", "sample_weights")
def only_the_hardest_half(y_true, y_pred):
    loss = tf.abs(error(y_true, y_pred))
    hard = tf.sort(loss, axis=0)[tf.shape(loss)[0] // 2]
    return tf.where(loss >= hard, loss, 0.5 * loss)


@row(REGRESSION, "neighbours", "replicas_add_up", "sample_weights")
def compares_sorted_columns(y_true, y_pred):
    y_true = tf.sort(y_true, axis=0)
    return tf.square(error(y_true, tf.sort(y_pred, axis=0)))


@row("sparse_logits", "neighbours", "replicas_add_up", "sample_weights")
def balances_the_classes_of_the_batch(y_true, y_pred):
    loss = cross_entropy(y_true, y_pred)
    counts = tf.math.bincount(tf.cast(y_true, tf.int32))
    return loss / tf.cast(tf.gather(counts, y_true), loss.dtype)


# --- replicas_add_up -------------------------------------------------------------


@row(REGRESSION, "replicas_add_up", "neighbours", "sample_weights")
def divided_by_the_batch_size(y_true, y_pred):
    loss = tf.square(error(y_true, y_pred))
    return loss / tf.cast(tf.shape(loss)[0], loss.dtype)


@row(
    REGRESSION,
    "replicas_add_up",
    "finite_16_bits",
    "one_value_per_example",
    reduction="mean",
)
def mean_of_a_batch_of_32(y_true, y_pred):
    return tf.reduce_sum(tf.square(error(y_true, y_pred))) / 32


@row(
    "binary_logits",
    "replicas_add_up",
    "neighbours",
    "one_value_per_example",
    reduction="mean",
)
def per_positive_of_the_batch(y_true, y_pred):
    loss = binary_cross_entropy(y_true, y_pred)
    positives = tf.reduce_sum(yes_or_no(y_true, y_pred))
    return tf.reduce_sum(loss) / tf.maximum(positives, 1)
