"""Bad input that a loss sees when it is called or traced: one clear error each."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tensorflow as tf

from lossfn import losses
from tests.cases import as_tensors
from tests.loss_cases import ONE_EACH, LossCase, ids

Z23 = np.zeros((2, 3), np.float32)
INTEGERS = np.zeros((2, 3), np.int64)
SHAPES = "y_true and y_pred must have the same shape, got"
CLASS_AXIS = "y_true must have the shape of y_pred without the class axis,"
INTO = "must be a scalar or broadcast to the shape of y_pred,"
EACH_CLASS = "must have one entry for each class of y_pred,"

DENSE = [case for case in ONE_EACH if not case.is_sparse]
SPARSE = [case for case in ONE_EACH if case.is_sparse]
REGRESSION = [case for case in ONE_EACH if case.is_regression]
WITH_LOGITS = [case for case in DENSE if not case.is_regression]
CLASSES = [case for case in ONE_EACH if case.has_classes]
OF = {case.function: case for case in ONE_EACH}
CASTS = "; tf.cast(y_true, 'float32')"
PROBABILITIES = {
    "sparse_categorical_crossentropy": "categorical_crossentropy",
    "sparse_categorical_focal_crossentropy": "categorical_focal_crossentropy",
}
REQUIRED = {
    "pinball": {"quantile": 0.5},
    "newsvendor": {"underage_cost": 1.0, "overage_cost": 1.0},
}


def call(function: str, y_true: object, y_pred: object, parameters: dict) -> tf.Tensor:
    parameters = {**REQUIRED.get(function, {}), **parameters}
    return getattr(losses, function)(y_true, y_pred, **parameters)


def bad(
    cases: list[LossCase] | str,
    y_true: object,
    y_pred: object,
    message: str,
    *,
    error: type[Exception] = ValueError,
    **parameters: object,
) -> list:
    """Return one entry for each of the cases, or for the function of a name."""
    names = [cases] if isinstance(cases, str) else [case.function for case in cases]
    return [
        pytest.param(
            name, y_true, y_pred, parameters, error, message, id=f"{name}: {message}"
        )
        for name in names
    ]


def remedy(case: LossCase) -> str:
    if case.is_regression:
        return f"{CASTS} converts it"
    return f"{CASTS} makes probabilities of 0 and 1"


def hint(case: LossCase) -> str:
    name = PROBABILITIES.get(case.function)
    return "" if name is None else f"; probabilities belong to {name}"


SHAPE_ERRORS = [
    *bad(DENSE, Z23[:, :1], Z23, f"{SHAPES} (2, 1) and (2, 3)"),
    *bad(DENSE, Z23[0, :2], Z23[:, :2], f"{SHAPES} (2,) and (2, 2)"),
    *bad(DENSE, Z23[:, 0], Z23[:, :1], f"{SHAPES} (2,) and (2, 1)"),
    *bad(DENSE, Z23[:, :1], Z23[:, 0], f"{SHAPES} (2, 1) and (2,)"),
    *bad(DENSE, Z23[None], Z23, f"{SHAPES} (1, 2, 3) and (2, 3)"),
    *bad(DENSE, np.float32(0), Z23, f"{SHAPES} () and (2, 3)"),
    *[
        error
        for labels, text in (
            (INTEGERS[:, :1], "(2, 1)"),
            (INTEGERS, "(2, 3)"),
            (np.int64(0), "()"),
            (INTEGERS[0], "(3,)"),
        )
        for error in bad(
            SPARSE,
            labels,
            Z23,
            f"{CLASS_AXIS} (2,), got {text} for y_pred of shape (2, 3)",
        )
    ],
    *bad(CLASSES, 0, 1.0, "y_pred must have an axis of classes, got a scalar"),
    *bad(
        WITH_LOGITS[2:],
        Z23[:, :0],
        Z23[:, :0],
        "y_pred must have at least one class, got shape (2, 0)",
    ),
    *bad(
        SPARSE,
        INTEGERS[:, 0],
        Z23[:, :0],
        "y_pred must have at least one class, got shape (2, 0)",
    ),
]
DTYPE_ERRORS = [
    *[
        error
        for case in DENSE
        for labels, name in ((INTEGERS, "int64"), (INTEGERS > 0, "bool"))
        for error in bad(
            [case],
            labels,
            Z23,
            f"y_true must have a floating dtype, got {name}{remedy(case)}",
            error=TypeError,
        )
    ],
    *[
        error
        for case in SPARSE
        for labels, name in ((Z23[:, 0], "float32"), (Z23[:, 0] > 0, "bool"))
        for error in bad(
            [case],
            labels,
            Z23,
            f"y_true must have an integer dtype, got {name}{hint(case)}",
            error=TypeError,
        )
    ],
    *bad(
        ONE_EACH,
        Z23,
        INTEGERS,
        "y_pred must have a floating dtype, got int64",
        error=TypeError,
    ),
    *bad(
        ONE_EACH,
        Z23,
        None,
        "y_pred must be an array of numbers, got None",
        error=TypeError,
    ),
    *bad(
        ONE_EACH,
        [[1.0], [1.0, 2.0]],
        Z23,
        "y_true must be an array of numbers, got [[1.0], [1.0, 2.0]]",
        error=TypeError,
    ),
    *bad(
        ONE_EACH,
        Z23,
        ["a"],
        "y_pred must have a floating dtype, got string",
        error=TypeError,
    ),
]


def spoiled(value: float) -> np.ndarray:
    labels = Z23.copy()
    labels[1, 2] = value
    return labels


VALUE_ERRORS = [
    *[
        error
        for value in (-0.5, 1.5, np.inf)
        for error in bad(
            WITH_LOGITS[:2],
            spoiled(value),
            Z23,
            f"y_true must lie in [0, 1], got {value} at index (1, 2)",
        )
    ],
    *[
        error
        for value in (-0.5, np.inf)
        for error in bad(
            WITH_LOGITS[2:],
            spoiled(value),
            Z23,
            f"y_true must lie in [0, inf), got {value} at index (1, 2)",
        )
    ],
    *[
        error
        for value in (-1, 3)
        for error in bad(
            SPARSE,
            np.array([0, value]),
            Z23,
            f"y_true must lie in [0, 3), got {value} at index (1,)",
        )
    ],
    *bad(
        SPARSE,
        np.array([-1, -2]),
        Z23,
        "y_true must lie in [0, 3) or be -1, got -2 at index (1,)",
        ignore_index=-1,
    ),
]

POSITIVE = "be positive and finite"
NOT_NEGATIVE = "be finite and not negative"
# Every parameter that is a scalar: the rule, and values that break it.
SCALARS = [
    ("huber", "delta", POSITIVE, [0.0, -1.0, np.inf, np.nan]),
    (
        "binary_crossentropy",
        "label_smoothing",
        "lie in [0, 1]",
        [-0.1, 1.1, np.nan],
    ),
    ("binary_focal_crossentropy", "gamma", NOT_NEGATIVE, [-0.5, np.inf, np.nan]),
    ("binary_focal_crossentropy", "alpha", "lie in [0, 1]", [-0.5, 1.5, np.nan]),
    ("categorical_crossentropy", "label_smoothing", "lie in [0, 1]", [-0.1, 1.1]),
    (
        "sparse_categorical_crossentropy",
        "label_smoothing",
        "lie in [0, 1]",
        [-0.1, 1.1],
    ),
    ("categorical_focal_crossentropy", "gamma", NOT_NEGATIVE, [-0.5, np.nan]),
    ("sparse_categorical_focal_crossentropy", "gamma", NOT_NEGATIVE, [-0.5, np.nan]),
    ("generalized_crossentropy", "q", "lie in (0, 1]", [0.0, -0.1, 1.5, np.nan]),
    ("symmetric_crossentropy", "alpha", NOT_NEGATIVE, [-0.5, np.inf, np.nan]),
    ("symmetric_crossentropy", "beta", NOT_NEGATIVE, [-0.5, np.inf, np.nan]),
    (
        "symmetric_crossentropy",
        "log_zero",
        "be negative and finite",
        [0.0, 1.0, -np.inf, np.nan],
    ),
]
# Those with one entry for each prediction, and those with one for each class.
FOR_EACH = [
    ("pinball", "quantile", "lie in (0, 1)", [0.0, 1.0, -0.5, np.nan]),
    ("newsvendor", "underage_cost", POSITIVE, [0.0, -1.0, np.inf, np.nan]),
    ("newsvendor", "overage_cost", POSITIVE, [0.0, -1.0, np.inf, np.nan]),
    ("binary_crossentropy", "pos_weight", POSITIVE, [0.0, -1.0, np.inf, np.nan]),
]
FOR_EACH_CLASS = [
    ("categorical_crossentropy", "class_weight", POSITIVE, [0.0, -1.0, np.inf]),
    ("sparse_categorical_crossentropy", "class_weight", POSITIVE, [0.0, -1.0]),
    ("categorical_focal_crossentropy", "alpha", POSITIVE, [0.0, -1.0, np.nan]),
    ("sparse_categorical_focal_crossentropy", "alpha", POSITIVE, [0.0, -1.0]),
]


def labels_for(function: str) -> np.ndarray:
    return INTEGERS[:, 0] if OF[function].is_sparse else Z23


def bad_parameter(function: str, name: str, value: object, message: str, **options):
    return bad(function, labels_for(function), Z23, message, **{name: value}, **options)


PARAMETER_ERRORS = [
    *[
        error
        for function, name, rule, values in [*SCALARS, *FOR_EACH]
        for value in values
        for error in bad_parameter(
            function, name, value, f"{name} must {rule}, got {value}"
        )
    ],
    *[
        error
        for function, name, rule, values in [*FOR_EACH, *FOR_EACH_CLASS]
        for value in values
        for error in bad_parameter(
            function,
            name,
            np.float32([0.5, value, 0.5]),
            f"{name} must {rule}, got {value} at index (1,)",
        )
    ],
    *[
        error
        for function, name, *_ in SCALARS
        for shape in ((1,), (3,), (2, 3))
        for error in bad_parameter(
            function,
            name,
            np.full(shape, 0.5),
            f"{name} must be a scalar, got shape {shape}",
        )
    ],
    *[
        error
        for function, name, *_ in FOR_EACH
        for shape in ((2,), (1, 2, 3), (3, 1))
        for error in bad_parameter(
            function,
            name,
            np.full(shape, 0.5),
            f"{name} {INTO} (2, 3), got shape {shape}",
        )
    ],
    *[
        error
        for function, name, *_ in FOR_EACH_CLASS
        for shape in ((2,), (1,), (2, 3), (1, 3), (3, 1))
        for error in bad_parameter(
            function,
            name,
            np.full(shape, 0.5),
            f"{name} {EACH_CLASS} (3,), got shape {shape}",
        )
    ],
    *[
        error
        for function, name, *_ in FOR_EACH_CLASS[:2]
        for error in bad_parameter(
            function, name, 2.0, f"{name} {EACH_CLASS} (3,), got shape ()"
        )
    ],
    *[
        error
        for function, name, *_ in [*SCALARS, *FOR_EACH, *FOR_EACH_CLASS]
        for value, received in (
            (True, "True"),
            ([True, False, True], "[True, False, True]"),
            (np.array([True]), "bool"),
            ("0.5", "string"),
            (1j, "complex128"),
        )
        for error in bad_parameter(
            function,
            name,
            value,
            f"{name} must be a number, got {received}",
            error=TypeError,
        )
    ],
    *[
        error
        for function, name, *_ in [*SCALARS, *FOR_EACH]
        if name != "alpha" or function == "symmetric_crossentropy"
        for error in bad_parameter(
            function,
            name,
            None,
            f"{name} must be an array of numbers, got None",
            error=TypeError,
        )
    ],
    *bad_parameter(
        "symmetric_crossentropy",
        "alpha",
        0,
        "beta must be positive where alpha is 0, got 0.0",
        beta=0,
    ),
    *[
        error
        for case in SPARSE
        for value in (0.5, "1", True, np.array([1, 2]))
        for error in bad(
            [case],
            INTEGERS[:, 0],
            Z23,
            f"ignore_index must be an integer, got {value!r}",
            error=TypeError,
            ignore_index=value,
        )
    ],
    *bad(
        SPARSE,
        INTEGERS[:, 0],
        Z23,
        f"ignore_index must lie in [{-(2**63)}, {2**63 - 1}], got {2**63}",
        ignore_index=2**63,
    ),
]


@pytest.mark.parametrize(
    ("function", "y_true", "y_pred", "parameters", "error", "message"),
    SHAPE_ERRORS + DTYPE_ERRORS + VALUE_ERRORS + PARAMETER_ERRORS,
)
def test_eager(function, y_true, y_pred, parameters, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        call(function, y_true, y_pred, parameters)


STATIC_PARAMETER_ERRORS = [
    each
    for each in PARAMETER_ERRORS
    if "shape" in each.id or "must be a number" in each.id or "array" in each.id
]


@pytest.mark.parametrize(
    ("function", "y_true", "y_pred", "parameters", "error", "message"),
    SHAPE_ERRORS + DTYPE_ERRORS + STATIC_PARAMETER_ERRORS,
)
def test_tracing(function, y_true, y_pred, parameters, error, message):
    """What is known when a function is traced is refused then, in the same words."""

    @tf.function(autograph=False)
    def traced() -> tf.Tensor:
        return call(function, y_true, y_pred, parameters)

    with pytest.raises(error, match=f"(^|\n|: ){re.escape(message)}\n*$"):
        traced()


@pytest.mark.parametrize("case", ONE_EACH, ids=ids)
def test_parameters_are_keyword_only(case):
    arguments = as_tensors(case.arguments(seed=1), "float32")
    with pytest.raises(TypeError, match="takes 2 positional arguments but"):
        getattr(losses, case.function)(*arguments.values(), 0.5)


@pytest.mark.parametrize("case", ONE_EACH, ids=ids)
def test_there_is_no_from_logits(case):
    arguments = as_tensors(case.arguments(seed=1), "float32")
    with pytest.raises(TypeError, match="unexpected keyword argument 'from_logits'"):
        case.loss(**arguments, from_logits=True)


def test_python_numbers_are_labels_and_predictions():
    loss = losses.pinball([1, 2], [2, 1], quantile=0.75)
    assert loss.dtype == tf.float32
    np.testing.assert_array_equal(loss, [0.25, 0.75])
    for labels in ([0, 1], [0.0, 1.0], (0, 1), [False, True]):
        loss = losses.binary_crossentropy(labels, [0, 0])
        np.testing.assert_allclose(loss, [np.log(2)] * 2, rtol=1e-6)
    for label in (1, np.int8(1), np.uint8(1), tf.constant(1, tf.int16)):
        loss = losses.generalized_crossentropy(label, [0.0, 0.0], q=1)
        np.testing.assert_allclose(loss, 0.5, rtol=1e-6)
