"""The loss classes in models: compile, fit, evaluate, and loops of one's own."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from lossfn import nn, train
from lossfn.keras_losses import (
    BinaryCrossentropy,
    Newsvendor,
    Pinball,
    SparseCategoricalCrossentropy,
    SquaredError,
)
from tests.keras_cases import BY_NAME, CASES, FOUR, WIDTH, LossCase, ids

N = 8
MODES = {
    "eager": {"run_eagerly": True},
    "graph": {"jit_compile": False},
    "xla": {"jit_compile": True},
}


@pytest.fixture(autouse=True)
def same_seed():
    keras.utils.set_random_seed(1)


@pytest.fixture
def policy(request):
    """Set a policy of mixed precision for one test."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


POLICIES = ["mixed_float16", "mixed_bfloat16"]


def linear(outputs: int, *, inputs: int = 2, start: str = "glorot_uniform"):
    return keras.Sequential(
        [keras.Input((inputs,)), keras.layers.Dense(outputs, kernel_initializer=start)]
    )


def features(count: int = N, inputs: int = 2) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, inputs)).astype(np.float32)


def labels_of(case: LossCase) -> np.ndarray:
    y_true, _ = case.arguments(shape=(N, WIDTH))
    return y_true


# --- all classes at once: a model with one output for each


def two_steps(mode: str, cases: list[LossCase]) -> tuple[dict, dict, list[np.ndarray]]:
    """Return the predictions before, what fit reports, and the weights after."""
    keras.utils.set_random_seed(1)
    x = keras.Input((2,))
    model = keras.Model(x, {case.name: keras.layers.Dense(WIDTH)(x) for case in cases})
    model.compile(
        optimizer=keras.optimizers.SGD(0.1),
        loss={case.name: case.make() for case in cases},
        **MODES[mode],
    )
    y = {case.name: labels_of(case) for case in cases}
    before = {name: value.numpy() for name, value in model(features()).items()}
    history = model.fit(
        features(), y, epochs=2, batch_size=N, shuffle=False, verbose=0
    ).history
    scales = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scales == (keras.config.dtype_policy().name == "mixed_float16")
    return before, history, model.get_weights()


@pytest.fixture(scope="module")
def trained():
    """The same model trained eagerly and in a graph."""
    return {mode: two_steps(mode, CASES) for mode in ("eager", "graph")}


@pytest.mark.parametrize("mode", ["eager", "graph"])
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_fit_reports_the_mean_of_the_function_and_lowers_it(case, mode, trained):
    y_pred, history, _ = trained[mode]
    want = case.per_example(labels_of(case), y_pred[case.name]).mean()
    before, after = history[f"{case.name}_loss"]
    np.testing.assert_allclose(before, want, rtol=1e-5)
    assert after < before


def test_a_graph_takes_the_steps_of_eager_mode(trained):
    for got, want in zip(trained["graph"][2], trained["eager"][2], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)


@pytest.fixture(scope="module")
def four():
    return two_steps("eager", FOUR)


def test_xla_takes_the_steps_of_eager_mode(four):
    got, want = tf.nest.flatten(two_steps("xla", FOUR)), tf.nest.flatten(four)
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_the_loss_is_the_sum_over_the_outputs(trained):
    _, history, _ = trained["graph"]
    of_outputs = [history[f"{case.name}_loss"] for case in CASES]
    np.testing.assert_allclose(history["loss"], np.sum(of_outputs, 0), rtol=1e-5)


# --- labels as fit passes them on


@pytest.mark.parametrize("mode", MODES)
def test_a_perfect_prediction_of_targets_in_a_vector_costs_nothing(mode):
    # Targets (N,) against predictions (N, 1): an (N, N) broadcast would cost 2.5.
    model = linear(1, inputs=1, start="ones")
    model.compile(optimizer="sgd", loss=SquaredError(), **MODES[mode])
    x = np.arange(4, dtype=np.float32)
    assert model.evaluate(x[:, None], x, verbose=0) == 0
    assert np.mean((x[:, None] - x) ** 2) == 2.5


