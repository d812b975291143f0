"""Values and gradients of lossfn.native: every dtype, mode, axis, shape and size."""

from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf

from lossfn import native
from tests.cases import DTYPES, WEIGHTED, as_arrays, as_tensors
from tests.native_cases import (
    BY_NAME,
    CASES,
    FIVE,
    FORMS,
    MODES,
    OF_SINGLE_LOGITS,
    AnyCase,
    assert_is_right,
    assert_same_bits,
    form,
    ids,
    in_mode,
    native_loss,
    tensors_of,
    threads,
    twin_in_form,
)


def test_public_losses_are_those_of_the_cases():
    names = {native_loss(case, form).__name__ for case in CASES for form in FORMS}
    others = {"BuildError", "Library", "load", "release_memory"}
    assert set(native.__all__) == names | others


MODES_AND_DTYPES = [("eager", dtype) for dtype in DTYPES]
MODES_AND_DTYPES += [("function", "bfloat16"), ("unknown_batch", "float32")]
MODES_AND_DTYPES += [("unknown_shape", "float16"), ("unknown_shape", "float64")]


@form
@pytest.mark.parametrize(("mode", "dtype"), MODES_AND_DTYPES)
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_every_mode_and_dtype(case, mode, dtype, form):
    arguments = case.arguments(seed=1, dtype=dtype)
    got = in_mode(case.name, mode, form)(as_tensors(arguments, dtype))
    assert {tensor.dtype.name for tensor in got} == {dtype}
    assert_is_right(case, got, arguments, dtype, form)


@form
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_equals_the_twin(case, form):
    arguments = tensors_of(case, seed=2, shape=(20, 9))
    got = in_mode(case.name, "eager", form)(arguments)
    for one, other in zip(got, twin_in_form(case, arguments, form), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-15)


@form
@pytest.mark.parametrize("labels_dtype", DTYPES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "name", ["softmax-soft", "sigmoid-soft", "weighted-soft", "newsvendor-mixed"]
)
def test_labels_of_another_floating_dtype(name, dtype, labels_dtype, form):
    """Labels, and parameters too; the result has the dtype of the logits."""
    case = BY_NAME[name]
    # Eighths below 32 are the same numbers in every dtype.
    arguments = {
        name: np.maximum(np.round(value * 8) / 8, -np.inf if name == case.of else 0.125)
        for name, value in case.arguments(seed=3).items()
    }
    tensors = as_tensors(arguments, labels_dtype)
    tensors[case.of] = tf.cast(tensors[case.of], dtype)
    got = in_mode(name, "eager", form)(tensors)
    assert {tensor.dtype.name for tensor in got} == {dtype}
    assert_is_right(case, got, arguments, dtype, form)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "uint64"])
def test_class_indices_of_every_integer_dtype(dtype):
    arguments = tensors_of(BY_NAME["sparse"], seed=4)
    got = in_mode("sparse", "eager")(arguments)
    others = {**arguments, "labels": tf.cast(arguments["labels"], dtype)}
    assert_same_bits(in_mode("sparse", "eager")(others), got)


@form
@pytest.mark.parametrize("mode", ["eager", "unknown_shape"])
@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5), (2, 3, 4, 5)], ids=str)
@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_every_rank(case, shape, mode, form):
    arguments = case.arguments(seed=5, shape=shape)
    got = in_mode(case.name, mode, form)(as_tensors(arguments, "float64"))
    assert_is_right(case, got, arguments, "float64", form)


@form
@pytest.mark.parametrize("mode", ["eager", "unknown_shape"])
@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 4, 5)], ids=str)
@pytest.mark.parametrize("case", [BY_NAME["softmax-soft"], BY_NAME["sparse"]], ids=ids)
def test_every_axis(case, shape, mode, form):
    for axis in range(-len(shape), len(shape)):
        arguments = case.arguments(seed=6, shape=shape, axis=axis)
        run = in_mode(case.name, mode, form, axis=axis)
        got = run(as_tensors(arguments, "float64"))
        assert_is_right(case, got, arguments, "float64", form, axis=axis)


@form
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["sigmoid-soft", "weighted-hard", "newsvendor-scalar"])
def test_scalars(name, mode, form):
    case = BY_NAME[name]
    arguments = case.arguments(seed=7, shape=())
    got = in_mode(name, mode, form)(as_tensors(arguments, "float64"))
    assert_is_right(case, got, arguments, "float64", form)


# Around the number of terms added up at once, of logits searched at once, and of
# logits in a row and for a thread.
SIZES = [1, 2, 3, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1025, 32767, 32768]
SIZES += [32769, 65536, 65537]


@form
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_sizes_around_the_blocks(case, size, form):
    """In one row, and in three, which threads share."""
    for shape in ((size,), (3, size)):
        arguments = case.arguments(seed=size, shape=shape, dtype="float32")
        got = in_mode(case.name, "eager", form)(as_tensors(arguments, "float32"))
        assert_is_right(case, got, arguments, "float32", form)


@form
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("shape", [(40_000, 3), (300, 513), (5, 32769)], ids=str)
@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_many_rows_for_each_thread(case, shape, dtype, form):
    arguments = case.arguments(seed=8, shape=shape, dtype=dtype)
    with threads(4):
        got = in_mode(case.name, "eager", form)(as_tensors(arguments, dtype))
    assert_is_right(case, got, arguments, dtype, form)


LARGE = (33, 32769)  # of float32: more than 4 MB, from where on memory is kept


