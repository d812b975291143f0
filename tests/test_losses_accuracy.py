"""The float32 error of the losses in ulp, against mpmath and float64."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import tensorflow as tf

from lossfn import losses
from tests.cases import as_arrays, compiled, ulps, value_and_gradient
from tests.loss_cases import newsvendor, newsvendor_by_prediction

GRAPHS = ["eager", "function", "xla"]
# Smaller numbers are flushed to 0, or were made of such.
TINY = 16 * float(np.finfo(np.float32).tiny)


def run_in(mode: str, loss, arguments: dict, **parameters) -> tuple:
    """Return value and gradient of float32 arguments as float64 arrays."""

    def run(tensors: dict) -> tuple[tf.Tensor, tf.Tensor]:
        return value_and_gradient(loss, tensors, of="y_pred", **parameters)

    tensors = {name: tf.constant(value) for name, value in arguments.items()}
    return as_arrays(compiled(run, mode)(tensors))


def largest_error(got: np.ndarray, exact: np.ndarray) -> float:
    return ulps(got, exact)[np.abs(exact) >= TINY].max()


def predictions(scale: float) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(int(scale))
    return {
        name: rng.normal(scale=scale, size=5000).astype(np.float32)
        for name in ("y_true", "y_pred")
    }


@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize("mode", GRAPHS)
def test_costs_are_rounded_twice(mode, scale):
    """Once in the error and once in the product; 1 - quantile is exact from 1/2 on."""
    arguments = predictions(scale)
    exact = {name: value.astype(np.float64) for name, value in arguments.items()}
    short, left = float(np.float32(9.1)), float(np.float32(0.7))
    costs = {"underage_cost": short, "overage_cost": left}
    value, gradient = run_in(mode, losses.newsvendor, arguments, **costs)
    assert largest_error(value, newsvendor(**exact, **costs)) <= 1.5
    np.testing.assert_array_equal(gradient, newsvendor_by_prediction(**exact, **costs))
    level = float(np.float32(0.9))
    value, _ = run_in(mode, losses.pinball, arguments, quantile=level)
    costs = {"underage_cost": level, "overage_cost": 1 - level}
    assert largest_error(value, newsvendor(**exact, **costs)) <= 1.5


@pytest.mark.parametrize("mode", GRAPHS)
def test_squares_are_rounded_twice(mode):
    arguments = predictions(3.0)
    error = np.subtract(*(value.astype(np.float64) for value in arguments.values()))
    value, gradient = run_in(mode, losses.squared_error, arguments)
    assert largest_error(value, error**2) <= 2.5  # the error counts twice
    assert largest_error(gradient, -2 * error) <= 0.5
    value, gradient = run_in(mode, losses.huber, arguments, delta=2.0)
    size = np.abs(error)
    expected = np.where(size <= 2, error**2 / 2, 2 * size - 2)
    assert largest_error(value, expected) <= 2.5
    assert largest_error(gradient, -np.clip(error, -2, 2)) <= 0.5


# Margins from a sure mistake to a sure success.
MARGINS = np.linspace(-86, 86, 345).astype(np.float32)


def exact_focal(margin: float, gamma: float, rivals: int) -> tuple[float, float]:
    """Return loss and derivative for the true class, ahead of its rivals by a margin.

    The derivative of (1 - p)^gamma (-log p) by the margin, with p' = p (1 - p).
    """
    with mpmath.workdps(60):
        odds = mpmath.exp(mpmath.mpf(float(margin))) / rivals
        p, rest, loss = odds / (1 + odds), 1 / (1 + odds), mpmath.log1p(1 / odds)
        gamma = mpmath.mpf(gamma)
        slope = -(rest**gamma) * (rest + gamma * p * loss)
        return float(rest**gamma * loss), float(slope)


def focal_arguments(classes: int | None) -> tuple[object, dict[str, np.ndarray]]:
    """Return a focal loss and what is right by the margins, binary for None."""
    if classes is None:
        ones = np.ones_like(MARGINS)
        return losses.binary_focal_crossentropy, {"y_true": ones, "y_pred": MARGINS}
    logits = np.zeros((len(MARGINS), classes), np.float32)
    logits[:, 0] = MARGINS
    labels = np.zeros(len(MARGINS), np.int64)
    loss = losses.sparse_categorical_focal_crossentropy
    return loss, {"y_true": labels, "y_pred": logits}


@pytest.mark.parametrize("gamma", [0.0, 0.1, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("classes", [None, 2, 3])
@pytest.mark.parametrize("mode", GRAPHS)
def test_focal(mode, classes, gamma):
    """Cross entropy within 5 ulp, and each unit of the exponent takes 1.5 more.

    The factor is e to the power of gamma log(1 - p), and a rounded exponent is a
    relative error of the power.
    """
    gamma = float(np.float32(gamma))
    loss, arguments = focal_arguments(classes)
    value, gradient = run_in(mode, loss, arguments, gamma=gamma)
    if classes is not None:
        gradient = gradient[:, 0]
    rivals = 1 if classes is None else classes - 1
    exact = np.array([exact_focal(margin, gamma, rivals) for margin in MARGINS])
    exponent = gamma * np.logaddexp(0, MARGINS.astype(np.float64) - np.log(rivals))
    for got, wanted in zip((value, gradient), exact.T, strict=True):
        normal = np.abs(wanted) >= TINY
        error = ulps(got, wanted)[normal]
        assert (error <= 5 + 1.5 * exponent[normal]).all()
        assert np.isfinite(got).all()


@pytest.mark.parametrize("gamma", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("classes", [None, 2, 3])
def test_gamma_below_1_where_p_rounds_to_1(classes, gamma):
    """(1 - p)^(gamma - 1) would be infinite: Keras returns NaN (tf#70326)."""
    loss, arguments = focal_arguments(classes)
    _, gradient = run_in("eager", loss, arguments, gamma=gamma)
    gradient = gradient if classes is None else gradient[:, 0]
    sure = (MARGINS > 17) & (MARGINS < 40)
    assert np.isfinite(gradient).all()
    assert (gradient[sure] < 0).all()
    # -(1 - p)^gamma ((1 - p) + gamma p (1 - p)), for -log(p) = 1 - p near p = 1.
    margins = MARGINS[sure].astype(np.float64)
    rest = np.exp(-margins) * (1 if classes is None else classes - 1)
    np.testing.assert_allclose(
        gradient[sure], -(rest ** (1 + gamma)) * (1 + gamma), rtol=1e-5
    )


def test_focal_in_float64_where_a_series_takes_over():
    """The gradient takes log(1 + r) / r from a series for r below 1e-4."""
    margins = -np.log([2e-3, 1.01e-4, 0.99e-4, 5e-5, 1e-6])
    logits = tf.constant(np.stack([margins, np.zeros(5)], -1))
    arguments = {"y_true": tf.zeros(5, tf.int64), "y_pred": logits}
    _, gradient = value_and_gradient(
        losses.sparse_categorical_focal_crossentropy, arguments, "y_pred", gamma=2.0
    )
    exact = [exact_focal(margin, 2.0, 1)[1] for margin in margins]
    np.testing.assert_allclose(gradient[:, 0], exact, rtol=2e-14)


@pytest.mark.parametrize("mode", GRAPHS)
def test_a_sure_answer_is_not_rounded_to_no_loss(mode):
    """Where p rounds to 1, both losses of noisy labels are still what they are."""
    margins = np.linspace(10, 80, 141).astype(np.float32)
    logits = np.stack([margins, np.zeros_like(margins)], -1)
    arguments = {"y_true": np.zeros(141, np.int64), "y_pred": logits}
    rest = np.exp(-margins.astype(np.float64))
    rest /= 1 + rest
    q = float(np.float32(0.7))
    value, gradient = run_in(mode, losses.generalized_crossentropy, arguments, q=q)
    exact = -np.expm1(q * np.log1p(-rest)) / q
    assert largest_error(value, exact) <= 8
    assert largest_error(gradient[:, 0], -rest * (1 - rest) ** q) <= 8
    weights = {"alpha": 0.5, "beta": 2.0, "log_zero": -4.0}
    value, gradient = run_in(mode, losses.symmetric_crossentropy, arguments, **weights)
    assert largest_error(value, -0.5 * np.log1p(-rest) + 8 * rest) <= 8
    slope = -rest * (0.5 + 8 * (1 - rest))
    assert largest_error(gradient[:, 0], slope) <= 8
