"""The loss classes called by hand: values, shapes, dtypes, weights and masks."""

from __future__ import annotations

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from lossfn import keras_losses
from lossfn.keras_losses import (
    BinaryCrossentropy,
    Pinball,
    SparseCategoricalCrossentropy,
    SquaredError,
)
from tests import loss_cases
from tests.keras_cases import (
    BY_NAME,
    CASES,
    FOUR,
    IGNORING,
    MEAN_PRECISION,
    PER_OUTPUT,
    SPARSE,
    WIDTH,
    LossCase,
    ids,
    with_mask,
)

REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none"]
WEIGHTS = np.array([0.5, 0.0, 2.0, 1.0, 3.0], np.float32)
EITHER = (ValueError, tf.errors.InvalidArgumentError)


def raises(error: type | tuple, message: str):
    return pytest.raises(error, match=f"^{re.escape(message)}$")


def expected(
    losses: np.ndarray,
    reduction: str | None,
    *,
    weights: np.ndarray | float = 1.0,
    counted: np.ndarray | bool = True,
) -> np.ndarray:
    """Reduce by the table at the top of lossfn.keras_losses."""
    weights = np.where(counted, np.broadcast_to(weights, losses.shape), 0)
    weighted = np.where(counted, losses, 0) * weights
    total = weighted.sum()
    return {
        "sum": total,
        "mean": total / np.sum(np.broadcast_to(counted, losses.shape)),
        "sum_over_batch_size": total / np.sum(np.broadcast_to(counted, losses.shape)),
        "mean_with_sample_weight": total / weights.sum(),
        "none": weighted,
        None: weighted,
    }[reduction]


def test_there_is_a_class_for_every_loss_and_a_case_for_every_class():
    assert {case.cls.__name__ for case in CASES} == set(keras_losses.__all__)
    functions = {case.function.__name__ for case in CASES}
    assert functions == {case.function for case in loss_cases.CASES}


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_call_is_the_function_averaged_over_the_outputs(case: LossCase):
    y_true, y_pred = case.arguments()
    want = case.per_example(y_true, y_pred)
    assert want.shape == (5,)
    np.testing.assert_allclose(case.make().call(y_true, y_pred), want, rtol=1e-5)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_the_loss_is_the_mean_over_the_examples(case: LossCase):
    y_true, y_pred = case.arguments()
    loss = case.make()(y_true, y_pred)
    assert loss.dtype == tf.float32
    assert loss.shape == ()
    want = case.per_example(y_true, y_pred).mean()
    np.testing.assert_allclose(loss, want, rtol=1e-5)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_sequences_have_a_loss_per_step(case: LossCase):
    y_true, y_pred = case.arguments(shape=(2, 4, WIDTH))
    want = case.per_example(y_true, y_pred)
    assert want.shape == (2, 4)
    loss = case.make(reduction="none")
    np.testing.assert_allclose(loss(y_true, y_pred), want, rtol=1e-5)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_weights_are_per_example(case: LossCase, reduction: str):
    y_true, y_pred = case.arguments()
    want = expected(case.per_example(y_true, y_pred), reduction, weights=WEIGHTS)
    loss = case.make(reduction=reduction)
    for weights in (WEIGHTS, WEIGHTS[:, None], WEIGHTS.tolist(), tf.constant(WEIGHTS)):
        got = loss(y_true, y_pred, sample_weight=weights)
        np.testing.assert_allclose(got, want, rtol=1e-5)


