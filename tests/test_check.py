"""Every rule of lossfn._check: what it lets through, and the whole of its message."""

from __future__ import annotations

import re

import ml_dtypes
import numpy as np
import pytest

from lossfn import _check


def refused(error: type[Exception], message: str):
    return pytest.raises(error, match=f"^{re.escape(message)}$")


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((), "()"),
        ((3,), "(3,)"),
        ((2, 3), "(2, 3)"),
        ((None, 3), "(?, 3)"),
        ((None,), "(?,)"),
        (None, "of unknown rank"),
    ],
)
def test_shapes_read_like_numpy(shape, text):
    assert _check.shape_text(shape) == text


@pytest.mark.parametrize(
    ("shape", "other"),
    [((), ()), ((2, 3), (2, 3)), ((None, 3), (2, 3)), ((2, None), (None, 3))],
)
def test_shapes_that_may_be_equal_pass(shape, other):
    _check.same_shape("labels", shape, "logits", other)


@pytest.mark.parametrize(
    ("shape", "other", "received"),
    [
        ((2, 1), (2, 3), "(2, 1) and (2, 3)"),
        ((2,), (2, 2), "(2,) and (2, 2)"),
        ((), (1,), "() and (1,)"),
        ((None, 1), (None, 3), "(?, 1) and (?, 3)"),
        ((None,), (None, None), "(?,) and (?, ?)"),
    ],
)
def test_shapes_that_differ_are_refused(shape, other, received):
    message = f"labels and logits must have the same shape, got {received}"
    with refused(ValueError, message):
        _check.same_shape("labels", shape, "logits", other)


@pytest.mark.parametrize(
    ("labels", "logits", "axis"),
    [((), (3,), 0), ((2,), (2, 3), -1), ((3,), (2, 3), 0), ((2, 4), (2, None, 4), 1)],
)
def test_one_label_for_each_example_passes(labels, logits, axis):
    _check.one_label_per_example(labels, logits, axis)


@pytest.mark.parametrize(
    ("labels", "logits", "axis", "received"),
    [
        ((2, 1), (2, 3), -1, "(2,), got (2, 1) for logits of shape (2, 3)"),
        ((2,), (2, 3), 0, "(3,), got (2,) for logits of shape (2, 3)"),
        ((1,), (3,), 0, "(), got (1,) for logits of shape (3,)"),
    ],
)
def test_other_than_one_label_for_each_example_is_refused(
    labels, logits, axis, received
):
    message = f"labels must have the shape of logits without the class axis, {received}"
    with refused(ValueError, message):
        _check.one_label_per_example(labels, logits, axis)


@pytest.mark.parametrize(
    ("shape", "other"),
    [((), ()), ((), (2, 3)), ((3,), (2, 3)), ((2, 1), (2, 3)), ((None,), (2, 3))],
)
def test_shapes_that_broadcast_into_another_pass(shape, other):
    _check.broadcasts_into("pos_weight", shape, "logits", other)


@pytest.mark.parametrize(
    ("shape", "other"),
    [((2,), (2, 1)), ((2,), (2, 3)), ((1,), ()), ((1, 3), (3,)), ((2, 3), (2, 1))],
)
def test_shapes_that_would_enlarge_another_are_refused(shape, other):
    message = (
        "pos_weight must be a scalar or broadcast to the shape of logits, "
        f"{_check.shape_text(other)}, got shape {_check.shape_text(shape)}"
    )
    with refused(ValueError, message):
        _check.broadcasts_into("pos_weight", shape, "logits", other)


def test_axis_is_counted_from_the_front():
    assert [_check.axis_in_range(axis, 2) for axis in (-2, -1, 0, 1)] == [0, 1, 0, 1]
    assert _check.axis_in_range(np.int64(-1), 3) == 2


