"""Broken losses: NaN, infinity, and digits that are lost."""

from __future__ import annotations

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


# --- finite ----------------------------------------------------------------------


@row("sparse_logits", "finite", "finite_16_bits", "gradient_does_not_vanish")
def log_of_softmax(y_true, y_pred):
    y_true = class_index(y_true, y_pred)
    probability = tf.gather(tf.nn.softmax(y_pred), y_true, batch_dims=1)
    return -tf.math.log(probability)


@row("binary_logits", "finite", "finite_16_bits", "gradient_does_not_vanish")
def softplus_by_hand(y_true, y_pred):
    y_true = yes_or_no(y_true, y_pred)
    return tf.math.log(1 + tf.exp(y_pred)) - y_true * y_pred


@row("binary_probabilities", "finite", "finite_16_bits", "zero_at_perfect")
def zero_times_log_of_zero(y_true, y_pred):
    y_true = yes_or_no(y_true, y_pred)
    return -y_true * tf.math.log(y_pred) - (1 - y_true) * tf.math.log(1 - y_pred)


@row(
    REGRESSION,
    "finite",
    "finite_16_bits",
    "gradient_at_kinks",
    "second_derivative",
)
def root_of_the_square(y_true, y_pred):
    return tf.sqrt(tf.square(error(y_true, y_pred)))


@row(
    REGRESSION,
    "finite",
    "finite_16_bits",
    "gradient_at_kinks",
    "second_derivative",
    outputs=2,
)
def norm_of_the_errors(y_true, y_pred):
    return tf.norm(error(y_true, y_pred), axis=-1)


@row("binary_probabilities", "finite", "finite_16_bits")
def where_after_the_log(y_true, y_pred):
    def surprise(label, probability):
        loss = -label * tf.math.log(probability)
        return tf.where(label == 0, tf.zeros_like(loss), loss)

    y_true = yes_or_no(y_true, y_pred)
    return surprise(y_true, y_pred) + surprise(1 - y_true, 1 - y_pred)


@row(REGRESSION, "finite", "finite_16_bits", "gradient_does_not_vanish")
def log_of_cosh(y_true, y_pred):
    return tf.math.log(tf.cosh(error(y_true, y_pred)))


# --- finite_16_bits --------------------------------------------------------------


@row("binary_probabilities", "finite_16_bits", "modes_agree", shows="float16")
def epsilon_that_float16_has_not(y_true, y_pred):
    y_true = yes_or_no(y_true, y_pred)
    positive = y_true * tf.math.log(y_pred + 1e-8)
    return -positive - (1 - y_true) * tf.math.log(1 - y_pred + 1e-8)


@row(REGRESSION, "finite_16_bits", shows="float16")
def pseudo_huber_with_a_square(y_true, y_pred):
    return tf.sqrt(1 + tf.square(error(y_true, y_pred))) - 1


@row("sparse_logits", "finite_16_bits", shows="float16")
def minus_a_billion_for_a_mask(y_true, y_pred):
    allowed = tf.ones_like(y_pred[:1])
    masked = y_pred + (1 - allowed) * tf.cast(-1e9, y_pred.dtype)
    return cross_entropy(y_true, masked)


@row(REGRESSION, "finite_16_bits", reduction="mean", shows="17500 times")
def mean_in_float16(y_true, y_pred):
    loss = tf.square(error(y_true, y_pred))
    return tf.reduce_sum(loss) / tf.cast(tf.size(loss), loss.dtype)


# --- dtype_kept ------------------------------------------------------------------


@row(REGRESSION, "dtype_kept", shows="float64")
def computes_in_float64_and_stays(y_true, y_pred):
    return tf.square(tf.cast(error(y_true, y_pred), tf.float64))


@row("multilabel_logits", "dtype_kept", shows="float16")
def widens_16_bits_and_stays(y_true, y_pred):
    if y_pred.dtype.size < 4:
        y_true, y_pred = tf.cast(y_true, tf.float32), tf.cast(y_pred, tf.float32)
    return binary_cross_entropy(y_true, y_pred)


@row("sparse_logits", "dtype_kept", "finite_16_bits")
def one_hot_in_float32(y_true, y_pred):
    labels = tf.one_hot(class_index(y_true, y_pred), y_pred.shape[-1])
    return -tf.reduce_sum(labels * tf.nn.log_softmax(y_pred), -1)


@row(REGRESSION, "dtype_kept", "float64_precision")
def casts_everything_to_float32(y_true, y_pred):
    y_true, y_pred = tf.cast(y_true, tf.float32), tf.cast(y_pred, tf.float32)
    return tf.square(error(y_true, y_pred))


# --- float64_precision -----------------------------------------------------------


@row(REGRESSION, "float64_precision")
def there_and_back_through_float32(y_true, y_pred):
    e = tf.cast(error(y_true, y_pred), tf.float32)
    return tf.cast(tf.square(e), y_pred.dtype)


@row("onehot_logits", "float64_precision")
def softmax_in_float32(y_true, y_pred):
    labels = tf.cast(distribution(y_true, y_pred), tf.float32)
    logs = tf.nn.log_softmax(tf.cast(y_pred, tf.float32))
    return tf.cast(-tf.reduce_sum(labels * logs, -1), y_pred.dtype)


@row("binary_probabilities", "float64_precision")
def predictions_stored_in_float32(y_true, y_pred):
    stored = tf.cast(y_pred, tf.float32)
    y_true = yes_or_no(tf.cast(y_true, tf.float32), stored)
    logs = tf.math.xlogy(y_true, stored) + tf.math.xlog1py(1 - y_true, -stored)
    return tf.cast(-logs, y_pred.dtype)


@row(REGRESSION, "float64_precision")
def targets_stored_in_float32(y_true, y_pred):
    y_true = tf.cast(tf.cast(y_true, tf.float32), y_pred.dtype)
    return tf.square(error(y_true, y_pred))
