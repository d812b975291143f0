"""Answers to the exercises of chapter 15."""

import numpy as np
import tensorflow as tf

from lossfn import losses
from tests.answers import Right, Wrong


def of_classes(loss, weight_of=lambda y_true, labels: labels):
    """Return a loss of class numbers and logits, made of ce, p and the weight."""

    def function(y_true, y_pred, *gamma):
        labels = tf.reshape(y_true, [-1])
        ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, y_pred)
        rare = weight_of(y_true, labels) == 2
        weight = tf.cast(tf.where(rare, 8.0, 1.0), ce.dtype)
        return loss(ce, tf.exp(-ce), weight, *gamma)

    return function


def column_weight(loss):
    """Return a loss whose weight keeps the shape of the labels."""
    return of_classes(loss, weight_of=lambda y_true, labels: y_true)


@of_classes
def integrated_otherwise(ce, p, w):
    return w * (ce - (1 - p) - (1 - p) ** 2 / 2)


def by_lossfn(y_true, y_pred, gamma):
    return losses.sparse_categorical_focal_crossentropy(
        y_true, y_pred, gamma=gamma, alpha=[1.0, 1.0, 8.0]
    )


def focal(ce, p, w, gamma=2.0):
    return w * (1 - p) ** gamma * ce


def of_probabilities(loss, least):
    """Return a loss made of the softmax, clipped from below."""

    def function(y_true, y_pred, *gamma):
        labels = tf.reshape(y_true, [-1])
        p = tf.gather(tf.nn.softmax(y_pred), labels, batch_dims=1)
        p = tf.maximum(p, tf.cast(least, p.dtype))
        weight = tf.cast(tf.where(labels == 2, 8.0, 1.0), p.dtype)
        return loss(-tf.math.log(p), p, weight, *gamma)

    return function


def of_slope(ce, p, w):
    return w * (ce + 2 * p - p**2 / 2 - 3 / 2)


def mended(ce, p, w, gamma):
    rest = 1 - p
    focus = tf.where(rest > 0, tf.where(rest > 0, rest, 1.0) ** gamma, 0.0)
    return w * focus * ce


def single_where(ce, p, w, gamma):
    return tf.where(p < 1, focal(ce, p, w, gamma), 0.0)


