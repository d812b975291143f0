"""The minibatch loop is Adam, on the batches and with the reports that it promises."""

import importlib
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from lossfn import losses, train
from tools import notebooks

COUNT = 20  # 8 does not divide it: the third batch is short


def squared_error(y_true, y_pred):
    return tf.square(y_pred - y_true)


class Problem:
    """A linear model with three inputs, one output and a bias, in float64."""

    def __init__(self, *, dtype=np.float64, count=COUNT):
        generator = np.random.default_rng(5)
        self.features = generator.normal(size=(count, 3)).astype(dtype)
        noise = generator.normal(size=(count, 1))
        self.labels = (self.features @ [[1.0], [-2.0], [0.5]] + noise).astype(dtype)
        self.weights = tf.Variable(generator.normal(size=(3, 1)).astype(dtype))
        self.bias = tf.Variable(np.zeros(1, dtype))
        self.variables = [self.weights, self.bias]
        self.traces = 0

    def predict(self, features):
        self.traces += 1
        return features @ self.weights + self.bias

    def fit(self, **settings):
        defaults = {"loss": squared_error, "steps": 50, "batch_size": 8}
        changed = {
            name: settings.pop(name, getattr(self, name))
            for name in ("predict", "variables", "features", "labels")
        }
        return train.fit_adam(*changed.values(), **{**defaults, **settings})

    def values(self):
        return np.concatenate([v.numpy().ravel() for v in self.variables])


