"""Broken losses: derivatives that are missing, wrong, or 0."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from tests.broken import (
    Rows,
    binary_cross_entropy,
    class_index,
    cross_entropy,
    distribution,
    error,
    yes_or_no,
)

ROWS = Rows()
row = ROWS.row
REGRESSION = "regression"


# --- gradient --------------------------------------------------------------------


@row(
    "sparse_logits",
    "gradient",
    "least_at_target",
    "nan_stays_alone",
    shows="None",
)
def argmax_inside(y_true, y_pred):
    y_true = class_index(y_true, y_pred)
    return tf.cast(tf.argmax(y_pred, -1) != y_true, y_pred.dtype)


@row(REGRESSION, "gradient", "least_at_target", "zero_at_perfect", shows="None")
def rounds_to_whole_units(y_true, y_pred):
    return tf.square(error(y_true, tf.round(y_pred)))


@row(
    REGRESSION,
    "gradient",
    "modes_agree",
    shows="None",
)
def numpy_inside(y_true, y_pred):
    return np.mean(np.square(error(y_true, y_pred)), axis=-1)


@row(
    REGRESSION,
    "gradient",
    "gradient_at_kinks",
    "second_derivative",
    shows="differences",
)
def stop_gradient_on_its_weight(y_true, y_pred):
    e = tf.abs(error(y_true, y_pred))
    return tf.stop_gradient(e) * e


@row(
    "sparse_logits",
    "gradient",
    "gradient_at_kinks",
    "second_derivative",
    shows="differences",
    target=None,
)
def detached_focus(y_true, y_pred):
    loss = cross_entropy(y_true, y_pred)
    return tf.stop_gradient(1 - tf.exp(-loss)) ** 2 * loss


@row("onehot_logits", "gradient", "gradient_at_kinks", shows="differences", target=None)
def class_weights_in_the_labels(y_true, y_pred):
    weights = tf.constant([1.0, 5.0, 2.0], tf.float64)
    y_true = distribution(y_true, y_pred) * tf.cast(weights, y_pred.dtype)
    return tf.nn.softmax_cross_entropy_with_logits(y_true, y_pred)


@row(REGRESSION, "gradient", "gradient_at_kinks", shows="differences")
def gradient_without_the_two(y_true, y_pred):
    @tf.custom_gradient
    def square(e):
        return tf.square(e), lambda upstream: upstream * e

    return square(error(y_true, y_pred))


@row(REGRESSION, "gradient", shows="three times")
def forgets_the_upstream_gradient(y_true, y_pred):
    @tf.custom_gradient
    def square(e):
        return tf.square(e), lambda upstream: 2 * e

    return square(error(y_true, y_pred))


# --- gradient_at_kinks -----------------------------------------------------------


def odds(truth):
    return 5 * truth / (5 * truth + 1 - truth)


@row("binary_logits", "gradient_at_kinks", "second_derivative", target=odds)
def weighted_op_of_tensorflow(y_true, y_pred):
    y_true = yes_or_no(y_true, y_pred)
    return tf.nn.weighted_cross_entropy_with_logits(y_true, y_pred, pos_weight=5.0)


@row("binary_logits", "gradient_at_kinks", "second_derivative")
def the_formula_of_the_manual(y_true, y_pred):
    y_true = yes_or_no(y_true, y_pred)
    softplus = tf.math.log1p(tf.exp(-tf.abs(y_pred)))
    return tf.maximum(y_pred, 0) - y_pred * y_true + softplus


@row("binary_logits", "gradient_at_kinks", "second_derivative")
def log_sigmoid_with_minimum(y_true, y_pred):
    def log_sigmoid(x):
        return tf.minimum(x, 0) - tf.math.log1p(tf.exp(-tf.abs(x)))

    y_true = yes_or_no(y_true, y_pred)
    return -y_true * log_sigmoid(y_pred) - (1 - y_true) * log_sigmoid(-y_pred)


@row(REGRESSION, "gradient_at_kinks", "second_derivative")
def log_cosh_of_a_relu(y_true, y_pred):
    e = error(y_true, y_pred)
    softplus = tf.maximum(2 * e, 0) + tf.math.log1p(tf.exp(-tf.abs(2 * e)))
    return softplus - e - tf.cast(math.log(2), e.dtype)


# --- gradient_does_not_vanish ----------------------------------------------------


@row("sparse_logits", "gradient_does_not_vanish", "least_at_target", "zero_at_perfect")
def softmax_twice(y_true, y_pred):
    return cross_entropy(y_true, tf.nn.softmax(y_pred))


@row("binary_logits", "gradient_does_not_vanish", "finite_16_bits")
def clip_before_log(y_true, y_pred):
    y_true = yes_or_no(y_true, y_pred)
    p = tf.clip_by_value(tf.sigmoid(y_pred), 1e-7, 1 - 1e-7)
    return -y_true * tf.math.log(p) - (1 - y_true) * tf.math.log(1 - p)


@row("binary_logits", "gradient_does_not_vanish")
def squared_error_of_the_sigmoid(y_true, y_pred):
    return tf.square(yes_or_no(y_true, y_pred) - tf.sigmoid(y_pred))


@row("multilabel_logits", "gradient_does_not_vanish")
def clips_the_logits(y_true, y_pred):
    return binary_cross_entropy(y_true, tf.clip_by_value(y_pred, -20, 20))


@row(REGRESSION, "gradient_does_not_vanish")
def cap_on_outliers(y_true, y_pred):
    return tf.minimum(tf.square(error(y_true, y_pred)), 100)


# --- second_derivative -----------------------------------------------------------


@row(REGRESSION, "second_derivative")
def slope_is_a_constant(y_true, y_pred):
    @tf.custom_gradient
    def square(e):
        slope = tf.stop_gradient(2 * e)
        return tf.square(e), lambda upstream: upstream * slope

    return square(error(y_true, y_pred))


def sigmoid_of_numpy(x):
    return (1 / (1 + np.exp(-x))).astype(x.dtype)  # an older bfloat16 becomes float32


@row("binary_logits", "second_derivative", "modes_agree")
def slope_from_numpy(y_true, y_pred):
    @tf.custom_gradient
    def softplus(x):
        def gradient(upstream):
            p = tf.numpy_function(sigmoid_of_numpy, [x], x.dtype)
            return upstream * p

        return tf.math.softplus(x), gradient

    return softplus(y_pred) - yes_or_no(y_true, y_pred) * y_pred


@row("sparse_logits", "second_derivative")
def probabilities_kept_from_the_forward_pass(y_true, y_pred):
    @tf.custom_gradient
    def of_logits(logits):
        labels = tf.one_hot(y_true, tf.shape(logits)[-1], dtype=logits.dtype)
        p = tf.stop_gradient(tf.nn.softmax(logits))
        loss = cross_entropy(y_true, logits)
        return loss, lambda upstream: upstream[:, None] * (p - labels)

    return of_logits(y_pred)


@row(REGRESSION, "second_derivative")
def log_cosh_with_a_stopped_tanh(y_true, y_pred):
    @tf.custom_gradient
    def log_cosh(e):
        def gradient(upstream):
            return upstream * tf.stop_gradient(tf.tanh(e))

        flat = tf.math.softplus(-2 * tf.abs(e)) - tf.cast(math.log(2), e.dtype)
        return tf.abs(e) + flat, gradient

    return log_cosh(error(y_true, y_pred))
