"""The targets of library losses are where their expected loss is smallest.

Each is compared with a minimum that scipy finds of the formula of the loss.
"""

import numpy as np
import pytest
from scipy import optimize

from lossfn.testing import _minimisers

VALUES = np.array([4.0, 0.5, 1.0, 11.0, 2.0])
PROBABILITIES = np.array([0.15, 0.25, 0.2, 0.15, 0.25])


def least(expected) -> float:
    """Minimise a function of one variable in (0, 12), from the best point of a grid."""
    grid = np.linspace(0.01, 12, 2400)
    start = grid[np.argmin([expected(point) for point in grid])]
    bounds = (start - 0.01, start + 0.01)
    return optimize.minimize_scalar(
        expected, bounds=bounds, method="bounded", options={"xatol": 1e-9}
    ).x


def log_cosh(error):
    return np.log(np.cosh(error))


def huber(error):
    return np.where(abs(error) <= 1, error**2 / 2, abs(error) - 0.5)


@pytest.mark.parametrize(
    ("target", "loss"),
    [
        (_minimisers.huber, lambda y, p: huber(p - y)),
        (_minimisers.log_cosh, lambda y, p: log_cosh(p - y)),
        (_minimisers.percentage, lambda y, p: abs(p - y) / y),
        (_minimisers.squared_logarithmic, lambda y, p: np.log((1 + y) / (1 + p)) ** 2),
        (_minimisers.log_of_mean, lambda y, p: np.exp(p) - y * p),
    ],
    ids=["huber", "log_cosh", "percentage", "squared_logarithmic", "log_of_mean"],
)
def test_the_target_of_a_number_is_the_minimum(target, loss):
    found = target(VALUES, PROBABILITIES)
    expected = least(lambda p: PROBABILITIES @ loss(VALUES, p))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("truth", [0.2, 0.7])
@pytest.mark.parametrize(
    ("target", "yes", "no"),
    [
        (_minimisers.weighted(3.0), lambda p: -3 * np.log(p), lambda p: -np.log(1 - p)),
        (
            _minimisers.binary_focal(2.0),
            lambda p: -((1 - p) ** 2) * np.log(p),
            lambda p: -(p**2) * np.log(1 - p),
        ),
        (
            _minimisers.binary_focal(0.5),
            lambda p: -np.sqrt(1 - p) * np.log(p),
            lambda p: -np.sqrt(p) * np.log(1 - p),
        ),
    ],
    ids=["weighted", "focal 2", "focal 0.5"],
)
def test_the_target_of_a_probability_is_the_minimum(truth, target, yes, no):
    minimum = optimize.minimize_scalar(
        lambda p: truth * yes(p) + (1 - truth) * no(p),
        bounds=(1e-6, 1 - 1e-6),
        options={"xatol": 1e-9},
    ).x
    found = target(np.array([truth, truth]))
    np.testing.assert_allclose(found, minimum, atol=1e-6)


@pytest.mark.parametrize("truth", [0.2, 0.7])
@pytest.mark.parametrize(
    ("target", "power"), [(_minimisers.hinge, 1), (_minimisers.squared_hinge, 2)]
)
def test_the_target_of_a_margin_is_the_minimum(truth, target, power):
    def expected(margin: float) -> float:
        yes, no = max(0.0, 1 - margin), max(0.0, 1 + margin)
        return truth * yes**power + (1 - truth) * no**power

    grid = np.linspace(-3, 3, 601)
    minimum = grid[np.argmin([expected(margin) for margin in grid])]
    found = target(np.array(truth))
    np.testing.assert_allclose(np.log(found / (1 - found)), minimum, atol=1e-9)


@pytest.mark.parametrize(
    ("target", "of_class"),
    [
        (_minimisers.categorical_focal(2.0), lambda p: -((1 - p) ** 2) * np.log(p)),
        (_minimisers.generalized(0.5), lambda p: (1 - p**0.5) / 0.5),
    ],
    ids=["focal", "generalized"],
)
def test_the_target_of_a_distribution_is_the_minimum(target, of_class):
    truth = np.array([0.5, 0.3, 0.2])

    def expected(logits: np.ndarray) -> float:
        p = np.exp(logits) / np.exp(logits).sum()
        return truth @ of_class(p)

    logits = optimize.minimize(expected, np.log(truth), tol=1e-12).x
    minimum = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(target(truth), minimum, atol=1e-5)
