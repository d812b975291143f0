"""Answers to the exercises of chapter 14."""

import numpy as np
import tensorflow as tf

from tests.answers import Right, Wrong


def forwards(seen, noise):
    return (1 - noise) * seen + noise / (len(seen) - 1) * (1 - seen)


def by_matrix(seen, noise):
    count = len(seen)
    flips = np.full((count, count), noise / (count - 1))
    np.fill_diagonal(flips, 1 - noise)
    return np.linalg.solve(flips, seen)


def divided_by_sum(seen, noise):
    stayed = seen - noise / (len(seen) - 1)
    return stayed / stayed.sum()


def known(diagonal, others):
    def corrected(y_true, y_pred):
        rows = tf.where(tf.one_hot(y_true, 10) > 0, diagonal, others)
        rows = tf.cast(rows, y_pred.dtype)
        return -tf.math.log(tf.reduce_sum(rows * tf.nn.softmax(y_pred), axis=-1))

    return corrected


def plain(y_true, y_pred):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(y_true, y_pred)


def smoothed(y_true, y_pred):
    rows = tf.where(tf.one_hot(y_true, 10) > 0, 0.6, 0.4 / 9)
    return tf.nn.softmax_cross_entropy_with_logits(tf.cast(rows, tf.float64), y_pred)


def overflowing(y_true, y_pred):
    a = tf.exp(y_pred) / tf.reduce_sum(tf.exp(y_pred), 1, keepdims=True)
    rows = tf.cast(tf.where(tf.one_hot(y_true, 10) > 0, 0.6, 0.4 / 9), a.dtype)
    return -tf.math.log(tf.reduce_sum(rows * a, axis=1))


def by_crossentropy(y_true, y_pred):
    # The other labels are equally likely, so one probability says all.
    own = tf.exp(-plain(y_true, y_pred))
    return -tf.math.log(0.6 * own + 0.4 / 9 * (1 - own))


def in_float32(y_true, y_pred):
    return known(0.6, 0.4 / 9)(y_true, tf.cast(y_pred, tf.float32))


def by_numpy(y_true, y_pred):
    return known(0.6, 0.4 / 9)(y_true, y_pred).numpy()


def on_axis_one(y_true, y_pred):
    rows = tf.where(tf.one_hot(y_true, 10, dtype=y_pred.dtype) > 0, 0.6, 0.4 / 9)
    rows = tf.cast(rows, y_pred.dtype)
    return -tf.math.log(tf.reduce_sum(rows * tf.nn.softmax(y_pred), axis=1))


def without_gradient(y_true, y_pred):
    return tf.stop_gradient(known(0.6, 0.4 / 9)(y_true, y_pred)) + 0 * y_pred[..., 0]


def summed(y_true, y_pred):
    return tf.reduce_mean(known(0.6, 0.4 / 9)(y_true, y_pred))