@pytest.mark.parametrize("reduction", [*REDUCTIONS, None])
@pytest.mark.parametrize("weights", [None, WEIGHTS, 0 * WEIGHTS, WEIGHTS[:, None]])
@pytest.mark.parametrize(
    ("ours", "of_keras"),
    [
        (SquaredError, keras.losses.MeanSquaredError),
        (
            BinaryCrossentropy,
            lambda **options: keras.losses.BinaryCrossentropy(
                from_logits=True, **options
            ),
        ),
    ],
    ids=["squared_error", "binary"],
)
def test_the_denominators_are_those_of_keras(ours, of_keras, weights, reduction):
    y_true, y_pred = BY_NAME["binary"].arguments()
    y_true = y_true.astype(np.float32)
    for options in ({}, {"dtype": "float64"}):
        got = ours(reduction=reduction, **options)(y_true, y_pred, weights)
        want = of_keras(reduction=reduction, **options)(y_true, y_pred, weights)
        # Not reduced, Keras has the shape (5, 1) for weights of that shape.
        np.testing.assert_allclose(got, np.reshape(want, got.shape), rtol=1e-6)


@pytest.mark.parametrize("reduction", [*REDUCTIONS, None])
@pytest.mark.parametrize("weights", [None, np.float32([[0, 1, 2], [3, 4, 5]])])
def test_a_mask_has_the_denominators_of_keras(weights, reduction):
    y_true, y_pred = BY_NAME["pinball"].arguments(shape=(2, 3, 1))
    y_pred = with_mask(y_pred, [[True, True, False], [True, False, False]])
    got = SquaredError(reduction=reduction)(y_true, y_pred, weights)
    want = keras.losses.MeanSquaredError(reduction=reduction)(y_true, y_pred, weights)
    np.testing.assert_allclose(got, want, rtol=1e-6)


def test_a_sequence_takes_weights_for_its_steps_or_for_all_of_it():
    y_true, y_pred = BY_NAME["pinball"].arguments(shape=(3, 3, 1))
    losses = BY_NAME["pinball"].per_example(y_true, y_pred)
    of_steps = np.arange(9, dtype=np.float32).reshape(3, 3)
    of_sequences = np.float32([1, 2, 4])
    for reduction in REDUCTIONS:
        loss = BY_NAME["pinball"].make(reduction=reduction)
        for given, weights in (
            (of_steps, of_steps),
            (of_steps[..., None], of_steps),
            # Three sequences of three steps: Keras would weigh the steps.
            (of_sequences, of_sequences[:, None]),
            (of_sequences[:, None], of_sequences[:, None]),
            (of_sequences[:, None, None], of_sequences[:, None]),
        ):
            np.testing.assert_allclose(
                loss(y_true, y_pred, sample_weight=given),
                expected(losses, reduction, weights=weights),
                rtol=1e-5,
            )


def test_keras_itself_weighs_the_steps_instead_of_the_sequences():
    # What the rule of the first axes is for.
    loss = keras.losses.MeanSquaredError(reduction="none")
    got = loss(np.zeros((2, 2, 1)), np.ones((2, 2, 1)), sample_weight=[0.0, 1.0])
    assert got.numpy().tolist() == [[0, 1], [0, 1]]


@pytest.mark.parametrize(
    ("shape", "weights", "received"),
    [
        ((3, 3), np.ones((3, 3)), "(3, 3)"),  # one for each output
        ((3, 3), np.ones((1, 3)), "(1, 3)"),
        ((3, 2), np.ones(2), "(2,)"),
        ((3, 2), 2.0, "()"),
        ((3, 2), np.ones((1,)), "(1,)"),
        ((3,), np.ones((3, 3)), "(3, 3)"),
    ],
    ids=str,
)
def test_other_weights_are_refused(shape, weights, received):
    message = (
        "sample_weight must have the shape of the losses, (3,), "
        f"or of their first axes, got {received}"
    )
    with raises(ValueError, message):
        SquaredError()(np.zeros(shape), np.zeros(shape), sample_weight=weights)


