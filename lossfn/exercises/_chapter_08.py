"""A loss is a function: LINEX, the spherical score, errors in percent, a deviance."""

from __future__ import annotations

import numpy as np

from lossfn.exercises._answer import Answer, WrongAnswerError
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import expect_close, expect_gradient


@exercise("ex-08-linex", "linex")
def linex(answer: Answer) -> str:
    """A function of y_true, y_pred and kappa: LINEX, precise for small errors too."""
    import tensorflow as tf

    loss = answer.function("y_true", "y_pred", "kappa")
    y_true, y_pred = np.array([30.0, 20, 40, 10]), np.array([34.0, 10, 40, 9])
    given = f"y_true = {y_true.tolist()}, y_pred = {y_pred.tolist()} and kappa = "
    for kappa in (0.05, 0.2):
        d = y_pred - y_true
        expect_close(
            loss.array(tf.constant(y_true), tf.constant(y_pred), kappa),
            np.exp(kappa * d) - kappa * d - 1,
            given=f"{given}{kappa}",
            mistakes={
                "The error is y_pred - y_true: too much is the dear side.": (
                    np.exp(-kappa * d) + kappa * d - 1
                ),
                "The linear term needs its kappa.": np.exp(kappa * d) - d - 1,
                "The -1 is missing: a perfect prediction has a loss.": (
                    np.exp(kappa * d) - kappa * d
                ),
                "The linear term is missing: the loss falls without end as the error "
                "becomes negative.": np.exp(kappa * d) - 1,
                "The sign of the linear term is wrong.": np.exp(kappa * d)
                + kappa * d
                - 1,
            },
        )
    _expect_digits(loss)
    expect_gradient(
        Answer(answer.name, lambda y_true, y_pred: answer.value(y_true, y_pred, 0.05)),
        (y_true, y_pred),
        0.05 * np.expm1(0.05 * (y_pred - y_true)),
        given=f"{given}0.05",
        mistakes={
            "Only the linear term has a gradient: what NumPy computes has none.": (
                np.full(4, -0.05)
            ),
        },
    )
    return "Compared with the formula and its derivative, and in float32 near 0."


def _expect_digits(loss: Answer) -> None:
    """Demand more digits in float32 than the formula as it stands gives."""
    import tensorflow as tf

    sizes = np.linspace(0.005, 0.04, 20)
    scaled = np.concatenate([-sizes, sizes]).astype(np.float32)
    exact = scaled.astype(np.float64)
    series = exact**2 / 2 + exact**3 / 6 + exact**4 / 24 + exact**5 / 120
    got = loss.array(tf.zeros(scaled.size), tf.constant(scaled), 1.0)
    if not np.allclose(got, series, rtol=3e-4, atol=0):
        raise WrongAnswerError(
            "The formula is right, and in float32 it loses digits for small errors: "
            "the exponential is close to 1 there, and subtracting 1 cancels. "
            "tf.math.expm1 does both at once."
        )


@exercise("ex-08-spherical", "spherical")
def spherical(answer: Answer) -> str:
    """A function of labels 0 and 1 and of logits: the spherical score as a loss."""
    import tensorflow as tf

    loss = answer.function("y", "z")
    y, a = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.8, 0.8, 0.3, 0.5])
    z, hit = np.log(a / (1 - a)), np.where(y == 1, a, 1 - a)
    length = np.hypot(a, 1 - a)
    given = f"y = {y.tolist()} and sigmoid(z) = {a.tolist()}"
    expect_close(
        loss.array(tf.constant(y), tf.constant(z)),
        -hit / length,
        given=given,
        mistakes={
            "You divide by nothing, or by a + (1 - a), which is 1: then the best "
            "answer is 0 or 1.": -hit,
            "The minus is missing: the probability of what happened is a reward, and "
            "this is a loss.": hit / length,
            "Divide by the length, which is the root of the sum of squares.": (
                -hit / length**2
            ),
            "A no happens with the probability 1 - a, not a.": -a / length,
            "This is the probability of what did not happen.": -(1 - hit) / length,
            "z is a logit: take its sigmoid first.": (
                -np.where(y == 1, z, 1 - z) / np.hypot(z, 1 - z)
            ),
        },
    )
    sign = np.where(y == 1, 1, -1)
    by_probability = -sign * (1 - hit) / length**3
    expect_gradient(
        answer, (y, z), by_probability * a * (1 - a), given=given, rtol=1e-4
    )
    return "Compared with the score from probabilities, and with its gradient."