@pytest.mark.parametrize(
    ("mode", "form"), [("eager", "each"), ("eager", "mean"), ("unknown_shape", "mean")]
)
@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_results_in_kept_memory(case, mode, form):
    for seed in (9, 10):
        arguments = case.arguments(seed=seed, shape=LARGE, dtype="float32")
        got = in_mode(case.name, mode, form)(as_tensors(arguments, "float32"))
        assert_is_right(case, got, arguments, "float32", form)


SHAPES_OF_PARAMETERS = [(), (1,), (5,), (1, 5), (6, 1), (1, 1), (6, 5)]


@form
@pytest.mark.parametrize("mode", ["eager", "unknown_shape"])
@pytest.mark.parametrize("shape", SHAPES_OF_PARAMETERS, ids=str)
@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("weighted-soft", "pos_weight"),
        ("newsvendor-mixed", "underage_cost"),
        ("newsvendor-mixed", "overage_cost"),
    ],
)
def test_shapes_of_parameters(name, parameter, shape, mode, form):
    case = BY_NAME[name]
    arguments = case.arguments(seed=11)
    values = np.random.default_rng(11).uniform(0.1, 10, size=shape)
    arguments[parameter] = np.asarray(values)
    got = in_mode(name, mode, form)(as_tensors(arguments, "float64"))
    assert_is_right(case, got, arguments, "float64", form)


def test_python_numbers():
    loss = native.sigmoid_cross_entropy_with_logits(labels=[0, 1], logits=[0, 0])
    assert loss.dtype == tf.float32
    np.testing.assert_allclose(loss, [np.log(2)] * 2, rtol=1e-6)
    mean = native.mean_weighted_cross_entropy_with_logits(
        labels=[1], logits=tf.constant([0.0], tf.float64), pos_weight=2
    )
    assert mean.dtype == tf.float64
    np.testing.assert_allclose(mean, 2 * np.log(2), rtol=1e-15)
    for label in (1, np.int8(1), tf.constant(1, tf.int16)):
        loss = native.sparse_softmax_cross_entropy_with_logits(
            labels=label, logits=[0, 0]
        )
        np.testing.assert_allclose(loss, np.log(2), rtol=1e-6)
    loss = native.newsvendor([1, 2], [2, 1], underage_cost=3, overage_cost=1)
    np.testing.assert_array_equal(loss, [1, 3])


def test_float32_labels_with_16_bit_logits_keep_their_digits():
    labels, logits = np.float32([1 - 1e-6]), np.float16([10])
    loss = native.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
    assert loss.dtype == tf.float16
    exact = np.log1p(np.exp(-10.0)) + (1 - np.float64(labels)) * 10
    np.testing.assert_allclose(loss, np.float16(exact), rtol=1e-3)


@form
@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_upstream_gradient_scales_each_example(case, form):
    arguments = tensors_of(case, seed=12)
    _, gradient = in_mode(case.name, "eager", form)(arguments)
    factors = np.float64(-2.5)
    if form == "each":
        factors = np.arange(1.0, 7.0) if case.has_classes else np.ones((6, 5)) * 3
    with tf.GradientTape() as tape:
        tape.watch(arguments[case.of])
        value = native_loss(case, form)(**arguments) * factors
    if form == "each" and case.has_classes:
        factors = factors[:, None]
    scaled = tape.gradient(value, arguments[case.of])
    np.testing.assert_allclose(scaled, gradient * factors, rtol=1e-14)


@form
@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_neither_the_number_of_threads_nor_the_run_changes_a_bit(case, form):
    for shape in ((300, 700), (5, 65537)):
        arguments = tensors_of(case, seed=13, shape=shape, dtype="float32")
        run = in_mode(case.name, "eager", form)
        with threads(1):
            expected = run(arguments)
        for count in (1, 2, 3, 16, 1000, 0, -1):
            with threads(count):
                assert_same_bits(run(arguments), expected)


@form
@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_every_mode_gives_the_same_bits(case, form):
    arguments = tensors_of(case, seed=14, shape=(40, 33), dtype="float32")
    expected = in_mode(case.name, "eager", form)(arguments)
    for mode in MODES[1:]:
        assert_same_bits(in_mode(case.name, mode, form)(arguments), expected)


@st.composite
def anything(draw: st.DrawFn) -> tuple[AnyCase, str, str, dict, int]:
    case = draw(st.sampled_from(CASES))
    dtype, form = draw(st.sampled_from(DTYPES)), draw(st.sampled_from(FORMS))
    lowest_rank = 0 if case in OF_SINGLE_LOGITS else 1
    if case.name in ("newsvendor-mixed", "weighted-soft"):
        lowest_rank = 1  # a parameter for each column
    sizes = st.integers(1, 4)
    shape = tuple(draw(st.lists(sizes, min_size=lowest_rank, max_size=6)))
    axis = draw(st.integers(-len(shape), len(shape) - 1)) if case.has_classes else -1
    options = {"axis": axis} if case.has_classes else {}
    scale = draw(st.sampled_from([0.0, 1.0, 100.0]))
    seed = draw(st.integers(0, 2**32))
    arguments = case.arguments(
        seed=seed, shape=shape, scale=scale, dtype=dtype, **options
    )
    return case, dtype, form, arguments, options


@hypothesis.given(anything())
@hypothesis.settings(max_examples=200)
def test_any_shape_dtype_and_axis(drawn):
    case, dtype, form, arguments, options = drawn
    run = in_mode(case.name, "eager", form, **options)
    got = run(as_tensors(arguments, dtype))
    assert_is_right(case, got, arguments, dtype, form, **options)
    if case.function == WEIGHTED and form == "each":
        assert (as_arrays(got)[0] >= 0).all()
