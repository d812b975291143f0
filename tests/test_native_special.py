"""Special values in lossfn.native: infinities, NaN, ties, kinks, and nothing at all."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from lossfn import native
from tests.cases import (
    CASES_WITH_CLASSES,
    SOFTMAX,
    SPARSE,
    as_arrays,
    as_tensors,
    value_and_gradient,
)
from tests.native_cases import (
    BY_NAME,
    CASES,
    FIVE,
    MODES,
    NEWSVENDOR,
    OF_SINGLE_LOGITS,
    assert_is_right,
    assert_same_bits,
    form,
    ids,
    in_mode,
    native_loss,
    tensors_of,
    twin_in_form,
)
from tests.test_nn_derivatives import MASKED, far_ends

CROSS_ENTROPIES = [case for case in CASES if case not in NEWSVENDOR]


@form
@pytest.mark.parametrize("mode", ["eager", "function"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("case", CROSS_ENTROPIES, ids=ids)
def test_far_logits(case, dtype, mode, form):
    """The loss may be infinite where it truly is; the gradient is finite, and right."""
    for arguments in far_ends(case):
        arguments = {
            name: value
            if value.dtype.kind == "i"
            else value.astype(dtype).astype(float)
            for name, value in arguments.items()
        }
        value, gradient = as_arrays(
            in_mode(case.name, mode, form)(as_tensors(arguments, dtype))
        )
        exact, exact_gradient = case.expected(arguments)
        if form == "mean":
            exact, exact_gradient = exact.mean(), exact_gradient / exact.size
        exact = np.where(exact > np.finfo(dtype).max, np.inf, exact)
        rtol = {"float16": 1e-3, "float32": 1e-6, "float64": 1e-14}[dtype]
        np.testing.assert_allclose(value, exact, rtol=rtol, atol=rtol)
        assert np.isfinite(gradient).all()
        np.testing.assert_allclose(gradient, exact_gradient, rtol=rtol, atol=5 * rtol)


def test_masked_classes():
    """A class with logit -inf costs nothing where its label is 0, and has no slope."""
    q = 1 / (1 + np.exp(-1.0))
    dense = {"labels": tf.constant([[1.0, 0, 0], [0, 1, 0]]), "logits": MASKED}
    sparse = {"labels": tf.constant([0, 1]), "logits": MASKED}
    for name, arguments in ((SOFTMAX, dense), (SPARSE, sparse)):
        value, gradient = value_and_gradient(getattr(native, name), arguments)
        np.testing.assert_allclose(value, [np.log1p(np.exp(1.0)), 0], rtol=1e-6)
        np.testing.assert_allclose(gradient, [[-q, q, 0], [0, 0, 0]], rtol=1e-6)
        mean, gradient = value_and_gradient(getattr(native, f"mean_{name}"), arguments)
        np.testing.assert_allclose(mean, np.log1p(np.exp(1.0)) / 2, rtol=1e-6)
        np.testing.assert_allclose(gradient, [[-q / 2, q / 2, 0], [0, 0, 0]], rtol=1e-6)


def test_a_label_on_a_masked_class_costs_infinitely_much():
    dense = {"labels": tf.constant([[0.0, 0.5, 0.5], [1, 0, 0]]), "logits": MASKED}
    sparse = {"labels": tf.constant([2, 0]), "logits": MASKED}
    for name, arguments in ((SOFTMAX, dense), (SPARSE, sparse)):
        value, gradient = value_and_gradient(getattr(native, name), arguments)
        np.testing.assert_array_equal(value, [np.inf, np.inf])
        assert np.isfinite(gradient).all()
        mean, gradient = value_and_gradient(getattr(native, f"mean_{name}"), arguments)
        assert mean == np.inf
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize(
    "logits",
    [[-np.inf] * 3, [np.inf, 0, 0], [0, 0, np.inf], [np.inf] * 3, [np.nan, 0, 0]],
    ids=str,
)
@pytest.mark.parametrize("width", [3, 300])
@pytest.mark.parametrize("case", CASES_WITH_CLASSES, ids=ids)
def test_rows_without_a_softmax_are_nan(case, logits, width):
    """In few classes, and in more than are searched for the largest at once."""
    arguments = tensors_of(case, seed=1, shape=(1, width), dtype="float32")
    rest = np.full(width - 3, logits[1])
    for row in (np.concatenate([logits, rest]), np.concatenate([rest, logits])):
        arguments["logits"] = tf.constant(row[None], tf.float32)
        for tensor in in_mode(case.name, "eager")(arguments):
            assert np.isnan(tensor).all()


@pytest.mark.parametrize("position", [0, 1, 127, 128, 255, 256, 257, 511, 512, 699])
def test_the_largest_logit_is_found_wherever_it_is(position):
    """Another in its place would overflow."""
    logits = np.zeros((2, 700))
    logits[:, position] = 1e4
    labels = np.array([position, 42])
    dense = np.eye(700)[labels]
    for name, given in (("sparse", labels), ("softmax-one_hot", dense)):
        arguments = {"labels": given, "logits": logits}
        value, gradient = in_mode(name, "eager")(as_tensors(arguments, "float32"))
        np.testing.assert_array_equal(value, [0, 1e4])
        one_hot = np.eye(700)[[position, position]] - dense
        np.testing.assert_array_equal(gradient, one_hot)


CAN_BE_NAN = [
    pytest.param(case, argument, id=f"{case.name}-{argument}")
    for case in CASES
    for argument in ("labels", "y_true", "logits", "y_pred")
    if argument == case.of
    or (argument in case.arguments(seed=1) and not case.is_sparse)
]


@pytest.mark.parametrize("mode", ["eager", "function"])
@pytest.mark.parametrize(("case", "argument"), CAN_BE_NAN)
def test_nan_stays_in_its_example(case, argument, mode):
    """In a short row, and first and last in a long one."""
    for shape, position in (((5, 3), (3, 1)), ((3, 700), (1, 0)), ((3, 700), (1, 699))):
        arguments = case.arguments(seed=2, shape=shape, dtype="float32")
        run = in_mode(case.name, mode)
        expected = [tensor.numpy() for tensor in run(as_tensors(arguments, "float32"))]
        arguments[argument][position] = np.nan
        got = run(as_tensors(arguments, "float32"))
        for one, clean in zip(got, expected, strict=True):
            clean[position[0] if case.has_classes else position] = np.nan
            np.testing.assert_array_equal(one, clean)


@pytest.mark.parametrize(("case", "argument"), CAN_BE_NAN)
def test_one_nan_makes_the_mean_nan(case, argument):
    arguments = case.arguments(seed=3, shape=(5, 3), dtype="float32")
    arguments[argument][3, 1] = np.nan
    mean, gradient = in_mode(case.name, "eager", "mean")(
        as_tensors(arguments, "float32")
    )
    _, of_each = in_mode(case.name, "eager")(as_tensors(arguments, "float32"))
    assert np.isnan(mean)
    np.testing.assert_array_equal(np.isnan(gradient), np.isnan(of_each))


@pytest.mark.parametrize("position", range(3))
def test_nan_is_not_hidden_by_a_label_of_zero(position):
    """The loss of a class with label 0 is dropped, its share of the softmax is not."""
    for other in (0.0, 1e4, -np.inf, np.inf):
        logits = np.full((1, 3), other)
        logits[0, position] = np.nan
        for labels in (np.eye(3)[[0]], np.zeros((1, 3))):
            got = in_mode("softmax-one_hot", "eager")(
                as_tensors({"labels": labels, "logits": logits}, "float32")
            )
            assert all(np.isnan(tensor).all() for tensor in got)


@pytest.mark.parametrize("case", CASES_WITH_CLASSES, ids=ids)
def test_ties_share_the_gradient(case):
    for logits in ([[2.0, 2, 2, 2]], [[0, 3, 3, 1]], [[1, 3, 2, 3]], [[0, 0, 0, -99]]):
        arguments = case.arguments(seed=4, shape=(1, 4))
        arguments["logits"] = np.array(logits, np.float64)
        got = in_mode(case.name, "eager")(as_tensors(arguments, "float64"))
        assert_is_right(case, got, arguments, "float64")


@form
@pytest.mark.parametrize("case", NEWSVENDOR, ids=ids)
def test_the_slope_at_the_kink_is_0(case, form):
    arguments = tensors_of(case, seed=5)
    arguments["y_pred"] = arguments["y_true"]
    for tensor in in_mode(case.name, "eager", form)(arguments):
        assert not tensor.numpy().any()


@pytest.mark.parametrize("demand", [0.0, np.inf, -np.inf])
@pytest.mark.parametrize("order", [0.0, np.inf, -np.inf, 1e38, -1e38])
def test_infinite_demand_and_orders(demand, order):
    """The same as the twin says; inf - inf is NaN."""
    costs = {"underage_cost": tf.constant(9.0), "overage_cost": tf.constant(1.0)}
    arguments = {"y_true": tf.constant([demand]), "y_pred": tf.constant([order])}
    case = BY_NAME["newsvendor-scalar"]
    got = in_mode(case.name, "eager")({**arguments, **costs})
    for one, other in zip(got, twin_in_form(case, {**arguments, **costs}), strict=True):
        np.testing.assert_array_equal(one, other)


@form
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(0, 5), (3, 0, 5)], ids=str)
@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_nothing_costs_nothing(case, shape, mode, form):
    arguments = tensors_of(case, seed=6, shape=shape, dtype="float32")
    value, gradient = in_mode(case.name, mode, form)(arguments)
    assert gradient.shape == shape
    if form == "mean":
        assert value.shape == ()
        assert value == 0
    else:
        assert value.shape == (shape[:-1] if case.has_classes else shape)


@pytest.mark.parametrize("case", OF_SINGLE_LOGITS, ids=ids)
def test_no_columns(case):
    """Without classes no column is needed either."""
    arguments = {
        name: tensor[:, :0] if tensor.shape == (5, 1) else tensor
        for name, tensor in tensors_of(case, seed=7, shape=(5, 1)).items()
    }
    value, gradient = in_mode(case.name, "eager")(arguments)
    assert value.shape == gradient.shape == (5, 0)
    assert in_mode(case.name, "eager", "mean")(arguments)[0] == 0


@form
@pytest.mark.parametrize("case", CASES_WITH_CLASSES, ids=ids)
def test_one_class_is_certain(case, form):
    arguments = tensors_of(case, seed=8, shape=(4, 1))
    for tensor in in_mode(case.name, "eager", form)(arguments):
        assert not tensor.numpy().any()


@form
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_an_example_does_not_depend_on_its_neighbours(case, form):
    arguments = case.arguments(seed=9, shape=(5, 3), dtype="float32")
    others = case.arguments(seed=10, shape=(5, 3), scale=1e4, dtype="float32")
    for name, value in others.items():
        if value.shape[:1] == (5,):
            value[2] = arguments[name][2]
        else:
            others[name] = arguments[name]
    value, gradient = in_mode(case.name, "eager", form)(
        as_tensors(arguments, "float32")
    )
    other_value, other = in_mode(case.name, "eager", form)(
        as_tensors(others, "float32")
    )
    if form == "each":
        np.testing.assert_array_equal(value[2], other_value[2])
    np.testing.assert_array_equal(gradient[2], other[2])


@pytest.mark.parametrize("case", CASES_WITH_CLASSES, ids=ids)
def test_a_row_is_the_same_alone_and_in_a_batch(case):
    arguments = tensors_of(case, seed=11, shape=(9, 700), dtype="float32")
    value, gradient = in_mode(case.name, "eager")(arguments)
    for i in (0, 4, 8):
        row = {name: tensor[i] for name, tensor in arguments.items()}
        got = value_and_gradient(native_loss(case), row)
        assert_same_bits(got, (value[i], gradient[i]))
