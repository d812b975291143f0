"""lossfn.losses against formulas in float64: every loss, dtype, mode and shape."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf

from lossfn import losses
from tests.cases import DTYPES, Arguments, as_arrays, as_tensors, ulp
from tests.loss_cases import BY_NAME, CASES, ONE_EACH, LossCase, ids, in_mode

# In ulp of the dtype that the loss is computed in. A power of e^-s rounds its exponent,
# which makes focal losses less exact: by up to gamma s ulp, s here at most 20. In
# float64 the formulas are no better than that themselves.
BUDGET = {"float32": 8, "float64": 128}
FOCAL_BUDGET = 48
NONE = (None, inspect.Parameter.empty)


def budget_of(case: LossCase, computed_in: str) -> float:
    focal = FOCAL_BUDGET if "focal" in case.function else 0
    return max(BUDGET[computed_in], focal)


def largest_weight(case: LossCase, arguments: Arguments) -> float:
    """Return what two terms that a gradient subtracts may be, each.

    A gradient such as q - p has a root, near which the rounding of q and p themselves
    is many ulp of the small difference. Regression has no such root.
    """
    if case.is_regression:
        return 0.0
    names = ("class_weight", "alpha", "pos_weight", "beta", "log_zero")
    weights = [np.abs(arguments[name]).max() for name in names if name in arguments]
    return float(np.prod([1 + weight for weight in weights]))


def assert_is_the_formula(
    case: LossCase, got: tuple, arguments: Arguments, dtype: str
) -> None:
    """Compare value and gradient, where a 16-bit result may be rounded only once."""
    is_16_bit = dtype in ("float16", "bfloat16")
    computed_in = "float32" if is_16_bit else dtype
    scales = (0.0, largest_weight(case, arguments))
    for array, expected, scale in zip(
        as_arrays(got), case.expected(arguments), scales, strict=True
    ):
        assert array.shape == expected.shape
        size = np.maximum(np.abs(expected), scale)
        budget = budget_of(case, computed_in) * ulp(size, computed_in)
        budget += (0.5 if is_16_bit else 0.0) * ulp(expected, dtype)
        budget += np.finfo(computed_in).tiny  # what is smaller is flushed to 0
        assert (np.abs(array - expected) <= budget).all(), farthest(
            array, expected, budget
        )


def farthest(got: np.ndarray, expected: np.ndarray, budget: np.ndarray) -> str:
    """Say where a result is farthest from the formula, for its budget."""
    ratio = np.abs(got - expected) / budget
    where = np.unravel_index(np.argmax(np.nan_to_num(ratio, nan=np.inf)), ratio.shape)
    return (
        f"got {got[where]:.17g} at {tuple(map(int, where))}, where the formula gives "
        f"{expected[where]:.17g}: {ratio[where]:.3g} times the budget"
    )


# Graphs that know no shape do all that those do that know every shape, and more. (Those
# run in test_losses_derivatives.py.)
HARDEST = ["eager", "unknown_shape", "unknown_xla"]
CASES_AND_MODES = [
    pytest.param(case, mode, id=f"{case.name}-{mode}")
    for case in CASES
    for mode in HARDEST + ["unknown_batch"] * (case in ONE_EACH)
]


@pytest.mark.parametrize(("case", "mode"), CASES_AND_MODES)
def test_every_mode(case, mode):
    arguments = case.arguments(seed=1, dtype="float32")
    got = in_mode(case.name, mode)(as_tensors(arguments, "float32"))
    assert {tensor.dtype.name for tensor in got} == {"float32"}
    assert_is_the_formula(case, got, arguments, "float32")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_every_dtype(case, dtype):
    arguments = case.arguments(seed=2, shape=(40, 5), dtype=dtype)
    got = in_mode(case.name, "eager")(as_tensors(arguments, dtype))
    assert {tensor.dtype.name for tensor in got} == {dtype}
    assert_is_the_formula(case, got, arguments, dtype)


@pytest.mark.parametrize("case", ONE_EACH, ids=ids)
def test_bfloat16_under_xla(case):
    arguments = case.arguments(seed=3, dtype="bfloat16")
    got = in_mode(case.name, "xla")(as_tensors(arguments, "bfloat16"))
    assert {tensor.dtype.name for tensor in got} == {"bfloat16"}
    assert_is_the_formula(case, got, arguments, "bfloat16")


@pytest.mark.parametrize("shape", [(5,), (0, 5), (2, 3, 5), (2, 1, 3, 5)], ids=str)
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_every_rank(case, shape):
    arguments = case.arguments(seed=4, shape=shape)
    got = in_mode(case.name, "eager")(as_tensors(arguments, "float64"))
    assert got[0].shape == (shape[:-1] if case.has_classes else shape)
    assert_is_the_formula(case, got, arguments, "float64")


@pytest.mark.parametrize("case", ONE_EACH, ids=ids)
def test_an_empty_batch_of_unknown_size(case):
    arguments = case.arguments(seed=4, shape=(0, 5))
    value, gradient = in_mode(case.name, "unknown_batch")(
        as_tensors(arguments, "float32")
    )
    assert value.shape == ((0,) if case.has_classes else (0, 5))
    assert gradient.shape == (0, 5)


ELEMENTWISE = [case for case in ONE_EACH if not case.has_classes]


@pytest.mark.parametrize("case", ELEMENTWISE, ids=ids)
def test_scalars(case):
    arguments = case.arguments(seed=5, shape=())
    parameters = BY_NAME[case.name].arguments(seed=5, shape=(1,))
    arguments = {
        name: np.asarray(value if name in ("y_true", "y_pred") else np.ravel(value)[0])
        for name, value in {**parameters, **arguments}.items()
    }
    got = in_mode(case.name, "eager")(as_tensors(arguments, "float64"))
    assert got[0].shape == ()
    assert_is_the_formula(case, got, arguments, "float64")


@st.composite
def anything(draw: st.DrawFn) -> tuple[LossCase, str, Arguments]:
    case = draw(st.sampled_from(CASES))
    dtype = draw(st.sampled_from(DTYPES))
    rank = draw(st.integers(1, 3))
    shape = tuple(draw(st.integers(1, 6)) for _ in range(rank))
    if case.ignore_index is not None:
        shape = (*shape[:-1], shape[-1] + 1)  # the index to ignore is a class
    arguments = case.arguments(
        seed=draw(st.integers(0, 2**32)),
        shape=shape,
        scale=draw(st.sampled_from([0.0, 1.0, 4.0])),
        dtype=dtype,
    )
    return case, dtype, arguments


@hypothesis.given(anything())
@hypothesis.settings(max_examples=200, derandomize=True, deadline=None, database=None)
def test_any_shape_and_dtype(drawn):
    case, dtype, arguments = drawn
    got = in_mode(case.name, "eager")(as_tensors(arguments, dtype))
    assert_is_the_formula(case, got, arguments, dtype)


@pytest.mark.parametrize("shape", [(), (1,), (5,), (6, 1), (1, 5), (6, 5)], ids=str)
@pytest.mark.parametrize("mode", HARDEST)
def test_shapes_of_a_parameter_for_each_prediction(mode, shape):
    for name, parameter in [
        ("pinball-scalar", "quantile"),
        ("newsvendor-scalar", "overage_cost"),
        ("binary_crossentropy-weighted", "pos_weight"),
    ]:
        case = BY_NAME[name]
        arguments = case.arguments(seed=7)
        values = np.random.default_rng(7).uniform(0.1, 0.9, size=shape)
        arguments[parameter] = np.asarray(values)
        got = in_mode(name, mode)(as_tensors(arguments, "float64"))
        assert_is_the_formula(case, got, arguments, "float64")


@pytest.mark.parametrize("mode", HARDEST)
@pytest.mark.parametrize(
    "name",
    ["categorical_focal_crossentropy-half", "sparse_categorical_focal_crossentropy-2"],
)
def test_alpha_for_all_classes_or_for_each(name, mode):
    case = BY_NAME[name]
    arguments = case.arguments(seed=8)
    for alpha in (np.float64(0.25), np.array([0.1, 5, 0.3, 2, 1])):
        arguments["alpha"] = alpha
        got = in_mode(name, mode)(as_tensors(arguments, "float64"))
        assert_is_the_formula(case, got, arguments, "float64")


def defaults_of(loss: Callable) -> dict[str, float]:
    keywords = inspect.signature(loss).parameters.items()
    return {name: each.default for name, each in keywords if each.default not in NONE}


@pytest.mark.parametrize("case", ONE_EACH, ids=ids)
def test_the_defaults_are_those_of_the_documentation(case):
    defaults = {
        "huber": {"delta": 1.0},
        "binary_crossentropy": {"pos_weight": 1.0, "label_smoothing": 0.0},
        "binary_focal_crossentropy": {"gamma": 2.0},
        "categorical_crossentropy": {"label_smoothing": 0.0},
        "sparse_categorical_crossentropy": {"label_smoothing": 0.0},
        "categorical_focal_crossentropy": {"gamma": 2.0},
        "sparse_categorical_focal_crossentropy": {"gamma": 2.0},
        "generalized_crossentropy": {"q": 0.7},
        "symmetric_crossentropy": {"alpha": 0.1, "beta": 1.0, "log_zero": -4.0},
    }
    documented = defaults.get(case.function, {})
    loss = getattr(losses, case.function)
    assert documented == defaults_of(loss), "the table above and the signature"
    if not documented:
        return
    drawn = case.arguments(seed=9)
    two = {name: drawn[name] for name in ("y_true", "y_pred")}
    got = loss(*as_tensors(two, "float64").values())
    expected = case.value(**two, **documented)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("mode", HARDEST)
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_an_example_does_not_depend_on_its_neighbours(case, mode):
    """NaN, infinities and large numbers in one row leave the others as they are."""
    arguments = case.arguments(seed=10, dtype="float32")
    clean = in_mode(case.name, mode)(as_tensors(arguments, "float32"))
    spoiled = {**arguments, "y_pred": arguments["y_pred"].copy()}
    spoiled["y_pred"][1] = [np.nan, np.inf, -np.inf, 1e30, 0]
    got = in_mode(case.name, mode)(as_tensors(spoiled, "float32"))
    for one, other in zip(as_arrays(got), as_arrays(clean), strict=True):
        np.testing.assert_array_equal(np.delete(one, 1, 0), np.delete(other, 1, 0))


@pytest.mark.parametrize("mode", HARDEST)
@pytest.mark.parametrize("name", ["y_true", "y_pred"])
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_nan_is_seen(case, name, mode):
    """A NaN makes its own loss and its gradient NaN, and no other."""
    arguments = case.arguments(seed=11, dtype="float32")
    if arguments[name].dtype.kind == "i":
        return  # a class index is never NaN
    if case.is_sparse:
        arguments["y_true"][2] = 0  # it counts
    arguments[name][2, 3] = np.nan
    value, gradient = as_arrays(
        in_mode(case.name, mode)(as_tensors(arguments, "float32"))
    )
    spoiled = np.zeros(value.shape, bool)
    spoiled[2 if case.has_classes else (2, 3)] = True
    np.testing.assert_array_equal(np.isnan(value), spoiled)
    if not case.has_classes:
        np.testing.assert_array_equal(np.isnan(gradient), spoiled)
    else:
        assert np.isnan(gradient[2]).any()
        assert np.isfinite(np.delete(gradient, 2, 0)).all()


@pytest.mark.parametrize("case", ONE_EACH, ids=ids)
def test_upstream_gradient_scales_each_example(case):
    arguments = as_tensors(case.arguments(seed=12), "float64")
    _, gradient = in_mode(case.name, "eager")(arguments)
    scale = tf.range(1.0, 7.0, dtype=tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(arguments["y_pred"])
        value = case.loss(**arguments)
        scaled = value * (scale if case.has_classes else scale[:, None])
    by_prediction = tape.gradient(scaled, arguments["y_pred"])
    np.testing.assert_allclose(by_prediction, gradient * scale[:, None], rtol=1e-14)


def test_public_names_are_those_of_the_module():
    names = {case.function for case in CASES} | {"masked", "masked_mean"}
    names |= {"linear_softmax_cross_entropy"}  # test_losses_linear.py
    assert set(losses.__all__) == names
    assert all(name in losses.__doc__ for name in names)
