"""Check your loss: a hidden objective, a one-sided difference, a gentle exponent."""

from __future__ import annotations

import numpy as np

from lossfn.exercises._answer import Answer, WrongAnswerError
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import expect_close, expect_gradient, expect_sound_loss

RARE, WEIGHT = 2, 8.0
LABELS = np.array([0, 1, 2, 2])
LOGITS = np.array([[1, 0, -0.5], [0.5, -1, 0], [0, 1, 0.3], [2, 0, 3.0]])


@exercise("ex-15-other", "minimised")
def minimised(answer: Answer) -> str:
    """A loss whose gradient is that of the chapter's loss with the stopped focus."""
    loss = answer.function("y_true", "y_pred")
    weight, p, by_logits = _parts()
    # A stopped focus is a factor of the cross entropy's gradient.
    right = (weight * (1 - p) ** 2)[:, None] * by_logits
    moving = weight * ((1 - p) ** 2 - 2 * p * (1 - p) * np.log(p))
    expect_gradient(
        loss,
        (LABELS, LOGITS),
        right,
        given="labels [0, 1, 2, 2] and gamma = 2",
        mistakes={
            "This is the gradient of the focal loss, with both terms: training "
            "followed the first one alone.": moving[:, None] * by_logits,
            "The weight of the rare class is missing.": (
                ((1 - p) ** 2)[:, None] * by_logits
            ),
            "The sign is wrong.": -right,
            "The focus does nothing here: this is the weighted cross entropy.": (
                weight[:, None] * by_logits
            ),
            "This is the gradient of a mean over the batch: return one loss for each "
            "example.": right / 4,
        },
    )
    _expect_values(loss, weight, p)
    expect_sound_loss(
        answer,
        task="sparse_logits",
        target=None,
        checks=("no_broadcast", "gradient_does_not_vanish"),
    )
    return "Compared with focus times weight times softmax minus one-hot."


def _parts() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the weights, the true classes' probabilities, and softmax - one-hot."""
    a = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    one_hot = np.eye(3)[LABELS]
    return (
        np.where(LABELS == RARE, WEIGHT, 1.0),
        np.sum(one_hot * a, axis=1),
        a - one_hot,
    )


def _expect_values(loss: Answer, weight: np.ndarray, p: np.ndarray) -> None:
    """Compare with the values at equal logits, so that any constant will do."""
    import tensorflow as tf

    def integral(p: np.ndarray | float) -> np.ndarray:
        return weight * (-np.log(p) + 2 * p - p**2 / 2)

    labels = tf.constant(LABELS)
    values = loss.array(labels, tf.constant(LOGITS))
    if values.shape != LABELS.shape:
        raise WrongAnswerError(
            f"Your function returns losses of shape {values.shape} for 4 examples: "
            "return one for each."
        )
    expect_close(
        values - loss.array(labels, tf.zeros_like(LOGITS)),
        integral(p) - integral(1 / 3),
        given="labels [0, 1, 2, 2]",
        what="your function exceeds its value at equal logits by",
        mistakes={
            "This is the focal loss with its focus stopped: the gradient is right, but "
            "not that of these values. Integrate the slope.": (
                weight * (-((1 - p) ** 2) * np.log(p) - (2 / 3) ** 2 * np.log(3))
            )
        },
    )


