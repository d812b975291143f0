"""Bad input that only a running graph sees: errors in tf.function, NaN under XLA."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tensorflow as tf

from lossfn import losses
from tests.cases import as_tensors
from tests.loss_cases import BY_NAME, ONE_EACH, LossCase
from tests.test_losses_errors import FOR_EACH, FOR_EACH_CLASS, OF, SCALARS

JIT = pytest.mark.parametrize("jit", [False, True], ids=["function", "xla"])
Z23 = np.float32([[1, 2, 3], [3, -1, 2]])
SPARSE = [case for case in ONE_EACH if case.is_sparse]
DENSE = [case for case in ONE_EACH if not case.is_sparse]
REQUIRED = {
    "pinball": {"quantile": 0.5},
    "newsvendor": {"underage_cost": 1.0, "overage_cost": 1.0},
}


def refused(message: str, *, jit: bool = False):
    """Expect the words of the rule, or under XLA, which drops assertions, any words."""
    match = None if jit else re.escape(f"assertion failed: [{message}")
    return pytest.raises(tf.errors.InvalidArgumentError, match=match)


def spoiled(value: float) -> np.ndarray:
    labels = np.zeros((2, 3), np.float32)
    labels[1, 2] = value
    return labels


LABELS = [
    *[
        (function, spoiled(value), "lie in [0, 1]")
        for function in ("binary_crossentropy", "binary_focal_crossentropy")
        for value in (-0.5, 1.5, np.inf)
    ],
    *[
        (function, spoiled(value), "lie in [0, inf)")
        for function in ("categorical_crossentropy", "categorical_focal_crossentropy")
        for value in (-0.5, np.inf)
    ],
    *[
        (case.function, np.array([0, value]), "lie in [0, 3)")
        for case in SPARSE
        for value in (-1, 3)
    ],
]


@pytest.mark.parametrize(("function", "labels", "rule"), LABELS)
def test_labels_in_a_graph(function, labels, rule):
    traced = tf.function(getattr(losses, function))
    low, high = (f"{value:g}" for value in (labels.min(), labels.max()))
    with refused(f"y_true must {rule}, got values from] [{low}] [to] [{high}]\n"):
        traced(tf.constant(labels), tf.constant(Z23))


@pytest.mark.parametrize(("function", "labels", "rule"), LABELS[::2] + LABELS[-1:])
def test_labels_under_xla(function, labels, rule):
    """Nothing can raise: that example alone is NaN, and has no gradient."""
    loss, case = getattr(losses, function), OF[function]

    @tf.function(jit_compile=True)
    def run(y_true: tf.Tensor, y_pred: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = loss(y_true, y_pred)
        return value, tape.gradient(value, y_pred)

    good = np.where(labels == labels.flat[0], labels, 0)
    value, gradient = run(tf.constant(labels), tf.constant(Z23))
    clean, clean_gradient = run(tf.constant(good), tf.constant(Z23))
    bad_one = (1,) if case.has_classes else (1, 2)
    spoiled_ones = np.zeros(value.shape, bool)
    spoiled_ones[bad_one] = True
    np.testing.assert_array_equal(np.isnan(value), spoiled_ones)
    np.testing.assert_array_equal(value[0], clean[0])
    assert not gradient.numpy()[bad_one].any()
    np.testing.assert_array_equal(gradient[0], clean_gradient[0])


def drawn(function: str, name: str) -> dict[str, tf.Tensor]:
    """Return arguments, the parameter among them."""
    case = next(
        case
        for case in BY_NAME.values()
        if case.function == function and name in case.parameters
    )
    arguments = case.arguments(seed=1, shape=(2, 3), dtype="float32")
    return as_tensors(arguments, "float32")


PARAMETERS = [
    *[
        (function, name, rule, value)
        for function, name, rule, values in SCALARS
        for value in values[-2:]
    ],
    *[
        (function, name, rule, [0.5, value, 0.5])
        for function, name, rule, values in [*FOR_EACH, *FOR_EACH_CLASS]
        for value in values[-2:]
    ],
]


@pytest.mark.parametrize(("function", "name", "rule", "value"), PARAMETERS)
def test_parameters_in_a_graph(function, name, rule, value):
    arguments = {**drawn(function, name), name: tf.constant(value, tf.float32)}
    traced = tf.function(lambda arguments: getattr(losses, function)(**arguments))
    with refused(f"{name} must {rule}, got values from]"):
        traced(arguments)


@pytest.mark.parametrize(("function", "name", "rule", "value"), PARAMETERS[::2])
def test_parameters_under_xla(function, name, rule, value):
    """What the parameter has a part in is NaN, without a gradient into anything."""
    arguments = {**drawn(function, name), name: tf.constant(value, tf.float32)}
    into = [key for key, tensor in arguments.items() if tensor.dtype.is_floating]

    @tf.function(jit_compile=True)
    def run(arguments: dict) -> tuple[tf.Tensor, list[tf.Tensor]]:
        watched = [arguments[key] for key in into]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            loss = getattr(losses, function)(**arguments)
        gradients = tape.gradient(loss, watched)
        return loss, [tf.convert_to_tensor(gradient) for gradient in gradients]

    loss, gradients = run(arguments)
    spoiled_ones = np.ones(loss.shape, bool)
    if not OF[function].has_classes:
        spoiled_ones &= ~(np.isfinite(value) & (np.array(value) == 0.5))
    np.testing.assert_array_equal(np.isnan(loss), spoiled_ones)
    for gradient in gradients:
        assert np.isfinite(gradient).all()
        if spoiled_ones.all():
            assert not gradient.numpy().any()
        elif gradient.shape.rank:
            assert not gradient.numpy()[..., spoiled_ones.all(0)].any()


@JIT
def test_alpha_and_beta_in_a_graph(jit):
    """Not both may be 0."""

    @tf.function(jit_compile=jit)
    def traced(weight: tf.Tensor, logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = losses.symmetric_crossentropy(
                tf.constant([0, 1]), logits, alpha=weight, beta=weight
            )
        return loss, tape.gradient(loss, logits)

    if jit:
        loss, gradient = traced(tf.constant(0.0), tf.constant(Z23))
        assert np.isnan(loss).all()
        np.testing.assert_array_equal(gradient, np.zeros((2, 3)))
    else:
        with refused("beta must be positive where alpha is 0, got values from]"):
            traced(tf.constant(0.0), tf.constant(Z23))


def unknown(function: str, *, jit: bool, name: str | None = None):
    """Return a loss that knows no shape when it is traced, of a parameter if named."""
    floats = tf.TensorSpec(None, tf.float32)
    labels = tf.TensorSpec(None, tf.int64) if OF[function].is_sparse else floats
    signature = {"y_true": labels, "y_pred": floats}
    parameters = dict(REQUIRED.get(function, {}))
    if name is not None:
        signature[name] = floats
        parameters.pop(name, None)
    return tf.function(
        lambda arguments: getattr(losses, function)(**arguments, **parameters),
        input_signature=[signature],
        jit_compile=jit,
    )


def zeros(case: LossCase, y_true: tuple, y_pred: tuple) -> dict[str, tf.Tensor]:
    dtype = tf.int64 if case.is_sparse else tf.float32
    return {"y_true": tf.zeros(y_true, dtype), "y_pred": tf.zeros(y_pred)}


UNKNOWN_SHAPES = [
    *[
        (case, y_true, y_pred)
        for case in DENSE
        for y_true, y_pred in [
            ((4, 1), (4, 4)),
            ((4,), (4, 4)),
            ((1, 4), (4, 4)),
            ((4,), (4, 1)),
            ((4, 1), (4,)),
            ((), (4, 4)),
        ]
    ],
    *[(case, shape, (4, 4)) for case in SPARSE for shape in [(), (1,), (4, 1), (4, 4)]],
]
FOR_XLA = ("newsvendor", "binary_crossentropy", "categorical_focal_crossentropy")
UNKNOWN_SHAPES = [
    pytest.param(*each, jit, id=f"{each[0].function}-{each[1]}-{each[2]}-{jit}")
    for each in UNKNOWN_SHAPES
    for jit in (False, True)
    if not jit or each[0].function in (*FOR_XLA, "generalized_crossentropy")
]


@pytest.mark.parametrize(("case", "y_true", "y_pred", "jit"), UNKNOWN_SHAPES)
def test_unknown_shapes_that_differ(case, y_true, y_pred, jit):
    rule, expected = "y_true and y_pred must have the same shape", y_pred
    if case.is_sparse:
        rule = "y_true must have the shape of y_pred without the class axis"
        expected = y_pred[:-1]
    received = f"{in_brackets(y_true)} [and] {in_brackets(expected)}"
    with refused(f"{rule}, got] {received}", jit=jit):
        unknown(case.function, jit=jit)(zeros(case, y_true, y_pred))


def in_brackets(shape: tuple[int, ...]) -> str:
    return f"[{' '.join(map(str, shape))}]"


@JIT
@pytest.mark.parametrize("shape", [(4,), (4, 4), (1, 4, 1)], ids=str)
@pytest.mark.parametrize(("function", "name"), [each[:2] for each in FOR_EACH])
def test_unknown_shape_of_a_parameter_for_each_prediction(function, name, shape, jit):
    arguments = zeros(OF[function], (4, 1), (4, 1))
    arguments[name] = tf.fill(shape, 0.5)
    rule = f"{name} must be a scalar or broadcast to the shape of y_pred,"
    with refused(f"{rule}] [4 1] [got shape] {in_brackets(shape)}", jit=jit):
        unknown(function, jit=jit, name=name)(arguments)


@JIT
@pytest.mark.parametrize("shape", [(1,), (3,), (1, 4), (4, 4)], ids=str)
@pytest.mark.parametrize(("function", "name"), [each[:2] for each in FOR_EACH_CLASS])
def test_unknown_shape_of_a_parameter_for_each_class(function, name, shape, jit):
    case = OF[function]
    arguments = zeros(case, (4,) if case.is_sparse else (4, 4), (4, 4))
    arguments[name] = tf.fill(shape, 0.5)
    rule = f"{name} must have one entry for each class of y_pred, got]"
    if name == "alpha":
        rule = (
            f"{name} must be a scalar or have one entry for each class of y_pred, got]"
        )
    with refused(f"{rule} {in_brackets(shape)} [and] [4]", jit=jit):
        unknown(function, jit=jit, name=name)(arguments)


@JIT
@pytest.mark.parametrize("shape", [(1,), (4, 4)], ids=str)
@pytest.mark.parametrize(("function", "name"), [each[:2] for each in SCALARS[:4]])
def test_unknown_shape_of_a_scalar(function, name, shape, jit):
    arguments = zeros(OF[function], (4, 4), (4, 4))
    arguments[name] = tf.fill(shape, 0.5)
    rule = f"{name} must be a scalar, got shape]"
    with refused(f"{rule} {in_brackets(shape)}", jit=jit):
        unknown(function, jit=jit, name=name)(arguments)


@JIT
@pytest.mark.parametrize(
    "function", ["categorical_crossentropy", "generalized_crossentropy"]
)
def test_unknown_classes(function, jit):
    case = OF[function]
    labels = (2,) if case.is_sparse else (2, 0)
    with refused("y_pred must have at least one class, got] [2 0]", jit=jit):
        unknown(function, jit=jit)(zeros(case, labels, (2, 0)))
    with refused("y_pred must have an axis of classes, got a scalar", jit=jit):
        unknown(function, jit=jit)(zeros(case, (), ()))


def test_the_number_of_classes_may_be_unknown():
    """Then the rule is told in words."""
    signature = [tf.TensorSpec([None], tf.int64), tf.TensorSpec([None, None])]
    traced = tf.function(
        losses.sparse_categorical_crossentropy, input_signature=signature
    )
    with refused("y_true must lie in [0, the number of classes), got values from]"):
        traced(np.array([3]), np.zeros((1, 3), np.float32))
