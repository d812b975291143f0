"""Answers to the exercises of chapter 18."""

import numpy as np
import tensorflow as tf

from lossfn import losses
from tests.answers import Right, Wrong

WRONG = [
    Wrong(
        "ex-18-huber",
        "squared",
        lambda y, p: p - y,
        "For y_true = 0 and y_pred = [-3, -0.5, 0, 0.5, 3] your function gives "
        "-3 at position 0, where -1 is right. This is the slope of half the "
        "squared error: cut it off at -1 and 1.",
    ),
    Wrong(
        "ex-18-huber",
        "by y",
        lambda y, p: tf.clip_by_value(y - p, -1.0, 1.0),
        "For y_true = 0 and y_pred = [-3, -0.5, 0, 0.5, 3] your function gives "
        "1 at position 0, where -1 is right. This is the slope by y_true: that "
        "by y_pred has the other sign.",
    ),
    Wrong(
        "ex-18-huber",
        "absolute",
        lambda y, p: tf.sign(p - y),
        "For y_true = 0 and y_pred = [-3, -0.5, 0, 0.5, 3] your function gives "
        "-1 at position 1, where -0.5 is right. This is the slope of the "
        "absolute error: within 1 the slope is the prediction minus the truth.",
    ),
    Wrong(
        "ex-18-huber",
        "zero far out",
        lambda y, p: tf.where(tf.abs(p - y) < 1, p - y, 0.0),
        "For y_true = 0 and y_pred = [-3, -0.5, 0, 0.5, 3] your function gives "
        "0 at position 0, where -1 is right. Far out the slope is -1 below and "
        "1 above, not 0: the line goes on.",
    ),
    Wrong(
        "ex-18-huber",
        "loss",
        lambda y, p: losses.huber(y, p, delta=1.0),
        "For y_true = 0 and y_pred = [-3, -0.5, 0, 0.5, 3] your function gives "
        "2.5 at position 0, where -1 is right. This is the loss, and the slope "
        "was asked for.",
    ),
    Wrong(
        "ex-18-slope",
        "no weight",
        lambda y, z, a: 1 / (1 + np.exp(-z)) - y,
        "For y = [0.3, 1, 0, 1], z = [0, 2, 2, -1.5] and a = 5 your function "
        "gives 0.2 at position 0, where -0.4 is right. This is the slope "
        "without a weight.",
    ),
    Wrong(
        "ex-18-slope",
        "weight everywhere",
        lambda y, z, a: a * (1 / (1 + np.exp(-z)) - y),
        "For y = [0.3, 1, 0, 1], z = [0, 2, 2, -1.5] and a = 5 your function "
        "gives 1 at position 0, where -0.4 is right. The weight belongs to the "
        "positives alone.",
    ),
    Wrong(
        "ex-18-slope",
        "sign",
        lambda y, z, a: (1 - y) / (1 + np.exp(-z)) + a * y / (1 + np.exp(z)),
        "For y = [0.3, 1, 0, 1], z = [0, 2, 2, -1.5] and a = 5 your function "
        "gives 1.1 at position 0, where -0.4 is right. The slope of "
        "softplus(-z) is -sigma(-z): a minus is missing.",
    ),
    Wrong(
        "ex-18-slope",
        "sigma of z",
        lambda y, z, a: (1 - y - a * y) / (1 + np.exp(-z)),
        "For y = [0.3, 1, 0, 1], z = [0, 2, 2, -1.5] and a = 5 your function "
        "gives -4.404 at position 1, where -0.596 is right. The slope of "
        "softplus(-z) is -sigma(-z), not -sigma(z).",
    ),
]

RIGHT = [
    Right(
        "ex-18-huber",
        "float32 constants",
        lambda y, p: tf.maximum(tf.constant(-1.0), tf.minimum(tf.constant(1.0), p - y)),
    ),
    Right(
        "ex-18-slope",
        "otherwise",
        lambda y, z, a: 1 - y - (1 - y + a * y) / (1 + np.exp(z)),
    ),
]