@pytest.mark.parametrize(
    ("axis", "rank", "error", "message"),
    [
        (2, 2, ValueError, "axis must lie in [-2, 2), got 2"),
        (-3, 2, ValueError, "axis must lie in [-2, 2), got -3"),
        (0, 0, ValueError, "axis must name an axis of an array, got a scalar"),
        (1.0, 2, TypeError, "axis must be an integer, got 1.0"),
        (None, 2, TypeError, "axis must be an integer, got None"),
        ("1", 2, TypeError, "axis must be an integer, got '1'"),
    ],
)
def test_other_axes_are_refused(axis, rank, error, message):
    with refused(error, message):
        _check.axis_in_range(axis, rank)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_floating_dtypes_pass(dtype):
    _check.floating("logits", dtype)


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool", "string", "complex64"])
def test_other_dtypes_are_not_floating(dtype):
    with refused(TypeError, f"logits must have a floating dtype, got {dtype}"):
        _check.floating("logits", dtype)
    with refused(TypeError, f"logits must have a floating dtype, got {dtype}; cast"):
        _check.floating("logits", dtype, remedy="; cast")


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint8", "uint64"])
def test_integer_dtypes_pass(dtype):
    _check.integer("labels", dtype)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "bool", "string"])
def test_other_dtypes_are_not_integer(dtype):
    with refused(TypeError, f"labels must have an integer dtype, got {dtype}"):
        _check.integer("labels", dtype)


def test_first_bad_value_is_shown():
    values = np.array([[0.0, -1.0], [-2.0, 0.0]])
    with refused(ValueError, "labels must not be negative, got -1.0 at index (0, 1)"):
        _check.all_valid("labels", values, values >= 0, "not be negative")
    with refused(ValueError, "base must be positive and finite, got -2.0"):
        _check.positive("base", -2)


def test_numbers_become_float64():
    for value in (1, True, [1, 0], np.float32(0.5), np.array([1], np.uint8)):
        array = _check.as_floats("p", value)
        assert array.dtype == np.float64
        np.testing.assert_array_equal(array, value)


@pytest.mark.parametrize("value", ["0.5", None, [1, "a"], [[1], [1, 2]], 1j])
def test_other_than_numbers_are_refused(value):
    with refused(TypeError, f"p must be an array of numbers, got {value!r}"):
        _check.as_floats("p", value)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, "int64"),
        ([1, 2], "int64"),
        (np.uint8(3), "uint8"),
        (0.5, "float64"),
        ([[1, 0.5]], "float64"),
        (np.float16(0.5), "float64"),
        (ml_dtypes.bfloat16(0.5), "float64"),
    ],
)
def test_integers_stay_integers_where_numbers_are_wanted(value, dtype):
    array = _check.as_numbers("gamma", value)
    assert array.dtype == dtype
    np.testing.assert_array_equal(array, np.asarray(value).astype(dtype))


@pytest.mark.parametrize("value", [True, [True], None, "2", [[1], [1, 2]], 1j, {}])
def test_other_than_integers_and_floats_are_refused(value):
    message = f"gamma must be a number or an array of them, got {value!r}"
    with refused(TypeError, message):
        _check.as_numbers("gamma", value)


def test_what_is_too_large_for_a_dtype_becomes_infinite():
    array = _check.rounded((0.1, 1e60, -1e60, 1e-60), np.float32)
    assert array.dtype == np.float32
    assert array.tolist() == [np.float32(0.1), np.inf, -np.inf, 0.0]


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan, np.inf])
def test_values_out_of_range_are_refused(value):
    with refused(ValueError, f"p must lie in [0, 1], got {value} at index (1,)"):
        _check.in_range("p", [0.5, value], 0.0, 1.0)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_values_that_are_not_positive_are_refused(value):
    message = f"pos_weight must be positive and finite, got {value} at index (1,)"
    with refused(ValueError, message):
        _check.positive("pos_weight", [1.0, value])


def test_bases_of_logarithms():
    assert _check.log_base(2) == 2.0
    assert _check.log_base(0.5) == 0.5
    with refused(ValueError, "base must not be 1, got 1"):
        _check.log_base(1)
    with refused(ValueError, "base must be positive and finite, got 0.0"):
        _check.log_base(0)
    with refused(TypeError, "base must be an array of numbers, got 'e'"):
        _check.log_base("e")