def test_weights_of_sequences_are_not_those_of_steps():
    arguments = np.zeros((2, 3, 1)), np.zeros((2, 3, 1))
    for weights, received in ((np.ones(3), "(3,)"), (np.ones((1, 3)), "(1, 3)")):
        message = (
            "sample_weight must have the shape of the losses, (2, 3), "
            f"or of their first axes, got {received}"
        )
        with raises(ValueError, message):
            SquaredError()(*arguments, sample_weight=weights)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_a_weight_that_is_not_a_weight_is_refused(bad):
    arguments = np.zeros((2, 1), np.float32), np.ones((2, 1), np.float32)
    message = f"sample_weight must be finite and not negative, got {bad} at index (1,)"
    with raises(ValueError, message):
        SquaredError()(*arguments, sample_weight=[1.0, bad])
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="sample_weight must be finite and not"
    ):
        tf.function(SquaredError())(*arguments, sample_weight=tf.constant([1.0, bad]))


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_under_xla_a_bad_weight_makes_the_loss_nan_and_no_gradient(bad):
    loss = SquaredError()

    @tf.function(jit_compile=True)
    def value_and_gradient(y_pred, weights):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = loss(tf.zeros((2, 1)), y_pred, sample_weight=weights)
        return value, tape.gradient(value, y_pred)

    value, gradient = value_and_gradient(tf.ones((2, 1)), tf.constant([1.0, bad]))
    assert np.isnan(value)
    assert gradient.numpy().tolist() == [[1.0], [0.0]]


@pytest.mark.parametrize("case", PER_OUTPUT, ids=ids)
def test_a_vector_of_predictions_has_an_output_per_example(case: LossCase):
    y_true, y_pred = case.arguments(shape=(5,))
    if any(np.ndim(value) for value in case.parameters.values()):
        name = next(name for name in case.parameters if np.ndim(case.parameters[name]))
        message = (
            f"{name} must have fewer axes than y_pred, "
            "got shape (3,) for y_pred of shape (5,)"
        )
        with raises(ValueError, message):
            case.make()(y_true, y_pred)
        return
    want = case.per_example(y_true, y_pred)
    loss = case.make(reduction="none")
    got = loss(y_true, y_pred, sample_weight=WEIGHTS)
    np.testing.assert_allclose(got, want * WEIGHTS, rtol=1e-5)


def test_keras_itself_averages_such_a_vector_before_it_weighs():
    arguments = np.zeros(2), np.float32([1, 3])
    weights = [0.0, 1.0]
    assert SquaredError()(*arguments, weights).numpy() == (0 * 1 + 1 * 9) / 2
    of_keras = keras.losses.MeanSquaredError()(*arguments, weights).numpy()
    assert of_keras == ((1 + 9) / 2 * 0 + (1 + 9) / 2 * 1) / 2


@pytest.mark.parametrize("case", PER_OUTPUT, ids=ids)
def test_targets_may_lack_the_last_axis_of_size_1(case: LossCase):
    parameters = {
        name: value if np.ndim(value) == 0 else value[0]
        for name, value in case.parameters.items()
    }
    loss = case.cls(**parameters, reduction="none")
    for shape in ((5, 1), (2, 4, 1)):
        y_true, y_pred = case.arguments(shape=shape)
        got = loss(y_true[..., 0], y_pred)
        assert got.shape == shape[:-1]
        np.testing.assert_array_equal(got, loss(y_true, y_pred))


@pytest.mark.parametrize("case", SPARSE, ids=ids)
def test_class_indices_may_have_a_last_axis_of_size_1(case: LossCase):
    loss = case.make(reduction="none")
    for shape in ((5, WIDTH), (2, 4, WIDTH)):
        y_true, y_pred = case.arguments(shape=shape)
        got = loss(y_true[..., None], y_pred)
        assert got.shape == shape[:-1]
        np.testing.assert_array_equal(got, loss(y_true, y_pred))


SAME = "y_true and y_pred must have the same shape, got"
INDICES = "y_true must have the shape of y_pred without the class axis,"
F32 = np.float32