@pytest.mark.parametrize(
    "convert",
    [
        lambda y: y[:, 0],
        lambda y: y,
        lambda y: y[:, 0].astype(int),
        lambda y: y.astype(bool),
        lambda y: y.astype(np.float64),
    ],
    ids=["vector", "column", "integers", "booleans", "float64"],
)
def test_yes_or_no_labels_of_every_kind_train_the_same(convert):
    y = (features()[:, :1] > 0).astype(np.float32)
    model = linear(1)
    model.compile(optimizer="sgd", loss=BinaryCrossentropy())
    want = BinaryCrossentropy()(y, model(features()))
    history = model.fit(features(), convert(y), epochs=1, batch_size=N, verbose=0)
    np.testing.assert_allclose(history.history["loss"], [want], rtol=1e-6)


@pytest.mark.parametrize("as_dataset", [False, True], ids=["arrays", "dataset"])
@pytest.mark.parametrize("shape", [(N,), (N, 1)], ids=str)
def test_class_indices_of_both_shapes_train_the_same(shape, as_dataset):
    y = labels_of(BY_NAME["sparse"])
    loss = SparseCategoricalCrossentropy()
    model = linear(WIDTH)
    model.compile(optimizer="sgd", loss=loss)
    want = loss(y, model(features()))
    data = (features(), y.reshape(shape))
    if as_dataset:
        data = (tf.data.Dataset.from_tensor_slices(data).batch(N),)
    np.testing.assert_allclose(model.evaluate(*data, verbose=0), want, rtol=1e-6)


def test_labels_that_do_not_match_stop_fit():
    model = linear(WIDTH)
    model.compile(optimizer="sgd", loss=Pinball(quantile=0.5))
    message = r"y_true and y_pred must have the same shape, got \(\?,\) and \(\?, 3\)"
    with pytest.raises(ValueError, match=message):
        model.fit(features(), features()[:, 0], verbose=0)


def test_a_bad_label_stops_fit_and_under_xla_leaves_the_weights_alone():
    y = np.array([0, 1, 2, 0, 1, 2, 0, WIDTH])
    model = linear(WIDTH)
    model.compile(optimizer="sgd", loss=SparseCategoricalCrossentropy(), **MODES["xla"])
    history = model.fit(features(), y, batch_size=N, verbose=0).history
    assert np.isnan(history["loss"][0])
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    model.compile(
        optimizer="sgd", loss=SparseCategoricalCrossentropy(), **MODES["graph"]
    )
    message = r"y_true must lie in \[0, 3\)"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        model.fit(features(), y, batch_size=N, verbose=0)


# --- weights


@pytest.mark.parametrize("case", [FOUR[0], FOUR[3]], ids=ids)
def test_fit_weighs_examples(case: LossCase):
    y, weights = labels_of(case), np.arange(N, dtype=np.float32)
    model = linear(WIDTH)
    model.compile(optimizer="sgd", loss=case.make())
    losses = case.per_example(y, model(features()).numpy())
    history = model.fit(
        features(),
        y,
        sample_weight=weights,
        validation_data=(features(), y, weights[:, None]),
        batch_size=N,
        verbose=0,
    ).history
    np.testing.assert_allclose(history["loss"], (losses * weights).mean(), rtol=1e-5)
    after = case.per_example(y, model(features()).numpy())
    np.testing.assert_allclose(history["val_loss"], (after * weights).mean(), rtol=1e-5)


def test_class_weight_is_a_weight_of_examples_and_not_of_validation():
    case = BY_NAME["sparse-plain"]
    y = labels_of(case)
    model = linear(WIDTH)
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss=case.make())
    losses = case.per_example(y, model(features()).numpy())
    history = model.fit(
        features(),
        y,
        class_weight={0: 1.0, 1: 5.0, 2: 0.5},
        validation_data=(features(), y),
        batch_size=N,
        verbose=0,
    ).history
    weights = np.array([1.0, 5.0, 0.5])[y]
    np.testing.assert_allclose(history["loss"], (losses * weights).mean(), rtol=1e-5)
    np.testing.assert_allclose(history["val_loss"], losses.mean(), rtol=1e-5)


def test_one_array_of_weights_serves_several_outputs():
    x = keras.Input((2,))
    model = keras.Model(x, [keras.layers.Dense(WIDTH)(x) for _ in range(2)])
    cases = [BY_NAME["pinball"], BY_NAME["sparse"]]
    model.compile(optimizer="sgd", loss=[case.make() for case in cases])
    y, weights = [labels_of(case) for case in cases], np.arange(N, dtype=np.float32)
    want = sum(
        (case.per_example(labels, y_pred.numpy()) * weights).mean()
        for case, labels, y_pred in zip(cases, y, model(features()), strict=True)
    )
    history = model.fit(features(), y, sample_weight=weights, batch_size=N, verbose=0)
    np.testing.assert_allclose(history.history["loss"], [want], rtol=1e-5)


