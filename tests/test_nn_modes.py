"""lossfn.nn against the reference: every dtype, every mode, every axis, every shape."""

from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from tests.cases import (
    BINARY_CASES,
    BY_NAME,
    CASES,
    CASES_WITH_CLASSES,
    DTYPES,
    FOUR,
    MODES,
    Case,
    as_arrays,
    as_tensors,
    ids,
    in_mode,
    label_total,
    ulp,
)

# In ulp of the dtype that the loss is computed in. In float64 the reference is worse:
# it rounds a difference of logits of 100, and exp makes of half an ulp of that 64 ulp.
BUDGET = {"float32": 8, "float64": 128}


def assert_is_the_reference(
    case: Case, got: tuple, arguments: dict, dtype: str, **options: int
) -> None:
    """Compare value and gradient, where a 16-bit result may be rounded only once."""
    value, gradient = as_arrays(got)
    expected = case.reference(**arguments, **options)
    expected_gradient = case.gradient(**arguments, **options)
    assert value.shape == expected.shape
    assert gradient.shape == expected_gradient.shape
    is_16_bit = dtype in ("float16", "bfloat16")
    computed_in = "float32" if is_16_bit else dtype
    once = 0.5 if is_16_bit else 0.0
    error = np.abs(value - expected)
    budget = once * ulp(expected, dtype) + BUDGET[computed_in] * ulp(
        expected, computed_in
    )
    budget += np.finfo(computed_in).tiny  # what is smaller is flushed to 0
    assert (error <= budget).all(), (value, expected)
    error = np.abs(gradient - expected_gradient)
    total = total_of(case, arguments, **options)
    budget = once * ulp(expected_gradient, dtype) + BUDGET[computed_in] * ulp(
        total, computed_in
    )
    assert (error <= budget).all(), (gradient, expected_gradient)


def total_of(case: Case, arguments: dict, axis: int = -1) -> np.ndarray:
    if not case.has_classes or case.is_sparse:
        return label_total(case, arguments)
    return arguments["labels"].sum(axis, keepdims=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_every_mode_and_dtype(case, mode, dtype):
    arguments = case.arguments(seed=1, dtype=dtype)
    got = in_mode(case.function, mode)(as_tensors(arguments, dtype))
    assert {tensor.dtype.name for tensor in got} == {dtype}
    assert_is_the_reference(case, got, arguments, dtype)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_16_bit_results_are_rounded_once(case, dtype):
    """Among many results all but those next to a tie are the nearest number."""
    arguments = case.arguments(seed=2, shape=(400, 7), scale=5, dtype=dtype)
    (value, _) = as_arrays(
        in_mode(case.function, "eager")(as_tensors(arguments, dtype))
    )
    expected = case.reference(**arguments)
    error = np.abs(value - expected) / ulp(expected, dtype)
    assert error.max() <= 0.5 + BUDGET["float32"] * 2.0**-13
    assert (error > 0.25).any()


@pytest.mark.parametrize("mode", ["eager", "xla", "unknown_shape"])
@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5), (2, 3, 4, 5)], ids=str)
@pytest.mark.parametrize("case", [BY_NAME["softmax-soft"], BY_NAME["sparse"]], ids=ids)
def test_every_axis(case, shape, mode):
    for axis in range(-len(shape), len(shape)):
        if mode == "xla" and axis < 0:
            continue  # the same axes again, and a compilation each
        arguments = case.arguments(seed=3, shape=shape, axis=axis)
        got = in_mode(case.function, mode, axis=axis)(as_tensors(arguments, "float64"))
        assert_is_the_reference(case, got, arguments, "float64", axis=axis)


@pytest.mark.parametrize("mode", ["eager", "function", "xla", "unknown_batch"])
@pytest.mark.parametrize("case", FOUR, ids=ids)
def test_empty_batch(case, mode):
    arguments = case.arguments(seed=4, shape=(0, 5))
    value, gradient = in_mode(case.function, mode)(as_tensors(arguments, "float32"))
    assert value.shape == ((0,) if case.has_classes else (0, 5))
    assert gradient.shape == (0, 5)


@pytest.mark.parametrize("mode", ["eager", "function", "xla", "unknown_shape"])
@pytest.mark.parametrize("case", BINARY_CASES, ids=ids)
def test_scalar_logits(case, mode):
    arguments = case.arguments(seed=5, shape=())
    got = in_mode(case.function, mode)(as_tensors(arguments, "float64"))
    assert_is_the_reference(case, got, arguments, "float64")