@pytest.mark.parametrize(
    ("name", "y_true", "y_pred", "error", "message"),
    [
        (
            "pinball",
            F32([1, 2]),
            F32([[1, 2], [3, 4]]),
            ValueError,
            f"{SAME} (2,) and (2, 2)",
        ),
        (
            "pinball",
            F32([[1], [2]]),
            F32([1, 2]),
            ValueError,
            f"{SAME} (2, 1) and (2,)",
        ),
        (
            "pinball",
            F32([[1], [2]]),
            F32([[1, 2], [3, 4]]),
            ValueError,
            f"{SAME} (2, 1) and (2, 2)",
        ),
        (
            "pinball",
            F32([1, 2, 3]),
            F32([[1], [2]]),
            ValueError,
            f"{SAME} (3, 1) and (2, 1)",
        ),
        (
            "pinball",
            1.0,
            1.0,
            ValueError,
            "y_pred must have an axis of examples, got shape ()",
        ),
        (
            "pinball",
            F32([[]]),
            F32([[]]),
            ValueError,
            "y_pred must have at least one output, got shape (1, 0)",
        ),
        (
            "pinball",
            "one",
            F32([1]),
            TypeError,
            "y_true must be an array of numbers, got dtype string",
        ),
        (
            "pinball",
            F32([1]),
            "one",
            TypeError,
            "y_pred must be an array of numbers, got dtype string",
        ),
        (
            "pinball",
            None,
            F32([1]),
            TypeError,
            "y_true must be an array of numbers, got None",
        ),
        (
            "binary",
            F32([1, 0]),
            F32([[1, 2], [3, 4]]),
            ValueError,
            f"{SAME} (2,) and (2, 2)",
        ),
        (
            "binary",
            [[255], [0]],
            F32([[1], [2]]),
            ValueError,
            "y_true must lie in [0, 1], got 255.0 at index (0, 0)",
        ),
        (
            "categorical",
            [0, 1],
            F32([[1, 2, 3], [4, 5, 6]]),
            ValueError,
            f"{SAME} (2,) and (2, 3)",
        ),
        (
            "categorical",
            [[0], [1]],
            F32([[1, 2, 3], [4, 5, 6]]),
            ValueError,
            f"{SAME} (2, 1) and (2, 3)",
        ),
        (
            "categorical",
            [0, 1, 0],
            F32([1, 2, 3]),
            ValueError,
            "y_pred must have an axis of examples and one of classes, got shape (3,)",
        ),
        (
            "sparse",
            [[0, 0, 1]],
            F32([[1, 2, 3]]),
            ValueError,
            f"{INDICES} (1,), got (1, 3) for y_pred of shape (1, 3)",
        ),
        (
            "sparse",
            [0, 1, 2],
            F32([[1, 2, 3]]),
            ValueError,
            f"{INDICES} (1,), got (3,) for y_pred of shape (1, 3)",
        ),
        (
            "sparse",
            F32([0.5]),
            F32([[1, 2, 3]]),
            ValueError,
            "y_true must be whole numbers, got 0.5 at index (0,)",
        ),
        (
            "sparse",
            F32([np.nan]),
            F32([[1, 2, 3]]),
            ValueError,
            "y_true must be whole numbers, got nan at index (0,)",
        ),
        (
            "sparse",
            F32([np.inf]),
            F32([[1, 2, 3]]),
            ValueError,
            "y_true must be whole numbers, got inf at index (0,)",
        ),
        (
            "sparse",
            np.float16([0]),
            F32([[1, 2, 3]]),
            TypeError,
            "y_true must have an integer dtype, got float16; "
            "probabilities belong to categorical_crossentropy",
        ),
        (
            "sparse",
            np.array([True]),
            F32([[1, 2, 3]]),
            TypeError,
            "y_true must have an integer dtype, got bool; "
            "probabilities belong to categorical_crossentropy",
        ),
        (
            "sparse",
            [3],
            F32([[1, 2, 3]]),
            ValueError,
            "y_true must lie in [0, 3) or be -1, got 3 at index (0,)",
        ),
        (
            "sparse",
            0,
            F32([1, 2, 3]),
            ValueError,
            "y_pred must have an axis of examples and one of classes, got shape (3,)",
        ),
    ],
)
def test_other_labels_are_refused(name, y_true, y_pred, error, message):
    with raises(error, message):
        BY_NAME[name].make()(y_true, y_pred)


