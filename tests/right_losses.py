"""Losses written by hand that are right, each in a style of its own.

They are other people's losses: formulas from textbooks in their stable form, with the
checks that their authors would write. lossfn has no part in them.
"""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import ops


def same_shape(one, other):
    """Ask for it in two steps: of shapes (3,) and (3, 3) the second says yes."""
    tf.debugging.assert_equal(tf.rank(one), tf.rank(other))
    tf.debugging.assert_equal(tf.shape(one), tf.shape(other))


# --- of yes-or-no labels ---------------------------------------------------------


def keras_ops(y_true, y_pred):
    """In keras.ops: labels are lined up, and one that is neither gives NaN."""
    y_true = ops.reshape(ops.cast(y_true, y_pred.dtype), ops.shape(y_pred))
    loss = ops.softplus(y_pred) - y_true * y_pred
    possible = ops.logical_and(y_true >= 0, y_true <= 1)
    return ops.where(possible, loss, ops.full_like(loss, float("nan")))


def tf_nn_like(*, labels, logits, pos_weight=1.0, name=None):
    """With the keywords of tf.nn, and assertions."""
    with tf.name_scope(name or "loss"):
        same_shape(labels, logits)
        tf.debugging.assert_less_equal(tf.abs(2 * labels - 1), tf.ones_like(labels))
        pos_weight = tf.cast(pos_weight, logits.dtype)
        missed = pos_weight * labels * tf.nn.softplus(-logits)
        return missed + (1 - labels) * tf.nn.softplus(logits)


class TorchPort:
    """The log-sum-exp of older PyTorch, whose maximum cancels, as an object."""

    def __call__(self, target, output):
        same_shape(target, output)
        tf.debugging.assert_less_equal(tf.reduce_max(target), tf.ones([], target.dtype))
        tf.debugging.assert_non_negative(target)
        largest = tf.nn.relu(-output)
        rest = tf.math.log(tf.exp(-largest) + tf.exp(-output - largest))
        return output - output * target + largest + rest


def of_probabilities(y_true, y_pred):
    """Of probabilities: 0 log 0 is 0, and what is ruled out costs infinitely much."""
    same_shape(y_true, y_pred)
    tf.debugging.assert_less_equal(tf.abs(2 * y_true - 1), tf.ones_like(y_true))
    return -tf.math.xlogy(y_true, y_pred) - tf.math.xlogy(1 - y_true, 1 - y_pred)


def mean_over_labels(y_true, y_pred):
    """One loss for each example: the mean over its labels."""
    return tf.reduce_mean(of_probabilities(y_true, y_pred), axis=-1)


def brier(y_true, y_pred):
    """The squared error of probabilities, which has no infinity."""
    same_shape(y_true, y_pred)
    tf.debugging.assert_less_equal(tf.abs(2 * y_true - 1), tf.ones_like(y_true))
    return tf.math.squared_difference(y_true, y_pred)


# --- of one class out of several -------------------------------------------------


def log_softmax(y_true, y_pred):
    """The definition, of which every derivative is right for any labels."""
    same_shape(y_true, y_pred)
    tf.debugging.assert_non_negative(y_true)
    return -tf.reduce_sum(y_true * tf.nn.log_softmax(y_pred), axis=-1)


def in_float32(y_true, y_pred):
    """16-bit numbers are computed in float32, and rounded at the end."""
    if y_pred.dtype.size >= 4:
        return log_softmax(y_true, y_pred)
    loss = log_softmax(tf.cast(y_true, tf.float32), tf.cast(y_pred, tf.float32))
    return tf.cast(loss, y_pred.dtype)


def of_distributions(y_true, y_pred):
    """Of probabilities of classes."""
    same_shape(y_true, y_pred)
    tf.debugging.assert_non_negative(y_true)
    return -tf.reduce_sum(tf.math.xlogy(y_true, y_pred), axis=-1)


def looked_up(y_true, y_pred):
    """The logit of the class, from the log-sum-exp of all; gather refuses others."""
    y_true = tf.reshape(y_true, tf.shape(y_pred)[:-1])
    of_class = tf.gather(y_pred, y_true, batch_dims=1)
    return tf.reduce_logsumexp(y_pred, axis=-1) - of_class


def looked_up_probability(y_true, y_pred):
    """The probability of the class."""
    return -tf.math.log(tf.gather(y_pred, y_true, batch_dims=1))