WRONG = [
    Wrong(
        "ex-15-other",
        "focal",
        of_classes(focal),
        "For labels [0, 1, 2, 2] and gamma = 2 the gradient of your function is "
        "-0.1318 at position [0, 0], where -0.05126 is right. This is the gradient "
        "of the focal loss, with both terms: training followed the first one alone.",
    ),
    Wrong(
        "ex-15-other",
        "stopped",
        of_classes(lambda ce, p, w: w * tf.stop_gradient((1 - p) ** 2) * ce),
        "For labels [0, 1, 2, 2] your function exceeds its value at equal logits by"
        " -0.4242 at position 0, where -0.1858 is right. This is the focal loss "
        "with its focus stopped: the gradient is right, but not that of these "
        "values. Integrate the slope.",
    ),
    Wrong(
        "ex-15-other",
        "no weight",
        of_classes(lambda ce, p, w: ce + 2 * p - p**2 / 2),
        "For labels [0, 1, 2, 2] and gamma = 2 the gradient of your function is "
        "0.1062 at position [2, 0], where 0.8496 is right. The weight of the rare "
        "class is missing.",
    ),
    Wrong(
        "ex-15-other",
        "cross entropy",
        of_classes(lambda ce, p, w: w * ce),
        "For labels [0, 1, 2, 2] and gamma = 2 the gradient of your function is "
        "-0.3715 at position [0, 0], where -0.05126 is right. The focus does "
        "nothing here: this is the weighted cross entropy.",
    ),
    Wrong(
        "ex-15-other",
        "mean",
        lambda y, z: tf.reduce_mean(of_classes(of_slope)(y, z)),
        "For labels [0, 1, 2, 2] and gamma = 2 the gradient of your function is "
        "-0.01281 at position [0, 0], where -0.05126 is right. This is the gradient"
        " of a mean over the batch: return one loss for each example.",
    ),
    Wrong(
        "ex-15-other",
        "sum",
        lambda y, z: tf.reduce_sum(of_classes(of_slope)(y, z)),
        "Your function returns losses of shape () for 4 examples: return one for each.",
    ),
    Wrong(
        "ex-15-other",
        "NumPy",
        lambda y, z: of_classes(of_slope)(y, z).numpy(),
        "Your function has no gradient: nothing can be trained with it. Compute "
        "with TensorFlow from the arguments to what you return, without NumPy, "
        "casts to whole numbers or comparisons alone.",
    ),
    Wrong(
        "ex-15-other",
        "column weight",
        column_weight(of_slope),
        "Labels of shape (4, 1) and predictions of shape (4, 3) give losses of shape "
        "(4, 4), [0.3319, 0.7657, 2.069, 1.056, 0.3319, 0.7657, ...], and no error. "
        "Make class indices flat before anything else, y_true = tf.reshape(y_true, "
        "[-1]), and use no other form of them. (The check no_broadcast; chapter 12 "
        "explains it.)",
    ),
    Wrong(
        "ex-15-other",
        "clip",
        of_probabilities(of_slope, 1e-7),
        "At a loss of 14.62 the slope is 0; a lesser mistake has 0.8702. Take logits "
        "and combine the sigmoid or softmax with the logarithm (tf.nn or lossfn); do "
        "not clip. If the loss is meant to level off, say bounded=True. (The check "
        "gradient_does_not_vanish; chapter 05 explains it.)",
    ),
    Wrong(
        "ex-15-sides",
        "forward",
        lambda f, x, h: (f(x + h) - f(x)) / h,
        "For f = exp, x = 1 and h = 0.125 your function gives 2.895, and 2.703 is "
        "right. This is the difference of two points, whose error falls with h "
        "alone.",
    ),
    Wrong(
        "ex-15-sides",
        "central",
        lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h),
        "For f = exp, x = 1 and h = 0.125 your function gives 2.725, and 2.703 is "
        "right. This is the central difference: it looks at the other side of a "
        "kink.",
    ),
    Wrong(
        "ex-15-sides",
        "over two",
        lambda f, x, h: (f(x + 2 * h) - f(x)) / (2 * h),
        "For f = exp, x = 1 and h = 0.125 your function gives 3.088, and 2.703 is "
        "right. This is the difference over 2h: it does not use the point between.",
    ),
    Wrong(
        "ex-15-sides",
        "h",
        lambda f, x, h: (4 * f(x + h) - f(x + 2 * h) - 3 * f(x)) / h,
        "For f = exp, x = 1 and h = 0.125 your function gives 5.405, and 2.703 is "
        "right. Divide by 2h, not by h.",
    ),
    Wrong(
        "ex-15-sides",
        "brackets",
        lambda f, x, h: (4 * f(x + h) - f(x + 2 * h) - 3 * f(x)) / 2 * h,
        "For f = exp, x = 1 and h = 0.125 your function gives 0.04223, and 2.703 is"
        " right. Python divides by 2 and multiplies by h: write / (2 * h).",
    ),
    Wrong(
        "ex-15-sides",
        "no brackets",
        lambda f, x, h: 4 * f(x + h) - f(x + 2 * h) - 3 * f(x) / (2 * h),
        "For f = exp, x = 1 and h = 0.125 your function gives -23.79, and 2.703 is "
        "right. This divides the last term alone: put brackets around all three.",
    ),
    Wrong(
        "ex-15-sides",
        "one f(x)",
        lambda f, x, h: (4 * f(x + h) - f(x + 2 * h) - f(x)) / (2 * h),
        "For f = exp, x = 1 and h = 0.125 your function gives 24.45, and 2.703 is "
        "right. f(x) is counted once, and has to be three times: the weights sum to"
        " 0.",
    ),
    Wrong(
        "ex-15-gentle",
        "not mended",
        of_classes(focal),
        "For gamma = 0.5 the gradient of a right and very sure prediction is NaN: "
        "the derivative of 0 to the power gamma is infinite, and 0 times infinity "
        "is NaN. Where 1 - p is 0, choose what goes into the power, and not only what "
        "comes out.",
    ),
    Wrong(
        "ex-15-gentle",
        "single where",
        of_classes(single_where),
        "For gamma = 0.5 the gradient of a right and very sure prediction is NaN: "
        "the derivative of 0 to the power gamma is infinite, and 0 times infinity "
        "is NaN. Where 1 - p is 0, choose what goes into the power, and not only what "
        "comes out.",
    ),
    Wrong(
        "ex-15-gentle",
        "no weight",
        of_classes(lambda ce, p, w, gamma: focal(ce, p, 1.0, gamma)),
        "For labels [0, 1, 2, 2] and gamma = 0.5 your function gives 1.133 at "
        "position 2, where 9.065 is right. The weight of the rare class is missing.",
    ),
    Wrong(
        "ex-15-gentle",
        "no focus",
        of_classes(lambda ce, p, w, gamma: w * ce),
        "For labels [0, 1, 2, 2] and gamma = 0.5 your function gives 0.4644 at "
        "position 0, where 0.283 is right. The focus is missing.",
    ),
    Wrong(
        "ex-15-gentle",
        "gamma 2",
        of_classes(lambda ce, p, w, g: focal(ce, p, w)),
        "For labels [0, 1, 2, 2] and gamma = 0.5 your function gives 0.06408 at "
        "position 0, where 0.283 is right. Gamma is 2 in your function, whatever it"
        " is called with.",
    ),
    Wrong(
        "ex-15-gentle",
        "stopped",
        of_classes(lambda ce, p, w, g: tf.stop_gradient((1 - p) ** g) * w * ce),
        "For labels [0, 1, 2, 2] and gamma = 0.5 the gradient of your function is "
        "-0.2264 at position [0, 0], where -0.3153 is right. This gradient has the "
        "first term of the product rule alone: the focus must not be stopped.",
    ),
    Wrong(
        "ex-15-gentle",
        "focus of p",
        of_classes(lambda ce, p, w, g: w * p**g * ce),
        "For labels [0, 1, 2, 2] and gamma = 0.5 your function gives 0.3682 at "
        "position 0, where 0.283 is right. The focus is made of p: it has to be 1 -"
        " p.",
    ),
    Wrong(
        "ex-15-gentle",
        "column weight",
        column_weight(mended),
        "Labels of shape (4, 1) and predictions of shape (4, 3) give losses of shape "
        "(4, 4), [1.156, 1.866, 3.457, 2.26, 1.156, 1.866, ...], and no error. Make "
        "class indices flat before anything else, y_true = tf.reshape(y_true, [-1]), "
        "and use no other form of them. (The check no_broadcast; chapter 12 explains "
        "it.)",
    ),
    Wrong(
        "ex-15-gentle",
        "clip",
        of_probabilities(mended, 1e-7),
        "At a loss of 16.12 the slope is 0; a lesser mistake has 1.001. Take logits "
        "and combine the sigmoid or softmax with the logarithm (tf.nn or lossfn); do "
        "not clip. If the loss is meant to level off, say bounded=True. (The check "
        "gradient_does_not_vanish; chapter 05 explains it.)",
    ),
    Wrong(
        "ex-15-gentle",
        "log of the softmax",
        of_probabilities(mended, 0.0),
        "In float32 the loss is [inf]. Compute from logits with a stable form (tf.nn "
        "or lossfn), and choose the input of a log, a root or a division before it, "
        "not the output after it. (The check finite; chapter 02 explains it.)",
    ),
]

RIGHT = [
    Right("ex-15-other", "another constant", integrated_otherwise),
    Right(
        "ex-15-sides",
        "weights",
        lambda f, x, h: np.dot([-1.5, 2, -0.5], [f(x + k * h) for k in range(3)]) / h,
    ),
    Right("ex-15-gentle", "double where", of_classes(mended)),
    Right("ex-15-gentle", "by lossfn", by_lossfn),
]
