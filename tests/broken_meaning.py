"""Broken losses: least at the wrong place, and blind to labels that are wrong."""

from __future__ import annotations

import math

import tensorflow as tf

from tests.broken import (
    Rows,
    binary_cross_entropy,
    class_index,
    cross_entropy,
    error,
    same_shape,
    yes_or_no,
)

ROWS = Rows()
row = ROWS.row
REGRESSION = "regression"


# --- least_at_target -------------------------------------------------------------


@row("quantile", "least_at_target", target=0.9, shows="smaller")
def quantile_of_the_swapped_error(y_true, y_pred):
    e = -error(y_true, y_pred)
    return tf.maximum(0.9 * e, (0.9 - 1) * e)


@row("sparse_logits", "least_at_target", shows="smaller")
def class_weights_that_nobody_declared(y_true, y_pred):
    weights = tf.cast([1.0, 5.0, 2.0], y_pred.dtype)
    return tf.gather(weights, y_true) * cross_entropy(y_true, y_pred)


@row("binary_logits", "least_at_target", "gradient_does_not_vanish", "zero_at_perfect")
def logits_first(y_true, y_pred):
    y_true = yes_or_no(y_true, y_pred)
    return tf.nn.sigmoid_cross_entropy_with_logits(y_pred, y_true)


@row("binary_logits", "least_at_target", shows="smaller")
def focal_loss_read_as_probability(y_true, y_pred):
    loss = binary_cross_entropy(y_true, y_pred)
    return tf.square(1 - tf.exp(-loss)) * loss


@row(REGRESSION, "least_at_target", target="mean", shows="smaller")
def absolute_error_for_the_mean(y_true, y_pred):
    return tf.abs(error(y_true, y_pred))


@row("positive_regression", "least_at_target", target="median", shows="smaller")
def percentage_error_for_the_median(y_true, y_pred):
    return 100 * tf.abs(error(y_true, y_pred)) / y_true


@row("binary_logits", "least_at_target", "gradient_does_not_vanish", shows="smaller")
def forgets_the_negative_class(y_true, y_pred):
    return yes_or_no(y_true, y_pred) * tf.math.softplus(-y_pred)


@row("sparse_probabilities", "least_at_target", shows="smaller")
def one_minus_the_probability(y_true, y_pred):
    return 1 - tf.gather(y_pred, class_index(y_true, y_pred), batch_dims=1)


# --- zero_at_perfect -------------------------------------------------------------


@row(REGRESSION, "zero_at_perfect", shows="0.9189")
def gaussian_with_its_constant(y_true, y_pred):
    constant = tf.cast(math.log(2 * math.pi) / 2, y_pred.dtype)  # 0.9189...
    return tf.square(error(y_true, y_pred)) / 2 + constant


@row("positive_regression", "zero_at_perfect", target="mean")
def poisson_without_its_constant(y_true, y_pred):
    y_true = same_shape(y_true, y_pred)
    return y_pred - y_true * tf.math.log(y_pred)


@row(REGRESSION, "zero_at_perfect", shows="0.6931")
def log_cosh_without_log_two(y_true, y_pred):
    e = error(y_true, y_pred)
    return e + tf.math.softplus(-2 * e)  # log(2) = 0.6931... too much


@row("sparse_logits", "zero_at_perfect", "least_at_target")
def smoothing_that_nobody_declared(y_true, y_pred):
    uniform = -tf.reduce_mean(tf.nn.log_softmax(y_pred), -1)
    return 0.9 * cross_entropy(y_true, y_pred) + 0.1 * uniform


# --- large_labels ----------------------------------------------------------------


@row("sparse_logits", "large_labels", shows="class 257")
def labels_in_the_dtype_of_the_logits(y_true, y_pred):
    y_true = tf.cast(class_index(y_true, y_pred), y_pred.dtype)
    return cross_entropy(tf.cast(y_true, tf.int32), y_pred)


@row("sparse_logits", "large_labels", shows="class 257")
def labels_in_a_byte(y_true, y_pred):
    y_true = tf.cast(class_index(y_true, y_pred), tf.uint8)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(
        tf.cast(y_true, tf.int32), y_pred
    )


