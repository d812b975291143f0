"""The source's programs in TensorFlow 2, and what can be mended in them.

That they give the source's own numbers is shown in test_legacy.py.
"""

import ast
import functools
import inspect
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lossfn import data, losses, train

each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def value_and_gradient(loss, y_true, y_pred):
    y_true, y_pred = tf.constant(y_true), tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = loss(y_true, y_pred)
    return value.numpy(), tape.gradient(value, y_pred).numpy()


# --- how TensorFlow 2 draws the initial weights of TensorFlow 1 ---


def drawn_by_a_graph(shape):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        return session.run(tf.compat.v1.random_normal(shape, stddev=1, seed=1))


def test_the_initial_weights_are_those_of_a_graph_without_a_graph_seed():
    classifier = train.fit_source_classifier(steps=1)
    forecaster = train.fit_source_forecaster(steps=1)
    for weight in (*classifier.initial_weights, *forecaster.initial_weights):
        np.testing.assert_array_equal(weight, drawn_by_a_graph(weight.shape))


def test_the_op_seed_alone_gives_other_numbers_at_every_call():
    tf.random.set_seed(3)
    draws = {tf.random.normal([2, 1], seed=1).numpy().tobytes() for _ in range(3)}
    assert len(draws) == 3
    assert drawn_by_a_graph([2, 1]).tobytes() not in draws


def test_with_the_seed_of_a_graph_only_the_first_call_gives_the_numbers():
    tf.random.set_seed(87654321)
    first, second = (tf.random.normal([2, 1], seed=1).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, drawn_by_a_graph([2, 1]))
    assert not np.array_equal(second, first)


@pytest.mark.parametrize("seed", [[87654321, 1], [1, 87654321]])
def test_stateless_normal_does_not_give_the_numbers(seed):
    draw = tf.random.stateless_normal([2, 1], seed=seed, alg="philox")
    assert not np.array_equal(draw, drawn_by_a_graph([2, 1]))


def test_nothing_of_tensorflow_1_is_used():
    folder = Path(inspect.getfile(train)).parent
    names = {
        node.attr
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }
    assert "function" in names
    assert names.isdisjoint({"compat", "v1", "Session", "placeholder"})


# --- the source's losses ---


def test_the_cross_entropy_is_the_clipped_logarithm_for_positives_only():
    output = np.float64([-3.0, 1e-12, 0.2, 0.9, 1.0, 7.0])
    for label in (0.0, 1.0):
        value, _ = value_and_gradient(
            train.source_cross_entropy, np.full(6, label), output
        )
        expected = -label * np.log(np.clip(output, 1e-10, 1))
        np.testing.assert_allclose(value, expected, rtol=1e-12)


def test_the_cross_entropy_teaches_only_between_its_clips():
    output = np.float64([-3.0, 1e-12, 0.2, 0.9, 7.0])
    _, gradient = value_and_gradient(train.source_cross_entropy, np.ones(5), output)
    np.testing.assert_allclose(gradient, [0, 0, -1 / 0.2, -1 / 0.9, 0], rtol=1e-12)
    _, gradient = value_and_gradient(train.source_cross_entropy, np.zeros(5), output)
    np.testing.assert_array_equal(np.abs(gradient), 0)


@pytest.mark.parametrize(("less", "more"), [(10.0, 1.0), (1.0, 10.0), (0.5, 2.5)])
def test_the_sales_cost_is_the_newsvendor_loss_but_where_a_forecast_is_exact(
    less, more
):
    sales = np.float64([1.0, 1.0, 1.0, 2.0])
    forecast = np.float64([0.25, 1.0, 3.0, -1.0])
    value, gradient = value_and_gradient(
        functools.partial(train.source_sales_cost, loss_less=less, loss_more=more),
        sales,
        forecast,
    )
    other_value, other_gradient = value_and_gradient(
        functools.partial(losses.newsvendor, underage_cost=less, overage_cost=more),
        sales,
        forecast,
    )
    np.testing.assert_allclose(value, [0.75 * less, 0, 2 * more, 3 * less])
    np.testing.assert_allclose(value, other_value, rtol=1e-12)
    np.testing.assert_allclose(gradient, [-less, -less, more, -less], rtol=1e-12)
    np.testing.assert_allclose(other_gradient, [-less, 0, more, -less], rtol=1e-12)


# --- the classifier ---


@pytest.fixture(scope="module")
def points():
    return data.simulate_source_classes(seed=1)


