"""Losses that are one: with nn, with each other, with Keras where it is right."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from lossfn import losses, nn
from tests.cases import compiled, value_and_gradient
from tests.loss_cases import (
    BY_NAME,
    SPARSE_CE,
    SPARSE_FOCAL,
    arguments_of,
    assert_same,
    assert_same_bits,
    by_prediction,
    one_hot,
)

GRAPHS = ["eager", "function", "xla"]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize(
    ("loss", "parameters", "twin", "case"),
    [
        (
            losses.binary_crossentropy,
            {"pos_weight": 3.0},
            nn.weighted_cross_entropy_with_logits,
            "binary_crossentropy-plain",
        ),
        (
            losses.binary_crossentropy,
            {},
            nn.sigmoid_cross_entropy_with_logits,
            "binary_crossentropy-plain",
        ),
        (
            losses.binary_focal_crossentropy,
            {"gamma": 0.0},
            nn.sigmoid_cross_entropy_with_logits,
            "binary_crossentropy-plain",
        ),
        (
            losses.categorical_crossentropy,
            {},
            nn.softmax_cross_entropy_with_logits,
            "categorical_crossentropy-plain",
        ),
        (
            losses.categorical_focal_crossentropy,
            {"gamma": 0.0},
            nn.softmax_cross_entropy_with_logits,
            "categorical_crossentropy-plain",
        ),
        (
            losses.sparse_categorical_crossentropy,
            {},
            nn.sparse_softmax_cross_entropy_with_logits,
            f"{SPARSE_CE}-plain",
        ),
        (
            losses.sparse_categorical_focal_crossentropy,
            {"gamma": 0.0},
            nn.sparse_softmax_cross_entropy_with_logits,
            f"{SPARSE_CE}-plain",
        ),
        (
            losses.symmetric_crossentropy,
            {"alpha": 1.0, "beta": 0.0},
            nn.sparse_softmax_cross_entropy_with_logits,
            f"{SPARSE_CE}-plain",
        ),
    ],
)
def test_the_same_bits_as_nn(loss, parameters, twin, case, dtype):
    """Gamma 0 is cross entropy, and so is every loss without its parameters."""
    options = {"pos_weight": 3.0} if parameters == {"pos_weight": 3.0} else {}
    for scale in (1.0, 30.0):
        arguments = arguments_of(case, shape=(200, 5), scale=scale, dtype=dtype)
        theirs = {"labels": arguments["y_true"], "logits": arguments["y_pred"]}
        assert_same_bits(
            by_prediction(loss, arguments, **parameters),
            value_and_gradient(twin, theirs, **options),
        )


@pytest.mark.parametrize("mode", ["eager", "function", "xla"])
def test_gamma_0_is_cross_entropy_at_far_logits(mode):
    """(1 - p)^0 is 1 also where p is 1: there 0 times infinity waits."""
    labels, logits = np.meshgrid([0.0, 1.0], [0.0, 1e4, -1e4, np.inf, -np.inf])

    def run(arguments: dict) -> tuple:
        focal = by_prediction(losses.binary_focal_crossentropy, arguments, gamma=0.0)
        return focal + by_prediction(losses.binary_crossentropy, arguments)

    arguments = {"y_true": tf.constant(labels), "y_pred": tf.constant(logits)}
    *focal, value, gradient = compiled(run, mode)(arguments)
    assert_same_bits(focal, (value, gradient))
    assert not np.isnan(value).any()


@pytest.mark.parametrize("mode", ["function", "xla"])
def test_gamma_0_in_graphs_is_cross_entropy(mode):
    """Compilers may reorder what they fuse, so that the last bit is theirs."""
    arguments = arguments_of(f"{SPARSE_CE}-plain", shape=(200, 5), dtype="float32")

    def run(arguments: dict) -> tuple:
        return by_prediction(losses.sparse_categorical_crossentropy, arguments) + (
            by_prediction(
                losses.sparse_categorical_focal_crossentropy, arguments, gamma=0.0
            )
        )

    value, gradient, *focal = compiled(run, mode)(arguments)
    np.testing.assert_allclose(focal[0], value, rtol=3e-7)
    np.testing.assert_allclose(focal[1], gradient, rtol=3e-7)


def test_binary_smoothing_is_that_of_keras():
    arguments = arguments_of("binary_crossentropy-plain", dtype="float32")
    expected = keras.losses.binary_crossentropy(
        **arguments, from_logits=True, label_smoothing=0.3
    )
    loss = losses.binary_crossentropy(**arguments, label_smoothing=0.3)
    np.testing.assert_allclose(tf.reduce_mean(loss, -1), expected, rtol=1e-6)


def test_categorical_smoothing_is_that_of_keras():
    arguments = arguments_of("categorical_crossentropy-plain", dtype="float32")
    expected = keras.losses.categorical_crossentropy(
        **arguments, from_logits=True, label_smoothing=0.3
    )
    loss = losses.categorical_crossentropy(**arguments, label_smoothing=0.3)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


@pytest.mark.parametrize("gamma", [1.0, 2.0, 3.5])
def test_binary_focal_is_that_of_keras_for_hard_labels(gamma):
    arguments = arguments_of("binary_focal_crossentropy-2", dtype="float32", scale=1.0)
    del arguments["gamma"]
    for alpha in (None, 0.25):
        expected = keras.losses.binary_focal_crossentropy(
            **arguments,
            from_logits=True,
            gamma=gamma,
            apply_class_balancing=alpha is not None,
            alpha=0.25,
        )
        loss = losses.binary_focal_crossentropy(**arguments, gamma=gamma, alpha=alpha)
        np.testing.assert_allclose(tf.reduce_mean(loss, -1), expected, rtol=1e-5)


@pytest.mark.parametrize("gamma", [1.0, 2.0, 3.5])
def test_categorical_focal_is_that_of_keras(gamma):
    arguments = arguments_of("categorical_crossentropy-plain", dtype="float32")
    expected = keras.losses.categorical_focal_crossentropy(
        **arguments, from_logits=True, gamma=gamma, alpha=0.25
    )
    loss = losses.categorical_focal_crossentropy(**arguments, gamma=gamma, alpha=0.25)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


# Sparse and dense, binary and categorical


@pytest.mark.parametrize(
    ("sparse", "dense"),
    [
        (f"{SPARSE_CE}-weighted", losses.categorical_crossentropy),
        (f"{SPARSE_FOCAL}-2", losses.categorical_focal_crossentropy),
        (f"{SPARSE_FOCAL}-half", losses.categorical_focal_crossentropy),
    ],
)
def test_sparse_equals_one_hot(sparse, dense):
    arguments = arguments_of(sparse, shape=(50, 5))
    function = getattr(losses, BY_NAME[sparse].function)
    y_true, y_pred = arguments["y_true"].numpy(), arguments["y_pred"].numpy()
    rows = {**arguments, "y_true": tf.constant(one_hot(y_true, y_pred))}
    assert_same(by_prediction(function, arguments), by_prediction(dense, rows))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_two_classes_are_binary(gamma):
    """The softmax of (z, 0) is the sigmoid of z."""
    arguments = arguments_of("binary_crossentropy-plain", shape=(50,))
    y, z = arguments["y_true"], arguments["y_pred"]
    pairs = {
        "y_true": tf.stack([y, 1 - y], -1),
        "y_pred": tf.stack([z, tf.zeros_like(z)], -1),
    }
    value, gradient = by_prediction(
        losses.categorical_focal_crossentropy, pairs, gamma=gamma
    )
    binary = by_prediction(losses.binary_focal_crossentropy, arguments, gamma=gamma)
    assert_same((value, gradient[:, 0]), binary)


def test_alpha_weighs_positives_and_one_minus_alpha_negatives():
    z = tf.constant([1.5, -0.5])
    for label, weight in ((1.0, 0.25), (0.0, 0.75)):
        y = tf.fill([2], label)
        plain = losses.binary_focal_crossentropy(y, z)
        weighted = losses.binary_focal_crossentropy(y, z, alpha=0.25)
        np.testing.assert_allclose(weighted, weight * plain, rtol=1e-6)


@pytest.mark.parametrize("function", ["categorical", "sparse_categorical"])
@pytest.mark.parametrize("shift", [-1000.0, 0.5, 1e4])
def test_a_shift_of_all_logits_changes_nothing(function, shift):
    for name in (f"{function}_crossentropy", f"{function}_focal_crossentropy"):
        case = next(c for c in BY_NAME.values() if c.function == name)
        arguments = arguments_of(case.name)
        shifted = {**arguments, "y_pred": arguments["y_pred"] + shift}
        for one, other in zip(
            by_prediction(case.loss, arguments),
            by_prediction(case.loss, shifted),
            strict=True,
        ):
            # The shift itself rounds the logits to 2e-12.
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-10)


def test_a_sure_answer_that_is_right_is_eased_and_a_wrong_one_is_not():
    z = tf.constant([4.6, -4.6])  # p = 0.99 and 0.01
    plain = losses.binary_focal_crossentropy(tf.ones(2), z, gamma=0.0)
    focal = losses.binary_focal_crossentropy(tf.ones(2), z, gamma=2.0)
    np.testing.assert_allclose(focal / plain, [0.01**2, 0.99**2], rtol=0.02)
