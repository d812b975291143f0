"""Masks: what is masked leaves no trace, and means are over what counts."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tensorflow as tf

from lossfn import losses
from tests.cases import MODES, as_tensors, compiled, value_and_gradient
from tests.loss_cases import BY_NAME, CASES, ONE_EACH, SPARSE_FOCAL, ids

MASK = np.array([True, False, True, True, False, False])
IN_GRAPHS = ["newsvendor-scalar", "categorical_crossentropy-plain", f"{SPARSE_FOCAL}-2"]


def mask_of(case, arguments: dict) -> np.ndarray:
    """Return a mask of the shape of the losses: of rows, or of single entries."""
    if case.has_classes:
        return MASK
    return np.random.default_rng(0).random(arguments["y_pred"].shape) < 0.5


def spoiled(case, arguments: dict, mask: np.ndarray) -> dict:
    """Put NaN, and labels that are none, wherever the mask is False."""
    arguments = {name: np.array(value) for name, value in arguments.items()}
    arguments["y_pred"][~mask] = np.nan
    arguments["y_true"][~mask] = -99 if case.is_sparse else np.nan
    return arguments


@pytest.mark.parametrize(
    ("case", "mode"),
    [
        *[pytest.param(case, "eager", id=f"{case.name}-eager") for case in ONE_EACH],
        *[
            pytest.param(BY_NAME[name], mode, id=f"{name}-{mode}")
            for name in IN_GRAPHS
            for mode in MODES[1:]
        ],
    ],
)
def test_what_is_masked_leaves_no_trace(case, mode):
    """In the other losses, in the gradients, in those into parameters."""
    arguments = case.arguments(seed=1, dtype="float32")
    mask = mask_of(case, arguments)

    def run(tensors: dict) -> tuple[tf.Tensor, ...]:
        into = [tensor for name, tensor in tensors.items() if name != "mask"]
        into = [tensor for tensor in into if tensor.dtype.is_floating]
        with tf.GradientTape() as tape:
            tape.watch(into)
            value = losses.masked(case.loss, **tensors)
        gradients = tape.gradient(value, into)
        return value, *(tf.convert_to_tensor(gradient) for gradient in gradients)

    results = [
        compiled(run, mode)({**as_tensors(each, "float32"), "mask": tf.constant(mask)})
        for each in (arguments, spoiled(case, arguments, mask))
    ]
    for clean, got in zip(*results, strict=True):
        np.testing.assert_array_equal(got, clean)
        assert np.isfinite(got).all()
    value = results[0][0].numpy()
    assert not value[~mask].any()
    assert value[mask].any()


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_what_is_not_masked_is_as_without_a_mask(case):
    arguments = case.arguments(seed=2)
    mask = mask_of(case, arguments)
    tensors = as_tensors(arguments, "float64")
    plain, gradient = value_and_gradient(case.loss, tensors, of="y_pred")
    value, masked_gradient = value_and_gradient(
        lambda **a: losses.masked(case.loss, **a, mask=mask), tensors, of="y_pred"
    )
    np.testing.assert_array_equal(value, np.where(mask, plain, 0))
    rows = mask[:, None] if case.has_classes else mask
    np.testing.assert_array_equal(masked_gradient, np.where(rows, gradient, 0))


def test_a_sequence_has_one_mask_entry_for_each_step():
    logits = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    labels = np.array([[0, 1, 9], [3, 9, 9]])
    value = losses.masked(
        losses.sparse_categorical_crossentropy, labels, logits, mask=labels < 9
    )
    expected = losses.sparse_categorical_crossentropy(labels, logits, ignore_index=9)
    np.testing.assert_array_equal(value, expected)
    assert value.shape == (2, 3)


def test_a_loss_of_ones_own_can_be_masked():
    def absolute(y_true: tf.Tensor, y_pred: tf.Tensor, *, scale: float) -> tf.Tensor:
        return scale * tf.abs(y_true - y_pred)

    value = losses.masked(
        absolute, [1.0, np.nan], [4.0, 2.0], mask=[True, False], scale=2.0
    )
    np.testing.assert_array_equal(value, [6.0, 0.0])


def test_labels_of_either_kind():
    """Python integers are classes, and an array keeps its dtype."""
    logits = tf.zeros([2, 3], tf.float64)
    loss = losses.sparse_categorical_crossentropy
    for labels in ([1, -1], np.int8([1, -1]), tf.constant([1, -1])):
        value = losses.masked(loss, labels, logits, mask=[True, False])
        np.testing.assert_allclose(value, [np.log(3), 0])
    value = losses.masked(
        losses.squared_error, [0.1, 0.2], logits[:, 0], mask=[True, True]
    )
    np.testing.assert_allclose(value, [0.01, 0.04], rtol=1e-15)


# The mean


@pytest.mark.parametrize("mode", MODES)
def test_the_mean_is_over_what_counts(mode):
    values = np.float32([1, np.nan, 3, 8, np.inf, -1e30])

    def run(arguments: dict) -> tuple[tf.Tensor, tf.Tensor]:
        return value_and_gradient(losses.masked_mean, arguments, of="losses")

    arguments = {"losses": tf.constant(values), "mask": tf.constant(MASK)}
    mean, gradient = compiled(run, mode)(arguments)
    assert mean.shape == ()
    np.testing.assert_allclose(mean, 4.0)
    np.testing.assert_allclose(gradient, MASK / 3)


@pytest.mark.parametrize("shape", [(3,), (0,), (2, 2), ()], ids=str)
@pytest.mark.parametrize("mode", ["eager", "function", "xla"])
def test_a_mean_of_nothing_is_0_with_gradient_0(mode, shape):
    def run(arguments: dict) -> tuple[tf.Tensor, tf.Tensor]:
        return value_and_gradient(losses.masked_mean, arguments, of="losses")

    arguments = {"losses": tf.fill(shape, np.nan), "mask": tf.zeros(shape, tf.bool)}
    mean, gradient = compiled(run, mode)(arguments)
    np.testing.assert_array_equal(mean, 0.0)
    np.testing.assert_array_equal(gradient, np.zeros(shape))


def test_a_mean_of_all_is_the_mean():
    values = np.random.default_rng(0).normal(size=(4, 5))
    mean = losses.masked_mean(values, np.ones((4, 5), bool))
    np.testing.assert_allclose(mean, values.mean(), rtol=1e-15)


def test_padding_does_not_water_down_the_mean():
    """A plain mean over ignored labels divides by their number, too."""
    labels = np.array([0, 1, -1, -1])
    logits = np.random.default_rng(0).normal(size=(4, 3))
    loss = losses.sparse_categorical_crossentropy(labels, logits, ignore_index=-1)
    alone = losses.sparse_categorical_crossentropy(labels[:2], logits[:2])
    mean = losses.masked_mean(loss, labels != -1)
    np.testing.assert_allclose(mean, tf.reduce_mean(alone), rtol=1e-15)
    np.testing.assert_allclose(tf.reduce_mean(loss), mean / 2, rtol=1e-15)


def test_the_sum_of_a_16_bit_mean_does_not_overflow():
    mean = losses.masked_mean(tf.ones(70_000, tf.float16), tf.ones(70_000, tf.bool))
    assert mean.dtype == tf.float16
    np.testing.assert_array_equal(mean, 1.0)


# Bad input

LOSS = losses.squared_error
SPARSE = losses.sparse_categorical_crossentropy
Y = np.zeros((4, 4), np.float32)
YES = np.ones((4, 4), bool)
FIRST_AXES = "mask and the first axes of y_true must have the same shape, got"
BAD = {
    "floating": (
        TypeError,
        "mask must have dtype bool, got float32",
        (LOSS, Y, Y, np.ones((4, 4), np.float32)),
    ),
    "integer": (
        TypeError,
        "mask must have dtype bool, got int64",
        (LOSS, Y, Y, np.ones((4, 4), np.int64)),
    ),
    "none": (
        TypeError,
        "mask must be an array of numbers, got None",
        (LOSS, Y, Y, None),
    ),
    "no_function": (
        TypeError,
        "loss must be a function, got 'mse'",
        ("mse", Y, Y, YES),
    ),
    "predictions": (
        TypeError,
        "y_pred must have a floating dtype, got int64",
        (LOSS, Y, np.ones((4, 4), np.int64), YES),
    ),
    "column": (ValueError, f"{FIRST_AXES} (4, 1) and (4, 4)", (LOSS, Y, Y, YES[:, :1])),
    "too_many": (
        ValueError,
        f"{FIRST_AXES} (1, 4, 4) and (4, 4)",
        (LOSS, Y, Y, YES[None]),
    ),
    "of_rows": (
        ValueError,
        "mask and the loss must have the same shape, got (4,) and (4, 4)",
        (LOSS, Y, Y, YES[0]),
    ),
    "of_classes": (
        ValueError,
        "mask and the first axes of y_true must have the same shape, "
        "got (4, 4) and (4,)",
        (SPARSE, np.zeros(4, np.int64), Y, YES),
    ),
    "short_predictions": (
        ValueError,
        "mask and the first axes of y_pred must have the same shape, "
        "got (4, 4) and (4, 1)",
        (LOSS, Y, Y[:, :1], YES),
    ),
}


@pytest.mark.parametrize("jit", [None, False, True], ids=["eager", "function", "xla"])
@pytest.mark.parametrize("key", BAD)
def test_a_bad_mask_is_refused(key, jit):
    error, message, (loss, y_true, y_pred, mask) = BAD[key]

    def call() -> tf.Tensor:
        return losses.masked(loss, y_true, y_pred, mask=mask)

    if jit is not None:
        call = tf.function(call, jit_compile=jit, autograph=False)
    with pytest.raises(error, match=f"(^|\n|: ){re.escape(message)}\n*$"):
        call()


@pytest.mark.parametrize(
    ("values", "mask", "error", "message"),
    [
        (
            [1.0, 2.0],
            [[True], [True]],
            ValueError,
            "mask and losses must have the same shape, got (2, 1) and (2,)",
        ),
        ([1.0], [1.0], TypeError, "mask must have dtype bool, got float32"),
        (
            np.array([1]),
            [True],
            TypeError,
            "losses must have a floating dtype, got int64",
        ),
    ],
)
def test_a_bad_mean_is_refused(values, mask, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        losses.masked_mean(values, mask)


@pytest.mark.parametrize("jit", [False, True], ids=["function", "xla"])
@pytest.mark.parametrize("shape", [(4, 1), (1, 4), (4,), (), (1, 4, 4)], ids=str)
def test_a_mask_of_unknown_shape_does_not_broadcast(shape, jit):
    signature = [tf.TensorSpec(None), tf.TensorSpec(None), tf.TensorSpec(None, tf.bool)]

    @tf.function(input_signature=signature, jit_compile=jit)
    def traced(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return losses.masked(LOSS, y_true, y_pred, mask=mask)

    words = (
        None if jit else "mask and the (first axes of y_true|loss) must have the same"
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        traced(Y, Y, np.ones(shape, bool))
    np.testing.assert_array_equal(traced(Y, Y + 1, YES), np.ones((4, 4)))


@pytest.mark.parametrize("jit", [False, True], ids=["function", "xla"])
@pytest.mark.parametrize("shape", [(4, 1), (1,), (), (1, 4)], ids=str)
def test_a_mean_with_a_mask_of_unknown_shape_does_not_broadcast(shape, jit):
    signature = [tf.TensorSpec(None), tf.TensorSpec(None, tf.bool)]
    traced = tf.function(losses.masked_mean, input_signature=signature, jit_compile=jit)
    words = None if jit else "mask and losses must have the same shape, got"
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        traced(Y[0], np.ones(shape, bool))