def test_a_mismatch_that_a_graph_sees_only_when_it_runs_is_refused():
    unknown = tf.TensorSpec([None, None])
    vector, batch = tf.TensorSpec([None]), tf.zeros((3, 3))
    squared = tf.function(
        SquaredError().__call__, input_signature=[vector, unknown, vector]
    )
    assert squared(tf.ones(3), batch[:, :1], tf.ones(3)) == 1
    with pytest.raises(EITHER, match="y_true and y_pred must have the same shape"):
        squared(tf.ones(3), batch, tf.ones(3))
    with pytest.raises(EITHER, match="sample_weight must have the shape of the first"):
        squared(tf.ones(3), batch[:, :1], tf.ones(1))
    sparse = tf.function(
        SparseCategoricalCrossentropy().__call__,
        input_signature=[tf.TensorSpec([None, None], tf.int64), unknown],
    )
    zeros = tf.zeros((3, 1), tf.int64)
    np.testing.assert_allclose(sparse(zeros, batch), np.log(3), rtol=1e-6)
    with pytest.raises(EITHER, match="y_true must have the shape of y_pred with 1"):
        sparse(tf.zeros((3, 3), tf.int64), batch)


def test_a_shape_of_unknown_rank_is_refused():
    anything = tf.TensorSpec(None)
    loss = tf.function(SquaredError().__call__, input_signature=[anything, anything])
    message = (
        "y_pred must have a known rank, got a shape of unknown rank "
        r"\(tf.ensure_shape states one\)"
    )
    with pytest.raises(ValueError, match=message):
        loss([1.0], [1.0])


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum"])
@pytest.mark.parametrize("case", FOUR, ids=ids)
def test_no_examples_cost_nothing(case: LossCase, reduction):
    y_true, y_pred = case.arguments(shape=(0, WIDTH))
    assert case.make(reduction=reduction)(y_true, y_pred).numpy() == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", SPARSE, ids=ids)
def test_class_indices_may_be_whole_numbers_in_floats(case: LossCase, dtype):
    y_true, y_pred = case.arguments()
    want = case.make()(y_true, y_pred)
    assert case.make()(y_true.astype(dtype), y_pred) == want
    # Not rounded to the dtype of the loss either.
    logits = tf.one_hot([257], 300, on_value=20.0, off_value=0.0)
    loss = SparseCategoricalCrossentropy(dtype="bfloat16")
    assert float(loss(np.array([257], dtype), logits)) < 0.001


def test_under_xla_a_class_that_is_no_whole_number_makes_the_loss_nan():
    loss = SparseCategoricalCrossentropy(reduction="none", ignore_index=0)
    compiled = tf.function(loss.__call__, jit_compile=True)
    got = compiled(tf.constant([1.0, 0.5]), tf.zeros((2, 3)))
    np.testing.assert_allclose(got, [np.log(3), np.nan], rtol=1e-6)


# --- dtypes


def test_keras_itself_moves_class_257_to_256():
    labels, logits = np.array([257]), np.eye(300, dtype=np.float32)[[257]] * 10
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, dtype="bfloat16"
    )
    assert loss(labels, logits).numpy() > 9