@pytest.mark.parametrize(
    ("reduction", "loss"),
    [("sum_over_batch_size", 1.5), ("mean_with_sample_weight", 3)],
)
def test_a_weighted_loss_and_the_metric_of_the_same_name(reduction, loss):
    # Errors 1 and 3 with weights 0 and 1: the metric divides by the weights.
    model = linear(1, inputs=1, start="zeros")
    model.compile(
        optimizer="sgd",
        loss=Newsvendor(underage_cost=1.0, overage_cost=1.0, reduction=reduction),
        weighted_metrics=[keras.metrics.MeanAbsoluteError(name="newsvendor")],
    )
    x, y = np.zeros((2, 1)), np.array([1.0, 3.0])
    got = model.evaluate(
        x, y, sample_weight=np.array([0.0, 1.0]), verbose=0, return_dict=True
    )
    assert got == {"loss": loss, "newsvendor": 3}


# --- masks


@pytest.mark.parametrize("mode", MODES)
def test_padding_has_no_part_in_a_sequence_model(mode):
    tokens = np.array([[1, 2, 0, 0], [3, 1, 2, 0]])
    y = np.array([[0, 2, 1, 1], [2, 2, 0, 1]])
    model = keras.Sequential(
        [
            keras.Input((4,), dtype="int32"),
            keras.layers.Embedding(4, 5, mask_zero=True),
            keras.layers.Dense(WIDTH),
        ]
    )
    loss = SparseCategoricalCrossentropy(ignore_index=-1)
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss=loss, **MODES[mode])
    losses = BY_NAME["sparse-plain"].per_example(y, model(tokens).numpy())
    got = model.fit(tokens, y, batch_size=2, verbose=0).history["loss"]
    np.testing.assert_allclose(got, losses[tokens > 0].mean(), rtol=1e-5)
    y[0, 0] = -1
    got = model.fit(tokens, y, batch_size=2, verbose=0).history["loss"]
    want = losses[(tokens > 0) & (y >= 0)].mean()
    np.testing.assert_allclose(got, want, rtol=1e-5)


def test_keras_agrees_about_padding():
    tokens, y = np.array([[1, 2, 0], [3, 0, 0]]), np.array([[0, 2, 1], [2, 2, 0]])
    model = keras.Sequential(
        [
            keras.layers.Embedding(4, 5, mask_zero=True),
            keras.layers.Dense(WIDTH),
        ]
    )
    y_pred = model(tokens)
    of_keras = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    np.testing.assert_allclose(
        SparseCategoricalCrossentropy()(y, y_pred), of_keras(y, y_pred), rtol=1e-6
    )


# --- mixed precision


@pytest.mark.parametrize("policy", POLICIES, indirect=True)
def test_a_large_margin_survives_mixed_precision(policy):
    # A softmax layer before a loss of logits makes log(e + 1) = 1.313 of it.
    logits = np.float32([[60, 0]])
    model = linear(2, start="identity")
    model.compile(optimizer="sgd", loss=SparseCategoricalCrossentropy())
    assert model(logits).dtype == keras.config.dtype_policy().compute_dtype
    assert model.evaluate(logits, np.array([1]), verbose=0) == 60


@pytest.mark.parametrize(
    ("policy", "mode"),
    [(POLICIES[0], "graph"), (POLICIES[0], "xla"), (POLICIES[1], "graph")],
    indirect=["policy"],
)
def test_fit_under_mixed_precision_comes_close_to_float32(policy, mode, four):
    _, history, weights = two_steps(mode, FOUR)
    assert all(np.isfinite(weight).all() for weight in weights)
    for name, (before, after) in history.items():
        np.testing.assert_allclose([before, after], four[1][name], rtol=0.02)
        assert after < before


# --- models and loops of one's own


class Scale(keras.Model):
    """A subclassed model without the last axis: one output per example."""

    def __init__(self):
        super().__init__()
        self.scale = self.add_weight(shape=(2,), initializer="ones", name="scale")

    def call(self, x):
        return tf.linalg.matvec(x, self.scale)


