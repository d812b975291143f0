"""lossfn.reference against formulas of its own, computed by mpmath with 50 digits."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

import mpmath
import numpy as np
import pytest

from lossfn import reference
from tests.cases import (
    BINARY_CASES,
    BY_NAME,
    CASES,
    CASES_WITH_CLASSES,
    Case,
    ids,
    ulps,
)

mpmath.mp.dps = 50
# Of a float64 result that went through exp, log1p and a sum over the classes.
BUDGET = 8


def exact_softmax_loss(labels, *logits) -> mpmath.mpf:
    log_sum = mpmath.log(mpmath.fsum(mpmath.exp(z) for z in logits))
    return mpmath.fsum(
        p * (log_sum - z) for p, z in zip(labels, logits, strict=True) if p
    )


def exact_binary_loss(label, weight, logit) -> mpmath.mpf:
    # log1p, because 50 digits do not hold 1 + exp(-300).
    minus_log_model = mpmath.log1p(mpmath.exp(-logit))
    minus_log_rest = mpmath.log1p(mpmath.exp(logit))
    return weight * label * minus_log_model + (1 - label) * minus_log_rest


def exact_losses(case: Case, arguments: dict) -> list:
    """Return for each example its exact loss, a function of its logits, and them."""
    logits = arguments["logits"].reshape(-1, arguments["logits"].shape[-1])
    labels = arguments["labels"]
    if case.has_classes:
        labels = np.eye(logits.shape[-1])[labels] if case.is_sparse else labels
        return [
            (functools.partial(exact_softmax_loss, exactly(p)), exactly(z))
            for p, z in zip(labels.reshape(logits.shape), logits, strict=True)
        ]
    weights = np.broadcast_to(arguments.get("pos_weight", 1.0), labels.shape)
    return [
        (functools.partial(exact_binary_loss, *exactly([y, w])), exactly([z]))
        for y, w, z in zip(labels.flat, weights.flat, logits.flat, strict=True)
    ]


def exactly(numbers: Iterable[float]) -> list[mpmath.mpf]:
    return [mpmath.mpf(float(number)) for number in numbers]


def exact_derivative(loss, logits, index: int) -> mpmath.mpf:
    order = tuple(int(i == index) for i in range(len(logits)))
    return mpmath.diff(loss, tuple(logits), order)


@pytest.mark.parametrize("scale", [0.1, 3.0, 30.0, 300.0])
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_value_is_exact(case, scale):
    arguments = case.arguments(seed=1, shape=(8, 5), scale=scale)
    exact = [float(loss(*z)) for loss, z in exact_losses(case, arguments)]
    got = case.reference(**arguments)
    assert ulps(got.ravel(), exact, "float64").max() <= BUDGET


@pytest.mark.parametrize("scale", [0.1, 3.0, 30.0, 300.0])
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_gradient_is_the_derivative_of_the_exact_loss(case, scale):
    """mpmath differentiates the loss numerically, so that no derivation is shared."""
    arguments = case.arguments(seed=2, shape=(3, 4), scale=scale)
    exact = [
        [float(exact_derivative(loss, z, k)) for k in range(len(z))]
        for loss, z in exact_losses(case, arguments)
    ]
    got = case.gradient(**arguments)
    exact = np.reshape(exact, got.shape)
    # Steps of 1e-25 in numbers of 50 digits leave 25; the labels are at most 5.
    assert got == pytest.approx(exact, rel=1e-14, abs=BUDGET * 5 * 2.0**-52)


@pytest.mark.parametrize("name", ["softmax-one_hot", "sparse"])
def test_gradient_of_a_confident_row_keeps_its_digits(name):
    """Beyond a margin of 37 the float64 softmax of the true class is 1."""
    logits = np.array([[0.0, -20.0, -30.0], [0.0, -50.0, -60.0], [0.0, -600.0, -700.0]])
    labels = [[1.0, 0, 0]] * 3 if name == "softmax-one_hot" else [0] * 3
    case = BY_NAME[name]
    got = case.gradient(labels=labels, logits=logits)
    for row, gradient in zip(logits, got, strict=True):
        powers = [mpmath.exp(z) for z in row]
        rest = mpmath.fsum(powers[1:])
        exact = [-rest / (1 + rest), *(power / (1 + rest) for power in powers[1:])]
        assert ulps(gradient, [float(q) for q in exact], "float64").max() <= BUDGET


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_textbook_form_agrees_where_it_survives(case):
    arguments = case.arguments(seed=3, scale=2.0)
    got = case.textbook(**arguments)
    assert got == pytest.approx(case.reference(**arguments), rel=1e-12, abs=1e-13)


@pytest.mark.parametrize(
    ("label", "logits", "textbook", "loss"),
    [
        pytest.param(0, [800.0, 0.0], np.nan, 0.0, id="overflow"),
        pytest.param(1, [800.0, 0.0], np.inf, 800.0, id="overflow_of_another_class"),
        pytest.param(1, [0.0, -800.0], np.inf, 800.0, id="log_0"),
        pytest.param(0, [-800.0, -800.0], np.nan, np.log(2), id="underflow_of_all"),
        pytest.param(0, [700.0, 0.0], 0.0, 0.0, id="just_survives"),
    ],
)
def test_textbook_softmax_fails_exactly_there(label, logits, textbook, loss):
    arguments = {"labels": np.array([label]), "logits": np.array([logits])}
    got = reference.sparse_softmax_cross_entropy_with_logits_textbook(**arguments)
    np.testing.assert_array_equal(got, [textbook])
    got = reference.sparse_softmax_cross_entropy_with_logits(**arguments)
    assert got == pytest.approx([loss], rel=1e-15, abs=1e-300)


def test_textbook_dense_softmax_multiplies_zero_by_infinity():
    arguments = {"labels": [[1.0, 0.0]], "logits": [[0.0, -800.0]]}
    got = reference.softmax_cross_entropy_with_logits_textbook(**arguments)
    np.testing.assert_array_equal(got, [np.nan])
    got = reference.softmax_cross_entropy_with_logits(**arguments)
    assert got == pytest.approx([0.0], abs=1e-300)


@pytest.mark.parametrize(
    ("label", "logit", "textbook", "loss"),
    [
        pytest.param(0.0, 36.0, 52 * np.log(2), 36.0, id="rounding"),
        pytest.param(0.0, 37.0, np.inf, 37.0, id="log_0"),
        pytest.param(1.0, -800.0, np.inf, 800.0, id="overflow"),
        pytest.param(1.0, 37.0, np.nan, np.exp(-37.0), id="zero_times_infinity"),
        pytest.param(0.0, -38.0, 0.0, np.exp(-38.0), id="loss_lost"),
    ],
)
def test_textbook_sigmoid_fails_exactly_there(label, logit, textbook, loss):
    arguments = {"labels": [label], "logits": [logit]}
    for function, weight in (
        (reference.sigmoid_cross_entropy_with_logits_textbook, {}),
        (reference.weighted_cross_entropy_with_logits_textbook, {"pos_weight": 1.0}),
    ):
        np.testing.assert_allclose(function(**arguments, **weight), [textbook])
    got = reference.sigmoid_cross_entropy_with_logits(**arguments)
    assert ulps(got, [loss], "float64").max() <= 2


@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5), (2, 3, 4, 5)], ids=str)
@pytest.mark.parametrize("case", CASES_WITH_CLASSES, ids=ids)
def test_every_axis_is_the_last_one_moved(case, shape):
    for axis in range(-len(shape), len(shape)):
        arguments = case.arguments(seed=4, shape=shape, axis=axis)
        last = {
            name: value if value.ndim < len(shape) else np.moveaxis(value, axis, -1)
            for name, value in arguments.items()
        }
        for function in (case.reference, case.textbook):
            np.testing.assert_array_equal(
                function(**arguments, axis=axis), function(**last)
            )
        np.testing.assert_array_equal(
            np.moveaxis(case.gradient(**arguments, axis=axis), axis, -1),
            case.gradient(**last),
        )


def test_infinite_logits_are_certainties():
    masked = {"labels": [[1.0, 0.0, 0.0]], "logits": [[0.0, 0.0, -np.inf]]}
    loss = reference.softmax_cross_entropy_with_logits(**masked)
    assert loss == pytest.approx([np.log(2)], rel=1e-15)
    gradient = reference.softmax_cross_entropy_with_logits_gradient(**masked)
    np.testing.assert_array_equal(gradient, [[-0.5, 0.5, 0.0]])
    binary = {"labels": [0.0, 1.0, 1.0], "logits": [-np.inf, np.inf, -np.inf]}
    loss = reference.sigmoid_cross_entropy_with_logits(**binary)
    np.testing.assert_array_equal(loss, [0.0, 0.0, np.inf])


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_nan_stays_in_its_example(case):
    arguments = case.arguments(seed=5, shape=(4, 3))
    clean = case.reference(**arguments), case.gradient(**arguments)
    arguments["logits"][2, 1] = np.nan
    spoiled = (2,) if case.has_classes else (2, 1)
    for function, expected in zip((case.reference, case.gradient), clean, strict=True):
        expected[spoiled] = np.nan
        np.testing.assert_array_equal(function(**arguments), expected)


@pytest.mark.parametrize("form", ["", "_textbook", "_gradient"])
@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (
            "softmax_cross_entropy_with_logits",
            {"labels": [[0.0], [2.0]], "logits": [[1.0, 2.0], [3.0, 4.0]]},
            "labels and logits must have the same shape, got (2, 1) and (2, 2)",
        ),
        (
            "softmax_cross_entropy_with_logits",
            {"labels": [-1.0, 2.0], "logits": [1.0, 2.0]},
            "labels must lie in [0, inf), got -1.0 at index (0,)",
        ),
        (
            "softmax_cross_entropy_with_logits",
            {"labels": [1.0, 0.0], "logits": [1.0, 2.0], "axis": 1},
            "axis must lie in [-1, 1), got 1",
        ),
        (
            "sparse_softmax_cross_entropy_with_logits",
            {"labels": [0, 2], "logits": [[1.0, 2.0], [3.0, 4.0]]},
            "labels must lie in [0, 2), got 2 at index (1,)",
        ),
        (
            "sigmoid_cross_entropy_with_logits",
            {"labels": [1.5, 0.5], "logits": [1.0, 2.0]},
            "labels must lie in [0, 1], got 1.5 at index (0,)",
        ),
        (
            "weighted_cross_entropy_with_logits",
            {"labels": [1.0], "logits": [1.0], "pos_weight": 0.0},
            "pos_weight must be positive and finite, got 0.0",
        ),
        (
            "weighted_cross_entropy_with_logits",
            {"labels": [[1.0]], "logits": [[1.0]], "pos_weight": [1.0, 2.0]},
            "pos_weight must be a scalar or broadcast to the shape of logits, (1, 1), "
            "got shape (2,)",
        ),
    ],
)
def test_bad_input_is_refused(function, arguments, message, form):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        getattr(reference, function + form)(**arguments)


@pytest.mark.parametrize("form", ["", "_gradient"])
def test_no_class_is_refused(form):
    message = "logits must have at least one class, got shape (2, 0)"
    function = getattr(reference, f"softmax_cross_entropy_with_logits{form}")
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        function(labels=np.zeros((2, 0)), logits=np.zeros((2, 0)))


def test_sparse_labels_are_integers():
    message = "labels must have an integer dtype, got float64"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        reference.sparse_softmax_cross_entropy_with_logits(
            labels=[0.0], logits=[[1.0, 2.0]]
        )


@pytest.mark.parametrize("case", BINARY_CASES, ids=ids)
def test_scalars_are_examples(case):
    arguments = case.arguments(seed=6, shape=())
    assert case.reference(**arguments).shape == ()
