"""Where the expected loss is smallest, for losses whose minimum is not the truth.

Each function is one that :func:`lossfn.testing.check_loss` takes as ``target``: of the
true probabilities, or of the values that may come and their probabilities. They know
the formula of a loss, and nothing of how a library computes it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

# Halvings of an interval: more than the digits of a float64.
HALVINGS = 60


def weighted(pos_weight: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return the target of a cross entropy whose positives count ``pos_weight`` times.

    The expected loss is that of a world in which positives are so much more frequent.
    """
    return lambda truth: pos_weight * truth / (pos_weight * truth + 1 - truth)


def hinge(truth: np.ndarray) -> np.ndarray:
    """Return the target of the hinge: a margin of 1 to the likelier side.

    The least expected loss is that of the decision, and says nothing of the
    probability.
    """
    return _sigmoid(np.sign(truth - 0.5))


def squared_hinge(truth: np.ndarray) -> np.ndarray:
    """Return the target of the squared hinge: a margin that grows with certainty."""
    return _sigmoid(2 * truth - 1)


def generalized(q: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return the target of (1 - p^q) / q: the truth to the power 1 / (1 - q)."""

    def target(truth: np.ndarray) -> np.ndarray:
        powers = truth ** (1 / (1 - q))
        return powers / powers.sum()

    return target


def binary_focal(gamma: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return the target of the focal loss of a probability."""
    slope = _focal_slope(gamma)

    def target(truth: np.ndarray) -> np.ndarray:
        return _root(
            lambda p: truth * slope(p) - (1 - truth) * slope(1 - p),
            np.zeros_like(truth),
            np.ones_like(truth),
        )

    return target


def categorical_focal(gamma: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return the target of the focal loss of a distribution.

    At the minimum all slopes, times the true probabilities, are the same number
    -lambda, for else it would pay to move probability from one class to another; it is
    the number for which the probabilities sum to one.
    """
    slope = _focal_slope(gamma)

    def at(multiplier: np.ndarray, truth: np.ndarray) -> np.ndarray:
        return _root(
            lambda p: truth * slope(p) + multiplier,
            np.zeros_like(truth),
            np.ones_like(truth),
        )

    def target(truth: np.ndarray) -> np.ndarray:
        multiplier = _root(lambda value: 1 - at(value, truth).sum(), 0.0, 1e3)
        return at(multiplier, truth)

    return target


def _focal_slope(gamma: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return the derivative of -(1-p)^gamma log p, which rises from -inf to 0."""
    return lambda p: gamma * (1 - p) ** (gamma - 1) * np.log(p) - (1 - p) ** gamma / p


def huber(values: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the target of Huber's loss with a delta of 1: errors clipped balance."""
    return _balanced(lambda errors: np.clip(errors, -1, 1), values, probabilities)


def log_cosh(values: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the target of log cosh, whose derivative is tanh."""
    return _balanced(np.tanh, values, probabilities)


def _balanced(
    slope: Callable[[np.ndarray], np.ndarray],
    values: np.ndarray,
    probabilities: np.ndarray,
) -> np.ndarray:
    return _root(
        lambda prediction: probabilities @ slope(prediction - values),
        values.min(),
        values.max(),
    )


def percentage(values: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the target of |y - p| / y: the median, where small values count more."""
    order = np.argsort(values)
    shares = np.cumsum((probabilities / values)[order])
    return values[order][np.searchsorted(shares, shares[-1] / 2)]


def squared_logarithmic(values: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the target of squared differences of log(1 + y)."""
    return np.expm1(probabilities @ np.log1p(values))


def log_of_mean(values: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the target of a loss of a mean that predicts its logarithm."""
    return np.log(probabilities @ values)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def _root(
    rising: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Find where a rising function is 0, by bisection, each entry for itself."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = rising(middle) < 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2