def test_a_subclassed_model_with_an_output_per_example():
    case = BY_NAME["pinball"]
    y = features().sum(-1) + np.arange(N, dtype=np.float32)
    model = Scale()
    model.compile(optimizer="sgd", loss=case.make())
    losses = case.per_example(y, features().sum(-1))
    weights = np.arange(N, dtype=np.float32)
    history = model.fit(features(), y, sample_weight=weights, batch_size=N, verbose=0)
    want = (losses * weights).mean()
    np.testing.assert_allclose(history.history["loss"], [want], rtol=1e-5)


@pytest.mark.parametrize("case", [FOUR[0], FOUR[3]], ids=ids)
def test_a_loop_of_ones_own_takes_the_steps_of_fit(case: LossCase):
    y, loss = labels_of(case), case.make()
    fitted, looped = linear(WIDTH), linear(WIDTH)
    looped.set_weights(fitted.get_weights())
    fitted.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss)
    fitted.fit(features(), y, epochs=3, batch_size=N, verbose=0)
    optimizer = keras.optimizers.SGD(0.1)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            value = loss(y, looped(x))
        variables = looped.trainable_variables
        optimizer.apply_gradients(
            zip(tape.gradient(value, variables), variables, strict=True)
        )

    for _ in range(3):
        step(tf.constant(features()), tf.constant(y))
    for got, want in zip(looped.get_weights(), fitted.get_weights(), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-7)


# --- what fit finds


def fall(first: float, steps: int) -> keras.optimizers.Optimizer:
    """Return gradient descent whose steps shrink to nothing."""
    rate = keras.optimizers.schedules.PolynomialDecay(first, steps, 0.0)
    return keras.optimizers.SGD(rate)


def fit_bias(loss: keras.Loss, y: np.ndarray, outputs: int, steps: int) -> np.ndarray:
    """Fit a constant to all of y at once."""
    model = linear(outputs, inputs=1, start="zeros")
    model.compile(optimizer=fall(2.0, steps), loss=loss)
    x = np.zeros((len(y), 1), np.float32)
    data = tf.data.Dataset.from_tensors((x, y)).repeat(steps)
    model.fit(data, epochs=1, verbose=0, shuffle=False)
    return model.layers[-1].bias.numpy()


def test_the_pinball_loss_finds_the_quantile():
    y = np.random.default_rng(0).gamma(2.0, size=201)
    (found,) = fit_bias(Pinball(quantile=0.9), y, outputs=1, steps=400)
    np.testing.assert_allclose(found, np.quantile(y, 0.9), atol=0.02)


def test_three_pinball_losses_find_three_quantiles():
    y = np.random.default_rng(0).gamma(2.0, size=201)
    quantile = [0.1, 0.5, 0.9]
    found = fit_bias(
        Pinball(quantile=quantile), np.repeat(y[:, None], 3, 1), outputs=3, steps=600
    )
    np.testing.assert_allclose(found, np.quantile(y, quantile), atol=0.02)


def test_the_newsvendor_loss_finds_the_critical_fractile():
    y = np.random.default_rng(0).gamma(2.0, size=201)
    loss = Newsvendor(underage_cost=3.0, overage_cost=1.0)
    (found,) = fit_bias(loss, y, outputs=1, steps=400)
    np.testing.assert_allclose(found, np.quantile(y, 3 / (3 + 1)), atol=0.02)


def test_weighted_binary_cross_entropy_finds_the_minimum_of_newton():
    x = features(200)
    y = (x @ [1.0, -2.0] + np.random.default_rng(1).logistic(size=200) > 1).astype(int)

    def weighted(*, labels, logits):
        return nn.weighted_cross_entropy_with_logits(
            labels=labels, logits=logits, pos_weight=4.0
        )

    want = train.fit_linear(
        x, y[:, None].astype(np.float64), loss=weighted, outputs=1, l2=0.0
    )
    model = linear(1, start="zeros")
    model.compile(
        optimizer=keras.optimizers.SGD(1.0), loss=BinaryCrossentropy(pos_weight=4.0)
    )
    data = tf.data.Dataset.from_tensors((x, y)).repeat(300)
    model.fit(data, verbose=0, shuffle=False)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(kernel, want.weights, atol=0.01)
    np.testing.assert_allclose(bias, want.bias, atol=0.01)