@row("sparse_logits", "large_labels", shows="class 257")
def compares_labels_with_a_range_of_floats(y_true, y_pred):
    classes = tf.cast(tf.range(y_pred.shape[-1]), y_pred.dtype)
    labels = tf.cast(class_index(y_true, y_pred), y_pred.dtype)[:, None]
    is_label = tf.cast(classes == labels, y_pred.dtype)
    return -tf.reduce_sum(is_label * tf.nn.log_softmax(y_pred), -1)


# --- labels_out_of_range ---------------------------------------------------------


@row("sparse_logits", "labels_out_of_range", shows="[0]")
def one_hot_of_anything(y_true, y_pred):
    y_true = same_shape(y_true, y_pred[..., 0])
    labels = tf.one_hot(y_true, y_pred.shape[-1], dtype=y_pred.dtype)
    return -tf.reduce_sum(labels * tf.nn.log_softmax(y_pred), -1)


@row("sparse_logits", "labels_out_of_range")
def clips_the_labels(y_true, y_pred):
    y_true = tf.clip_by_value(y_true, 0, y_pred.shape[-1] - 1)
    return cross_entropy(y_true, y_pred)


@row("binary_logits", "labels_out_of_range")
def labels_from_an_image_mask(y_true, y_pred):
    return tf.nn.sigmoid_cross_entropy_with_logits(same_shape(y_true, y_pred), y_pred)


@row("onehot_logits", "labels_out_of_range")
def negative_weights_as_labels(y_true, y_pred):
    y_true = same_shape(y_true, y_pred)
    return -tf.reduce_sum(y_true * tf.nn.log_softmax(y_pred), -1)


# --- labels_not_summing_to_one ---------------------------------------------------


@row("onehot_logits", "labels_not_summing_to_one", shows="[5, 0, 0]")
def softmax_op_of_tensorflow(y_true, y_pred):
    y_true = same_shape(y_true, y_pred)
    tf.debugging.assert_non_negative(y_true)
    return tf.nn.softmax_cross_entropy_with_logits(y_true, y_pred)


@row("onehot_logits", "labels_not_summing_to_one", shows="[5, 0, 0]")
def gradient_of_the_lecture(y_true, y_pred):
    @tf.custom_gradient
    def of_logits(logits):
        logs = tf.nn.log_softmax(logits)

        def gradient(upstream):
            return upstream[:, None] * (tf.nn.softmax(logits) - y_true)

        return -tf.reduce_sum(y_true * logs, -1), gradient

    y_true = same_shape(y_true, y_pred)
    tf.debugging.assert_non_negative(y_true)
    return of_logits(y_pred)


@row(
    "onehot_logits",
    "labels_not_summing_to_one",
    "labels_out_of_range",
    "no_broadcast",
    "no_broadcast_unknown_shapes",
    make=True,
)
def the_op_itself():
    return tf.nn.softmax_cross_entropy_with_logits


# --- nan_stays_alone -------------------------------------------------------------


@row(REGRESSION, "nan_stays_alone", shows="[0]")
def nan_to_zero(y_true, y_pred):
    loss = tf.square(error(y_true, y_pred))
    return tf.where(tf.math.is_nan(loss), tf.zeros_like(loss), loss)


@row(REGRESSION, "nan_stays_alone", shows="[0]")
def missing_targets_cost_nothing(y_true, y_pred):
    y_true = same_shape(y_true, y_pred)
    y_true = tf.where(tf.math.is_nan(y_true), y_pred, y_true)
    return tf.square(error(y_true, y_pred))


@row("binary_logits", "nan_stays_alone", "labels_out_of_range")
def everything_else_is_negative(y_true, y_pred):
    positive = same_shape(y_true, y_pred) == 1
    return tf.where(positive, tf.math.softplus(-y_pred), tf.math.softplus(y_pred))


@row("sparse_logits", "nan_stays_alone")
def replaces_broken_logits(y_true, y_pred):
    finite = tf.math.is_finite(y_pred)
    y_pred = tf.where(finite, y_pred, tf.zeros_like(y_pred))
    return cross_entropy(y_true, y_pred)
