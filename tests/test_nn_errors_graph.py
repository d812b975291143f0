"""Bad input that only a running graph sees: errors in tf.function, NaN under XLA."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tensorflow as tf

from lossfn import nn
from tests.cases import (
    SIGMOID,
    SOFTMAX,
    SPARSE,
    WEIGHTED,
    as_tensors,
    value_and_gradient,
)

Z23 = np.zeros((2, 3), np.float32)
WEIGHT = "pos_weight must be a scalar or broadcast to the shape of logits,"
DENSE = [SOFTMAX, SIGMOID, WEIGHTED]


def spoiled(value: float) -> np.ndarray:
    labels = Z23.copy()
    labels[1, 2] = value
    return labels


def refused(message: str, *, jit: bool = False):
    """Expect the words of the rule, or under XLA, which drops assertions, any words."""
    match = None if jit else re.escape(f"assertion failed: [{message}")
    return pytest.raises(tf.errors.InvalidArgumentError, match=match)


VALUES_IN_GRAPHS = {
    "dense": (SOFTMAX, spoiled(-0.5), "lie in [0, inf)", "[-0.5] [to] [0]"),
    "dense_infinite": (SOFTMAX, spoiled(np.inf), "lie in [0, inf)", "[0] [to] [inf]"),
    "below": (SIGMOID, spoiled(-0.5), "lie in [0, 1]", "[-0.5] [to] [0]"),
    "above": (WEIGHTED, spoiled(1.5), "lie in [0, 1]", "[0] [to] [1.5]"),
    "infinite": (SIGMOID, spoiled(np.inf), "lie in [0, 1]", "[0] [to] [inf]"),
    "minus_infinite": (SOFTMAX, spoiled(-np.inf), "lie in [0, inf)", "[-inf] [to] [0]"),
    "negative": (SPARSE, np.array([0, -1]), "lie in [0, 3)", "[-1] [to] [0]"),
    "too_large": (SPARSE, np.array([0, 3]), "lie in [0, 3)", "[0] [to] [3]"),
}


def arguments_in_graphs(name: str, labels: np.ndarray) -> dict[str, tf.Tensor]:
    logits = np.float32([[1, 2, 3], [3, -1, 2]])
    arguments = {"labels": labels, "logits": logits}
    if name == WEIGHTED:
        arguments["pos_weight"] = np.float32(2)
    return {key: tf.constant(value) for key, value in arguments.items()}


@pytest.mark.parametrize("key", VALUES_IN_GRAPHS)
def test_values_in_a_graph(key):
    name, labels, rule, received = VALUES_IN_GRAPHS[key]
    traced = tf.function(getattr(nn, name))
    with refused(f"labels must {rule}, got values from] {received}\n"):
        traced(**arguments_in_graphs(name, labels))


@pytest.mark.parametrize("key", VALUES_IN_GRAPHS)
def test_values_under_xla(key):
    """Nothing can raise: that example alone is NaN, with no gradient into anything."""
    name, labels, _, _ = VALUES_IN_GRAPHS[key]
    loss = getattr(nn, name)

    @tf.function(jit_compile=True)
    def run(arguments: dict) -> tuple:
        into = [value for value in arguments.values() if value.dtype.is_floating]
        with tf.GradientTape() as tape:
            tape.watch(into)
            value = loss(**arguments)
        return value, tape.gradient(value, into), into

    good = np.where(labels == labels.flat[0], labels, 0)
    arguments = arguments_in_graphs(name, labels)
    value, gradients, into = run(arguments)
    clean, clean_gradients, _ = run(arguments_in_graphs(name, good))
    bad_one = (1,) if name in (SOFTMAX, SPARSE) else (1, 2)
    assert np.isnan(value.numpy()[bad_one])
    for got, expected in zip(
        [value, *gradients], [clean, *clean_gradients], strict=True
    ):
        got, expected = got.numpy(), expected.numpy()
        if got.ndim == 0:  # pos_weight: the sum over the examples that are left
            assert np.isfinite(got)
            continue
        if got is not value:
            assert np.isfinite(np.delete(got, 1, 0)).all()
        keep = np.ones(got.shape, bool)
        keep[bad_one] = False
        np.testing.assert_array_equal(got[keep], expected[keep])
    for tensor, gradient in zip(into, gradients, strict=True):
        if tensor.shape.rank:
            assert not gradient.numpy()[bad_one].any()


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_pos_weight_in_a_graph(value):
    arguments = arguments_in_graphs(WEIGHTED, Z23)
    arguments["pos_weight"] = tf.constant([1.0, value, 1.0])
    traced = tf.function(nn.weighted_cross_entropy_with_logits)
    with refused("pos_weight must be positive and finite, got values from]"):
        traced(**arguments)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_pos_weight_under_xla(value):
    arguments = arguments_in_graphs(WEIGHTED, Z23)
    arguments["pos_weight"] = tf.constant([1.0, value, 1.0])
    loss = nn.weighted_cross_entropy_with_logits
    run = tf.function(lambda a: value_and_gradient(loss, a), jit_compile=True)
    got, gradient = (tensor.numpy() for tensor in run(arguments))
    np.testing.assert_array_equal(np.isnan(got), [[False, True, False]] * 2)
    assert (gradient[:, 1] == 0).all()
    assert (gradient[:, [0, 2]] != 0).all()


def unknown(name: str, *, jit: bool = False, **options):
    """Return a loss that knows no shape when it is traced."""
    floats = tf.TensorSpec(None, tf.float32)
    signature = {
        "labels": tf.TensorSpec(None, tf.int64) if name == SPARSE else floats,
        "logits": floats,
    }
    if name == WEIGHTED:
        signature["pos_weight"] = floats
    return tf.function(
        lambda arguments: getattr(nn, name)(**arguments, **options),
        input_signature=[signature],
        jit_compile=jit,
    )


UNKNOWN_SHAPES = [
    *[(name, (4, 1), (4, 4)) for name in DENSE],
    *[(name, (4,), (4, 4)) for name in DENSE],
    *[(name, (1, 4), (4, 4)) for name in DENSE],
    *[(name, (4,), (4, 1)) for name in DENSE],
    *[(name, (), (4, 4)) for name in DENSE],
    *[(SPARSE, shape, (4, 4)) for shape in [(), (1,), (4, 1), (4, 4)]],
]


@pytest.mark.parametrize("jit", [False, True], ids=["function", "xla"])
@pytest.mark.parametrize(("name", "labels", "logits"), UNKNOWN_SHAPES)
def test_unknown_shapes_that_differ(name, labels, logits, jit):
    arguments = {
        "labels": np.zeros(labels, np.int64 if name == SPARSE else np.float32),
        "logits": np.zeros(logits, np.float32),
    }
    if name == WEIGHTED:
        arguments["pos_weight"] = np.float32(2)
    rule, expected = "labels and logits must have the same shape", logits
    if name == SPARSE:
        rule = "labels must have the shape of logits without the class axis"
        expected = logits[:-1]
    received = f"{in_brackets(labels)} [and] {in_brackets(expected)}"
    with refused(f"{rule}, got] {received}", jit=jit):
        unknown(name, jit=jit)(as_tensors(arguments, "float32"))


def in_brackets(shape: tuple[int, ...]) -> str:
    return f"[{' '.join(map(str, shape))}]"


@pytest.mark.parametrize("jit", [False, True], ids=["function", "xla"])
@pytest.mark.parametrize("weight", [(4,), (4, 4), (1, 4, 1)], ids=str)
def test_unknown_shape_of_pos_weight(weight, jit):
    arguments = {
        "labels": tf.zeros([4, 1]),
        "logits": tf.zeros([4, 1]),
        "pos_weight": tf.ones(weight),
    }
    with refused(f"{WEIGHT}] [4 1] [got shape] {in_brackets(weight)}", jit=jit):
        unknown(WEIGHTED, jit=jit)(arguments)


@pytest.mark.parametrize("jit", [False, True], ids=["function", "xla"])
@pytest.mark.parametrize("name", [SOFTMAX, SPARSE])
def test_unknown_classes_and_axes(name, jit):
    def assert_refused(shape, message: str, **options: int) -> None:
        labels = shape[:-1] if name == SPARSE else shape
        arguments = {
            "labels": tf.zeros(labels, tf.int64 if name == SPARSE else tf.float32),
            "logits": tf.zeros(shape),
        }
        with refused(message, jit=jit):
            unknown(name, jit=jit, **options)(arguments)

    rule = "axis must name an axis of logits, got"
    assert_refused((2, 0), "logits must have at least one class, got] [2 0]")
    assert_refused((), f"{rule} -1 for rank] [0]")
    assert_refused((2, 3), f"{rule} 2 for rank] [2]", axis=2)
    assert_refused((2, 3), f"{rule} -3 for rank] [2]", axis=-3)


@pytest.mark.parametrize("axis", [0.5, None, "0"])
@pytest.mark.parametrize("name", [SOFTMAX, SPARSE])
def test_unknown_rank_and_no_integer_axis(name, axis):
    message = re.escape(f"axis must be an integer, got {axis!r}")
    arguments = {
        "labels": tf.zeros([2], tf.int64) if name == SPARSE else tf.zeros([2, 3]),
        "logits": tf.zeros([2, 3]),
    }
    with pytest.raises(TypeError, match=message):
        unknown(name, axis=axis)(arguments)
