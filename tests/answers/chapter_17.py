"""Answers to the exercises of chapter 17."""

import numpy as np
import tensorflow as tf

from lossfn import losses
from tests.answers import Right, Wrong


def softplus_of_signs(y_true, y_pred):
    tf.debugging.assert_equal(tf.abs(y_true), 1.0)
    return tf.nn.softplus(-y_true * y_pred)


WRONG = [
    Wrong(
        "ex-17-success",
        "square",
        lambda y, p: tf.square(y - p),
        "Your function gives 9 at position 1, where 3 is right. This is the "
        "square of the distance: it is large for large errors.",
    ),
    Wrong(
        "ex-17-success",
        "epsilon under the root",
        lambda y, p: tf.sqrt(tf.square(y - p) + 1e-07),
        "Your function gives 0.0003162 at position 0, where 0 is right. "
        "Something was added under the root, or cut off there: a perfect "
        "prediction has a loss.",
    ),
    Wrong(
        "ex-17-success",
        "tiny epsilon under the root",
        lambda y, p: tf.sqrt(tf.square(y - p) + 1e-12),
        "Your function gives 1e-06 at position 0, where 0 is right. "
        "Something was added under the root, or cut off there: a perfect "
        "prediction has a loss.",
    ),
    Wrong(
        "ex-17-success",
        "unchanged",
        lambda y, p: tf.sqrt(tf.square(y - p)),
        "Where the prediction is exactly right, the gradient is NaN: the root "
        "has an infinite slope at 0, the square has the slope 0, and their "
        "product is NaN.",
    ),
    Wrong(
        "ex-17-success",
        "mean",
        lambda y, p: tf.reduce_mean(tf.abs(y - p)),
        "Your function returns one number for the batch: then sample_weight "
        "cannot work. Return one loss for each example, and leave the mean to "
        "whoever trains.",
    ),
    Wrong(
        "ex-17-success",
        "NumPy",
        lambda y, p: np.abs(np.asarray(y) - np.asarray(p)),
        "Your function has no gradient: nothing can be trained with it. Compute"
        " with TensorFlow from the arguments to what you return, without NumPy,"
        " casts to whole numbers or comparisons alone.",
    ),
    Wrong(
        "ex-17-better",
        "unchanged",
        lambda y, p: tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=p),
        "For y_true = [-1, 1, -1] and y_pred = [-3, 3, 2] your function gives "
        "-2.951 at position 0, where 0.04859 is right. The labels are still "
        "taken for 0 and 1.",
    ),
    Wrong(
        "ex-17-better",
        "absolute",
        lambda y, p: tf.nn.sigmoid_cross_entropy_with_logits(
            labels=tf.abs(y), logits=p
        ),
        "For y_true = [-1, 1, -1] and y_pred = [-3, 3, 2] your function gives "
        "3.049 at position 0, where 0.04859 is right. The absolute value makes "
        "both classes 1.",
    ),
    Wrong(
        "ex-17-better",
        "not refused",
        lambda y, p: tf.nn.softplus(-y * p),
        "The label 255 has the loss 765, and no error: a model would be trained "
        "on it in silence. Refuse what is no label.",
    ),
    Wrong(
        "ex-17-better",
        "silent maximum",
        lambda y, p: tf.nn.sigmoid_cross_entropy_with_logits(
            labels=tf.cast(y > 0, p.dtype), logits=p
        ),
        "The label 255 has the loss 3.049, and no error: a model would be "
        "trained on it in silence. Refuse what is no label.",
    ),
    Wrong(
        "ex-17-better",
        "refused above alone",
        lambda y, p: losses.binary_crossentropy(tf.maximum(y, 0.0), p),
        "The label -2 has the loss 0.04859, and no error: a model would be "
        "trained on it in silence. Refuse what is no label.",
    ),
    Wrong(
        "ex-17-better",
        "exchanged",
        lambda y, p: losses.binary_crossentropy((1 - y) / 2, p),
        "For y_true = [-1, 1, -1] and y_pred = [-3, 3, 2] your function gives "
        "3.049 at position 0, where 0.04859 is right. The two classes are "
        "exchanged.",
    ),
    Wrong(
        "ex-17-better",
        "mean",
        lambda y, p: tf.reduce_mean(losses.binary_crossentropy((1 + y) / 2, p)),
        "Your function returns one number for the batch: then sample_weight "
        "cannot work. Return one loss for each example, and leave the mean to "
        "whoever trains.",
    ),
]

RIGHT = [
    Right(
        "ex-17-success",
        "condition after",
        lambda y, p: tf.where(y == p, tf.zeros_like(p), tf.sqrt(tf.square(y - p))),
    ),
    Right(
        "ex-17-success",
        "double where",
        lambda y, p: tf.where(
            y == p,
            0 * (y - p),
            tf.sqrt(tf.where(y == p, tf.ones_like(p), tf.square(y - p))),
        ),
    ),
    Right("ex-17-success", "max", lambda y, p: tf.maximum(y - p, p - y)),
    Right(
        "ex-17-success",
        "float32 constant",
        lambda y, p: tf.where(y == p, tf.constant(0.0), tf.sqrt(tf.square(y - p))),
    ),
    Right(
        "ex-17-better",
        "nan",
        lambda y, p: tf.where(tf.abs(y) == 1, tf.nn.softplus(-y * p), float("nan")),
    ),
    Right("ex-17-better", "assertion", softplus_of_signs),
]
