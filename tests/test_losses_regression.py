"""What the losses of numbers mean: identities, and where they are least."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import mean_pinball_loss

from lossfn import losses
from tests.loss_cases import (
    BY_NAME,
    arguments_of,
    assert_same,
    by_prediction,
)

GRAPHS = ["eager", "function", "xla"]


def test_newsvendor_is_pinball_at_the_critical_fractile():
    arguments = arguments_of("newsvendor-mixed")
    underage, overage = arguments.pop("underage_cost"), arguments.pop("overage_cost")

    def scaled(**two: tf.Tensor) -> tf.Tensor:
        level = underage / (underage + overage)
        return (underage + overage) * losses.pinball(**two, quantile=level)

    assert_same(
        by_prediction(
            BY_NAME["newsvendor-mixed"].loss,
            {**arguments, "underage_cost": underage, "overage_cost": overage},
        ),
        by_prediction(scaled, arguments),
    )


def test_too_few_cost_the_underage_and_too_many_the_overage():
    costs = {"underage_cost": 10.0, "overage_cost": 1.0}
    np.testing.assert_array_equal(losses.newsvendor([5.0], [3.0], **costs), [20.0])
    np.testing.assert_array_equal(losses.newsvendor([3.0], [5.0], **costs), [2.0])
    np.testing.assert_array_equal(losses.pinball([5.0], [3.0], quantile=0.75), [1.5])
    np.testing.assert_array_equal(losses.pinball([3.0], [5.0], quantile=0.75), [0.5])


def test_pinball_of_the_median_is_half_the_absolute_error():
    arguments = arguments_of("squared_error")
    np.testing.assert_array_equal(
        losses.pinball(**arguments, quantile=0.5),
        tf.abs(arguments["y_true"] - arguments["y_pred"]) / 2,
    )


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_pinball_is_that_of_scikit_learn(quantile):
    arguments = arguments_of("squared_error")
    loss = losses.pinball(**arguments, quantile=quantile)
    expected = mean_pinball_loss(*arguments.values(), alpha=quantile)
    np.testing.assert_allclose(tf.reduce_mean(loss), expected, rtol=1e-14)


@pytest.mark.parametrize("delta", [0.5, 1.0, 3.0])
def test_huber_is_that_of_keras(delta):
    arguments = arguments_of("squared_error", dtype="float32")
    loss = losses.huber(**arguments, delta=delta)
    expected = keras.losses.huber(**arguments, delta=delta)
    np.testing.assert_allclose(tf.reduce_mean(loss, -1), expected, rtol=1e-6)


def test_huber_is_half_the_square_inside_and_an_absolute_error_outside():
    arguments = arguments_of("squared_error")
    np.testing.assert_allclose(
        losses.huber(**arguments, delta=100.0),
        losses.squared_error(**arguments) / 2,
        rtol=1e-14,
    )
    absolute = np.abs(arguments["y_true"] - arguments["y_pred"])
    np.testing.assert_allclose(
        losses.huber(**arguments, delta=1e-9) / 1e-9, absolute, atol=1e-9
    )


DEMAND = np.random.default_rng(0).gamma(2.0, 10.0, size=1001)


def mean_at(loss, value: float, **parameters: float) -> tuple[float, float]:
    """Return the mean loss of one prediction for all, and its derivative."""
    prediction = tf.constant(value, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(prediction)
        everywhere = tf.fill(DEMAND.shape, prediction)
        mean = tf.reduce_mean(loss(DEMAND, everywhere, **parameters))
    return float(mean), float(tape.gradient(mean, prediction))


@pytest.mark.parametrize("quantile", [0.05, 0.5, 0.9])
def test_the_mean_pinball_loss_is_least_at_the_quantile(quantile):
    """Its minimum is at an example, and no other example does better."""
    best = np.quantile(DEMAND, quantile, method="inverted_cdf")
    predictions = np.broadcast_to(DEMAND[:, None], (1001, 1001))
    means = losses.pinball(predictions.T, predictions, quantile=quantile)
    assert DEMAND[np.argmin(np.mean(means, axis=1))] == best
    assert (DEMAND <= best).mean() >= quantile > (DEMAND < best).mean()


@pytest.mark.parametrize("quantile", [0.05, 0.5, 0.9])
def test_the_derivative_of_the_mean_pinball_loss_is_f_minus_the_level(quantile):
    for prediction in (3.0, 20.0, 60.0):
        _, slope = mean_at(losses.pinball, prediction, quantile=quantile)
        expected = (prediction > DEMAND).mean() - quantile
        np.testing.assert_allclose(slope, expected, atol=1e-12)


def test_the_mean_squared_error_is_least_at_the_mean():
    value, slope = mean_at(losses.squared_error, DEMAND.mean())
    assert abs(slope) < 1e-12
    np.testing.assert_allclose(value, DEMAND.var())


def test_the_mean_huber_loss_is_least_between_median_and_mean():
    """The demand is skewed, its mean above its median."""
    for delta in (0.1, 5.0, 50.0):
        _, at_median = mean_at(losses.huber, np.median(DEMAND), delta=delta)
        _, at_mean = mean_at(losses.huber, DEMAND.mean(), delta=delta)
        assert at_median < 0 < at_mean


def test_the_cheapest_order_is_the_critical_fractile():
    best = np.quantile(DEMAND, 9 / 10, method="inverted_cdf")
    costs = {"underage_cost": 9.0, "overage_cost": 1.0}
    at_best, _ = mean_at(losses.newsvendor, best, **costs)
    for other in (best - 0.5, best + 0.5, DEMAND.mean(), np.median(DEMAND)):
        assert mean_at(losses.newsvendor, other, **costs)[0] > at_best