@exercise("ex-15-sides", "two_points")
def two_points(answer: Answer) -> str:
    """A one-sided difference of a function at x, from x, x + h and x + 2h."""
    difference = answer.function("f", "x", "h")
    x, h = 1.0, 0.125
    for f, said in ((np.exp, "exp"), (np.square, "the square")):
        at, one, two = (f(x + k * h) for k in range(3))
        before = f(x - h)
        expect_close(
            difference.array(f, x, h),
            -1.5 * at / h + 2 * one / h - 0.5 * two / h,
            given=f"f = {said}, x = 1 and h = 0.125",
            mistakes={
                "This is the difference of two points, whose error falls with h "
                "alone.": (one - at) / h,
                "This is the central difference: it looks at the other side of a "
                "kink.": (one - before) / (2 * h),
                "This is the difference over 2h: it does not use the point between.": (
                    (two - at) / (2 * h)
                ),
                "Divide by 2h, not by h.": (4 * one - two - 3 * at) / h,
                "Python divides by 2 and multiplies by h: write / (2 * h).": (
                    (4 * one - two - 3 * at) / 2 * h
                ),
                "This divides the last term alone: put brackets around all three.": (
                    4 * one - two - 3 * at / (2 * h)
                ),
                "The division by h is missing.": (4 * one - two - 3 * at) / 2,
                "f(x) is counted once, and has to be three times: the weights sum to "
                "0.": (4 * one - two - at) / (2 * h),
                "The sign is wrong.": -(4 * one - two - 3 * at) / (2 * h),
            },
        )
    return "Compared with the three weights -3/2, 2 and -1/2 over h."


@exercise("ex-15-gentle", "gentle_focal")
def gentle_focal(answer: Answer) -> str:
    """The weighted focal loss, whose gradient is 0 and not NaN where p is 1."""
    import tensorflow as tf

    loss = answer.function("y_true", "y_pred", "gamma")
    weight, p, by_logits = _parts()
    for gamma in (0.5, 2.0):
        plain = -np.log(p)
        expect_close(
            loss.array(tf.constant(LABELS), tf.constant(LOGITS), gamma),
            weight * (1 - p) ** gamma * plain,
            given=f"labels [0, 1, 2, 2] and gamma = {gamma:g}",
            mistakes={
                "The weight of the rare class is missing.": (1 - p) ** gamma * plain,
                "The focus is missing.": weight * plain,
                "The focus is made of p: it has to be 1 - p.": (
                    weight * p**gamma * plain
                ),
                "Gamma is 2 in your function, whatever it is called with.": (
                    weight * (1 - p) ** 2 * plain
                ),
            },
        )
        stopped = weight * (1 - p) ** gamma
        moving = stopped - weight * gamma * p * (1 - p) ** (gamma - 1) * np.log(p)
        expect_gradient(
            Answer(answer.name, lambda y, z, g=gamma: answer(y, z, g)),
            (LABELS, LOGITS),
            moving[:, None] * by_logits,
            given=f"labels [0, 1, 2, 2] and gamma = {gamma:g}",
            mistakes={
                "This gradient has the first term of the product rule alone: the focus "
                "must not be stopped.": stopped[:, None] * by_logits
            },
        )
        _expect_gentle_gradient(answer, gamma)
    _expect_sound(answer)
    return "Compared with float64, and its gradient where the model is right and sure."


def _expect_gentle_gradient(answer: Answer, gamma: float) -> None:
    import tensorflow as tf

    logits = tf.constant([[60.0, 0.0, 0.0], [0.0, 0.0, 90.0]], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = tf.reduce_sum(answer(tf.constant([0, 2]), logits, gamma))
    gradient = tape.gradient(value, logits)
    if gradient is not None and np.isnan(gradient).any():
        raise WrongAnswerError(
            f"For gamma = {gamma:g} the gradient of a right and very sure prediction "
            "is NaN: the derivative of 0 to the power gamma is infinite, and 0 times "
            "infinity is NaN. Where 1 - p is 0, choose what goes into the power, and "
            "not only what comes out."
        )
    expect_close(
        gradient,
        np.zeros((2, 3)),
        given="logits 60 and 90 ahead for the true class",
        what="the gradient of your function is",
        atol=1e-6,
    )


def _expect_sound(answer: Answer) -> None:
    """Demand what the chapter mended: labels in a column, and the worst mistakes."""

    def with_small_gamma(y_true: object, y_pred: object) -> object:
        return answer.value(y_true, y_pred, 0.5)

    expect_sound_loss(
        Answer(answer.name, with_small_gamma),
        task="sparse_logits",
        target=None,
        checks=("no_broadcast", "finite", "gradient_does_not_vanish"),
    )
