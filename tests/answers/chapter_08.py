"""Answers to the exercises of chapter 8."""

import numpy as np
import tensorflow as tf
from scipy.optimize import minimize_scalar

from tests.answers import Right, Wrong


def linex_of(function):
    """Make a loss of the scaled error."""
    return lambda y_true, y_pred, kappa: function(kappa * (y_pred - y_true))


def as_it_stands(s):
    return tf.exp(s) - s - 1


def truth_minus_prediction(y_true, y_pred, kappa):
    return tf.math.expm1(kappa * (y_true - y_pred)) - kappa * (y_true - y_pred)


def linear_without_kappa(y_true, y_pred, kappa):
    return tf.math.expm1(kappa * (y_pred - y_true)) - (y_pred - y_true)


def mean_linex(y_true, y_pred, kappa):
    s = kappa * (y_pred - y_true)
    return tf.reduce_mean(tf.math.expm1(s) - s)


def with_series(s):
    near = tf.abs(s) < 0.1
    safe = tf.where(near, tf.ones_like(s), s)
    series = s**2 / 2 + s**3 / 6 + s**4 / 24 + s**5 / 120
    return tf.where(near, series, as_it_stands(safe))


def spherical_with(numerator, power=0.5, sign=-1):
    def spherical(y, z):
        a = tf.sigmoid(z)
        return sign * numerator(y, a) / (a**2 + (1 - a) ** 2) ** power

    return spherical


def hit(y, a):
    return y * a + (1 - y) * (1 - a)


def of_sigmoid(y, a):
    return -hit(y, a) / np.hypot(a, 1 - a)


def of_logits(y, z):
    return of_sigmoid(y, z)


def by_norm(y, z):
    pair = tf.stack([tf.sigmoid(-z), tf.sigmoid(z)], axis=-1)
    chosen = tf.gather(pair, tf.cast(y, tf.int32), axis=-1, batch_dims=1)
    return -chosen / tf.norm(pair, axis=-1)


def by_search(y):
    found = minimize_scalar(
        lambda c: np.mean(((y - c) / y) ** 2), bounds=(y.min(), y.max())
    )
    return round(found.x, 6)


def trapped(y_true, y_pred):
    product = tf.where(y_true > 0, y_true * tf.math.log(y_true / y_pred), 0.0)
    return 2 * (product - y_true + y_pred)


def unguarded(y_true, y_pred):
    return 2 * (y_true * tf.math.log(y_true / y_pred) - y_true + y_pred)


def no_nan(y_true, y_pred):
    log = tf.math.log(y_true / y_pred)
    return 2 * (tf.math.multiply_no_nan(log, y_true) - y_true + y_pred)


def zeros_left_out(y_true, y_pred):
    safe = tf.where(y_true > 0, y_true, 1.0)
    deviance = 2 * (y_true * tf.math.log(safe / y_pred) - y_true + y_pred)
    return tf.where(y_true > 0, deviance, 0.0)


def mended(y_true, y_pred):
    safe = tf.where(y_true > 0, y_true, 1.0)
    return 2 * (y_true * tf.math.log(safe / y_pred) - y_true + y_pred)


def by_xlogy(y_true, y_pred):
    product = tf.math.xlogy(y_true, y_true) - y_true * tf.math.log(y_pred)
    return 2 * (product - y_true + y_pred)


def with_safe_ratio(y_true, y_pred):
    ratio = tf.where(y_true > 0, y_true / y_pred, 1.0)
    return 2 * (y_true * tf.math.log(ratio) - y_true + y_pred)


