"""A loss in C++: the slopes that a gradient has to return."""

from __future__ import annotations

import numpy as np

from lossfn import reference
from lossfn.exercises._answer import Answer
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import expect_close


@exercise("ex-18-huber", "huber_slope")
def huber_slope(answer: Answer) -> str:
    """A function of y_true and y_pred: the slope of the Huber loss by y_pred."""
    import tensorflow as tf

    slope = answer.function("y_true", "y_pred")
    y_true, y_pred = np.zeros(5, np.float32), np.float32([-3, -0.5, 0, 0.5, 3])
    right = np.clip(y_pred - y_true, -1, 1)
    expect_close(
        slope.array(tf.constant(y_true), tf.constant(y_pred)),
        right,
        given="y_true = 0 and y_pred = [-3, -0.5, 0, 0.5, 3]",
        mistakes={
            "This is the slope of half the squared error: cut it off at -1 and 1.": (
                y_pred - y_true
            ),
            "This is the slope by y_true: that by y_pred has the other sign.": -right,
            "This is the slope of the absolute error: within 1 the slope is the "
            "prediction minus the truth.": np.sign(y_pred - y_true),
            "Far out the slope is -1 below and 1 above, not 0: the line goes on.": (
                np.where(np.abs(y_pred) < 1, y_pred, 0)
            ),
            "This is the loss, and the slope was asked for.": np.where(
                np.abs(y_pred) < 1, y_pred**2 / 2, np.abs(y_pred) - 0.5
            ),
        },
    )
    return "Compared with the error, cut off at -1 and 1."


@exercise("ex-18-slope", "weighted_slope")
def weighted_slope(answer: Answer) -> str:
    """A function of y, z and the weight a: the slope of the weighted loss by z."""
    slope = answer.function("y", "z", "a")
    y, z = np.array([0.3, 1.0, 0.0, 1.0]), np.array([0.0, 2.0, 2.0, -1.5])
    right = reference.weighted_cross_entropy_with_logits_gradient(
        labels=y, logits=z, pos_weight=5.0
    )
    sigma = 1 / (1 + np.exp(-z))
    expect_close(
        slope.array(y, z, 5.0),
        right,
        given="y = [0.3, 1, 0, 1], z = [0, 2, 2, -1.5] and a = 5",
        mistakes={
            "This is the slope without a weight.": sigma - y,
            "The weight belongs to the positives alone.": 5 * (sigma - y),
            "The slope of softplus(-z) is -sigma(-z): a minus is missing.": (
                (1 - y) * sigma + 5 * y * (1 - sigma)
            ),
            "This is what tf.nn gives: wrong where z is 0.": np.where(
                z == 0, 0.7, right
            ),
            "The slope of softplus(-z) is -sigma(-z), not -sigma(z).": (
                (1 - y) * sigma - 5 * y * sigma
            ),
        },
    )
    return "Compared with float64, at z = 0 too."
