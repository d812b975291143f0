"""Bad input that lossfn.nn sees when it is called or traced: one clear error each."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tensorflow as tf

from lossfn import nn
from tests.cases import (
    FOUR,
    SIGMOID,
    SOFTMAX,
    SPARSE,
    WEIGHTED,
    as_tensors,
    ids,
)

Z23 = np.zeros((2, 3), np.float32)
INTEGERS = np.zeros((2, 3), np.int64)
SHAPES = "labels and logits must have the same shape, got"
CLASS_AXIS = "labels must have the shape of logits without the class axis,"
REMEDY = "; tf.cast(labels, 'float32') makes probabilities of 0 and 1"
WEIGHT = "pos_weight must be a scalar or broadcast to the shape of logits,"
DENSE = [SOFTMAX, SIGMOID, WEIGHTED]


def call(name: str, arguments: dict) -> tf.Tensor:
    if name == WEIGHTED:
        arguments = {"pos_weight": 2.0, **arguments}
    return getattr(nn, name)(**arguments)


def bad(names, labels, logits, message, *, error=ValueError, **options) -> list:
    names = [names] if isinstance(names, str) else names
    arguments = {"labels": labels, "logits": logits, **options}
    return [(name, arguments, error, message) for name in names]


SHAPE_ERRORS = [
    *bad(DENSE, Z23[:, :1], Z23, f"{SHAPES} (2, 1) and (2, 3)"),
    *bad(DENSE, Z23[0, :2], Z23[:, :2], f"{SHAPES} (2,) and (2, 2)"),
    *bad(DENSE, Z23[None], Z23, f"{SHAPES} (1, 2, 3) and (2, 3)"),
    *bad(DENSE, np.float32(0), Z23, f"{SHAPES} () and (2, 3)"),
    *bad([SIGMOID, WEIGHTED], Z23[0, :1], np.float32(0), f"{SHAPES} (1,) and ()"),
    *bad(
        SPARSE,
        INTEGERS[:, :1],
        Z23,
        f"{CLASS_AXIS} (2,), got (2, 1) for logits of shape (2, 3)",
    ),
    *bad(
        SPARSE,
        INTEGERS,
        Z23,
        f"{CLASS_AXIS} (2,), got (2, 3) for logits of shape (2, 3)",
    ),
    *bad(
        SPARSE,
        np.int64(0),
        Z23,
        f"{CLASS_AXIS} (2,), got () for logits of shape (2, 3)",
    ),
    *bad(
        SPARSE,
        INTEGERS[:, 0],
        Z23,
        f"{CLASS_AXIS} (3,), got (2,) for logits of shape (2, 3)",
        axis=0,
    ),
    *bad(SOFTMAX, 1.0, 1.0, "axis must name an axis of an array, got a scalar"),
    *bad(SPARSE, 0, 1.0, "axis must name an axis of an array, got a scalar"),
    *bad(
        SOFTMAX,
        Z23[:, :0],
        Z23[:, :0],
        "logits must have at least one class, got shape (2, 0)",
    ),
    *bad(
        SPARSE,
        INTEGERS[:, 0],
        Z23[:, :0],
        "logits must have at least one class, got shape (2, 0)",
    ),
    *bad(
        WEIGHTED,
        Z23[:, :1],
        Z23[:, :1],
        f"{WEIGHT} (2, 1), got shape (2,)",
        pos_weight=np.ones(2, np.float32),
    ),
    *bad(
        WEIGHTED,
        Z23,
        Z23,
        f"{WEIGHT} (2, 3), got shape (2,)",
        pos_weight=np.ones(2, np.float32),
    ),
    *bad(
        WEIGHTED,
        Z23,
        Z23,
        f"{WEIGHT} (2, 3), got shape (1, 2, 3)",
        pos_weight=np.ones((1, 2, 3), np.float32),
    ),
]
DTYPE_ERRORS = [
    *bad(
        DENSE,
        INTEGERS,
        Z23,
        f"labels must have a floating dtype, got int64{REMEDY}",
        error=TypeError,
    ),
    *bad(
        DENSE,
        INTEGERS > 0,
        Z23,
        f"labels must have a floating dtype, got bool{REMEDY}",
        error=TypeError,
    ),
    *bad(
        DENSE,
        Z23,
        INTEGERS,
        "logits must have a floating dtype, got int64",
        error=TypeError,
    ),
    *bad(
        SPARSE,
        INTEGERS[:, 0],
        INTEGERS,
        "logits must have a floating dtype, got int64",
        error=TypeError,
    ),
    *bad(
        SPARSE,
        Z23[:, 0],
        Z23,
        "labels must have an integer dtype, got float32; "
        "probabilities belong to softmax_cross_entropy_with_logits",
        error=TypeError,
    ),
    *bad(
        SPARSE,
        INTEGERS[:, 0] > 0,
        Z23,
        "labels must have an integer dtype, got bool; "
        "probabilities belong to softmax_cross_entropy_with_logits",
        error=TypeError,
    ),
    *bad(
        WEIGHTED,
        Z23,
        Z23,
        "pos_weight must be a number, got string",
        error=TypeError,
        pos_weight="2",
    ),
    *bad(
        WEIGHTED,
        Z23,
        Z23,
        "pos_weight must be an array of numbers, got None",
        error=TypeError,
        pos_weight=None,
    ),
    *bad(
        DENSE,
        [[1.0], [1.0, 2.0]],
        Z23,
        "labels must be an array of numbers, got [[1.0], [1.0, 2.0]]",
        error=TypeError,
    ),
    *bad(
        DENSE,
        Z23,
        None,
        "logits must be an array of numbers, got None",
        error=TypeError,
    ),
    *[
        case
        for name, labels in ((SOFTMAX, Z23), (SPARSE, INTEGERS[:, 0]))
        for axis in (0.5, None, "1")
        for case in bad(
            name,
            labels,
            Z23,
            f"axis must be an integer, got {axis!r}",
            error=TypeError,
            axis=axis,
        )
    ],
    *[
        case
        for name, labels in ((SOFTMAX, Z23), (SPARSE, INTEGERS[:, 0]))
        for axis in (2, -3)
        for case in bad(
            name, labels, Z23, f"axis must lie in [-2, 2), got {axis}", axis=axis
        )
    ],
]


def spoiled(value: float) -> np.ndarray:
    labels = Z23.copy()
    labels[1, 2] = value
    return labels


VALUE_ERRORS = [
    *[
        case
        for value in (-0.5, np.inf)
        for case in bad(
            SOFTMAX,
            spoiled(value),
            Z23,
            f"labels must lie in [0, inf), got {value} at index (1, 2)",
        )
    ],
    *[
        case
        for value in (-0.5, 1.5, np.inf)
        for case in bad(
            [SIGMOID, WEIGHTED],
            spoiled(value),
            Z23,
            f"labels must lie in [0, 1], got {value} at index (1, 2)",
        )
    ],
    *[
        case
        for value in (-1, 3)
        for case in bad(
            SPARSE,
            np.array([0, value]),
            Z23,
            f"labels must lie in [0, 3), got {value} at index (1,)",
        )
    ],
    *bad(
        SPARSE,
        np.array([[0, 1], [2, 0]]),
        np.zeros((2, 2, 2)),
        "labels must lie in [0, 2), got 2 at index (1, 0)",
        axis=1,
    ),
    *[
        case
        for value in (0.0, -1.0, np.nan, np.inf)
        for case in [
            *bad(
                WEIGHTED,
                Z23,
                Z23,
                f"pos_weight must be positive and finite, got {value}",
                pos_weight=value,
            ),
            *bad(
                WEIGHTED,
                Z23,
                Z23,
                f"pos_weight must be positive and finite, got {value} at index (1,)",
                pos_weight=np.float32([1, value, 1]),
            ),
        ]
    ],
]


@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"),
    SHAPE_ERRORS + DTYPE_ERRORS + VALUE_ERRORS,
)
def test_eager(name, arguments, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        call(name, arguments)


@pytest.mark.parametrize("jit", [False, True], ids=["function", "xla"])
@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"), SHAPE_ERRORS + DTYPE_ERRORS
)
def test_tracing(name, arguments, error, message, jit):
    """What is known when a function is traced is refused then, in the same words."""

    @tf.function(jit_compile=jit, autograph=False)
    def traced() -> tf.Tensor:
        return call(name, arguments)

    with pytest.raises(error, match=f"(^|\n|: ){re.escape(message)}\n*$"):
        traced()


@pytest.mark.parametrize("case", FOUR, ids=ids)
def test_arguments_are_keyword_only(case):
    arguments = as_tensors(case.arguments(seed=1), "float32")
    with pytest.raises(TypeError, match="takes 0 positional arguments but"):
        case.loss(*arguments.values())


def test_python_numbers_are_probabilities_and_classes():
    for labels in ([0, 1], [0.0, 1.0], (0, 1), [False, True]):
        loss = nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=[0, 0])
        assert loss.dtype == tf.float32
        np.testing.assert_allclose(loss, [np.log(2)] * 2, rtol=1e-6)
    loss = nn.weighted_cross_entropy_with_logits(
        labels=[1], logits=tf.constant([0.0], tf.float64), pos_weight=2
    )
    assert loss.dtype == tf.float64
    np.testing.assert_allclose(loss, [2 * np.log(2)], rtol=1e-14)
    loss = nn.softmax_cross_entropy_with_logits(labels=[1, 0], logits=[0, 0])
    np.testing.assert_allclose(loss, np.log(2), rtol=1e-6)
    for label in (1, np.int8(1), np.uint8(1), tf.constant(1, tf.int16)):
        loss = nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=[0, 0])
        np.testing.assert_allclose(loss, np.log(2), rtol=1e-6)


def test_labels_of_another_floating_dtype_keep_their_digits():
    """Float32 labels with float16 logits are not rounded to float16."""
    labels, logits = np.float32([1e-6]), np.float16([10])
    loss = nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
    assert loss.dtype == tf.float16
    np.testing.assert_allclose(loss, np.float16([10]), rtol=0)
    loss = nn.sigmoid_cross_entropy_with_logits(labels=1 - labels, logits=logits)
    exact = np.log1p(np.exp(-10.0)) + (1 - np.float64(1 - labels)) * 10
    np.testing.assert_allclose(loss, np.float16(exact), rtol=1e-3)


def test_variables_are_arguments():
    logits = tf.Variable([0.0, 0.0])
    with tf.GradientTape() as tape:
        loss = nn.sigmoid_cross_entropy_with_logits(labels=[0.0, 1.0], logits=logits)
    np.testing.assert_allclose(tape.gradient(loss, logits), [0.5, -0.5])