WRONG = [
    Wrong(
        "ex-08-spherical",
        "NumPy",
        lambda y, z: of_sigmoid(y, 1 / (1 + np.exp(-z))),
        "Your function has no gradient: nothing can be trained with it. Compute with "
        "TensorFlow from the arguments to what you return, without NumPy, casts to "
        "whole numbers or comparisons alone.",
    ),
    Wrong(
        "ex-08-linex",
        "as it stands",
        linex_of(as_it_stands),
        "The formula is right, and in float32 it loses digits for small errors: the "
        "exponential is close to 1 there, and subtracting 1 cancels. tf.math.expm1 "
        "does both at once.",
    ),
    Wrong(
        "ex-08-linex",
        "truth minus prediction",
        truth_minus_prediction,
        "For y_true = [30.0, 20.0, 40.0, 10.0], y_pred = [34.0, 10.0, 40.0, 9.0] and "
        "kappa = 0.05 your function gives 0.01873 at position 0, where 0.0214 is "
        "right. The error is y_pred - y_true: too much is the dear side.",
    ),
    Wrong(
        "ex-08-linex",
        "linear without kappa",
        linear_without_kappa,
        "For y_true = [30.0, 20.0, 40.0, 10.0], y_pred = [34.0, 10.0, 40.0, 9.0] and "
        "kappa = 0.05 your function gives -3.779 at position 0, where 0.0214 is "
        "right. The linear term needs its kappa.",
    ),
    Wrong(
        "ex-08-linex",
        "mean",
        mean_linex,
        "Your function returns one number for the batch: then sample_weight cannot "
        "work. Return one loss for each example, and leave the mean to whoever "
        "trains.",
    ),
    Wrong(
        "ex-08-linex",
        "no one",
        linex_of(lambda s: tf.exp(s) - s),
        "For y_true = [30.0, 20.0, 40.0, 10.0], y_pred = [34.0, 10.0, 40.0, 9.0] and "
        "kappa = 0.05 your function gives 1.021 at position 0, where 0.0214 is right. "
        "The -1 is missing: a perfect prediction has a loss.",
    ),
    Wrong(
        "ex-08-linex",
        "NumPy",
        linex_of(lambda s: np.expm1(s) - s),
        "For y_true = [30.0, 20.0, 40.0, 10.0], y_pred = [34.0, 10.0, 40.0, 9.0] and "
        "kappa = 0.05 the gradient of your function is -0.05 at position 0, where "
        "0.01107 is right. Only the linear term has a gradient: what NumPy computes "
        "has none.",
    ),
    Wrong(
        "ex-08-spherical",
        "no division",
        spherical_with(hit, power=0),
        "For y = [1.0, 0.0, 1.0, 0.0] and sigmoid(z) = [0.8, 0.8, 0.3, 0.5] your "
        "function gives -0.8 at position 0, where -0.9701 is right. You divide by "
        "nothing, or by a + (1 - a), which is 1: then the best answer is 0 or 1.",
    ),
    Wrong(
        "ex-08-spherical",
        "no root",
        spherical_with(hit, power=1),
        "For y = [1.0, 0.0, 1.0, 0.0] and sigmoid(z) = [0.8, 0.8, 0.3, 0.5] your "
        "function gives -1.176 at position 0, where -0.9701 is right. Divide by the "
        "length, which is the root of the sum of squares.",
    ),
    Wrong(
        "ex-08-spherical",
        "a reward",
        spherical_with(hit, sign=1),
        "For y = [1.0, 0.0, 1.0, 0.0] and sigmoid(z) = [0.8, 0.8, 0.3, 0.5] your "
        "function gives 0.9701 at position 0, where -0.9701 is right. The minus is "
        "missing: the probability of what happened is a reward, and this is a loss.",
    ),
    Wrong(
        "ex-08-spherical",
        "yes alone",
        spherical_with(lambda y, a: a),
        "For y = [1.0, 0.0, 1.0, 0.0] and sigmoid(z) = [0.8, 0.8, 0.3, 0.5] your "
        "function gives -0.9701 at position 1, where -0.2425 is right. A no happens "
        "with the probability 1 - a, not a.",
    ),
    Wrong(
        "ex-08-spherical",
        "no sigmoid",
        of_logits,
        "For y = [1.0, 0.0, 1.0, 0.0] and sigmoid(z) = [0.8, 0.8, 0.3, 0.5] your "
        "function gives -0.9633 at position 0, where -0.9701 is right. z is a logit: "
        "take its sigmoid first.",
    ),
    Wrong(
        "ex-08-relative",
        "mean",
        np.mean,
        "For y = [1.0, 2.0, 5.0] your function gives 2.667, and 1.318 is right. This "
        "is the mean: its squared error in minutes is least.",
    ),
    Wrong(
        "ex-08-relative",
        "median",
        np.median,
        "For y = [1.0, 2.0, 5.0] your function gives 2, and 1.318 is right. This is "
        "the median.",
    ),
    Wrong(
        "ex-08-relative",
        "geometric",
        lambda y: np.exp(np.mean(np.log(y))),
        "For y = [1.0, 2.0, 5.0] your function gives 2.154, and 1.318 is right. This "
        "is the geometric mean: it minimises the squared error of logarithms.",
    ),
    Wrong(
        "ex-08-relative",
        "without the square",
        lambda y: min(y, key=lambda c: np.sum(np.abs(c - y) / y)),
        "For y = [1.0, 2.0, 5.0] your function gives 1, and 1.318 is right. This is "
        "the weighted median: it minimises the error in percent without the square.",
    ),
    Wrong(
        "ex-08-relative",
        "harmonic",
        lambda y: len(y) / np.sum(1 / y),
        "For y = [1.0, 2.0, 5.0] your function gives 1.765, and 1.318 is right. This "
        "is the harmonic mean: the weights are 1 / y^2, not 1 / y.",
    ),
    Wrong(
        "ex-08-relative",
        "of the forecast",
        lambda y: np.sum(y**2) / np.sum(y),
        "For y = [1.0, 2.0, 5.0] your function gives 3.75, and 1.318 is right. This "
        "divides by the forecast: divide by the truth.",
    ),
    Wrong(
        "ex-08-relative",
        "upside down",
        lambda y: np.sum(1 / y**2) / np.sum(1 / y),
        "For y = [1.0, 2.0, 5.0] your function gives 0.7588, and 1.318 is right. The "
        "fraction is upside down.",
    ),
    Wrong(
        "ex-08-deviance",
        "the trap",
        trapped,
        "For y_true = [0.0, 1.0, 3.0, 0.0] and y_pred = [2.0, 2.0, 2.0, 0.5] the "
        "gradient of your function is nan at position 0, where 2 is right. The value "
        "is right and the trap still there: the logarithm sees the 0, and its "
        "gradient is formed before the outer condition throws it away. Replace the 0 "
        "before the logarithm.",
    ),
    Wrong(
        "ex-08-deviance",
        "no guard",
        unguarded,
        "For y_true = [0.0, 1.0, 3.0, 0.0] and y_pred = [2.0, 2.0, 2.0, 0.5] your "
        "function gives nan at position 0, where 4 is right. A count of 0 has no "
        "logarithm: put a harmless number in its place.",
    ),
    Wrong(
        "ex-08-deviance",
        "multiply_no_nan",
        no_nan,
        "For y_true = [0.0, 1.0, 3.0, 0.0] and y_pred = [2.0, 2.0, 2.0, 0.5] the "
        "gradient of your function is nan at position 0, where 2 is right. The value "
        "is right and the trap still there: the logarithm sees the 0, and its "
        "gradient is formed before the outer condition throws it away. Replace the 0 "
        "before the logarithm.",
    ),
    Wrong(
        "ex-08-deviance",
        "NumPy",
        lambda y, p: 2 * (y * np.log(np.where(y > 0, y, 1) / p) - y + p),
        "For y_true = [0.0, 1.0, 3.0, 0.0] and y_pred = [2.0, 2.0, 2.0, 0.5] the "
        "gradient of your function is 2 at position 1, where 1 is right. The "
        "logarithm has no gradient: what NumPy computes has none.",
    ),
    Wrong(
        "ex-08-deviance",
        "zeros left out",
        zeros_left_out,
        "For y_true = [0.0, 1.0, 3.0, 0.0] and y_pred = [2.0, 2.0, 2.0, 0.5] your "
        "function gives 0 at position 0, where 4 is right. A count of 0 has a loss "
        "too: what is left of the formula is 2 mu.",
    ),
    Wrong(
        "ex-08-deviance",
        "half",
        lambda y, p: mended(y, p) / 2,
        "For y_true = [0.0, 1.0, 3.0, 0.0] and y_pred = [2.0, 2.0, 2.0, 0.5] your "
        "function gives 2 at position 0, where 4 is right. The factor 2 is missing.",
    ),
    Wrong(
        "ex-08-deviance",
        "mean",
        lambda y, p: tf.reduce_mean(mended(y, p)),
        "Your function returns one number for the batch: then sample_weight cannot "
        "work. Return one loss for each example, and leave the mean to whoever "
        "trains.",
    ),
]

RIGHT = [
    Right("ex-08-linex", "expm1", linex_of(lambda s: tf.math.expm1(s) - s)),
    Right("ex-08-linex", "series", linex_of(with_series)),
    Right("ex-08-spherical", "norm", by_norm),
    Right("ex-08-relative", "a search", by_search),
    Right("ex-08-deviance", "xlogy", by_xlogy),
    Right("ex-08-deviance", "safe ratio", with_safe_ratio),
]