def test_distributions_pass_along_their_axis():
    table = np.array([[0.25, 0.5], [0.75, 0.5]])
    np.testing.assert_array_equal(_check.as_probabilities("p", table, axis=0), table)
    rounded = np.float32([0.1] * 10)
    assert _check.as_probabilities("p", rounded).dtype == np.float64


@pytest.mark.parametrize(
    ("value", "axis", "message"),
    [
        ([0.5, 0.6], -1, "p must sum to 1 along axis 0, got a sum of 1.1"),
        (
            [[1.0, 0.0], [0.5, 0.25]],
            1,
            "p must sum to 1 along axis 1, got a sum of 0.75 at index (1,)",
        ),
        ([1.5, -0.5], -1, "p must lie in [0, 1], got 1.5 at index (0,)"),
        (1.0, -1, "axis must name an axis of an array, got a scalar"),
        ([], -1, "p must sum to 1 along axis 0, got a sum of 0"),
    ],
)
def test_other_than_distributions_are_refused(value, axis, message):
    with refused(ValueError, message):
        _check.as_probabilities("p", value, axis)


def test_a_base_is_one_number():
    with refused(ValueError, "base must be a scalar, got shape (2,)"):
        _check.log_base([2, 3])


@pytest.mark.parametrize("value", [True, False, 1.0, "1", None])
def test_other_than_integers_are_refused(value):
    with refused(TypeError, f"ignore_index must be an integer, got {value!r}"):
        _check.integer_number("ignore_index", value)


@pytest.mark.parametrize(
    ("shape", "classes"), [((3,), (3,)), ((None,), (3,)), ((3,), (None,))]
)
def test_one_entry_for_each_class_passes(shape, classes):
    _check.one_for_each_class("alpha", shape, "y_pred", classes)


@pytest.mark.parametrize("shape", [(), (1,), (2,), (1, 3)])
def test_another_number_of_entries_than_classes_is_refused(shape):
    message = "alpha must have one entry for each class of y_pred, (3,), got shape"
    with refused(ValueError, f"{message} {shape}"):
        _check.one_for_each_class("alpha", shape, "y_pred", (3,))


def test_an_error_names_labels_and_logits_as_the_caller_does():
    message = (
        "y_true must have the shape of y_pred without the class axis, (2,), "
        "got (2, 1) for y_pred of shape (2, 3)"
    )
    with refused(ValueError, message):
        _check.one_label_per_example(
            (2, 1), (2, 3), -1, labels="y_true", logits="y_pred"
        )


def test_a_mask_is_boolean():
    _check.boolean("mask", "bool")
    with refused(TypeError, "mask must have dtype bool, got float32"):
        _check.boolean("mask", "float32")


def test_a_value_is_shown_in_the_digits_of_its_dtype():
    with refused(ValueError, "q must lie in (0, 1], got 1.1"):
        _check.all_valid("q", np.float32(1.1), np.array(False), "lie in (0, 1]")


@pytest.mark.parametrize("value", [1, 7, np.int64(3)])
def test_whole_numbers_in_range_pass(value):
    number = _check.whole_number("steps", value, 1, 7)
    assert number == value
    assert type(number) is int
    assert _check.whole_number("steps", value, 1) == value


@pytest.mark.parametrize(
    ("value", "high", "error", "message"),
    [
        (0, None, ValueError, "steps must be at least 1, got 0"),
        (0, 7, ValueError, "steps must lie in [1, 7], got 0"),
        (8, 7, ValueError, "steps must lie in [1, 7], got 8"),
        (2.0, 7, TypeError, "steps must be an integer, got 2.0"),
        (None, None, TypeError, "steps must be an integer, got None"),
    ],
)
def test_other_than_whole_numbers_are_refused(value, high, error, message):
    with refused(error, message):
        _check.whole_number("steps", value, 1, high)
