"""Derivatives of the four losses: closed form, finite differences, and the far ends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from lossfn import nn
from tests.cases import (
    BY_NAME,
    CASES,
    CASES_WITH_CLASSES,
    FOUR,
    SIGMOID,
    SOFTMAX,
    SPARSE,
    WEIGHTED,
    Case,
    as_tensors,
    ids,
    in_mode,
)

DIFFERENTIABLE_LABELS = [case for case in CASES if not case.is_sparse]
# By which arguments a loss is differentiated, and differentiated again.
TWICE = [
    pytest.param(case, first, second, id=f"{case.name}-{first}-{second}")
    for case in FOUR
    for first, second in [
        ("logits", "logits"),
        ("logits", "labels"),
        ("labels", "logits"),
    ]
    if not (case.is_sparse and "labels" in (first, second))
]


def as_function_of(loss: Callable, name: str, arguments: dict) -> Callable:
    return lambda value: loss(**{**arguments, name: value})


def gradient_of(case: Case, name: str) -> Callable:
    """Return the gradient by one argument, of a sum that tells the losses apart."""

    def gradient(**arguments: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(arguments[name])
            loss = case.loss(**arguments)
            weights = tf.reshape(tf.range(1, tf.size(loss) + 1), tf.shape(loss))
            total = tf.reduce_sum(loss * tf.cast(weights, loss.dtype))
        return tape.gradient(total, arguments[name])

    return gradient


def assert_derivative(function: Callable, point: tf.Tensor) -> None:
    """Compare a derivative in float64 with central differences."""
    (theory,), (numeric,) = tf.test.compute_gradient(function, [point], delta=1e-4)
    np.testing.assert_allclose(theory, numeric, rtol=1e-6, atol=1e-7)


def points(case: Case) -> dict[str, dict[str, tf.Tensor]]:
    """Return arguments at ordinary logits, at 0, and with ties among the largest."""
    ordinary = as_tensors(case.arguments(seed=1, shape=(2, 4)), "float64")
    zeros = {**ordinary, "logits": tf.zeros([2, 4], tf.float64)}
    tied = tf.constant([[2.0, 1, 2, -1], [0, 3, 3, 3]], tf.float64)
    return {"ordinary": ordinary, "zero": zeros, "tied": {**ordinary, "logits": tied}}


@pytest.mark.parametrize("point", ["ordinary", "zero", "tied"])
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_gradient_is_finite_differences_and_closed_form(case, point):
    arguments = points(case)[point]
    function = as_function_of(case.loss, "logits", arguments)
    assert_derivative(function, arguments["logits"])
    _, gradient = in_mode(case.function, "eager")(arguments)
    arrays = {name: value.numpy() for name, value in arguments.items()}
    np.testing.assert_allclose(
        gradient, case.gradient(**arrays), rtol=1e-13, atol=1e-15
    )


@pytest.mark.parametrize("case", DIFFERENTIABLE_LABELS, ids=ids)
def test_gradient_into_labels(case):
    arguments = as_tensors(case.arguments(seed=2, shape=(2, 4)), "float64")
    inside = 0.25 + arguments["labels"] / 2  # finite differences step to both sides
    assert_derivative(as_function_of(case.loss, "labels", arguments), inside)


def test_gradient_into_pos_weight():
    case = BY_NAME["weighted-soft"]
    arguments = as_tensors(case.arguments(seed=3, shape=(2, 4)), "float64")
    function = as_function_of(case.loss, "pos_weight", arguments)
    assert_derivative(function, arguments["pos_weight"])


def test_no_gradient_into_class_indices():
    labels, logits = tf.constant([0]), tf.constant([[1.0, 2.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    assert tape.gradient(loss, [labels, logits])[0] is None


@pytest.mark.parametrize("point", ["ordinary", "zero", "tied"])
@pytest.mark.parametrize(("case", "first", "second"), TWICE)
def test_second_derivatives(case, first, second, point):
    arguments = points(case)[point]
    if second == "labels":
        arguments["labels"] = 0.25 + arguments["labels"] / 2
    function = as_function_of(gradient_of(case, first), second, arguments)
    assert_derivative(function, arguments[second])


@pytest.mark.parametrize("name", [SOFTMAX, SPARSE])
def test_hessian_is_the_covariance_of_the_classes(name):
    """Computed by tape.jacobian, which vectorises the gradient."""
    logits = tf.constant([0.5, -1.0, 2.0], tf.float64)
    labels = 2 if name == SPARSE else tf.constant([0.2, 0.3, 0.5], tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(logits)
        with tf.GradientTape() as inner:
            inner.watch(logits)
            loss = getattr(nn, name)(labels=labels, logits=logits)
        gradient = inner.gradient(loss, logits)
    q = np.exp(logits) / np.exp(logits).sum()
    hessian = np.diag(q) - np.outer(q, q)
    np.testing.assert_allclose(outer.jacobian(gradient, logits), hessian, atol=1e-15)


@pytest.mark.parametrize("name", [SIGMOID, WEIGHTED])
def test_fourth_derivative_at_0(name):
    """Softplus is smooth: its fourth derivative at 0 is -1/8."""
    labels, weight = tf.constant([0.0, 0.3, 1.0], tf.float64), 3.0
    options = {"pos_weight": weight} if name == WEIGHTED else {}

    def function(logits: tf.Tensor) -> tf.Tensor:
        return getattr(nn, name)(labels=labels, logits=logits, **options)

    for _ in range(4):
        function = derivative(function)
    positive = options.get("pos_weight", 1.0) * labels
    np.testing.assert_allclose(
        function(tf.zeros(3, tf.float64)), -(1 - labels + positive) / 8, rtol=1e-14
    )


def derivative(function: Callable) -> Callable:
    """Return the derivative of the sum of a function."""

    def derived(point: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(point)
            value = function(point)
        return tape.gradient(value, point)

    return derived


def far_ends(case: Case) -> list[dict[str, np.ndarray]]:
    """Return arguments with logits of 0, +-1e4 and +-inf, in every order."""
    far = np.array([0.0, 1e4, -1e4, -np.inf])
    if not case.has_classes:
        far = np.array([0.0, 1e4, -1e4, -np.inf, np.inf])
    drawn = []
    for shift in range(len(far)):
        arguments = case.arguments(seed=shift, shape=(2, len(far)), dtype="float32")
        arguments["logits"] = np.stack([np.roll(far, shift), np.roll(far, shift)])
        drawn.append(arguments)
    return drawn


@pytest.mark.parametrize("mode", ["eager", "function", "xla"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_far_logits(case, dtype, mode):
    """The loss may be infinite where it truly is; the gradient is finite, and right."""
    for arguments in far_ends(case):
        value, gradient = in_mode(case.function, mode)(as_tensors(arguments, dtype))
        if dtype == "float16":
            arguments = {
                name: v if v.dtype.kind == "i" else v.astype(dtype).astype(float)
                for name, v in arguments.items()
            }
        exact = case.reference(**arguments)
        limit = np.finfo(dtype).max
        exact = np.where(exact > limit, np.inf, exact)
        rtol = {"float16": 1e-3, "float32": 1e-6, "float64": 1e-14}[dtype]
        np.testing.assert_allclose(value, exact, rtol=rtol, atol=rtol)
        assert np.isfinite(gradient).all()
        np.testing.assert_allclose(
            gradient, case.gradient(**arguments), rtol=rtol, atol=5 * rtol
        )


@pytest.mark.parametrize("jit", [None, False, True], ids=["eager", "function", "xla"])
@pytest.mark.parametrize("case", FOUR, ids=ids)
def test_second_derivative_at_far_logits(case, jit):
    """A softmax that is one-hot stays so; a binary one has q (1 - q) = 1/4 at 0."""

    def run(arguments: dict[str, tf.Tensor]) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(arguments["logits"])
            gradient = gradient_of(case, "logits")(**arguments)
            gradient *= tf.range(1.0, 1 + tf.cast(tf.shape(gradient)[-1], tf.float32))
        return tape.gradient(gradient, arguments["logits"])

    run = run if jit is None else tf.function(run, jit_compile=jit)
    for arguments in far_ends(case):
        got = run(as_tensors(arguments, "float32"))
        exact = np.zeros(got.shape)
        if not case.has_classes:
            y, w = arguments["labels"], arguments.get("pos_weight", 1.0)
            weights = np.arange(1, y.size + 1).reshape(y.shape)
            weights *= np.arange(1, y.shape[-1] + 1)
            exact = weights * (1 - y + w * y) * (arguments["logits"] == 0) / 4
        np.testing.assert_allclose(got, exact, rtol=1e-6)


MASKED = tf.constant([[1.0, 2.0, -np.inf], [-np.inf, 0.0, -np.inf]])


@pytest.mark.parametrize("mode", ["eager", "function", "xla"])
def test_a_masked_class_costs_nothing_without_a_label(mode):
    """Its gradient is 0, and that of the other classes is as if it were not there."""
    dense = {"labels": tf.constant([[1.0, 0, 0], [0, 1, 0]]), "logits": MASKED}
    sparse = {"labels": tf.constant([0, 1]), "logits": MASKED}
    q = 1 / (1 + np.exp(-1.0))
    for name, arguments in ((SOFTMAX, dense), (SPARSE, sparse)):
        value, gradient = in_mode(name, mode)(arguments)
        np.testing.assert_allclose(value, [np.log1p(np.exp(1.0)), 0], rtol=1e-6)
        np.testing.assert_allclose(gradient, [[-q, q, 0], [0, 0, 0]], rtol=1e-6)


@pytest.mark.parametrize("mode", ["eager", "function", "xla"])
def test_a_masked_class_with_a_label_costs_infinitely_much(mode):
    dense = {"labels": tf.constant([[0.0, 0.5, 0.5], [1, 0, 0]]), "logits": MASKED}
    sparse = {"labels": tf.constant([2, 0]), "logits": MASKED}
    for name, arguments in ((SOFTMAX, dense), (SPARSE, sparse)):
        value, gradient = in_mode(name, mode)(arguments)
        np.testing.assert_array_equal(value, [np.inf, np.inf])
        assert np.isfinite(gradient).all()


def test_gradient_into_the_label_of_a_masked_class():
    """A label there would cost infinitely much; other examples do not hear of it."""
    labels = tf.constant([[1.0, 0, 0], [0, 1, 0]])
    with tf.GradientTape() as tape:
        tape.watch(labels)
        first = nn.softmax_cross_entropy_with_logits(labels=labels, logits=MASKED)[0]
    by_label = [np.log1p(np.exp(1.0)), np.log1p(np.exp(-1.0)), np.inf]
    np.testing.assert_allclose(
        tape.gradient(first, labels), [by_label, [0, 0, 0]], rtol=1e-6
    )


@pytest.mark.parametrize("logits", [[-np.inf] * 3, [np.inf, 0, 0], [np.inf] * 3])
@pytest.mark.parametrize("case", CASES_WITH_CLASSES, ids=ids)
def test_rows_without_a_softmax_are_nan(case, logits):
    arguments = as_tensors(case.arguments(seed=4, shape=(1, 3)), "float32")
    value, gradient = in_mode(case.function, "eager")(
        {**arguments, "logits": tf.constant([logits], tf.float32)}
    )
    assert np.isnan(value).all()
    assert np.isnan(gradient).all()
