"""Each check just before it fails and just after: what it lets by, what it finds."""

from __future__ import annotations

from dataclasses import dataclass, field

import keras
import numpy as np
import pytest
import tensorflow as tf

from lossfn.testing import check_loss


def same_shape(y_true, y_pred):
    tf.debugging.assert_equal(tf.rank(y_true), tf.rank(y_pred))
    tf.debugging.assert_equal(tf.shape(y_true), tf.shape(y_pred))


def squared(y_true, y_pred):
    same_shape(y_true, y_pred)
    return tf.square(y_true - y_pred)


def plus(number):
    return lambda y_true, y_pred: (
        squared(y_true, y_pred) + tf.cast(number, y_pred.dtype)
    )


def signed(y_true, y_pred):
    """Negative where the prediction is too small."""
    return (y_pred - y_true) * tf.abs(y_pred - y_true)


def root_of_square(y_true, y_pred):
    return tf.sqrt(squared(y_true, y_pred))


def clipped_probability(y_true, y_pred):
    p = tf.clip_by_value(y_pred, 1e-7, 1 - 1e-7)
    return -y_true * tf.math.log(p) - (1 - y_true) * tf.math.log(1 - p)


def cross_entropy(y_true, y_pred, pos_weight=1.0):
    missed = pos_weight * y_true * tf.nn.softplus(-y_pred)
    return missed + (1 - y_true) * tf.nn.softplus(y_pred)


def softmax(y_true, y_pred):
    same_shape(y_true, y_pred)
    return -tf.reduce_sum(y_true * tf.nn.log_softmax(y_pred), axis=-1)


def one_hot(y_true, y_pred):
    return softmax(tf.one_hot(y_true, y_pred.shape[-1], dtype=y_pred.dtype), y_pred)


def pinball(level):
    def loss(y_true, y_pred):
        error = y_true - y_pred
        return tf.maximum(level * error, (level - 1) * error)

    return loss


# --- least ------------------------------------------------------------------------


def two_kinds(y_true, y_pred):
    """The first output is least at the mean, the second at the median."""
    error = y_pred - y_true
    return tf.stack([tf.square(error[:, 0]), tf.abs(error[:, 1])], axis=1)


def tube(width):
    return lambda y_true, y_pred: tf.nn.relu(tf.abs(y_pred - y_true) - width)


def always_half(y_true, y_pred):
    return tf.abs(y_pred - tf.ones_like(y_true) / 2)


FIXED = np.array([3.0, 2.0, 1.0]) / 6


# --- derivatives -----------------------------------------------------------------


def with_gradient(gradient):
    """Return the squared error with a gradient of somebody else."""

    @tf.custom_gradient
    def loss(y_true, y_pred):
        def backward(upstream):
            return None, upstream * gradient(y_pred - y_true, y_pred)

        return tf.square(y_pred - y_true), backward

    return loss


def wrong_for_large(error, y_pred):
    return tf.where(y_pred > 0.9, 3 * error, 2 * error)


def outside_at_zero(by):
    return lambda error, _: 2 * error + by * tf.cast(error == 0, error.dtype)


def from_absolute(y_true, y_pred):
    """A half-square from abs, whose curvature at 0 is 0."""
    error = tf.abs(y_pred - y_true)
    return tf.minimum(error, 1.0) * (error - tf.minimum(error, 1.0) / 2)


@tf.custom_gradient
def softmax_without_hessian(y_true, y_pred):
    def backward(upstream):
        gradient = tf.nn.softmax(y_pred) - y_true
        return None, upstream[:, None] * tf.stop_gradient(gradient)

    return softmax(y_true, y_pred), backward


def flat_when_wrong(y_true, y_pred):
    error = tf.abs(y_pred - y_true)
    return tf.minimum(error, 2.5)


def slowly(power):
    """The slope falls as the error to this power."""
    return lambda y_true, y_pred: tf.pow(1 + tf.abs(y_pred - y_true), power)


# --- shapes ----------------------------------------------------------------------


def column_of_labels(y_true, y_pred):
    return tf.square(tf.reshape(y_true, [-1, 1]) - y_pred)


def same_last(y_true, y_pred):
    tf.debugging.assert_equal(tf.shape(y_true)[-1], tf.shape(y_pred)[-1])
    return tf.square(y_true - y_pred)


def same_rank(y_true, y_pred):
    tf.debugging.assert_equal(tf.rank(y_true), tf.rank(y_pred))
    return tf.square(y_true - y_pred)


