"""What the four losses mean: identities between them, and of each with itself."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import tensorflow as tf

from lossfn import nn
from tests.cases import (
    BY_NAME,
    CASES,
    CASES_WITH_CLASSES,
    SIGMOID,
    SOFTMAX,
    SPARSE,
    WEIGHTED,
    as_tensors,
    ids,
    value_and_gradient,
)


def arguments_of(name: str, seed: int = 1, shape: tuple[int, ...] = (6, 5)) -> dict:
    return as_tensors(BY_NAME[name].arguments(seed=seed, shape=shape), "float64")


def assert_same(one: tuple, other: tuple) -> None:
    """Compare value and gradient."""
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-14)


def test_public_names_are_those_of_tf_nn():
    public = {
        name
        for name, value in vars(nn).items()
        if inspect.isfunction(value) and value.__module__ == nn.__name__
        if not name.startswith("_")
    }
    assert public == {SOFTMAX, SPARSE, SIGMOID, WEIGHTED}
    assert all(callable(getattr(tf.nn, name)) for name in public)


@pytest.mark.parametrize(
    "name", ["softmax-one_hot", "softmax-soft", "sparse", "sigmoid-soft"]
)
def test_equals_tf_nn_on_ordinary_logits(name):
    case, arguments = BY_NAME[name], arguments_of(name)
    assert_same(
        value_and_gradient(case.loss, arguments),
        value_and_gradient(case.tf_loss, arguments),
    )


def test_sparse_equals_one_hot():
    sparse = arguments_of("sparse")
    dense = {**sparse, "labels": tf.one_hot(sparse["labels"], 5, dtype=tf.float64)}
    assert_same(
        value_and_gradient(nn.sparse_softmax_cross_entropy_with_logits, sparse),
        value_and_gradient(nn.softmax_cross_entropy_with_logits, dense),
    )


def test_two_class_softmax_equals_sigmoid_of_the_difference():
    arguments = arguments_of("softmax-soft", shape=(50, 2))
    difference = arguments["logits"][:, 0] - arguments["logits"][:, 1]
    binary = {"labels": arguments["labels"][:, 0], "logits": difference}
    value, gradient = value_and_gradient(
        nn.softmax_cross_entropy_with_logits, arguments
    )
    assert_same(
        (value, gradient[:, 0]),
        value_and_gradient(nn.sigmoid_cross_entropy_with_logits, binary),
    )


@pytest.mark.parametrize("pos_weight", [1, 1.0, np.ones(5), np.ones((6, 1))])
def test_pos_weight_of_1_is_the_sigmoid_loss(pos_weight):
    arguments = arguments_of("sigmoid-soft")
    weighted = {**arguments, "pos_weight": tf.constant(pos_weight, tf.float64)}
    assert_same(
        value_and_gradient(nn.weighted_cross_entropy_with_logits, weighted),
        value_and_gradient(nn.sigmoid_cross_entropy_with_logits, arguments),
    )


def test_weighted_is_the_sum_of_two_sigmoid_losses():
    arguments = arguments_of("weighted-soft")
    y, z, w = arguments["labels"], arguments["logits"], arguments["pos_weight"]

    def sum_of_two(logits: tf.Tensor) -> tf.Tensor:
        loss = nn.sigmoid_cross_entropy_with_logits
        positive = loss(labels=tf.ones_like(y), logits=logits)
        negative = loss(labels=tf.zeros_like(y), logits=logits)
        return w * y * positive + (1 - y) * negative

    assert_same(
        value_and_gradient(nn.weighted_cross_entropy_with_logits, arguments),
        value_and_gradient(sum_of_two, {"logits": z}),
    )


def test_weighted_optimum_is_shifted_by_the_log_of_the_weight():
    """Where the gradient of y = 0.3 vanishes, q = w y / (w y + 1 - y)."""
    labels = tf.constant([0.3] * 3, tf.float64)
    weight = np.array([0.2, 1.0, 5.0])
    logits = tf.constant(np.log(0.3 / 0.7) + np.log(weight))
    _, gradient = value_and_gradient(
        nn.weighted_cross_entropy_with_logits,
        {"labels": labels, "logits": logits, "pos_weight": tf.constant(weight)},
    )
    np.testing.assert_allclose(gradient, np.zeros(3), atol=1e-15)


@pytest.mark.parametrize("name", [SIGMOID, WEIGHTED])
def test_sigmoid_losses_are_symmetric(name):
    """A negative at z is a positive at -z."""
    logits = tf.constant([-800.0, -3, 0, 2, 40], tf.float64)
    options = {"pos_weight": 1.0} if name == WEIGHTED else {}
    loss = getattr(nn, name)
    np.testing.assert_array_equal(
        loss(labels=tf.zeros(5), logits=logits, **options),
        loss(labels=tf.ones(5), logits=-logits, **options),
    )


@pytest.mark.parametrize("shift", [-1000.0, 0.5, 1e4])
@pytest.mark.parametrize("case", CASES_WITH_CLASSES, ids=ids)
def test_a_shift_of_all_logits_changes_nothing(case, shift):
    arguments = arguments_of(case.name)
    shifted = {**arguments, "logits": arguments["logits"] + shift}
    for one, other in zip(
        value_and_gradient(case.loss, arguments),
        value_and_gradient(case.loss, shifted),
        strict=True,
    ):
        # The shift itself rounds the logits to 2e-12; labels add up to 25.
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-10)


@pytest.mark.parametrize("case", CASES_WITH_CLASSES, ids=ids)
def test_classes_have_no_order(case):
    order = np.random.default_rng(2).permutation(5)
    arguments = arguments_of(case.name)
    moved = {"logits": tf.gather(arguments["logits"], order, axis=-1)}
    if case.is_sparse:
        moved["labels"] = tf.gather(np.argsort(order), arguments["labels"])
    else:
        moved["labels"] = tf.gather(arguments["labels"], order, axis=-1)
    value, gradient = value_and_gradient(case.loss, arguments)
    assert_same(
        (value, tf.gather(gradient, order, axis=-1)),
        value_and_gradient(case.loss, moved),
    )


def test_dense_loss_is_linear_in_its_labels():
    one, other = arguments_of("softmax-soft", 1), arguments_of("softmax-any_total", 2)
    loss = nn.softmax_cross_entropy_with_logits
    mixed = {"logits": one["logits"], "labels": 3 * one["labels"] + other["labels"]}
    parts = [
        value_and_gradient(loss, {"labels": labels, "logits": one["logits"]})
        for labels in (one["labels"], other["labels"])
    ]
    combined = [3 * a + b for a, b in zip(*parts, strict=True)]
    assert_same(value_and_gradient(loss, mixed), combined)


def test_gradient_of_a_distribution_sums_to_0():
    _, gradient = value_and_gradient(
        nn.softmax_cross_entropy_with_logits, arguments_of("softmax-soft")
    )
    np.testing.assert_allclose(tf.reduce_sum(gradient, -1), np.zeros(6), atol=1e-15)


def test_uniform_logits_cost_the_log_of_the_number_of_classes():
    for classes in (1, 2, 10, 1000):
        loss = nn.sparse_softmax_cross_entropy_with_logits(
            labels=[0], logits=tf.zeros([1, classes], tf.float64)
        )
        np.testing.assert_allclose(loss, [np.log(classes)], rtol=1e-14)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_losses_are_not_negative(case):
    for scale in (0.0, 1.0, 100.0):
        arguments = as_tensors(case.arguments(seed=3, scale=scale), "float32")
        assert (case.loss(**arguments).numpy() >= 0).all()


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_upstream_gradient_scales_each_example(case):
    arguments = as_tensors(case.arguments(seed=4), "float64")
    _, gradient = value_and_gradient(case.loss, arguments)
    scale = tf.range(1.0, 7.0, dtype=tf.float64)
    scale = scale if case.has_classes else scale[:, None]
    _, scaled = value_and_gradient(lambda **a: case.loss(**a) * scale, arguments)
    np.testing.assert_allclose(scaled, gradient * np.arange(1.0, 7.0)[:, None])
