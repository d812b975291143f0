"""Where lossfn.nn is right and tf.nn is not: one assertion, run on both.

Every defect is a check that takes a module with the four losses. lossfn.nn has to pass
it and tf.nn has to fail it, so that the list stays a true list of the differences.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
import tensorflow as tf

from lossfn import nn, reference
from tests.cases import SIGMOID, SOFTMAX, SPARSE, WEIGHTED, ulps

DEFECTS: list[Callable[[ModuleType], None]] = []


def defect(check: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
    """Add a check to the list."""
    DEFECTS.append(check)
    return check


def derivative(function: Callable[[tf.Tensor], tf.Tensor]) -> Callable:
    """Return the derivative of the sum of a function of one tensor."""

    def derived(point: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(point)
            value = function(point)
        return tape.gradient(value, point, unconnected_gradients="zero")

    return derived


def assert_derivative(function: Callable, point: tf.Tensor) -> None:
    """Compare a derivative in float64 with central differences."""
    (theory,), (numeric,) = tf.test.compute_gradient(function, [point], delta=1e-4)
    np.testing.assert_allclose(theory, numeric, rtol=1e-6, atol=1e-7)


def weighted_at_zero(functions: ModuleType, order: int) -> tuple[np.ndarray, ...]:
    """Return a derivative at logit 0, with the labels and weights it belongs to."""
    labels, weights = np.meshgrid(np.float32([0, 0.3, 1]), np.float32([0.2, 1, 3, 5]))

    def function(logits: tf.Tensor) -> tf.Tensor:
        return getattr(functions, WEIGHTED)(
            labels=labels, logits=logits, pos_weight=weights
        )

    for _ in range(order):
        function = derivative(function)
    return function(tf.zeros(labels.shape)).numpy(), labels, weights


@defect
def weighted_gradient_at_logit_0(functions):
    got, y, w = weighted_at_zero(functions, 1)
    np.testing.assert_allclose(got, (1 - y) / 2 - w * y / 2, rtol=1e-6)


@defect
def weighted_second_derivative_at_logit_0(functions):
    got, y, w = weighted_at_zero(functions, 2)
    np.testing.assert_allclose(got, (1 - y) / 4 + w * y / 4, rtol=1e-6)


def weighted_negatives(functions: ModuleType, logits: list[float]) -> np.ndarray:
    labels = tf.zeros(len(logits))
    loss = getattr(functions, WEIGHTED)(
        labels=labels, logits=tf.constant(logits), pos_weight=3.0
    )
    exact = np.log1p(np.exp(np.float64(np.float32(logits))))
    return ulps(loss.numpy(), exact)


@defect
def weighted_cancellation_at_minus_10(functions):
    assert weighted_negatives(functions, [-10.0]).max() <= 5


@defect
def weighted_cancellation_beyond_minus_14_6(functions):
    assert weighted_negatives(functions, [-14.6, -17.0, -40.0, -86.0]).max() <= 5


def confident(functions: ModuleType, name: str) -> tuple[tf.Tensor, tf.Tensor, dict]:
    margins = np.float32([16.7, 17, 20, 30, 50, 86])
    arguments = {"logits": np.stack([margins, np.zeros_like(margins)], -1)}
    rows = np.zeros(len(margins), np.int64)
    arguments["labels"] = rows if name == SPARSE else np.float32([[1, 0]])[rows]
    logits = tf.constant(arguments["logits"])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = getattr(functions, name)(labels=arguments["labels"], logits=logits)
    return loss, tape.gradient(loss, logits), arguments


def confident_loss(functions: ModuleType, name: str) -> None:
    loss, _, arguments = confident(functions, name)
    exact = getattr(reference, name)(**arguments)
    assert ulps(loss.numpy(), exact).max() <= 64


def confident_gradient(functions: ModuleType, name: str) -> None:
    _, gradient, arguments = confident(functions, name)
    exact = getattr(reference, f"{name}_gradient")(**arguments)
    assert ulps(gradient.numpy(), exact).max() <= 64


@defect
def softmax_loss_beyond_a_margin_of_16_6(functions):
    confident_loss(functions, SOFTMAX)


@defect
def softmax_gradient_beyond_a_margin_of_16_6(functions):
    confident_gradient(functions, SOFTMAX)


@defect
def sparse_loss_beyond_a_margin_of_16_6(functions):
    confident_loss(functions, SPARSE)


@defect
def sparse_gradient_beyond_a_margin_of_16_6(functions):
    confident_gradient(functions, SPARSE)


@defect
def two_class_softmax_equals_sigmoid_at_a_margin_of_17(functions):
    logits = tf.constant([17.0, 0.0])
    softmax = getattr(functions, SOFTMAX)(labels=tf.constant([1.0, 0]), logits=logits)
    sigmoid = getattr(functions, SIGMOID)(labels=tf.constant(1.0), logits=logits[0])
    np.testing.assert_allclose(softmax, sigmoid, rtol=1e-6)


@defect
def sigmoid_soft_label_near_1(functions):
    labels = np.float32([1 - 1e-6] * 4)
    logits = np.float32([20, 50, 100, 1000])
    loss = getattr(functions, SIGMOID)(
        labels=tf.constant(labels), logits=tf.constant(logits)
    )
    exact = reference.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
    assert ulps(loss.numpy(), exact).max() <= 5


MASKED = np.float32([[1.0, 2.0, -np.inf], [-np.inf, 0.0, -np.inf]])
UNMASKED_LABELS = np.float32([[1.0, 0, 0], [0, 1, 0]])
MASKED_LOSS = [np.log1p(np.exp(1.0)), 0.0]


@defect
def softmax_of_masked_logits(functions):
    loss = getattr(functions, SOFTMAX)(
        labels=tf.constant(UNMASKED_LABELS), logits=tf.constant(MASKED)
    )
    np.testing.assert_allclose(loss, MASKED_LOSS, rtol=1e-6)


@defect
def sigmoid_of_infinite_logits(functions):
    loss = getattr(functions, SIGMOID)(
        labels=tf.constant([0.0, 1.0, 1.0, 0.0]),
        logits=tf.constant([-np.inf, np.inf, -np.inf, np.inf]),
    )
    np.testing.assert_array_equal(loss, [0.0, 0.0, np.inf, np.inf])


@defect
def weighted_of_infinite_logits(functions):
    loss = getattr(functions, WEIGHTED)(
        labels=tf.constant([0.0, 1.0, 1.0, 0.0]),
        logits=tf.constant([-np.inf, np.inf, -np.inf, np.inf]),
        pos_weight=2.0,
    )
    np.testing.assert_array_equal(loss, [0.0, 0.0, np.inf, np.inf])


def dense(functions: ModuleType) -> tuple[Callable, tf.Tensor, tf.Tensor]:
    rng = np.random.default_rng(0)
    labels = tf.constant(rng.dirichlet([1, 1, 1], size=2))
    logits = tf.constant(rng.normal(size=(2, 3)))
    return getattr(functions, SOFTMAX), labels, logits


@defect
def softmax_hypergradient(functions):
    """The derivative by the labels of the gradient by the logits."""
    loss, labels, logits = dense(functions)

    def gradient(labels: tf.Tensor) -> tf.Tensor:
        by_logits = derivative(lambda z: loss(labels=labels, logits=z))
        return by_logits(logits) * tf.constant([[1.0, 2, 3]], tf.float64)

    assert_derivative(gradient, labels)


@defect
def softmax_gradient_of_labels_that_do_not_sum_to_one(functions):
    loss, _, logits = dense(functions)
    labels = tf.constant([[5.0, 0, 0], [0.1, 0.2, 0.3]], tf.float64)
    assert_derivative(lambda z: loss(labels=labels, logits=z), logits)


@defect
def softmax_gradient_of_a_row_of_zeros(functions):
    loss, labels, logits = dense(functions)
    labels = tf.zeros_like(labels)
    np.testing.assert_array_equal(loss(labels=labels, logits=logits), [0, 0])
    by_logits = derivative(lambda z: loss(labels=labels, logits=z))
    np.testing.assert_array_equal(by_logits(logits), np.zeros((2, 3)))


def assert_refused(function: Callable, message: str, **arguments: object) -> None:
    try:
        function(**arguments)
    except (TypeError, ValueError) as error:
        assert message in str(error)
    else:
        raise AssertionError("not refused")


@defect
def softmax_of_a_column_of_integer_labels(functions):
    """Labels of shape (N, 1) broadcast against logits of shape (N, C) in tf.nn."""
    labels, logits = tf.constant([[0.0], [2.0]]), tf.zeros([2, 3])
    loss = getattr(functions, SOFTMAX)
    assert_refused(loss, "same shape", labels=labels, logits=logits)


@defect
def softmax_of_a_vector_of_labels_where_n_equals_c(functions):
    labels, logits = tf.constant([0.0, 2.0]), tf.zeros([2, 2])
    loss = getattr(functions, SOFTMAX)
    assert_refused(loss, "same shape", labels=labels, logits=logits)


@defect
def positional_arguments(functions):
    """Tf.nn takes (labels, logits) in order; another order is a silent mistake."""
    try:
        getattr(functions, SIGMOID)(tf.constant([1.0]), tf.constant([2.0]))
    except TypeError:
        return
    raise AssertionError("not refused")


def name_of(check: Callable) -> str:
    return check.__name__


@pytest.mark.parametrize("check", DEFECTS, ids=name_of)
def test_lossfn_is_right(check):
    check(nn)


@pytest.mark.parametrize("check", DEFECTS, ids=name_of)
def test_tf_nn_is_wrong(check):
    try:
        check(tf.nn)
    except AssertionError:
        return
    pytest.fail(
        f"tf.nn is right about {check.__name__} in TensorFlow {tf.__version__}: "
        "take it off this list and out of the chapters that show it"
    )