def mean_of_all_pairs(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred))


def known_rank(y_true, y_pred):
    """Checks what the trace knows, and asks for the rank."""
    if y_true.shape.rank is None or y_pred.shape.rank is None:
        raise ValueError("unknown rank")
    y_true.shape.assert_is_compatible_with(y_pred.shape)
    return tf.square(y_true - y_pred)


def known_rank_and_size(y_true, y_pred):
    """Lets two ranks through that are known and differ."""
    if y_true.shape.rank is None or y_pred.shape.rank is None:
        raise ValueError("unknown rank")
    if y_true.shape.rank == y_pred.shape.rank or tf.executing_eagerly():
        same_shape(y_true, y_pred)
    return tf.square(y_true - y_pred)


def mean_of_a_little_more(y_true, y_pred):
    count = tf.cast(tf.shape(y_pred)[0], y_pred.dtype)
    return 1.5 * tf.reduce_sum(tf.square(y_true - y_pred)) / (count + 0.5)


def by_order(y_true, y_pred):
    falling = y_true[0, 0] > y_true[-1, 0]
    return tf.square(y_true - y_pred) * tf.where(falling, 2.0, 1.0)


# --- labels ----------------------------------------------------------------------


def nan_for_all(y_true, y_pred):
    """A label out of range spoils the batch."""
    loss = cross_entropy(y_true, y_pred)
    possible = tf.reduce_all((y_true >= 0) & (y_true <= 1))
    return tf.where(possible, loss, tf.fill(tf.shape(loss), float("nan")))


def none_above_one(y_true, y_pred):
    tf.debugging.assert_less_equal(y_true, 1.0)
    return cross_entropy(y_true, y_pred)


def not_negative(y_true, y_pred):
    tf.debugging.assert_non_negative(y_true)
    return one_hot(y_true, y_pred)


def below_classes(y_true, y_pred):
    tf.debugging.assert_less(y_true, tf.cast(y_pred.shape[-1], y_true.dtype))
    return one_hot(y_true, y_pred)


def index_in(dtype):
    """The class index passes through one dtype, if the logits have it."""

    def loss(y_true, y_pred):
        if y_pred.dtype == dtype:
            y_true = tf.cast(tf.cast(y_true, dtype), tf.int64)
        return -tf.gather(tf.nn.log_softmax(y_pred), y_true, batch_dims=1)

    return loss


def of_library(refused):
    """The dense op, whose gradient is right for labels that sum to one alone."""

    def loss(y_true, y_pred):
        total = tf.reduce_sum(y_true, axis=-1)
        tf.debugging.Assert(~tf.reduce_any(refused(total)), [total])
        return tf.nn.softmax_cross_entropy_with_logits(y_true, y_pred)

    return loss


def nan_label_is_zero(y_true, y_pred):
    return tf.where(tf.math.is_nan(y_true), 0.0, tf.square(y_true - y_pred))


def nan_prediction_is_zero(y_true, y_pred):
    return tf.where(tf.math.is_nan(y_pred), 0.0, tf.square(y_true - y_pred))


def nan_spreads(y_true, y_pred):
    return tf.square(y_true - y_pred) + 0 * tf.reduce_sum(y_pred)


# --- modes -----------------------------------------------------------------------


def of_known_size(y_true, y_pred):
    return tf.reshape(tf.square(y_true - y_pred), [y_pred.shape[0], 1])


def not_for_xla(y_true, y_pred):
    return tf.numpy_function(lambda a: a, [tf.square(y_true - y_pred)], y_pred.dtype)


def other_when_eager(largest):
    """Eagerly the loss stops."""

    def loss(y_true, y_pred):
        loss = tf.square(y_true - y_pred)
        return tf.minimum(loss, largest) if tf.executing_eagerly() else loss

    return loss


@tf.function
def times(scale, losses):
    return scale * losses


def scaled(y_true, y_pred, scale=1.0):
    return times(scale, squared(y_true, y_pred))


# --- Keras -----------------------------------------------------------------------


class Weighing(keras.Loss):
    """Changes the weights that it is given."""

    def __init__(self, change, **keywords):
        super().__init__(**keywords)
        self.change = change

    def call(self, y_true, y_pred):
        return tf.reduce_mean(squared(y_true, y_pred), axis=-1)

    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            sample_weight = self.change(sample_weight)
        return super().__call__(y_true, y_pred, sample_weight)