@pytest.mark.parametrize("label_dtype", ["int32", "int64", "uint16"])
@pytest.mark.parametrize(
    ("dtype", "label"),
    [
        ("bfloat16", 257),
        ("mixed_bfloat16", 257),
        ("float16", 2049),
        ("mixed_float16", 2049),
    ],
)
@pytest.mark.parametrize("case", SPARSE, ids=ids)
def test_class_indices_are_exact_in_16_bits(case: LossCase, dtype, label, label_dtype):
    parameters = dict(case.parameters)
    for name in ("class_weight", "alpha"):
        if np.ndim(parameters.get(name, 0)):
            del parameters[name]
    loss = case.cls(**parameters, dtype=dtype)
    logits = tf.one_hot([label], 2100, on_value=20.0, off_value=0.0)
    right, wrong = (
        loss(np.array([label], label_dtype), logits),
        loss([label - 1], logits),
    )
    assert right.dtype.name == dtype.removeprefix("mixed_")
    assert float(right) < 0.5 * float(wrong)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_the_result_has_the_dtype_of_the_loss_and_is_rounded_once(
    case: LossCase, dtype
):
    y_true, y_pred = case.arguments()
    loss = case.make(dtype=dtype)(y_true, y_pred)
    assert loss.dtype == tf.as_dtype(dtype)
    want = case.per_example(y_true, y_pred).mean()
    precision = {"float16": 2**-11, "bfloat16": 2**-8, "float32": 2**-20}
    tolerance = precision.get(dtype, MEAN_PRECISION)
    np.testing.assert_allclose(float(loss), want, rtol=1.01 * tolerance)