WRONG = [
    Wrong(
        "ex-14-undo",
        "forwards",
        forwards,
        "For seen = [0.4, 0.32, 0.28] and noise = 0.4 your function gives 0.36 at "
        "position 0, where 0.5 is right. This is the formula forwards: it makes "
        "seen shares of clean ones.",
    ),
    Wrong(
        "ex-14-undo",
        "K",
        lambda s, n: (s - n / len(s)) / (1 - n),
        "For seen = [0.4, 0.32, 0.28] and noise = 0.4 your function gives 0.4444 at"
        " position 0, where 0.5 is right. A label flips to one of the K - 1 other "
        "classes, not of K.",
    ),
    Wrong(
        "ex-14-undo",
        "not scaled",
        lambda s, n: s - n / (len(s) - 1),
        "For seen = [0.4, 0.32, 0.28] and noise = 0.4 your function gives 0.2 at "
        "position 0, where 0.5 is right. The flips that arrive are taken away, and "
        "nothing is scaled.",
    ),
    Wrong(
        "ex-14-undo",
        "only scaled",
        lambda s, n: s / (1 - n),
        "For seen = [0.4, 0.32, 0.28] and noise = 0.4 your function gives 0.6667 at"
        " position 0, where 0.5 is right. The flips that arrive from other classes "
        "are not taken away.",
    ),
    Wrong(
        "ex-14-undo",
        "other factor",
        lambda s, n: (s - n / (len(s) - 1)) / (1 - n),
        "For seen = [0.4, 0.32, 0.28] and noise = 0.4 your function gives 0.3333 at"
        " position 0, where 0.5 is right. The shares are scaled by 1 - noise: some "
        "flips come back, so the factor is another one.",
    ),
    Wrong(
        "ex-14-undo",
        "one number",
        lambda s, n: 0.5,
        "clean_shares must return a share for each class, got one number.",
    ),
    Wrong(
        "ex-14-forward",
        "plain",
        plain,
        "For 40% wrong labels your function gives 2.271 at position 0, where 2.285 "
        "is right. This is the plain cross entropy: the noise is nowhere in it.",
    ),
    Wrong(
        "ex-14-forward",
        "exchanged",
        known(0.4, 0.6 / 9),
        "For 40% wrong labels your function gives 2.292 at position 0, where 2.285 "
        "is right. The true class keeps 1 - 0.4 and the nine others share 0.4: the "
        "two are exchanged.",
    ),
    Wrong(
        "ex-14-forward",
        "ten others",
        known(0.64, 0.04),
        "For 40% wrong labels your function gives 2.283 at position 0, where 2.285 "
        "is right. A label flips to one of the 9 other classes, not of 10.",
    ),
    Wrong(
        "ex-14-forward",
        "not shared",
        known(0.6, 0.4),
        "For 40% wrong labels your function gives 0.866 at position 0, where 2.285 "
        "is right. Each other class has 0.4 / 9, not 0.4.",
    ),
    Wrong(
        "ex-14-forward",
        "only the true class",
        lambda y, z: plain(y, z) - np.log(0.6),
        "For 40% wrong labels your function gives 2.781 at position 0, where 2.285 "
        "is right. Only the true class is here: a label can come from the nine "
        "others too.",
    ),
    Wrong(
        "ex-14-forward",
        "smoothing",
        smoothed,
        "For 40% wrong labels your function gives 3.625 at position 0, where 2.285 "
        "is right. This is a mean of cross entropies, as label smoothing takes it: "
        "add up the probabilities and take the logarithm afterwards.",
    ),
    Wrong(
        "ex-14-forward",
        "mean",
        summed,
        "Your function returns one number for the batch: then sample_weight cannot "
        "work. Return one loss for each example, and leave the mean to whoever "
        "trains.",
    ),
    Wrong(
        "ex-14-forward",
        "overflow",
        overflowing,
        "For 40% wrong labels your function gives nan at position 3, where 3.114 is"
        " right. A logit of 800 overflows: use log_softmax and reduce_logsumexp.",
    ),
    Wrong(
        "ex-14-forward",
        "axis 1",
        on_axis_one,
        "For labels of shape (2, 2) and logits of shape (2, 2, 10) your answer has "
        "shape (2, 10), and must have shape (2, 2).",
    ),
    Wrong(
        "ex-14-forward",
        "by NumPy",
        by_numpy,
        "Your function has no gradient: nothing can be trained with it. Compute "
        "with TensorFlow from the arguments to what you return, without NumPy, "
        "casts to whole numbers or comparisons alone.",
    ),
    Wrong(
        "ex-14-forward",
        "gradient of 0",
        without_gradient,
        "For 40% wrong labels the gradient of your function is 0 at position "
        "[0, 0], where -0.5053 is right.",
    ),
]

RIGHT = [
    Right("ex-14-undo", "by a matrix", by_matrix),
    Right("ex-14-undo", "brought to 1", divided_by_sum),
    Right("ex-14-forward", "by softmax", known(0.6, 0.4 / 9)),
    Right("ex-14-forward", "by cross entropy", by_crossentropy),
    Right("ex-14-forward", "in float32", in_float32),
]