@keras.saving.register_keras_serializable(package="test_testing_edges")
class LosesScale(keras.Loss):
    """Remembers what it cannot be made without, and nothing else."""

    def __init__(self, level, scale=1.0, name="loses_scale", **keywords):
        super().__init__(name=name, **keywords)
        self.level, self.scale = level, scale

    def call(self, y_true, y_pred):
        return self.scale * tf.reduce_mean(pinball(self.level)(y_true, y_pred), axis=-1)

    def get_config(self):
        return {**super().get_config(), "level": self.level}


@dataclass(frozen=True)
class Edge:
    check: str
    loss: object
    task: str
    passes: bool
    options: dict[str, object] = field(default_factory=dict)


def row(check: str, loss: object, task: str, passes: bool, **options: object) -> Edge:
    return Edge(check, loss, task, passes, options)


BINARY, ONEHOT, SPARSE = "binary_logits", "onehot_logits", "sparse_logits"
NUMBERS, QUANTILE = "regression", "quantile"
EDGES = {
    "clip_at_1e-7": row(
        "zero_at_perfect", clipped_probability, "binary_probabilities", True
    ),
    "plus_5e-7": row("zero_at_perfect", plus(5e-7), NUMBERS, True),
    "plus_5e-6": row("zero_at_perfect", plus(5e-6), NUMBERS, False),
    "minus_5e-6": row("zero_at_perfect", plus(-5e-6), NUMBERS, False),
    "signed": row("zero_at_perfect", signed, NUMBERS, False),
    "root_of_square": row("finite", root_of_square, NUMBERS, False),
    "mean_and_median": row(
        "least_at_target", two_kinds, NUMBERS, False, outputs=2, target="mean"
    ),
    "narrow_tube": row("least_at_target", tube(0.1), NUMBERS, True),
    "wide_tube": row("least_at_target", tube(0.3), NUMBERS, False),
    "always_half": row("least_at_target", always_half, NUMBERS, False),
    "weight_1.1": row(
        "least_at_target", cross_entropy, BINARY, False, parameters={"pos_weight": 1.1}
    ),
    "weight_0.9": row(
        "least_at_target", cross_entropy, BINARY, False, parameters={"pos_weight": 0.9}
    ),
    "target_that_is_fixed": row(
        "least_at_target", softmax, ONEHOT, False, target=lambda truth: FIXED
    ),
    "target_of_one_half": row(
        "least_at_target", cross_entropy, BINARY, False, target=lambda truth: 0.5
    ),
    "level_0.9": row("least_at_target", pinball(0.9), QUANTILE, True, target=0.9),
    "level_0.93": row("least_at_target", pinball(0.93), QUANTILE, False, target=0.9),
    "level_0.87": row("least_at_target", pinball(0.87), QUANTILE, False, target=0.9),
    "gradient_of_third": row(
        "gradient", with_gradient(wrong_for_large), NUMBERS, False
    ),
    "gradient_0.01_percent": row(
        "gradient", with_gradient(lambda error, _: 2.0001 * error), NUMBERS, True
    ),
    "gradient_0.1_percent": row(
        "gradient", with_gradient(lambda error, _: 2.001 * error), NUMBERS, False
    ),
    "kink-right": row(
        "gradient_at_kinks", with_gradient(outside_at_zero(0.0)), NUMBERS, True
    ),
    "kink-above": row(
        "gradient_at_kinks", with_gradient(outside_at_zero(0.01)), NUMBERS, False
    ),
    "kink-below": row(
        "gradient_at_kinks", with_gradient(outside_at_zero(-0.01)), NUMBERS, False
    ),
    "second-at_kink": row("second_derivative", from_absolute, NUMBERS, False),
    "second-hidden": row("second_derivative", softmax_without_hessian, ONEHOT, False),
    "second-2_percent": row(
        "second_derivative",
        with_gradient(
            lambda error, _: 2 * error + 0.02 * (error - tf.stop_gradient(error))
        ),
        NUMBERS,
        False,
    ),
    "flat": row("gradient_does_not_vanish", flat_when_wrong, NUMBERS, False),
    # The errors are 3 and 10,000: the slopes differ by a factor of 50, and of 2,500.
    "slope_of_root": row("gradient_does_not_vanish", slowly(0.5), NUMBERS, True),
    "slope_of_limit": row("gradient_does_not_vanish", slowly(-1.0), NUMBERS, False),
    "flat_predictions": row("no_broadcast", column_of_labels, NUMBERS, False),
    "same_last": row("no_broadcast", same_last, NUMBERS, False, outputs=3),
    "same_rank": row("no_broadcast", same_rank, NUMBERS, False, outputs=3),
    "mean_of_all_pairs": row(
        "no_broadcast", mean_of_all_pairs, NUMBERS, False, reduction="mean"
    ),
    "known_rank": row(
        "no_broadcast_unknown_shapes", known_rank, NUMBERS, False, outputs=3
    ),
    "known_rank-eager": row("no_broadcast", known_rank, NUMBERS, True, outputs=3),
    "known_rank_and_size": row(
        "no_broadcast_unknown_shapes", known_rank_and_size, NUMBERS, False
    ),
    "known_rank_and_size-eager": row(
        "no_broadcast", known_rank_and_size, NUMBERS, True
    ),
    "a_little_more": row(
        "one_value_per_example", mean_of_a_little_more, NUMBERS, False, reduction="mean"
    ),
    "by_order": row("neighbours", by_order, NUMBERS, False),
    "nan_for_all": row("labels_out_of_range", nan_for_all, BINARY, False),
    "none_above_one": row("labels_out_of_range", none_above_one, BINARY, False),
    "not_negative": row("labels_out_of_range", not_negative, SPARSE, False),
    "below_classes": row("labels_out_of_range", below_classes, SPARSE, False),
    "index_in_bfloat16": row("large_labels", index_in("bfloat16"), SPARSE, False),
    "index_in_float16": row("large_labels", index_in("float16"), SPARSE, False),
    "index_in_float32": row("large_labels", index_in("float32"), SPARSE, True),
    "not_empty": row(
        "labels_not_summing_to_one", of_library(lambda total: total == 0), ONEHOT, False
    ),
    "not_large": row(
        "labels_not_summing_to_one",
        of_library(lambda total: total > 1.5),
        ONEHOT,
        False,
    ),
    "one": row(
        "labels_not_summing_to_one",
        of_library(lambda total: abs(total - 1) > 1e-3),
        ONEHOT,
        True,
    ),
    "nan_label": row("nan_stays_alone", nan_label_is_zero, NUMBERS, False),
    "nan_prediction": row("nan_stays_alone", nan_prediction_is_zero, NUMBERS, False),
    "nan_spreads": row("nan_stays_alone", nan_spreads, NUMBERS, False),
    # There is no more to say of a loss that is always NaN.
    "nan_always": row("nan_stays_alone", plus(float("nan")), NUMBERS, True),
    "of_known_size": row("modes_agree", of_known_size, NUMBERS, False),
    "not_for_xla": row("modes_agree", not_for_xla, NUMBERS, False),
    "other_when_eager": row("modes_agree", other_when_eager(1000.0), NUMBERS, False),
    "traced_parameter": row("no_retracing", scaled, NUMBERS, False),
    "weights_as_booleans": row(
        "sample_weights", Weighing(lambda w: tf.cast(w > 0, w.dtype)), NUMBERS, False
    ),
    "weights_as_booleans-16_bits": row(
        "sample_weights",
        Weighing(lambda w: tf.cast(w > 0, w.dtype), dtype="bfloat16"),
        NUMBERS,
        False,
    ),
    "weights_of_one_at_least": row(
        "sample_weights", Weighing(lambda w: tf.maximum(w, 1.0)), NUMBERS, False
    ),
    "weights_to_a_power": row(
        "sample_weights", Weighing(lambda w: w**1.1), NUMBERS, False
    ),
    "loses_scale": row("save_and_load", LosesScale(0.9), QUANTILE, False, target=0.9),
}


@pytest.mark.parametrize("name", EDGES)
def test_a_check_draws_its_line_here(name):
    edge = EDGES[name]
    report = check_loss(edge.loss, task=edge.task, checks=[edge.check], **edge.options)
    result = report[edge.check]
    assert result.status == ("passed" if edge.passes else "failed"), result.seen
    if edge.check != "modes_agree":
        # It fails for what it is, and not because the loss did not run.
        assert "raises" not in result.seen


def test_the_first_value_below_zero_is_shown():
    report = check_loss(signed, task=NUMBERS, checks=["zero_at_perfect"])
    result = report["zero_at_perfect"]
    assert "below 0" in result.seen
    assert result.y_pred.shape == (1, 1)
    assert signed(result.y_true, result.y_pred) < 0
