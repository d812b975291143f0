"""The source's programs, three times: TensorFlow 1, TensorFlow 2, and NumPy.

The first two must agree at every step that the source prints. The third is written
here from the formulas, in float64, and shows which digits do not hang on rounding. And
TensorFlow 1 itself, in its day, printed the numbers that are called RECORDED.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

from lossfn import data, legacy, train

# What agrees to four digits differs by less than half a unit of the fourth.
FOUR_DIGITS = 5e-5
# With a constant learning rate the forecaster jitters around a kink of its loss, and
# rounding decides where it is when the training ends.
JITTER = 1e-3

# What readers of the book that the source takes its programs from saw on their own
# machines: the classifier's in the README of JenifferWuUCLA/TensorFlow-Google-Projects
# on GitHub, the forecaster's in the comments of many programs there.
RECORDED_LOSSES = ["0.0674925", "0.0163385", "0.00907547", "0.00714436", "0.00578471"]
RECORDED_WEIGHTS = {
    "classifier": [
        [[-1.9618274, 2.58235407, 1.68203783], [-3.4681716, 1.06982327, 2.11788988]],
        [[-1.8247149], [2.68546653], [1.41819501]],
    ],
    "too few is dear": [[[1.01934695], [1.04280889]]],
    "too many is dear": [[[0.95525807], [0.9813394]]],
    "mean squared error": [[[0.97437561], [1.0243336]]],
}

Arrays = list[np.ndarray]


def classifier_loss(weights: Arrays, features: np.ndarray, labels: np.ndarray):
    """Return the source's broken cross entropy and its gradient."""
    hidden = features @ weights[0]
    output = hidden @ weights[1]
    inside = (output >= 1e-10) & (output <= 1)
    loss = -np.mean(labels * np.log(np.clip(output, 1e-10, 1)))
    upstream = np.where(inside, -labels / np.where(inside, output, 1), 0) / len(labels)
    return loss, [features.T @ upstream @ weights[1].T, hidden.T @ upstream]


def sales_loss(weights, features, sales, *, loss_less, loss_more):
    """Return the source's summed cost of the forecasts and its gradient."""
    error = features @ weights[0] - sales
    loss = np.sum(np.where(error > 0, loss_more * error, -loss_less * error))
    return loss, [features.T @ np.where(error > 0, loss_more, -loss_less)]


def mean_squared_error(weights, features, sales):
    """Return the mean squared error and its gradient."""
    error = features @ weights[0] - sales
    return np.mean(error**2), [features.T @ error * 2 / len(sales)]


@dataclass(frozen=True)
class Variant:
    """One program with one loss: in TensorFlow 1, TensorFlow 2, and NumPy."""

    name: str
    graph: Callable[..., legacy.GraphRun]
    eager: Callable[..., train.SourceFit]
    loss: Callable[..., tuple[float, Arrays]]
    simulate: Callable[..., tuple[np.ndarray, np.ndarray]]
    weights_tolerance: float

    def __str__(self) -> str:
        return self.name


def forecaster(name: str, less: float, more: float) -> Variant:
    return Variant(
        name,
        functools.partial(legacy.run_forecaster, loss_less=less, loss_more=more),
        functools.partial(
            train.fit_source_forecaster, underage_cost=less, overage_cost=more
        ),
        functools.partial(sales_loss, loss_less=less, loss_more=more),
        data.simulate_source_sales,
        weights_tolerance=JITTER,
    )


VARIANTS = [
    Variant(
        "classifier",
        legacy.run_classifier,
        train.fit_source_classifier,
        classifier_loss,
        data.simulate_source_classes,
        weights_tolerance=FOUR_DIGITS,
    ),
    forecaster("too few is dear", 10.0, 1.0),
    forecaster("too many is dear", 1.0, 10.0),
    Variant(
        "mean squared error",
        functools.partial(legacy.run_forecaster, loss="mse"),
        functools.partial(train.fit_source_forecaster, loss="squared_error"),
        mean_squared_error,
        data.simulate_source_sales,
        weights_tolerance=FOUR_DIGITS,
    ),
]