def accuracy(fit, points, threshold):
    features, labels = points
    return np.mean((fit.predict(features) > threshold) == labels)


def mended(**settings):
    return train.fit_source_classifier(loss=losses.binary_crossentropy, **settings)


def test_the_source_answers_yes_to_everything_while_its_loss_falls(points):
    fit = train.fit_source_classifier()
    assert np.all(np.diff(fit.losses) < 0)
    assert np.all(fit.predict(points[0]) > 0.5)
    assert fit.predict(points[0]).max() > 1


def test_a_sigmoid_alone_mends_nothing(points):
    fit = train.fit_source_classifier(output=tf.sigmoid)
    assert np.all(np.diff(fit.losses) < 0)
    assert np.all(fit.predict(points[0]) > 0.5)
    assert fit.predict(points[0]).max() <= 1


@pytest.mark.parametrize("hidden", [tf.identity, tf.nn.relu], ids=["linear", "relu"])
def test_without_a_bias_all_points_on_a_ray_get_one_answer(hidden, points):
    fit = mended(hidden=hidden)
    features = points[0]
    np.testing.assert_allclose(
        fit.predict(3 * features), 3 * fit.predict(features), rtol=1e-4, atol=1e-6
    )
    assert accuracy(fit, points, 0) < 0.65
    assert fit.biases == ()


@pytest.mark.parametrize("hidden", [tf.identity, tf.nn.relu], ids=["linear", "relu"])
def test_with_the_right_loss_and_a_bias_the_line_is_found(hidden, points):
    fit = mended(hidden=hidden, bias=True)
    assert accuracy(fit, points, 0) > 0.9
    assert [bias.shape for bias in fit.biases] == [(3,), (1,)]


def test_probabilities_and_logits_lead_to_the_same_place():
    def on_probabilities(y_true, y_pred):
        positive = y_true * tf.math.log(y_pred)
        return -positive - (1 - y_true) * tf.math.log(1 - y_pred)

    settings = {"bias": True, "steps": 500, "report_every": 100, "dtype": "float64"}
    logits = mended(**settings)
    probabilities = train.fit_source_classifier(
        loss=on_probabilities, output=tf.sigmoid, **settings
    )
    np.testing.assert_allclose(probabilities.losses, logits.losses, rtol=1e-9)


def test_the_network_is_its_two_layers():
    fit = mended(hidden=tf.nn.relu, output=tf.tanh, bias=True, steps=30)
    features = np.float64([[0.2, 0.9], [-1.0, 2.0]])
    hidden = np.maximum(features @ fit.weights[0] + fit.biases[0], 0)
    expected = np.tanh(hidden @ fit.weights[1] + fit.biases[1])
    np.testing.assert_allclose(fit.predict(features), expected, rtol=1e-5)


def test_the_mended_network_starts_where_the_source_does():
    source, other = train.fit_source_classifier(steps=1), mended(bias=True, steps=1)
    for weight, same in zip(source.initial_weights, other.initial_weights, strict=True):
        np.testing.assert_array_equal(weight, same)
    # A bias starts at 0, and the first step of Adam is as long as the learning rate.
    np.testing.assert_allclose(np.abs(other.biases[1]), 0.001, rtol=1e-4)


# --- the forecaster ---


def test_the_dear_mistake_is_avoided():
    features, sales = data.simulate_source_sales(seed=1)
    shares = {
        costs: np.mean(
            train.fit_source_forecaster(
                underage_cost=costs[0], overage_cost=costs[1]
            ).predict(features)
            > sales
        )
        for costs in ((10.0, 1.0), (1.0, 10.0))
    }
    assert shares[10.0, 1.0] > 0.8
    assert shares[1.0, 10.0] < 0.2


@pytest.mark.parametrize(("less", "more"), [(10.0, 1.0), (1.0, 10.0)])
def test_the_newsvendor_loss_is_the_source_s_until_a_forecast_is_exact(less, more):
    settings = {"underage_cost": less, "overage_cost": more}
    source = train.fit_source_forecaster(**settings)
    newsvendor = train.fit_source_forecaster(loss="newsvendor", **settings)
    np.testing.assert_allclose(newsvendor.losses, source.losses, rtol=5e-5)
    # With a constant learning rate the weights jitter around the kinks, and one exact
    # forecast is enough to part them.
    np.testing.assert_allclose(newsvendor.weights[0], source.weights[0], rtol=3e-3)