def numpy_adam(problem, *, steps, batch_size, rate, epsilon, total):
    """Return the parameters after each step, by the formulas of the docstring."""
    design = np.column_stack([problem.features, np.ones(len(problem.features))])
    labels, count = problem.labels[:, 0], len(design)
    parameters = problem.values()
    mean, square = np.zeros(4), np.zeros(4)
    path = [parameters]
    for t in range(1, steps + 1):
        start = (t - 1) * batch_size % count
        rows = slice(start, min(start + batch_size, count))
        error = design[rows] @ parameters - labels[rows]
        gradient = 2 * design[rows].T @ error / (1 if total else len(error))
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        corrected = rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        parameters = parameters - corrected * mean / (np.sqrt(square) + epsilon)
        path.append(parameters)
    reduce = np.sum if total else np.mean
    return path, [reduce((design @ p - labels) ** 2) for p in path]


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("batch_size", [1, 4, 8, COUNT])
def test_every_step_is_that_of_the_formulas(batch_size, reduction):
    problem = Problem()
    path, values = numpy_adam(
        problem,
        steps=50,
        batch_size=batch_size,
        rate=0.05,
        epsilon=1e-3,
        total=reduction == "sum",
    )
    fit = problem.fit(
        batch_size=batch_size,
        learning_rate=0.05,
        epsilon=1e-3,
        reduction=reduction,
        report_every=1,
    )
    np.testing.assert_allclose(fit.losses, values, rtol=1e-11)
    np.testing.assert_allclose(problem.values(), path[-1], rtol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_keras_gives_the_same_to_the_rounding_of_its_beta(dtype):
    problem, same = Problem(dtype=dtype), Problem(dtype=dtype)
    start, steps, rate = problem.values(), 60, 0.01
    problem.fit(steps=steps, learning_rate=rate)
    optimiser = keras.optimizers.Adam(rate)
    for step in range(steps):
        rows = slice(first := step * 8 % COUNT, first + 8)
        with tf.GradientTape() as tape:
            predictions = same.predict(same.features[rows])
            loss = tf.reduce_mean(squared_error(same.labels[rows], predictions))
        gradients = tape.gradient(loss, same.variables)
        optimiser.apply_gradients(zip(gradients, same.variables, strict=True))
    # Keras rounds 0.999 to float32 where it divides by 1 - 0.999**t, and so is off by
    # this part of a step; a step is as long as the learning rate at most.
    part = abs(np.sqrt(1 - np.float64(np.float32(0.999))) / np.sqrt(0.001) - 1)
    assert np.abs(problem.values() - start).max() > 0.3 * steps * rate
    np.testing.assert_allclose(
        problem.values(), same.values(), rtol=0, atol=part * steps * rate
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_follows_the_features(dtype):
    problem = Problem(dtype=dtype)
    seen = []

    def loss(y_true, y_pred):
        seen.extend([y_true.dtype, y_pred.dtype])
        return squared_error(y_true, y_pred)

    problem.fit(loss=loss, labels=problem.labels.astype(np.float64))
    assert set(seen) == {tf.as_dtype(dtype)}


@pytest.mark.parametrize(
    ("steps", "report_every", "reported"),
    [
        (7, None, [0, 7]),
        (7, 7, [0, 7]),
        (7, 100, [0, 7]),
        (7, 3, [0, 3, 6, 7]),
        (6, 3, [0, 3, 6]),
        (1, 1, [0, 1]),
    ],
)
def test_the_reports_come_when_they_should(steps, report_every, reported):
    fit = Problem().fit(steps=steps, report_every=report_every)
    assert fit.steps.tolist() == reported
    assert fit.losses.shape == (len(reported),)
    assert (fit.steps.dtype, fit.losses.dtype) == (np.int64, np.float64)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_first_report_is_before_and_the_last_after_all_steps(reduction):
    problem = Problem()

    def on_all_data():
        error = problem.predict(problem.features) - problem.labels
        return getattr(np, reduction)(np.square(error))

    before = on_all_data()
    fit = problem.fit(reduction=reduction)
    assert fit.losses == pytest.approx([before, on_all_data()], rel=1e-12)
    assert fit.losses[1] < fit.losses[0]


def test_reports_and_bars_do_not_change_the_result(capsys):
    results = []
    for settings in ({}, {"report_every": 7}, {"report_every": 1, "progress": True}):
        problem = Problem()
        problem.fit(steps=230, **settings)
        results.append(problem.values().tobytes())
    capsys.readouterr()
    assert len(set(results)) == 1


def test_the_functions_are_traced_as_often_for_many_steps_as_for_one():
    traces = []
    for steps in (1, 300):
        problem = Problem()
        problem.fit(steps=steps, report_every=max(1, steps // 4))
        traces.append(problem.traces)
    # Once to check the arguments, once for the steps, once for the reports.
    assert traces == [3, 3]


def test_a_second_fit_starts_adam_anew():
    problem, same = Problem(), Problem()
    problem.fit(steps=9, learning_rate=0.1)
    for variable, copy in zip(problem.variables, same.variables, strict=True):
        copy.assign(variable)
    problem.fit(steps=9)
    same.fit(steps=9)
    assert problem.values().tobytes() == same.values().tobytes()


def test_a_loss_for_each_example_and_one_for_each_prediction_are_the_same():
    results = []
    for loss in (squared_error, lambda y, p: squared_error(y, p)[:, 0]):
        problem = Problem()
        problem.fit(loss=loss)
        results.append(problem.values())
    np.testing.assert_allclose(results[0], results[1], rtol=1e-13)


def test_predictions_may_have_one_axis():
    problem, same = Problem(), Problem()
    problem.fit()
    same.fit(
        predict=lambda features: same.predict(features)[:, 0],
        labels=same.labels[:, 0],
    )
    np.testing.assert_allclose(problem.values(), same.values(), rtol=1e-13)


def test_the_batch_has_a_known_size_where_all_batches_are_equal():
    shapes = set()

    def loss(y_true, y_pred):
        shapes.add(tuple(y_pred.shape))
        return squared_error(y_true, y_pred)

    Problem().fit(loss=loss, batch_size=5)
    assert shapes == {(20, 1), (5, 1)}
    Problem().fit(loss=loss, batch_size=8)
    assert shapes == {(20, 1), (5, 1), (None, 1)}


def test_a_keras_model_with_integer_labels_learns_them():
    keras.utils.set_random_seed(1)
    features = np.float32([[0, 0], [0, 1], [1, 0], [1, 1]])
    labels = np.array([0, 1, 2, 3])
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4)])
    train.fit_adam(
        model,
        model.trainable_variables,
        features,
        labels,
        loss=losses.sparse_categorical_crossentropy,
        steps=500,
        batch_size=2,
        learning_rate=0.1,
    )
    assert np.argmax(model(features), axis=1).tolist() == labels.tolist()


def test_the_sparse_gradient_of_a_lookup_is_that_of_a_product():
    indices = np.float64([0, 2, 2, 1])
    labels = np.arange(4.0)
    looked_up, multiplied = tf.Variable(np.ones(3)), tf.Variable(np.ones(3))
    settings = {"loss": squared_error, "steps": 30, "batch_size": 2}
    train.fit_adam(
        lambda x: tf.gather(looked_up, tf.cast(x, tf.int32)),
        [looked_up],
        indices,
        labels,
        **settings,
    )
    train.fit_adam(
        lambda x: tf.linalg.matvec(x, multiplied),
        [multiplied],
        np.eye(3)[indices.astype(int)],
        labels,
        **settings,
    )
    np.testing.assert_allclose(looked_up, multiplied, rtol=1e-12)


def test_lists_and_tensors_do_as_well_as_arrays():
    results = []
    for convert in (np.asarray, np.ndarray.tolist, tf.constant):
        problem = Problem(dtype=np.float32)
        problem.fit(features=convert(problem.features), labels=convert(problem.labels))
        results.append(problem.values().tobytes())
    assert len(set(results)) == 1


def test_a_loss_that_stops_being_finite_shows_in_the_reports():
    level = tf.Variable(np.float64(0.5))
    fit = train.fit_adam(
        lambda features: features * level,
        [level],
        np.ones(4),
        np.zeros(4),
        loss=lambda y_true, y_pred: tf.math.log(y_pred),
        steps=2,
        batch_size=4,
        learning_rate=0.3,  # from 0.5 to 0.2 to -0.1
        report_every=1,
    )
    assert fit.losses[:2] == pytest.approx(np.log([0.5, 0.2]), rel=1e-5)
    assert np.isnan(fit.losses[2])


def test_nothing_hangs_on_the_global_seed():
    results = []
    for seed in (1, 2):
        tf.random.set_seed(seed)
        problem = Problem()
        problem.fit()
        results.append(problem.values().tobytes())
    assert len(set(results)) == 1


# --- the progress bar ---


def fresh_tqdm(monkeypatch):
    """Import tqdm anew: it reads the environment once, as it is imported."""
    for name in [name for name in sys.modules if name.split(".")[0] == "tqdm"]:
        monkeypatch.delitem(sys.modules, name)
    adam = importlib.import_module("lossfn.train._adam")
    monkeypatch.setattr(adam, "tqdm", importlib.import_module("tqdm").tqdm)


@pytest.mark.parametrize(
    ("progress", "environment", "shown"),
    [(True, None, True), (False, None, False), (True, "1", False)],
    ids=["asked for", "not asked for", "silenced"],
)
def test_a_bar_is_shown_where_it_is_wanted(
    progress, environment, shown, monkeypatch, capsys
):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    if environment:
        monkeypatch.setenv("TQDM_DISABLE", environment)
    fresh_tqdm(monkeypatch)
    Problem().fit(steps=30, progress=progress)
    out, err = capsys.readouterr()
    assert out == ""
    assert ("100%" in err and "30/30" in err) if shown else err == ""


def test_the_tools_that_store_outputs_silence_the_bar():
    makefile = (notebooks.ROOT / "Makefile").read_text(encoding="utf-8")
    assert "export TQDM_DISABLE := 1\n" in makefile
    assert notebooks._kernel_environment("profile")["TQDM_DISABLE"] == "1"


# --- errors ---


def refusal(error, **settings):
    with pytest.raises(error) as caught:
        Problem().fit(**settings)
    return str(caught.value)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"steps": 0}, ValueError, "steps must be at least 1, got 0"),
        ({"steps": 2.0}, TypeError, "steps must be an integer, got 2.0"),
        ({"batch_size": 0}, ValueError, "batch_size must lie in [1, 20], got 0"),
        ({"batch_size": 21}, ValueError, "batch_size must lie in [1, 20], got 21"),
        ({"batch_size": "8"}, TypeError, "batch_size must be an integer, got '8'"),
        ({"report_every": 0}, ValueError, "report_every must be at least 1, got 0"),
        ({"report_every": 0.5}, TypeError, "report_every must be an integer, got 0.5"),
        (
            {"learning_rate": 0.0},
            ValueError,
            "learning_rate must be positive and finite, got 0.0",
        ),
        (
            {"learning_rate": [0.1]},
            ValueError,
            "learning_rate must be a scalar, got shape (1,)",
        ),
        ({"epsilon": -1}, ValueError, "epsilon must be positive and finite, got -1.0"),
        (
            {"epsilon": None},
            TypeError,
            "epsilon must be an array of numbers, got None",
        ),
        (
            {"reduction": "max"},
            ValueError,
            "reduction must be 'mean' or 'sum', got 'max'",
        ),
        ({"loss": "mse"}, TypeError, "loss must be callable, got 'mse'"),
        ({"predict": None}, TypeError, "predict must be callable, got None"),
    ],
    ids=str,
)
def test_refused_settings(settings, error, message):
    assert refusal(error, **settings) == message


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (
            {"features": np.ones((20, 3), np.int64)},
            TypeError,
            "features must be of float32 or float64, got int64",
        ),
        (
            {"features": np.ones((20, 3), np.float16)},
            TypeError,
            "features must be of float32 or float64, got float16",
        ),
        (
            {"features": np.ones((0, 3))},
            ValueError,
            "features must have at least one example, shape (N, ...), got (0, 3)",
        ),
        (
            {"features": np.float64(1)},
            ValueError,
            "features must have at least one example, shape (N, ...), got ()",
        ),
        (
            {"features": [[1.0], "x"]},
            TypeError,
            "features must be an array of numbers, got [[1.0], 'x']",
        ),
        (
            {"features": np.array([[1.0, np.nan, 1.0]])},
            ValueError,
            "features must be finite, got nan at index (0, 1)",
        ),
        (
            {"labels": np.ones((19, 1))},
            ValueError,
            "labels must have one entry for each example, first axis 20, "
            "got shape (19, 1)",
        ),
        (
            {"labels": 1.0},
            ValueError,
            "labels must have one entry for each example, first axis 20, got shape ()",
        ),
    ],
    ids=range(8),
)
def test_refused_data(settings, error, message):
    assert refusal(error, **settings) == message


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (
            {"loss": lambda y, p: tf.reduce_mean(y - p)},
            ValueError,
            "loss must return one value for each example, shape (20,), or for each "
            "prediction, shape (20, 1), got shape ()",
        ),
        (
            {"loss": lambda y, p: (y - p)[:3]},
            ValueError,
            "loss must return one value for each example, shape (20,), or for each "
            "prediction, shape (20, 1), got shape (3, 1)",
        ),
        (
            # A vector less a column is a matrix.
            {"labels": np.ones(20), "loss": squared_error},
            ValueError,
            "loss must return one value for each example, shape (20,), or for each "
            "prediction, shape (20, 1), got shape (20, 20)",
        ),
        (
            {"loss": lambda y, p: tf.cast(y - p, tf.float32)},
            TypeError,
            "loss must return the dtype of features, float64, got float32",
        ),
        (
            {"predict": lambda x: tf.cast(x, tf.float32)},
            TypeError,
            "predict must return the dtype of features, float64, got float32",
        ),
        (
            {"predict": lambda x: tf.reduce_sum(x)},
            ValueError,
            "predict must return one row for each example, first axis 20, got shape ()",
        ),
        (
            {"loss": lambda y, p: tf.math.log(0 * p)},
            ValueError,
            "loss must be finite before the first step, got -inf",
        ),
        (
            {"predict": lambda x: x[:, :1]},
            ValueError,
            "loss must have a gradient for every variable, got none for variables[0]",
        ),
    ],
    ids=range(8),
)
def test_refused_losses_and_predictions(settings, error, message):
    assert refusal(error, **settings) == message


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ([], "variables must be a list of one tf.Variable or more, got []"),
        (None, "variables must be a list of one tf.Variable or more, got None"),
        ([1.0], "variables[0] must be a tf.Variable, got float"),
        ([np.ones(3)], "variables[0] must be a tf.Variable, got ndarray"),
        (
            [tf.Variable(np.float32(1))],
            "variables[0] must have the dtype of features, float64, got float32",
        ),
    ],
    ids=range(5),
)
def test_refused_variables(variables, message):
    assert refusal(TypeError, variables=variables) == message


def test_one_variable_is_not_a_list_of_its_rows():
    variable = tf.Variable(np.ones((3, 1)))
    assert refusal(TypeError, variables=variable).startswith(
        "variables must be a list of one tf.Variable or more, got <tf.Variable"
    )


def test_the_second_variable_without_a_gradient_is_named():
    problem = Problem()
    with pytest.raises(ValueError, match=r"got none for variables\[1\]$"):
        problem.fit(predict=lambda features: features @ problem.weights)
