"""Derivatives of the losses: finite differences, kinks, certainty, and the far ends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from lossfn import losses
from tests.cases import as_arrays, as_tensors, compiled, rounded, value_and_gradient
from tests.loss_cases import CASES, ONE_EACH, LossCase, ids, in_mode

GRAPHS = ["eager", "function", "xla"]
DTYPES_AND_MODES = [
    *[(dtype, "eager") for dtype in ("float16", "bfloat16", "float64")],
    *[("float32", mode) for mode in GRAPHS],
]
SMOOTH = [case for case in CASES if not case.is_regression]
# The parameters by which a loss is differentiated, away from the ends of their ranges.
PARAMETERS = [
    pytest.param(case, name, id=f"{case.name}-{name}")
    for case in CASES
    for name in case.parameters
]


STEP = 1e-4  # of central differences in float64


def gradient_of(loss: Callable, name: str) -> Callable:
    """Return the gradient by one argument, of the sum of the losses."""

    def gradient(**arguments: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(arguments[name])
            value = loss(**arguments)
        return dense(tape.gradient(value, arguments[name]))

    return gradient


def dense(gradient: tf.Tensor | tf.IndexedSlices) -> tf.Tensor:
    """Return a tensor; the gradient into something gathered is not one."""
    return tf.convert_to_tensor(gradient)


def assert_derivative(function: Callable, name: str, arguments: dict) -> None:
    """Compare the derivative by an argument with central differences.

    The results are added with weights that tell them apart.
    """
    point, steps = arguments[name], steps_at(arguments[name])
    with tf.GradientTape() as tape:
        tape.watch(point)
        result = function(**arguments)
        weights = np.random.default_rng(0).uniform(1, 2, size=result.shape)
        total = tf.reduce_sum(weights * result)
    theory = tape.gradient(total, point, unconnected_gradients="zero")
    ahead, behind = (
        at_all(function, name, arguments, point + sign * steps) for sign in (1, -1)
    )
    slopes = (ahead - behind) / (2 * STEP)
    numeric = (weights * slopes).reshape(len(steps), -1).sum(1)
    np.testing.assert_allclose(np.ravel(dense(theory)), numeric, rtol=1e-6, atol=1e-6)


def steps_at(point: tf.Tensor) -> np.ndarray:
    """Return a step along each coordinate, one after the other."""
    size = int(tf.size(point))
    return STEP * np.eye(size).reshape(size, *point.shape)


def at_all(
    function: Callable, name: str, arguments: dict, values: tf.Tensor
) -> np.ndarray:
    """Call a function with each of the values: at once, if they come with examples."""
    if name not in ("y_true", "y_pred"):
        return np.stack([function(**{**arguments, name: value}) for value in values])
    tiled = {
        key: tf.broadcast_to(arguments[key], [len(values), *arguments[key].shape])
        for key in ("y_true", "y_pred")
    }
    return function(**{**arguments, **tiled, name: values}).numpy()


def points(case: LossCase) -> dict[str, dict[str, tf.Tensor]]:
    """Return arguments at ordinary predictions, at 0, and with ties among them."""
    ordinary = case.arguments(seed=1, shape=(2, 4))
    if case.is_regression:  # a step of finite differences must not cross a kink
        ordinary["y_pred"] = ordinary["y_true"] + [[0.5, -1, 2, -3], [4, 1, -0.2, -5]]
        return {"ordinary": as_tensors(ordinary, "float64")}
    ordinary = as_tensors(ordinary, "float64")
    zeros = {**ordinary, "y_pred": tf.zeros([2, 4], tf.float64)}
    tied = tf.constant([[2.0, 1, 2, -1], [0, 3, 3, 3]], tf.float64)
    return {"ordinary": ordinary, "zero": zeros, "tied": {**ordinary, "y_pred": tied}}


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_gradient_is_finite_differences_and_closed_form(case):
    for arguments in points(case).values():
        assert_derivative(case.loss, "y_pred", arguments)
        _, gradient = in_mode(case.name, "eager")(arguments)
        arrays = {name: value.numpy() for name, value in arguments.items()}
        np.testing.assert_allclose(
            gradient, case.expected(arrays)[1], rtol=1e-12, atol=1e-14
        )


@pytest.mark.parametrize("case", [c for c in CASES if not c.is_sparse], ids=ids)
def test_gradient_into_labels(case):
    arguments = points(case)["ordinary"]
    if not case.is_regression:  # finite differences step to both sides
        arguments["y_true"] = 0.25 + arguments["y_true"] / 2
    assert_derivative(case.loss, "y_true", arguments)


@pytest.mark.parametrize("case", [c for c in CASES if c.is_sparse], ids=ids)
def test_no_gradient_into_class_indices(case):
    arguments = points(case)["ordinary"]
    with tf.GradientTape() as tape:
        tape.watch(arguments["y_pred"])
        value = case.loss(**arguments)
    assert tape.gradient(value, arguments["y_true"]) is None


@pytest.mark.parametrize(("case", "name"), PARAMETERS)
def test_gradient_into_parameters(case, name):
    for arguments in points(case).values():
        assert_derivative(case.loss, name, arguments)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_second_derivatives(case):
    for arguments in points(case).values():
        assert_derivative(gradient_of(case.loss, "y_pred"), "y_pred", arguments)


@pytest.mark.parametrize(("case", "name"), PARAMETERS)
def test_mixed_derivatives(case, name):
    """By the predictions and then by a parameter."""
    arguments = points(case)["ordinary"]
    assert_derivative(gradient_of(case.loss, "y_pred"), name, arguments)


@pytest.mark.parametrize(
    "case", [c for c in SMOOTH if "focal" in c.function and not c.is_sparse], ids=ids
)
def test_focal_derivatives_by_labels(case):
    """Of the gradient by the logits, and the other way round."""
    arguments = points(case)["ordinary"]
    arguments["y_true"] = 0.25 + arguments["y_true"] / 2
    assert_derivative(gradient_of(case.loss, "y_pred"), "y_true", arguments)
    assert_derivative(gradient_of(case.loss, "y_true"), "y_pred", arguments)


KINKED = {
    "pinball": (losses.pinball, {"quantile": 0.9}),
    "pinball_per_column": (losses.pinball, {"quantile": [0.1, 0.5]}),
    "newsvendor": (losses.newsvendor, {"underage_cost": 9.0, "overage_cost": 1.0}),
}


@pytest.mark.parametrize(("dtype", "mode"), DTYPES_AND_MODES)
@pytest.mark.parametrize("key", KINKED)
def test_at_a_kink_the_derivative_is_0(key, mode, dtype):
    """By the prediction, by the true value, and again."""
    loss, parameters = KINKED[key]

    def run(arguments: dict[str, tf.Tensor]) -> tuple[tf.Tensor, ...]:
        y_true, y_pred = arguments["y_true"], arguments["y_pred"]
        with tf.GradientTape() as outer:
            outer.watch(y_pred)
            with tf.GradientTape() as inner:
                inner.watch([y_true, y_pred])
                value = loss(y_true, y_pred, **parameters)
            by_true, by_pred = inner.gradient(value, [y_true, y_pred])
        second = outer.gradient(by_pred, y_pred)
        return (
            value,
            by_true,
            by_pred,
            tf.zeros_like(value) if second is None else second,
        )

    y = tf.constant([[0.0, -0.0], [3.5, -1e4]], dtype)
    # Two tensors: one tensor would get the sum of both derivatives.
    for got in compiled(run, mode)({"y_true": y, "y_pred": tf.identity(y)}):
        assert got.dtype.name == dtype
        np.testing.assert_array_equal(got, np.zeros((2, 2)))


@pytest.mark.parametrize("mode", GRAPHS)
@pytest.mark.parametrize("key", KINKED)
def test_next_to_a_kink_the_derivative_is_a_cost(key, mode):
    """The nearest float above or below is no tie."""
    loss, parameters = KINKED[key]
    short = np.broadcast_to(parameters.get("quantile", 9.0), 2)
    left = 1 - short if "quantile" in parameters else np.ones(2)
    y = np.full((2, 2), 3.5, np.float32)
    arguments = {"y_true": y, "y_pred": np.nextafter(y, np.float32([[9], [0]]))}
    run = compiled(
        lambda a: value_and_gradient(
            lambda **b: loss(**b, **parameters), a, of="y_pred"
        ),
        mode,
    )
    _, gradient = run({name: tf.constant(value) for name, value in arguments.items()})
    np.testing.assert_allclose(gradient, [left, -short], rtol=1e-6)


@pytest.mark.parametrize("mode", GRAPHS)
def test_huber_is_smooth_where_its_pieces_meet(mode):
    delta = 1.5
    error = np.float64([-2, -1.5, -0.5, 0, 0.5, 1.5, 2])

    def run(arguments: dict) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(arguments["y_pred"])
            value, gradient = value_and_gradient(
                lambda **a: losses.huber(**a, delta=delta), arguments, of="y_pred"
            )
        return value, gradient, tape.gradient(gradient, arguments["y_pred"])

    arguments = {"y_true": tf.zeros(7, tf.float64), "y_pred": tf.constant(error)}
    value, gradient, curvature = (
        tensor.numpy() for tensor in compiled(run, mode)(arguments)
    )
    np.testing.assert_allclose(value[[1, 5]], [delta**2 / 2] * 2, rtol=1e-15)
    np.testing.assert_array_equal(gradient, np.clip(error, -delta, delta))
    np.testing.assert_array_equal(curvature[2:5], np.ones(3))
    np.testing.assert_array_equal(curvature[[0, 6]], np.zeros(2))


RTOL = {"float16": 1e-3, "bfloat16": 8e-3, "float32": 2e-6, "float64": 1e-12}
FAR_PREDICTIONS = np.array([0.0, 1e4, -1e4, np.inf, -np.inf])


@pytest.mark.parametrize(("dtype", "mode"), DTYPES_AND_MODES)
@pytest.mark.parametrize("case", [c for c in ONE_EACH if c.is_regression], ids=ids)
def test_far_predictions(case, mode, dtype):
    """A square may be too large for float16: then the loss is inf, as it should be."""
    arguments = case.arguments(seed=3, shape=(5, 5), dtype=dtype)
    arguments["y_pred"] = np.tile(FAR_PREDICTIONS, (5, 1))
    arguments["y_pred"] = rounded(arguments["y_pred"], dtype)
    got = in_mode(case.name, mode)(as_tensors(arguments, dtype))
    value, gradient = as_arrays(got)
    exact, by_prediction = case.expected(arguments)
    exact = np.where(exact > float(tf.as_dtype(dtype).max), np.inf, exact)
    rtol = RTOL[dtype]
    np.testing.assert_allclose(value, exact, rtol=rtol)
    np.testing.assert_allclose(gradient, by_prediction, rtol=rtol, atol=rtol)


def limits(case: LossCase, arguments: dict) -> tuple[np.ndarray, np.ndarray]:
    """Return value and gradient where every gap between logits is 0 or huge.

    The formulas in float64 hold there too, but for 0 times infinity. So a logit of
    +-inf is first one of +-1e12, and a value that then is as large is infinite.
    """
    far = {**arguments, "y_pred": np.clip(arguments["y_pred"], -1e12, 1e12)}
    with np.errstate(all="ignore"):
        value, gradient = case.expected(far)
    return np.where(value > 1e8, np.inf, value), gradient


@pytest.mark.parametrize(("dtype", "mode"), DTYPES_AND_MODES)
@pytest.mark.parametrize("case", [c for c in SMOOTH if not c.has_classes], ids=ids)
def test_far_binary_logits(case, mode, dtype):
    far = np.array([0.0, 1e4, -1e4, np.inf, -np.inf])
    arguments = case.arguments(seed=4, shape=(5, 5), dtype=dtype)
    arguments["y_pred"] = np.stack([np.roll(far, shift) for shift in range(5)])
    assert_far(case, mode, dtype, arguments)


@pytest.mark.parametrize(("dtype", "mode"), DTYPES_AND_MODES)
@pytest.mark.parametrize("case", [c for c in SMOOTH if c.has_classes], ids=ids)
def test_far_logits(case, mode, dtype):
    arguments = case.arguments(seed=5, shape=(5, 5), dtype=dtype)
    for second in (1e4, 5e3, -np.inf):
        far = np.array([0.0, 1e4, -1e4, second, -np.inf])
        arguments["y_pred"] = np.stack([np.roll(far, shift) for shift in range(5)])
        assert_far(case, mode, dtype, arguments)


def assert_far(case: LossCase, mode: str, dtype: str, arguments: dict) -> None:
    arguments["y_pred"] = rounded(arguments["y_pred"], dtype)
    got = in_mode(case.name, mode)(as_tensors(arguments, dtype))
    value, gradient = as_arrays(got)
    exact, by_logit = limits(case, arguments)
    exact = np.where(exact > float(tf.as_dtype(dtype).max), np.inf, exact)
    rtol = RTOL[dtype]
    np.testing.assert_allclose(value, exact, rtol=rtol, atol=rtol)
    assert np.isfinite(gradient).all()
    np.testing.assert_allclose(gradient, by_logit, rtol=rtol, atol=20 * rtol)


EXPONENTS = [
    pytest.param(case, name, id=f"{case.name}-{name}")
    for case in SMOOTH
    for name in case.parameters
    if name in ("gamma", "q")
]


@pytest.mark.parametrize("mode", GRAPHS)
@pytest.mark.parametrize(("case", "name"), EXPONENTS)
def test_gradient_into_an_exponent_at_far_logits(case, name, mode):
    """An infinite loss does not change with it, nor does one of 0."""
    last = -np.inf if case.has_classes else np.inf
    arguments = case.arguments(seed=6, shape=(5, 5), dtype="float32")
    far = np.array([0.0, 1e4, -1e4, -np.inf, last])
    arguments["y_pred"] = np.stack([np.roll(far, shift) for shift in range(5)])

    def run(tensors: dict) -> tuple[tf.Tensor, tf.Tensor]:
        return value_and_gradient(case.loss, tensors, of=name)

    _, gradient = compiled(run, mode)(as_tensors(arguments, "float32"))
    finite = {**arguments, "y_pred": np.clip(arguments["y_pred"], -1e12, 1e12)}
    with np.errstate(all="ignore"):
        ahead, behind = (
            case.expected({**finite, name: arguments[name] + step})[0]
            for step in (STEP, -STEP)
        )
    np.testing.assert_allclose(
        gradient, np.sum(ahead - behind) / (2 * STEP), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("gamma", [0.0, 0.1, 2.0])
@pytest.mark.parametrize("mode", GRAPHS)
@pytest.mark.parametrize("binary", [False, True], ids=["categorical", "binary"])
def test_focal_losses_where_p_all_but_underflows(binary, mode, gamma):
    """Margins at which 1 - p is a number that some operations take for 0, or is 0."""
    margins = tf.range(80.0, 110.0, 0.25)

    def run(arguments: dict) -> tuple[tf.Tensor, ...]:
        with tf.GradientTape() as tape:
            tape.watch(arguments["y_pred"])
            value, gradient = value_and_gradient(
                focal, arguments, of="y_pred", gamma=gamma
            )
        return value, gradient, tape.gradient(gradient, arguments["y_pred"])

    focal, labels, logits = losses.binary_focal_crossentropy, margins * 0 + 1, margins
    if not binary:
        focal = losses.sparse_categorical_focal_crossentropy
        logits = tf.stack([margins, tf.zeros_like(margins)], -1)
        labels = tf.zeros(len(margins), tf.int64)
    for result in compiled(run, mode)({"y_true": labels, "y_pred": logits}):
        assert np.isfinite(result).all()
        assert (np.abs(result) < 1e-33).all()