def test_the_squared_error_is_a_mean_and_the_costs_are_sums():
    features, sales = data.simulate_source_sales(seed=1)
    for loss, expected in (
        ("squared_error", lambda error: np.mean(error**2)),
        ("source", lambda error: np.sum(np.maximum(error, -10 * error))),
        ("newsvendor", lambda error: np.sum(np.maximum(error, -10 * error))),
    ):
        fit = train.fit_source_forecaster(loss=loss, steps=1, dtype="float64")
        error = features @ fit.weights[0] - sales
        assert fit.losses == pytest.approx([expected(error)], rel=1e-9)


# --- both ---


@each_dtype
def test_everything_has_the_dtype_of_the_fit(dtype):
    fit = mended(bias=True, dtype=dtype, steps=1)
    arrays = (*fit.initial_weights, *fit.weights, *fit.biases, fit.predict([[1, 2]]))
    assert {array.dtype.name for array in arrays} == {dtype}
    assert fit.losses.dtype == np.float64


def test_float64_starts_at_the_same_numbers_and_agrees_to_four_digits():
    single, double = (mended(bias=True, dtype=d) for d in ("float32", "float64"))
    for weight, same in zip(
        single.initial_weights, double.initial_weights, strict=True
    ):
        np.testing.assert_array_equal(weight, same)
    np.testing.assert_allclose(single.losses, double.losses, rtol=5e-5)


def test_a_bar_is_passed_on(monkeypatch):
    seen = []
    minimise = train._adam.minimise

    def spy(*arguments, **settings):
        seen.append(settings["progress"])
        return minimise(*arguments, **{**settings, "progress": False})

    monkeypatch.setattr(train._adam, "minimise", spy)
    train.fit_source_classifier(steps=1, progress=True)
    train.fit_source_forecaster(steps=1)
    assert seen == [True, False]


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"steps": 0}, ValueError, "steps must be at least 1, got 0"),
        ({"steps": 1.0}, TypeError, "steps must be an integer, got 1.0"),
        ({"report_every": 0}, ValueError, "report_every must be at least 1, got 0"),
        (
            {"dtype": "float16"},
            ValueError,
            "dtype must be 'float32' or 'float64', got 'float16'",
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "fit", [train.fit_source_classifier, train.fit_source_forecaster]
)
def test_refused_settings_of_both(fit, settings, error, message):
    with pytest.raises(error) as caught:
        fit(**settings)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"hidden": "relu"}, TypeError, "hidden must be callable, got 'relu'"),
        ({"output": None}, TypeError, "output must be callable, got None"),
        ({"loss": "bce"}, TypeError, "loss must be callable, got 'bce'"),
        (
            {"loss": lambda y_true, y_pred: tf.reduce_mean(y_pred)},
            ValueError,
            "loss must return one value for each example, shape (128,), or for each "
            "prediction, shape (128, 1), got shape ()",
        ),
    ],
    ids=range(4),
)
def test_refused_settings_of_the_classifier(settings, error, message):
    with pytest.raises(error) as caught:
        train.fit_source_classifier(**settings)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (
            {"loss": "mse"},
            ValueError,
            "loss must be 'source', 'newsvendor' or 'squared_error', got 'mse'",
        ),
        (
            {"underage_cost": 0},
            ValueError,
            "underage_cost must be positive and finite, got 0.0",
        ),
        (
            {"overage_cost": [1.0, 2.0]},
            ValueError,
            "overage_cost must be a scalar, got shape (2,)",
        ),
        (
            {"overage_cost": "1"},
            TypeError,
            "overage_cost must be an array of numbers, got '1'",
        ),
    ],
    ids=str,
)
def test_refused_settings_of_the_forecaster(settings, error, message):
    with pytest.raises(error) as caught:
        train.fit_source_forecaster(**settings)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        ([1.0, 2.0], ValueError, "features must have shape (N, 2), got (2,)"),
        ([[1.0]], ValueError, "features must have shape (N, 2), got (1, 1)"),
        ("x", TypeError, "features must be an array of numbers, got 'x'"),
        (
            [[1.0, np.nan]],
            ValueError,
            "features must be finite, got nan at index (0, 1)",
        ),
    ],
    ids=str,
)
def test_refused_features_of_a_prediction(features, error, message):
    fit = train.fit_source_forecaster(steps=1)
    with pytest.raises(error) as caught:
        fit.predict(features)
    assert str(caught.value) == message