# --- of numbers ------------------------------------------------------------------


def squared(y_true, y_pred):
    """The plainest of all, for targets of the right shape."""
    same_shape(y_true, y_pred)
    return tf.square(y_pred - y_true)


def absolute(y_true, y_pred):
    """Lines up targets of another rank."""
    y_true = tf.reshape(y_true, tf.shape(y_pred))
    return tf.abs(y_true - y_pred)


def log_cosh(y_true, y_pred):
    """In a form without a kink, averaged over the outputs."""
    error = ops.subtract(y_pred, ops.reshape(y_true, ops.shape(y_pred)))
    two = ops.cast(2.0, error.dtype)
    return ops.mean(error + ops.softplus(-two * error) - ops.log(two), axis=-1)


def mean_squared(y_true, y_pred):
    """The mean over the batch, of numbers of any size and dtype."""
    losses = tf.cast(squared(y_true, y_pred), tf.float64)
    return tf.cast(tf.reduce_mean(losses), y_pred.dtype)


def summed_squared(y_true, y_pred):
    """The sum over the batch, with half the square."""
    return tf.reduce_sum(squared(y_true, y_pred)) / 2


def huber(y_true, y_pred, delta=1.0):
    """Two branches, both of which are finite everywhere."""
    error = y_pred - tf.reshape(y_true, tf.shape(y_pred))
    delta = tf.cast(delta, error.dtype)
    near = tf.clip_by_value(error, -delta, delta)
    return near * (error - near / 2)


def pinball(y_true, y_pred, levels):
    """One level for each output, averaged over them."""
    same_shape(y_true, y_pred)
    error, levels = y_true - y_pred, tf.constant(levels, y_pred.dtype)
    return tf.reduce_mean(tf.maximum(levels * error, (levels - 1) * error), axis=-1)


def gamma_deviance(y_true, y_pred):
    """Of positive numbers, least at the mean."""
    ratio = y_true / y_pred
    same_shape(y_true, y_pred)
    return 2 * (ratio - 1 - tf.math.log(ratio))


def poisson_deviance(y_true, y_pred):
    """Of positive numbers, least at the mean too."""
    same_shape(y_true, y_pred)
    log_ratio = tf.math.log(y_true) - tf.math.log(y_pred)
    return 2 * (y_true * log_ratio - y_true + y_pred)


def squared_logarithmic(y_true, y_pred):
    """Of the logarithms of positive numbers."""
    return squared(tf.math.log1p(y_true), tf.math.log1p(y_pred))


# --- classes ---------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="right_losses")
class Scaled(keras.Loss):
    """A class as the manual of Keras shows it."""

    def __init__(self, scale=2.0, name="scaled", **keywords):
        super().__init__(name=name, **keywords)
        self.scale = scale

    def call(self, y_true, y_pred):
        return self.scale * tf.reduce_mean(squared(y_true, y_pred), axis=-1)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


@keras.saving.register_keras_serializable(package="right_losses")
class Levels(keras.Loss):
    """A class that cannot be made without its parameter, and fixes it."""

    def __init__(self, levels, *, reduction="sum", name="levels", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self._levels = tuple(levels)

    levels = property(lambda self: self._levels)

    def call(self, y_true, y_pred):
        return pinball(y_true, y_pred, self._levels)

    def get_config(self):
        return {**super().get_config(), "levels": list(self._levels)}


@keras.saving.register_keras_serializable(package="right_losses")
class Frozen(keras.Loss):
    """A class whose attributes cannot be set."""

    def __init__(self, factor=3.0, reduction="sum_over_batch_size", name="frozen"):
        super().__init__(name=name, reduction=reduction)
        self.__dict__["factor"] = factor

    def __setattr__(self, name, value):
        if "factor" in self.__dict__:
            raise AttributeError(f"{name} is fixed")
        super().__setattr__(name, value)

    def call(self, y_true, y_pred):
        return tf.reduce_mean(self.factor * absolute(y_true, y_pred), axis=-1)

    def get_config(self):
        config = super().get_config()
        return {key: config[key] for key in ("reduction", "name")} | {
            "factor": self.factor
        }


class WithMethod:
    """Something else, one method of which is a loss."""

    def __init__(self, weight):
        self.weight = weight

    def loss(self, y_true, y_pred):
        return self.weight * squared(y_true, y_pred)