@pytest.fixture(scope="module", params=VARIANTS, ids=str)
def variant(request):
    return request.param


@pytest.fixture(scope="module")
def run(variant):
    return variant.graph()


@pytest.fixture(scope="module")
def fit(variant):
    return variant.eager()


def trained_in_numpy(variant, weights, *, steps=5000, report_every=1000):
    """Train with Adam in float64; return the losses at the reports and the weights."""
    features, labels = variant.simulate(seed=1)
    weights = [weight.astype(np.float64) for weight in weights]
    mean = [np.zeros_like(weight) for weight in weights]
    square = [np.zeros_like(weight) for weight in weights]
    losses = []
    for step in range(steps):
        batch = slice(step * 8 % 128, step * 8 % 128 + 8)
        _, gradient = variant.loss(weights, features[batch], labels[batch])
        corrected = 0.001 * np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
        for i, g in enumerate(gradient):
            mean[i] = 0.9 * mean[i] + 0.1 * g
            square[i] = 0.999 * square[i] + 0.001 * g**2
            weights[i] -= corrected * mean[i] / (np.sqrt(square[i]) + 1e-8)
        if step % report_every == 0:
            losses.append(variant.loss(weights, features, labels)[0])
    return np.array(losses), weights


def test_tensorflow_2_starts_at_the_same_weights_to_the_last_bit(run, fit):
    for weight, expected in zip(fit.initial_weights, run.initial_weights, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_tensorflow_2_agrees_at_every_printed_step(run, fit):
    assert run.steps.tolist() == fit.steps.tolist() == [0, 1000, 2000, 3000, 4000]
    np.testing.assert_allclose(fit.losses, run.losses, rtol=FOUR_DIGITS)


def test_tensorflow_2_agrees_in_the_weights_and_the_answers(variant, run, fit):
    for weight, expected in zip(fit.weights, run.weights, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=FOUR_DIGITS)
    features, _ = variant.simulate(seed=1)
    np.testing.assert_allclose(fit.predict(features), run.predictions, rtol=FOUR_DIGITS)


def test_numpy_agrees_in_float64(variant, run):
    losses, weights = trained_in_numpy(variant, run.initial_weights)
    np.testing.assert_allclose(run.losses, losses, rtol=FOUR_DIGITS)
    for weight, expected in zip(run.weights, weights, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=variant.weights_tolerance)


def test_tensorflow_2_in_float64_agrees_with_numpy_far_beyond_float32(variant, run):
    losses, weights = trained_in_numpy(variant, run.initial_weights, steps=200)
    fit = variant.eager(steps=200, dtype="float64")
    assert fit.weights[0].dtype == np.float64
    np.testing.assert_allclose(fit.losses, losses, rtol=1e-12)
    for weight, expected in zip(fit.weights, weights, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-12)


def test_the_weights_are_those_that_tensorflow_1_printed(variant, run):
    expected = RECORDED_WEIGHTS[variant.name]
    for weight, recorded in zip(run.weights, expected, strict=True):
        np.testing.assert_allclose(weight, recorded, rtol=variant.weights_tolerance)


@pytest.mark.parametrize("variant", VARIANTS[:1], ids=str, scope="module")
def test_the_losses_are_those_that_tensorflow_1_printed(run):
    assert [f"{loss:g}" for loss in run.losses] == RECORDED_LOSSES


def test_the_losses_are_those_of_all_data(variant):
    run = variant.graph(steps=200, report_every=199)
    features, labels = variant.simulate(seed=1)
    loss, _ = variant.loss(run.weights, features, labels)
    assert run.steps.tolist() == [0, 199]
    assert run.losses[1] == pytest.approx(loss, rel=1e-5)


def test_the_answers_are_those_of_the_weights(variant, run):
    features, _ = variant.simulate(seed=1)
    answers = functools.reduce(np.matmul, run.weights, features)
    assert run.predictions.shape == (128, 1)
    np.testing.assert_allclose(run.predictions, answers, rtol=1e-6)


@pytest.mark.parametrize(
    ("steps", "report_every", "printed"),
    [
        (1, 1000, [0]),
        (3, 1, [0, 1, 2]),
        (10, 3, [0, 3, 6, 9]),
        (9, 3, [0, 3, 6]),
        (9, 100, [0]),
    ],
)
def test_the_history_holds_what_is_printed(variant, steps, report_every, printed):
    run = variant.graph(steps=steps, report_every=report_every)
    fit = variant.eager(steps=steps, report_every=report_every)
    for history in (run, fit):
        assert history.steps.tolist() == printed
        assert history.losses.shape == (len(printed),)
        assert history.steps.dtype == np.int64
        assert history.losses.dtype == np.float64
    np.testing.assert_allclose(fit.losses, run.losses, rtol=1e-6)


def bits(result):
    return [
        part.tobytes()
        for part in (*result.initial_weights, *result.weights, result.losses)
    ]


@pytest.mark.parametrize("side", ["graph", "eager"])
def test_a_run_does_not_depend_on_what_ran_before_it(variant, side):
    program = functools.partial(getattr(variant, side), steps=5, report_every=2)
    alone = bits(program())
    tf.random.set_seed(2024)
    tf.random.normal([3], seed=1)
    assert bits(program()) == alone
    legacy.run_classifier(steps=2)
    train.fit_source_forecaster(steps=2)
    assert bits(program()) == alone


@pytest.mark.parametrize("side", ["graph", "eager"])
def test_a_run_leaves_everything_global_as_it_was(variant, side):
    tf.random.set_seed(7)
    expected = [tf.random.normal([3], seed=1).numpy() for _ in range(2)]
    graph = tf.compat.v1.get_default_graph()
    operations = len(graph.get_operations())
    tf.random.set_seed(7)
    draws = [tf.random.normal([3], seed=1).numpy()]
    getattr(variant, side)(steps=3)
    draws.append(tf.random.normal([3], seed=1).numpy())
    np.testing.assert_array_equal(draws, expected)
    assert tf.executing_eagerly()
    assert tf.compat.v1.get_default_graph() is graph
    assert len(graph.get_operations()) == operations


def test_a_run_prints_and_warns_nothing(variant, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        variant.graph(steps=3)
        variant.eager(steps=3)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"steps": 0}, ValueError, "steps must be at least 1, got 0"),
        ({"steps": 2.5}, TypeError, "steps must be an integer, got 2.5"),
        ({"steps": True}, TypeError, "steps must be an integer, got True"),
        ({"report_every": 0}, ValueError, "report_every must be at least 1, got 0"),
        ({"report_every": "1"}, TypeError, "report_every must be an integer, got '1'"),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "program", [legacy.run_classifier, legacy.run_forecaster], ids=lambda f: f.__name__
)
def test_refused_counts(program, arguments, error, message):
    with pytest.raises(error) as caught:
        program(**arguments)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"loss": "mae"},
            ValueError,
            "loss must be 'asymmetric' or 'mse', got 'mae'",
        ),
        (
            {"loss_less": 0.0},
            ValueError,
            "loss_less must be positive and finite, got 0.0",
        ),
        (
            {"loss_more": float("inf")},
            ValueError,
            "loss_more must be positive and finite, got inf",
        ),
        ({"loss_more": "1"}, TypeError, "loss_more must be a number, got '1'"),
        ({"loss_less": None}, TypeError, "loss_less must be a number, got None"),
    ],
    ids=str,
)
def test_refused_losses(arguments, error, message):
    with pytest.raises(error) as caught:
        legacy.run_forecaster(**arguments)
    assert str(caught.value) == message