@pytest.mark.parametrize("mode", ["eager", "xla"])
@pytest.mark.parametrize("case", CASES_WITH_CLASSES, ids=ids)
def test_one_class_is_certain(case, mode):
    arguments = case.arguments(seed=6, shape=(4, 1))
    value, gradient = in_mode(case.function, mode)(as_tensors(arguments, "float64"))
    np.testing.assert_array_equal(value, np.zeros(4))
    np.testing.assert_array_equal(gradient, np.zeros((4, 1)))


@pytest.mark.parametrize("weight_shape", [(), (1,), (5,), (6, 1), (6, 5)], ids=str)
@pytest.mark.parametrize("mode", ["eager", "function", "xla", "unknown_shape"])
def test_shapes_of_pos_weight(mode, weight_shape):
    case = BY_NAME["weighted-soft"]
    arguments = case.arguments(seed=7)
    weight = np.random.default_rng(7).uniform(0.1, 10, size=weight_shape)
    arguments["pos_weight"] = np.asarray(weight)
    got = in_mode(case.function, mode)(as_tensors(arguments, "float64"))
    assert_is_the_reference(case, got, arguments, "float64")


@pytest.mark.parametrize("mode", ["eager", "function", "xla"])
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_an_example_does_not_depend_on_its_neighbours(case, mode):
    arguments = case.arguments(seed=8, shape=(5, 3), dtype="float32")
    others = case.arguments(seed=9, shape=(5, 3), scale=1e4, dtype="float32")
    for name, value in others.items():
        if name == "pos_weight":
            others[name] = arguments[name]
        else:
            value[2] = arguments[name][2]
    run = in_mode(case.function, mode)
    for one, other in zip(
        run(as_tensors(arguments, "float32")),
        run(as_tensors(others, "float32")),
        strict=True,
    ):
        np.testing.assert_array_equal(one[2], other[2])


CAN_BE_NAN = [
    pytest.param(case, argument, id=f"{case.name}-{argument}")
    for case in CASES
    for argument in (["logits"] if case.is_sparse else ["logits", "labels"])
]


@pytest.mark.parametrize("mode", ["eager", "function", "xla"])
@pytest.mark.parametrize(("case", "argument"), CAN_BE_NAN)
def test_nan_stays_in_its_example(case, argument, mode):
    arguments = case.arguments(seed=10, shape=(5, 3), dtype="float32")
    run = in_mode(case.function, mode)
    expected = [tensor.numpy() for tensor in run(as_tensors(arguments, "float32"))]
    arguments[argument][3, 1] = np.nan
    got = run(as_tensors(arguments, "float32"))
    for one, clean in zip(got, expected, strict=True):
        clean[3 if case.has_classes else (3, 1)] = np.nan
        np.testing.assert_array_equal(one, clean)


@pytest.mark.parametrize("position", range(3))
def test_nan_is_not_hidden_by_a_label_of_zero(position):
    """The loss of a class with label 0 is dropped, its share of the softmax is not."""
    case = BY_NAME["softmax-one_hot"]
    for other in (0.0, 1e4, -np.inf, np.inf):
        logits = np.full((1, 3), other)
        logits[0, position] = np.nan
        arguments = {"labels": np.eye(3)[[0]], "logits": logits}
        value, gradient = in_mode(case.function, "eager")(
            as_tensors(arguments, "float32")
        )
        assert np.isnan(value).all()
        assert np.isnan(gradient).all()


@st.composite
def anything(draw) -> tuple[Case, str, dict, int]:
    case = draw(st.sampled_from(CASES))
    dtype = draw(st.sampled_from(DTYPES))
    lowest_rank = 1 if case.has_classes else 0
    sizes = st.integers(1, 4)
    shape = tuple(draw(st.lists(sizes, min_size=lowest_rank, max_size=5)))
    axis = draw(st.integers(-len(shape), len(shape) - 1)) if case.has_classes else -1
    arguments = case.arguments(
        seed=draw(st.integers(0, 2**32)),
        shape=shape,
        scale=draw(st.sampled_from([0.0, 1.0, 100.0])),
        axis=axis,
        dtype=dtype,
    )
    return case, dtype, arguments, axis


@hypothesis.given(anything())
@hypothesis.settings(max_examples=200, derandomize=True, deadline=None, database=None)
def test_any_shape_dtype_and_axis(drawn):
    case, dtype, arguments, axis = drawn
    options = {"axis": axis} if case.has_classes else {}
    got = in_mode(case.function, "eager", **options)(as_tensors(arguments, dtype))
    assert_is_the_reference(case, got, arguments, dtype, **options)