@exercise("ex-08-relative", "best_in_percent")
def best_in_percent(answer: Answer) -> str:
    """A function of positive data: the constant with the least squared error in %."""
    best = answer.function("y")
    for y in (np.array([1.0, 2, 5]), np.array([10.0, 50, 20, 30, 90])):
        # Least squares of c / y = 1, one equation for each example.
        right = np.linalg.lstsq(1 / y[:, None], np.ones(len(y)), rcond=None)[0][0]
        expect_close(
            best.array(y),
            right,
            given=f"y = {y.tolist()}",
            mistakes={
                "This is the mean: its squared error in minutes is least.": y.mean(),
                "This is the median.": np.median(y),
                "This is the harmonic mean: the weights are 1 / y^2, not 1 / y.": (
                    len(y) / np.sum(1 / y)
                ),
                "This is the geometric mean: it minimises the squared error of "
                "logarithms.": np.exp(np.mean(np.log(y))),
                "This divides by the forecast: divide by the truth.": (
                    np.sum(y**2) / np.sum(y)
                ),
                "The fraction is upside down.": 1 / right,
                "This is the weighted median: it minimises the error in percent "
                "without the square.": _weighted_median(y),
            },
        )
    return "Compared with a least-squares solution, for two sets of numbers."


def _weighted_median(y: np.ndarray) -> float:
    """Return what minimises the sum of |c - y| / y: one of the numbers does."""
    return min(y, key=lambda c: np.sum(np.abs(c - y) / y))


@exercise("ex-08-deviance", "mended_deviance")
def mended_deviance(answer: Answer) -> str:
    """A function of y_true and y_pred: the Poisson deviance, with a slope at 0 too."""
    import tensorflow as tf

    loss = answer.function("y_true", "y_pred")
    y, mu = np.array([0.0, 1.0, 3.0, 0.0]), np.array([2.0, 2.0, 2.0, 0.5])
    logarithm = y * np.log(np.where(y > 0, y, 1) / mu)
    given = f"y_true = {y.tolist()} and y_pred = {mu.tolist()}"
    expect_close(
        loss.array(tf.constant(y), tf.constant(mu)),
        2 * (logarithm - y + mu),
        given=given,
        mistakes={
            "A count of 0 has no logarithm: put a harmless number in its place.": (
                np.where(y > 0, 2 * (logarithm - y + mu), np.nan)
            ),
            "A count of 0 has a loss too: what is left of the formula is 2 mu.": (
                np.where(y > 0, 2 * (logarithm - y + mu), 0)
            ),
            "The factor 2 is missing.": logarithm - y + mu,
            "Labels and predictions are exchanged in the logarithm.": (
                2 * (-logarithm - y + mu)
            ),
        },
    )
    slope = 2 * (1 - y / mu)
    expect_gradient(
        answer,
        (y, mu),
        slope,
        given=given,
        mistakes={
            "The value is right and the trap still there: the logarithm sees the 0, "
            "and its gradient is formed before the outer condition throws it away. "
            "Replace the 0 before the logarithm.": np.where(y > 0, slope, np.nan),
            "A count of 0 pulls the forecast down: its gradient is 2.": np.where(
                y > 0, slope, 0
            ),
            "The logarithm has no gradient: what NumPy computes has none.": (
                np.full(4, 2.0)
            ),
        },
    )
    return "Compared with the deviance and its gradient 2 (1 - y / mu), at y = 0 too."
