"""What the losses of labels mean: identities between them, and limits."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from lossfn import losses
from tests.cases import as_tensors, compiled
from tests.loss_cases import (
    BY_NAME,
    SPARSE_CE,
    arguments_of,
    assert_same,
    by_prediction,
)

GRAPHS = ["eager", "function", "xla"]


def test_smoothing_caps_the_logit_that_fits_best():
    """The gradient vanishes where the model answers with the smoothed label."""
    smoothed = 1 - 0.2 + 0.2 / 4
    best = np.log([smoothed, 0.05, 0.05, 0.05])
    arguments = {"y_true": tf.constant([0]), "y_pred": tf.constant([best])}
    _, gradient = by_prediction(
        losses.sparse_categorical_crossentropy, arguments, label_smoothing=0.2
    )
    np.testing.assert_allclose(gradient, np.zeros((1, 4)), atol=1e-15)
    binary = {"y_true": tf.ones(1), "y_pred": tf.constant([np.log(0.9 / 0.1)])}
    binary["y_true"] = tf.cast(binary["y_true"], tf.float64)
    _, gradient = by_prediction(losses.binary_crossentropy, binary, label_smoothing=0.2)
    np.testing.assert_allclose(gradient, [0.0], atol=1e-15)


def test_full_smoothing_forgets_the_label():
    logits = arguments_of(f"{SPARSE_CE}-plain")["y_pred"]
    by_label = [
        losses.sparse_categorical_crossentropy(
            tf.fill([6], label), logits, label_smoothing=1.0
        )
        for label in (0, 3)
    ]
    np.testing.assert_array_equal(*by_label)


@pytest.mark.parametrize("smoothing", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("name", ["sparse", "dense"])
def test_a_smoothing_that_only_the_graph_knows(name, smoothing):
    """A tensor takes the same way as a Python number, 0 included."""
    logits = tf.constant([[2.0, 1.0, -np.inf], [3.0, -1.0, 2.0]])
    if name == "sparse":
        loss, labels = losses.sparse_categorical_crossentropy, tf.constant([0, 2])
    else:
        loss = losses.categorical_crossentropy
        labels = tf.constant([[1.0, 0, 0], [0, 0, 1]])

    @tf.function
    def traced(smoothing: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        arguments = {"y_true": labels, "y_pred": logits}
        return by_prediction(loss, arguments, label_smoothing=smoothing)

    arguments = {"y_true": labels, "y_pred": logits}
    expected = by_prediction(loss, arguments, label_smoothing=smoothing)
    assert_same(traced(tf.constant(smoothing)), expected, rtol=1e-6)
    impossible = loss(labels[1:], logits[:1], label_smoothing=smoothing)
    np.testing.assert_array_equal(impossible, [np.inf])
    assert np.isinf(expected[0].numpy()).tolist() == [smoothing > 0, False]
    assert np.isfinite(expected[1]).all()


def test_class_weights_multiply_the_loss_of_hard_labels():
    arguments = arguments_of(f"{SPARSE_CE}-plain")
    weight = np.array([0.1, 1, 2, 5, 10])
    plain, gradient = by_prediction(losses.sparse_categorical_crossentropy, arguments)
    factor = weight[arguments["y_true"].numpy()]
    assert_same(
        by_prediction(
            losses.sparse_categorical_crossentropy, arguments, class_weight=weight
        ),
        (factor * plain, factor[:, None] * gradient),
    )


def test_equal_class_weights_multiply_every_loss():
    for name in (f"{SPARSE_CE}-plain", "categorical_crossentropy-plain"):
        arguments, loss = arguments_of(name), BY_NAME[name].loss
        plain = loss(**arguments, label_smoothing=0.1)
        weighted = loss(**arguments, label_smoothing=0.1, class_weight=[3.0] * 5)
        np.testing.assert_allclose(weighted, 3 * plain, rtol=1e-14)


def test_sparse_smoothing_is_a_mix_of_the_true_class_and_all():
    """The formula of the documentation, from the loss of each class by itself."""
    logits = arguments_of(f"{SPARSE_CE}-plain")["y_pred"]
    weight, s = np.array([0.1, 1, 2, 5, 10]), 0.3
    each = np.stack(
        [
            losses.sparse_categorical_crossentropy(tf.fill([6], k), logits)
            for k in range(5)
        ],
        -1,
    )
    labels = np.array([0, 1, 2, 3, 4, 2])
    true = weight[labels] * each[np.arange(6), labels]
    np.testing.assert_allclose(
        losses.sparse_categorical_crossentropy(
            labels, logits, label_smoothing=s, class_weight=weight
        ),
        (1 - s) * true + s / 5 * (weight * each).sum(-1),
        rtol=1e-13,
    )


def test_generalized_goes_to_cross_entropy_as_q_goes_to_0():
    arguments = arguments_of("generalized_crossentropy")
    del arguments["q"]
    cross_entropy = by_prediction(losses.sparse_categorical_crossentropy, arguments)
    for q in (1e-6, 1e-9, 1e-300):
        got = by_prediction(losses.generalized_crossentropy, arguments, q=q)
        assert_same(got, cross_entropy, rtol=max(30 * q, 1e-13))


def test_generalized_with_q_1_is_the_probability_of_a_mistake():
    arguments = arguments_of("generalized_crossentropy")
    arguments["q"] = tf.ones([], tf.float64)
    p = tf.nn.softmax(arguments["y_pred"]).numpy()
    value = losses.generalized_crossentropy(**arguments)
    p_true = p[np.arange(6), arguments["y_true"]]
    np.testing.assert_allclose(value, 1 - p_true, rtol=1e-12)


@pytest.mark.parametrize("q", [0.1, 0.7, 1.0])
def test_generalized_is_never_more_than_1_over_q(q):
    logits = tf.constant([[0.0, 5.0], [0.0, 1e4], [-np.inf, 0.0]])
    value = losses.generalized_crossentropy([0, 0, 0], logits, q=q).numpy()
    assert (np.diff(value) >= 0).all()
    np.testing.assert_allclose(value[1:], [1 / q] * 2, rtol=1e-6)


def test_reverse_cross_entropy_alone_is_bounded():
    """An impossible class costs -log_zero, not infinitely much."""
    loss = losses.symmetric_crossentropy(
        [0, 0], tf.constant([[-np.inf, 0.0], [-1e4, 0.0]]), alpha=0, log_zero=-4
    )
    np.testing.assert_array_equal(loss, [4.0, 4.0])


def test_symmetric_is_its_two_halves():
    arguments = arguments_of("symmetric_crossentropy")
    y, z = arguments["y_true"], arguments["y_pred"]
    forward = losses.symmetric_crossentropy(y, z, alpha=1.0, beta=0.0)
    reverse = losses.symmetric_crossentropy(y, z, alpha=0.0, beta=1.0, log_zero=-4.0)
    both = losses.symmetric_crossentropy(y, z, alpha=0.1, beta=2.0, log_zero=-4.0)
    np.testing.assert_allclose(both, 0.1 * forward + 2.0 * reverse, rtol=1e-14)
    probability = np.exp(-forward)
    np.testing.assert_allclose(reverse, 4 * (1 - probability), rtol=1e-13)


IGNORING = [case for case in BY_NAME.values() if case.is_sparse]
IGNORING = list({case.function: case for case in IGNORING}.values())


@pytest.mark.parametrize("mode", GRAPHS)
@pytest.mark.parametrize("index", [-1, 255, 2])
@pytest.mark.parametrize("case", IGNORING, ids=lambda case: case.function)
def test_an_ignored_example_leaves_no_trace(case, index, mode):
    """Its logits may be anything; the others are as without it."""
    loss = getattr(losses, case.function)
    logits = np.float32([[1, 2, 3], [np.nan, np.inf, -np.inf], [3, 1, 2], [np.nan] * 3])
    labels = np.array([0, index, 1, index])

    def run(arguments: dict) -> tuple[tf.Tensor, tf.Tensor]:
        return by_prediction(loss, arguments, ignore_index=index)

    arguments = {"y_true": tf.constant(labels), "y_pred": tf.constant(logits)}
    value, gradient = compiled(run, mode)(arguments)
    kept = {"y_true": tf.constant([0, 1]), "y_pred": tf.constant(logits[::2])}
    expected = by_prediction(loss, kept)
    np.testing.assert_array_equal(value[1::2], np.zeros(2))
    np.testing.assert_array_equal(gradient[1::2], np.zeros((2, 3)))
    assert_same((value[::2], gradient[::2]), expected, rtol=1e-6)


def test_an_unsigned_label_can_be_ignored():
    labels = tf.constant([0, 255], tf.uint8)
    loss = losses.sparse_categorical_crossentropy(
        labels, tf.zeros([2, 3]), ignore_index=255
    )
    np.testing.assert_allclose(loss, [np.log(3), 0], rtol=1e-6)
    loss = losses.sparse_categorical_crossentropy(
        tf.constant([0, 1], tf.uint8), tf.zeros([2, 3]), ignore_index=-1
    )
    np.testing.assert_allclose(loss, [np.log(3)] * 2, rtol=1e-6)


@pytest.mark.parametrize("index", [np.int32(-1), np.uint8(1), tf.constant(-1)])
def test_the_index_to_ignore_is_any_integer(index):
    loss = losses.generalized_crossentropy(
        tf.constant([int(index)]), tf.zeros([1, 3]), ignore_index=index
    )
    np.testing.assert_array_equal(loss, [0.0])


@pytest.mark.parametrize("case", list(BY_NAME.values()), ids=lambda case: case.name)
def test_losses_are_not_negative(case):
    for scale in (0.0, 1.0, 100.0):
        arguments = case.arguments(seed=3, scale=scale, dtype="float32")
        assert (case.loss(**as_tensors(arguments, "float32")).numpy() >= 0).all()


@pytest.mark.parametrize(
    "convert",
    [float, int, np.float64, np.float32, np.int64, np.array, tf.constant, tf.Variable],
)
def test_a_parameter_is_a_number_an_array_or_a_tensor(convert):
    """A number of any dtype, next to predictions of float16."""
    y, z = tf.constant([1.0, 3.0], tf.float16), tf.constant([5.0, 0.0], tf.float16)
    assert losses.huber(y, z, delta=convert(2)).dtype == tf.float16
    np.testing.assert_array_equal(losses.huber(y, z, delta=convert(2)), [6.0, 4.0])
    cost = losses.newsvendor(y, z, underage_cost=convert(2), overage_cost=convert(1))
    np.testing.assert_array_equal(cost, [4.0, 6.0])


def test_labels_of_another_floating_dtype_keep_their_digits():
    """A true value of float32 next to a prediction of float16 is not rounded."""
    y_true, y_pred = np.float32([1000.1]), np.float16([1000.0])
    loss = losses.squared_error(y_true, y_pred)
    assert loss.dtype == tf.float16
    np.testing.assert_allclose(loss, [0.1**2], rtol=2e-3)


def test_variables_are_arguments():
    y_pred = tf.Variable([0.0, 5.0])
    with tf.GradientTape() as tape:
        loss = losses.pinball([1.0, 1.0], y_pred, quantile=0.75)
    np.testing.assert_array_equal(tape.gradient(loss, y_pred), [-0.75, 0.25])