@pytest.mark.parametrize("floatx", ["float64", "bfloat16"])
def test_the_usual_dtype_is_floatx(floatx):
    before = keras.config.floatx()
    keras.config.set_floatx(floatx)
    try:
        assert SquaredError().dtype == floatx
        assert repr(SquaredError()) == "SquaredError()"
    finally:
        keras.config.set_floatx(before)
    assert SquaredError().dtype == "float32"


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_leaves_the_loss_in_float32(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        loss = SquaredError()
    finally:
        keras.config.set_dtype_policy(before)
    y_pred = tf.ones((2, 1), keras.DTypePolicy(policy).compute_dtype)
    assert loss.dtype == "float32"
    assert loss([[3.0], [3.0]], y_pred).dtype == tf.float32


def test_a_16_bit_mean_of_many_losses_is_finite():
    many = np.zeros((70_000, 1), np.float32)
    assert SquaredError(dtype="float16")(many, many + 1).numpy() == 1
    assert np.isnan(keras.losses.MeanSquaredError(dtype="float16")(many, many + 1))


# --- masks


def test_ignored_labels_are_not_in_the_denominator():
    # Two examples that count and two that do not: the mean over all four is half.
    losses = np.log1p(np.exp(-np.float64([2.0, 3.0])))
    logits = np.float32([[2, 0], [0, 3], [0, 0], [0, 0]])
    loss = SparseCategoricalCrossentropy(ignore_index=-1)
    np.testing.assert_allclose(
        loss([0, 1, -1, -1], logits), losses.sum() / 2, rtol=1e-6
    )
    weights = [3.0, 1.0, 1.0, 1.0]
    weighted = (3 * losses[0] + losses[1]) / 2
    np.testing.assert_allclose(
        loss([0, 1, -1, -1], logits, weights), weighted, rtol=1e-6
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", [*REDUCTIONS, None])
@pytest.mark.parametrize("case", IGNORING, ids=ids)
def test_an_ignored_label_masks_its_example(case: LossCase, reduction, weighted):
    y_true, y_pred = case.arguments()
    counted = np.array([True, False, True, True, False])
    want = expected(
        case.per_example(y_true, y_pred),
        reduction,
        weights=WEIGHTS if weighted else 1.0,
        counted=counted,
    )
    y_true = np.where(counted, y_true, case.parameters["ignore_index"])
    y_pred = np.where(counted[:, None], y_pred, np.float32([np.nan, np.inf, 0]))
    # A weight there may be anything, too.
    weights = np.where(counted, WEIGHTS, np.nan) if weighted else None
    got = case.make(reduction=reduction)(y_true, y_pred, weights)
    np.testing.assert_allclose(got, want, rtol=1e-5)


@pytest.mark.parametrize("reduction", [*REDUCTIONS, None])
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_a_mask_of_keras_keeps_steps_out(case: LossCase, reduction):
    y_true, y_pred = case.arguments(shape=(2, 3, WIDTH))
    counted = np.array([[True, True, False], [True, False, False]])
    weights = np.arange(6, dtype=np.float32).reshape(2, 3)
    losses = case.per_example(y_true, y_pred)
    y_pred = with_mask(np.where(counted[..., None], y_pred, np.nan), counted)
    if case.is_sparse:
        y_true = np.where(counted, y_true, 77)
    elif case.is_per_output:
        y_true = np.where(counted[..., None], y_true, np.float32(77))
    loss = case.make(reduction=reduction)
    want = expected(losses, reduction, counted=counted)
    np.testing.assert_allclose(loss(y_true, y_pred), want, rtol=1e-5)
    want = expected(losses, reduction, counted=counted, weights=weights)
    np.testing.assert_allclose(loss(y_true, y_pred, weights), want, rtol=1e-5)


@pytest.mark.parametrize("case", IGNORING, ids=ids)
def test_both_masks_together(case: LossCase):
    y_true, y_pred = case.arguments(shape=(2, 3, WIDTH))
    of_keras = np.array([[True, True, False], [True, False, False]])
    of_label = np.array([[True, False, True], [True, True, True]])
    losses = case.per_example(y_true, y_pred)
    want = expected(losses, "mean", counted=of_keras & of_label)
    y_true = np.where(of_label, y_true, case.parameters["ignore_index"])
    y_pred = with_mask(y_pred, of_keras)
    np.testing.assert_allclose(case.make()(y_true, y_pred), want, rtol=1e-5)


def gradient_when_nothing_counts(loss, y_true, y_pred, mask, weights=None):
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        passed_on = tf.identity(y_pred)
        if mask is not None:
            passed_on._keras_mask = tf.constant(mask)
        value = loss(y_true, passed_on, weights)
    return value.numpy(), tape.gradient(value, y_pred).numpy()


@pytest.mark.parametrize(
    "reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"]
)
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_if_nothing_counts_loss_and_gradient_are_0(case: LossCase, reduction):
    y_true, y_pred = case.arguments()
    y_pred = tf.fill(y_pred.shape, np.nan)
    loss = case.make(reduction=reduction)
    value, gradient = gradient_when_nothing_counts(loss, y_true, y_pred, [False] * 5)
    assert value == 0
    assert not gradient.any()
    if case in IGNORING:
        y_true = np.full_like(y_true, case.parameters["ignore_index"])
        value, gradient = gradient_when_nothing_counts(loss, y_true, y_pred, None)
        assert value == 0
        assert not gradient.any()


def test_weights_of_0_alone_make_a_mean_of_0():
    y_true, y_pred = BY_NAME["pinball"].arguments()
    for reduction in ("sum_over_batch_size", "mean_with_sample_weight"):
        loss = BY_NAME["pinball"].make(reduction=reduction)
        assert loss(y_true, y_pred, sample_weight=np.zeros(5)).numpy() == 0


def test_a_mask_of_another_shape_is_refused():
    y_pred = with_mask(np.zeros((2, 3), np.float32), np.ones((2, 3), bool))
    message = (
        "the mask of y_pred and the losses must have the same shape, "
        "got (2, 3) and (2,)"
    )
    with raises(ValueError, message):
        SquaredError()(np.zeros((2, 3)), y_pred)


# --- graphs


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_a_compiled_step_agrees_with_an_eager_one(case: LossCase, jit_compile):
    y_true, y_pred = case.arguments()
    loss = case.make()

    def step(y_true, y_pred, weights):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = loss(y_true, y_pred, weights)
        return value, tape.gradient(value, y_pred)

    arguments = tf.constant(y_true), tf.constant(y_pred), tf.constant(WEIGHTS)
    want = step(*arguments)
    got = tf.function(step, jit_compile=jit_compile, autograph=False)(*arguments)
    assert np.abs(want[1]).max() > 0
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_new_arguments_of_the_same_kind_are_not_traced_again():
    traces = []

    @tf.function
    def step(y_true, y_pred):
        traces.append(1)
        return Pinball(quantile=0.9)(y_true, y_pred)

    for value in range(5):
        step(tf.constant([float(value)]), tf.constant([0.0]))
    assert traces == [1]
