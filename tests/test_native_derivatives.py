"""Derivatives of lossfn.native: by each argument, of each order, in every way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from tests.cases import WEIGHTED, compiled
from tests.native_cases import (
    BY_NAME,
    CASES,
    FIVE,
    NEWSVENDOR,
    AnyCase,
    form,
    ids,
    in_mode,
    native_loss,
    tensors_of,
)
from tests.test_nn_derivatives import as_function_of, assert_derivative

Tensors = dict[str, tf.Tensor]
# More logits than the mean keeps on the tape, eagerly.
LARGE = (3, 30_000)
SMOOTH = [case for case in FIVE if case not in NEWSVENDOR]


def floating(case: AnyCase) -> list[str]:
    """Name the arguments that a loss can be differentiated by."""
    return [k for k, v in tensors_of(case, seed=1).items() if v.dtype.is_floating]


def each_and(cases: list[AnyCase], *, but: str | None = None) -> list:
    """Return parameters: a case, and one of its floating arguments."""
    return [
        pytest.param(case, name, id=f"{case.name}-{name}")
        for case in cases
        for name in floating(case)
        if name != (but or case.of)
    ]


def points(case: AnyCase) -> dict[str, Tensors]:
    """Return arguments at ordinary logits, at 0, and with ties among the largest."""
    ordinary = tensors_of(case, seed=1, shape=(2, 4))
    tied = tf.constant([[2.0, 1, 2, -1], [0, 3, 3, 3]], tf.float64)
    zeros = tf.zeros([2, 4], tf.float64)
    return {
        "ordinary": away_from_kinks(case, ordinary),
        "zero": away_from_kinks(case, {**ordinary, case.of: zeros}),
        "tied": away_from_kinks(case, {**ordinary, case.of: tied}),
    }


def away_from_kinks(case: AnyCase, arguments: Tensors) -> Tensors:
    """Move predictions that are right; finite differences step to both sides."""
    if case not in NEWSVENDOR:
        return arguments
    return {**arguments, "y_true": arguments["y_true"] + 0.01}


def weighted_sum(losses: tf.Tensor) -> tf.Tensor:
    """Return a sum that tells the losses apart."""
    weights = tf.reshape(tf.range(1, tf.size(losses) + 1), tf.shape(losses))
    return tf.reduce_sum(losses * tf.cast(weights, losses.dtype))


def gradient_by(name: str, loss: Callable) -> Callable[[Tensors], tf.Tensor]:
    """Return the gradient, by one argument, of the weighted sum of losses."""

    def gradient(arguments: Tensors) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(arguments[name])
            total = weighted_sum(loss(**arguments))
        return tape.gradient(total, arguments[name], unconnected_gradients="zero")

    return gradient


def second(loss: Callable, first: str, name: str) -> Callable[[Tensors], tf.Tensor]:
    """Return the derivative, by an argument, of the gradient by another."""
    return gradient_by(name, lambda **arguments: gradient_by(first, loss)(arguments))


@form
@pytest.mark.parametrize("point", ["ordinary", "zero", "tied"])
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_gradient_is_finite_differences_and_closed_form(case, point, form):
    arguments = points(case)[point]
    loss = native_loss(case, form)
    assert_derivative(as_function_of(loss, case.of, arguments), arguments[case.of])
    _, gradient = in_mode(case.name, "eager", form)(arguments)
    value, exact = case.expected({k: v.numpy() for k, v in arguments.items()})
    if form == "mean":
        exact = exact / value.size
    np.testing.assert_allclose(gradient, exact, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("mode", ["eager", "unknown_shape"])
@pytest.mark.parametrize(("case", "name"), each_and(FIVE))
def test_gradient_into_labels_and_parameters(case, name, mode):
    """That of the twin, and finite differences."""
    arguments = points(case)["ordinary"]
    if name == "labels":
        arguments["labels"] = 0.25 + arguments["labels"] / 2  # room on both sides
    got = compiled(gradient_by(name, native_loss(case)), mode)(arguments)
    np.testing.assert_allclose(got, gradient_by(name, case.loss)(arguments), rtol=1e-14)
    if mode == "eager":
        function = as_function_of(native_loss(case), name, arguments)
        assert_derivative(function, arguments[name])


WAYS = [("eager", (4, 5)), ("eager", LARGE), ("unknown_shape", (4, 5))]
ways = pytest.mark.parametrize(("mode", "shape"), WAYS, ids=["small", "large", "graph"])


@ways
@pytest.mark.parametrize(("case", "name"), each_and(FIVE))
def test_labels_and_parameters_of_a_mean_are_constants(case, name, shape, mode):
    """Even where they depend on the logits."""
    arguments = tensors_of(case, seed=2, shape=shape, dtype="float32")

    def run(arguments: Tensors) -> list[tf.Tensor | None]:
        sources = [arguments[name], arguments[case.of]]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            mean = native_loss(case, "mean")(**arguments)
        gradients = tape.gradient(mean, sources)
        assert gradients[0] is None
        return gradients[1]

    gradient = compiled(run, mode)(arguments)
    _, alone = in_mode(case.name, mode, "mean")(arguments)
    np.testing.assert_array_equal(gradient, alone)


@pytest.mark.parametrize("shape", [(4, 5), LARGE], ids=["small", "large"])
@pytest.mark.parametrize("name", ["softmax-soft", "sigmoid-soft"])
def test_labels_made_from_the_logits(name, shape):
    """As in self-distillation: a mean takes its labels as they are."""
    case = BY_NAME[name]
    arguments = tensors_of(case, seed=3, shape=shape, dtype="float32")
    logits = arguments["logits"]
    labels = tf.nn.softmax(logits)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        mean = native_loss(case, "mean")
        of_logits = mean(labels=tf.nn.softmax(logits), logits=logits)
        constant = mean(labels=labels, logits=logits)
    np.testing.assert_array_equal(
        tape.gradient(of_logits, logits), tape.gradient(constant, logits)
    )


def test_no_gradient_into_class_indices():
    arguments = tensors_of(BY_NAME["sparse"], seed=4)
    sources = [arguments["labels"], arguments["logits"]]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(arguments["logits"])
        loss = native_loss(BY_NAME["sparse"])(**arguments)
        mean = native_loss(BY_NAME["sparse"], "mean")(**arguments)
    assert tape.gradient(loss, sources)[0] is None
    assert tape.gradient(mean, sources)[0] is None


TWICE = [
    pytest.param(case, first, name, id=f"{case.name}-{first}-{name}")
    for case in FIVE
    for first in floating(case)
    for name in floating(case)
]


@pytest.mark.parametrize("mode", ["eager", "function"])
@pytest.mark.parametrize("point", ["zero", "tied"])
@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_second_derivatives_at_special_points(case, point, mode):
    arguments = points(case)[point]
    got = compiled(second(native_loss(case), case.of, case.of), mode)(arguments)
    expected = second(case.loss, case.of, case.of)(arguments)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("case", "first", "name"), TWICE)
def test_second_derivatives(case, first, name):
    """Those of the twin, and finite differences of the native gradient."""
    arguments = points(case)["ordinary"]
    if "labels" in (first, name):
        arguments["labels"] = 0.25 + arguments["labels"] / 2  # room on both sides
    got = second(native_loss(case), first, name)(arguments)
    expected = second(case.loss, first, name)(arguments)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)
    gradient = gradient_by(first, native_loss(case))
    assert_derivative(
        lambda value: gradient({**arguments, name: value}), arguments[name]
    )


def mean_of_twin(case: AnyCase) -> Callable[..., tf.Tensor]:
    return lambda **arguments: tf.reduce_mean(case.loss(**arguments))


@ways
@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_second_derivative_of_a_mean(case, shape, mode):
    """Beyond 65,536 logits a mean takes another way eagerly."""
    arguments = tensors_of(case, seed=5, shape=shape)
    run = compiled(second(native_loss(case, "mean"), case.of, case.of), mode)
    expected = second(mean_of_twin(case), case.of, case.of)(arguments)
    np.testing.assert_allclose(run(arguments), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("case", "name"), each_and(FIVE))
def test_gradient_of_a_mean_depends_on_labels_and_parameters(case, name):
    """They are constants of the mean, and not of its slopes."""
    arguments = tensors_of(case, seed=6, shape=(4, 5))
    got = second(native_loss(case, "mean"), case.of, name)(arguments)
    expected = second(mean_of_twin(case), case.of, name)(arguments)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


@form
@pytest.mark.parametrize("case", SMOOTH, ids=ids)
def test_third_derivatives(case, form):
    arguments = tensors_of(case, seed=7, shape=(2, 4))
    twin = case.loss if form == "each" else mean_of_twin(case)

    def third(loss: Callable) -> tf.Tensor:
        twice = second(loss, "logits", "logits")
        return gradient_by("logits", lambda **a: twice(a))(arguments)

    got = third(native_loss(case, form))
    np.testing.assert_allclose(got, third(twin), rtol=1e-11, atol=1e-13)
    assert np.abs(got).max() > 1e-3


@form
@pytest.mark.parametrize("case", SMOOTH, ids=ids)
def test_second_derivative_by_what_comes_from_above(case, form):
    """A gradient is linear in it, and an outer tape sees that."""
    arguments = tensors_of(case, seed=8, shape=(2, 4))
    factor = tf.constant(3.0, tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(factor)
        with tf.GradientTape() as inner:
            inner.watch(arguments["logits"])
            scaled = factor * native_loss(case, form)(**arguments)
        gradient = inner.gradient(scaled, arguments["logits"])
    _, expected = in_mode(case.name, "eager", form)(arguments)
    np.testing.assert_allclose(gradient, 3 * expected, rtol=1e-13, atol=1e-16)
    np.testing.assert_allclose(
        outer.gradient(gradient, factor), tf.reduce_sum(expected), atol=1e-14
    )


@pytest.mark.parametrize(
    ("mode", "form"), [("eager", "each"), ("eager", "mean"), ("function", "mean")]
)
@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_forward_mode(case, mode, form):
    """The derivative along a direction is the gradient times the direction."""
    arguments = tensors_of(case, seed=9)
    direction = tf.random.stateless_normal([6, 5], [1, 2], dtype=tf.float64)

    def along(arguments: Tensors) -> tf.Tensor:
        with tf.autodiff.ForwardAccumulator(arguments[case.of], direction) as forward:
            loss = native_loss(case, form)(**arguments)
        return forward.jvp(loss)

    _, gradient = in_mode(case.name, "eager", form)(arguments)
    expected = gradient * direction
    if form == "mean":
        expected = tf.reduce_sum(expected)
    elif case.has_classes:
        expected = tf.reduce_sum(expected, -1)
    got = compiled(along, mode)(arguments)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


def test_forward_mode_of_a_large_mean():
    case = BY_NAME["sparse"]
    arguments = tensors_of(case, seed=10, shape=LARGE)
    logits = arguments["logits"]
    with tf.autodiff.ForwardAccumulator(logits, tf.ones_like(logits) * logits) as along:
        mean = native_loss(case, "mean")(**arguments)
    _, gradient = in_mode(case.name, "eager", "mean")(arguments)
    expected = tf.reduce_sum(gradient * logits)
    np.testing.assert_allclose(along.jvp(mean), expected, rtol=1e-10)


def hessian(loss: Callable, arguments: Tensors, of: str) -> tf.Tensor:
    """Return the second derivatives of the sum of losses, by tf.hessians."""
    others = {name: value for name, value in arguments.items() if name != of}

    @tf.function
    def run(point: tf.Tensor) -> tf.Tensor:
        return tf.hessians(tf.reduce_sum(loss(**others, **{of: point})), point)[0]

    return run(arguments[of])


@form
@pytest.mark.parametrize("case", SMOOTH[1::2], ids=ids)
def test_hessians(case, form):
    arguments = tensors_of(case, seed=11, shape=(2, 3))
    twin = case.loss if form == "each" else mean_of_twin(case)
    np.testing.assert_allclose(
        hessian(native_loss(case, form), arguments, "logits"),
        hessian(twin, arguments, "logits"),
        atol=1e-15,
    )


@pytest.mark.filterwarnings("ignore:.*while_loop:UserWarning")
@pytest.mark.parametrize("case", SMOOTH[1::2], ids=ids)
def test_jacobians(case):
    """Row by row in a loop: the operations have no vectorised form."""
    arguments = tensors_of(case, seed=12, shape=(2, 3))
    logits = arguments["logits"]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        losses = native_loss(case)(**arguments)
        _, gradient = in_mode(case.name, "eager")(arguments)
    expected = hessian(case.loss, arguments, "logits")
    second = tape.batch_jacobian(gradient, logits)
    for i in range(2):
        np.testing.assert_allclose(second[i], expected[i, :, i], atol=1e-15)
    jacobian = tape.jacobian(losses, logits)
    np.testing.assert_allclose(
        tf.reduce_sum(jacobian, range(losses.shape.rank)), gradient, atol=1e-15
    )


@pytest.mark.parametrize("mode", ["eager", "function"])
@pytest.mark.parametrize("name", ["sparse", "weighted-hard"])
def test_only_what_is_asked_for_is_computed(name, mode):
    """Labels and weights on the tape, for which nobody asks, change no gradient."""
    case = BY_NAME[name]
    arguments = tensors_of(case, seed=13)

    def run(arguments: Tensors) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch([v for v in arguments.values() if v.dtype.is_floating])
            loss = native_loss(case)(**arguments)
        return tape.gradient(loss, arguments["logits"])

    _, expected = in_mode(case.name, "eager")(arguments)
    np.testing.assert_array_equal(compiled(run, mode)(arguments), expected)


@form
@pytest.mark.parametrize("weight", [0.2, 1.0, 5.0])
def test_weighted_gradient_at_logit_0(weight, form):
    """(1 - y) / 2 - w y / 2; tf.nn differentiates a sum of kinks there."""
    labels = tf.constant([0.0, 0.3, 1.0], tf.float64)
    arguments = {"labels": labels, "logits": tf.zeros(3, tf.float64)}
    arguments["pos_weight"] = tf.constant(weight, tf.float64)
    case = next(case for case in CASES if case.function == WEIGHTED)
    _, gradient = in_mode(case.name, "eager", form)(arguments)
    exact = (1 - labels - weight * labels) / 2 / (3 if form == "mean" else 1)
    np.testing.assert_allclose(gradient, exact, rtol=1e-15)
