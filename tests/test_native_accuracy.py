"""The error of lossfn.native in ulp, the smallest numbers among them.

TensorFlow flushes what is below the smallest normal number, 1e-38, to 0. The operations
do not: what is compared here goes down to 1e-45.
"""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from lossfn import native
from tests.cases import (
    BINARY_CASES,
    SIGMOID,
    SOFTMAX,
    SPARSE,
    WEIGHTED,
    Arguments,
    as_arrays,
    as_tensors,
    distributions,
    ulp,
    ulps,
    value_and_gradient,
)
from tests.native_cases import (
    CASES,
    FIVE,
    NEWSVENDOR,
    WITH_CLASSES,
    ids,
    in_mode,
    largest_term,
)

LOSS, GRADIENT = 3, 8  # in ulp; measured: see each test
SMALLEST = float(np.finfo(np.float32).smallest_subnormal)
# From 0 to where even the smallest number is too large, and where e^-gap begins to
# vanish beside 1, and to lose digits.
GAPS = np.concatenate([np.linspace(0, 110, 441), [16.6, 16.7, 17.33, 87.4, 103.9]])


def run(name: str, arguments: Arguments, dtype: str = "float32") -> tuple:
    """Return value and gradient of a function of lossfn.native as float64."""
    loss = getattr(native, name)
    of = "y_pred" if name == "newsvendor" else "logits"
    return as_arrays(value_and_gradient(loss, as_tensors(arguments, dtype), of=of))


def exact_pair(gap: float, weight: float = 1) -> tuple[float, float]:
    """Return log(1 + e^-gap) and its derivative by the gap, times a weight."""
    with mpmath.workdps(60):
        rest = mpmath.exp(-mpmath.mpf(float(gap)))
        value, slope = mpmath.log1p(rest), -rest / (1 + rest)
        return float(weight * value), float(weight * slope)


def float32(values: np.ndarray) -> np.ndarray:
    """Round to numbers that float32 holds."""
    return np.asarray(values, np.float32).astype(np.float64)


@pytest.mark.parametrize("name", [SPARSE, SOFTMAX])
def test_every_gap_between_two_logits(name):
    """Measured: 1.3 and 1.5."""
    logits = float32(np.stack([GAPS, np.zeros_like(GAPS)], -1) + 0.1)
    gaps = logits[:, 0] - logits[:, 1]
    for label, sign in ((0, 1), (1, -1)):
        rows = np.full(len(gaps), label)
        labels = rows if name == SPARSE else np.eye(2)[rows]
        value, gradient = run(name, {"labels": labels, "logits": logits})
        exact, slope = np.transpose([exact_pair(sign * gap) for gap in gaps])
        assert ulps(value, exact).max() <= LOSS
        assert ulps(gradient[:, label], slope).max() <= GRADIENT
        assert ulps(gradient[:, 1 - label], -slope).max() <= GRADIENT


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_every_logit_of_a_label_of_0_or_1(label):
    """Measured: 2.5 and 2.4."""
    logits = float32(np.linspace(-110, 110, 4001))
    arguments = {"labels": np.full_like(logits, label), "logits": logits}
    value, gradient = run(SIGMOID, arguments)
    margins = logits if label else -logits
    exact, slope = np.transpose([exact_pair(margin) for margin in margins])
    assert ulps(value, exact).max() <= LOSS
    assert ulps(gradient, slope if label else -slope).max() <= GRADIENT


@pytest.mark.parametrize("weight", [0.1, 3.0, 10.0, 100.0])
def test_a_weight_of_the_positives(weight):
    """Measured: 3.6 and 3.1. A weight multiplies the rounding of a tiny e^-z too."""
    logits = float32(np.linspace(-110, 110, 2001))
    arguments = {"labels": np.ones_like(logits), "logits": logits}
    weight = arguments["pos_weight"] = float32(weight)
    value, gradient = run(WEIGHTED, arguments)
    pairs = [exact_pair(logit, float(weight)) for logit in logits]
    for got, exact, budget in zip(
        (value, gradient), np.transpose(pairs), (LOSS + 1, GRADIENT), strict=True
    ):
        tiny = np.where(np.exp(-logits) < 2.0**-126, 2 * weight * SMALLEST, 0)
        assert (np.abs(got - exact) <= budget * ulp(exact) + tiny).all()


@pytest.mark.parametrize("case", BINARY_CASES[1::2], ids=ids)
def test_soft_labels(case):
    """Measured: 3.4 and 2.4, the gradient in ulp of its terms: see label_total."""
    labels = float32([1 - 1e-6, 1 - 1e-7, 1e-6, 1e-7, 1e-30, 0.3, 0.5, 0.7])
    labels, logits = np.meshgrid(labels, float32(np.linspace(-100, 100, 801)))
    arguments = {"labels": labels, "logits": logits}
    if case.draw_weight is not None:
        arguments["pos_weight"] = np.float64(3.0)
    value, gradient = run(case.function, arguments)
    exact, slope = case.expected(arguments)
    assert ulps(value, exact).max() <= LOSS + 1
    error = np.abs(gradient - slope) / ulp(largest_term(case, arguments))
    assert error.max() <= GRADIENT


def leading(classes: int, leader: int, spread: float) -> Arguments:
    """Return rows in which one class leads all others by every gap."""
    gaps = np.arange(0, 111, 1.5)
    rng = np.random.default_rng(classes)
    logits = rng.normal(scale=spread, size=(len(gaps), classes))
    logits[:, leader] = logits.max(-1) + gaps
    return {"labels": np.full(len(gaps), leader), "logits": float32(logits)}


@pytest.mark.parametrize("spread", [0.0, 0.5, 3.0])
@pytest.mark.parametrize(("classes", "leader"), [(10, 9), (32_000, 31_999)])
def test_one_class_leads_all_others(classes, leader, spread):
    """Measured: 1.1 and 2.1.

    Where all others are one number, each is rounded the same way, and nothing evens
    out. Where e^-gap is no normal number, all the classes together make one.
    """
    arguments = leading(classes, leader, spread)
    case = next(case for case in CASES if case.function == SPARSE)
    value, gradient = run(SPARSE, arguments)
    exact, slope = case.expected(arguments)
    assert ulps(value, exact).max() <= LOSS
    assert ulps(gradient, slope).max() <= GRADIENT


@pytest.mark.parametrize("scale", [1, 3, 10, 30])
@pytest.mark.parametrize("classes", [2, 10, 1000, 32_000])
@pytest.mark.parametrize("case", WITH_CLASSES, ids=ids)
def test_ordinary_logits(case, classes, scale):
    """Measured: 2.8 and 3.2; with labels that are not 0 and 1 see label_total."""
    arguments = case.arguments(
        seed=classes + scale,
        shape=(max(4, min(200, 20_000 // classes)), classes),
        scale=scale,
        dtype="float32",
    )
    value, gradient = run(case.function, arguments)
    exact, slope = case.expected(arguments)
    assert ulps(value, exact).max() <= LOSS
    size = np.abs(slope)
    if case.name in ("softmax-soft", "softmax-any_total"):
        size = np.maximum(size, largest_term(case, arguments))
    assert (np.abs(gradient - slope) <= GRADIENT * ulp(size)).all()


@pytest.mark.parametrize("case", NEWSVENDOR, ids=ids)
def test_costs_are_rounded_twice(case):
    """Once in the error and once in the product; the slope is the price itself."""
    for scale in (1.0, 1e4):
        arguments = case.arguments(
            seed=1, shape=(999, 20), scale=scale, dtype="float32"
        )
        value, gradient = as_arrays(
            in_mode(case.name, "eager")(as_tensors(arguments, "float32"))
        )
        exact, slope = case.expected(arguments)
        assert ulps(value, exact).max() <= 1.5
        np.testing.assert_array_equal(gradient, slope)


@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_the_mean_of_many(case):
    """Measured: 0.5 and 3.2. A float32 sum of a million terms would lose digits."""
    shape = (100_000, 10)
    arguments = case.arguments(seed=2, shape=shape, dtype="float32")
    value, gradient = as_arrays(
        in_mode(case.name, "eager", "mean")(as_tensors(arguments, "float32"))
    )
    exact, slope = case.expected(arguments)
    assert ulps(value, exact.mean()) <= 1
    size = np.maximum(np.abs(slope), largest_term(case, arguments)) / exact.size
    assert (np.abs(gradient - slope / exact.size) <= GRADIENT * ulp(size)).all()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_16_bit_results_are_rounded_once(case, dtype):
    """Among many results all but those next to a tie are the nearest number."""
    arguments = case.arguments(seed=3, shape=(400, 7), scale=5, dtype=dtype)
    value, _ = as_arrays(in_mode(case.name, "eager")(as_tensors(arguments, dtype)))
    mean, _ = as_arrays(
        in_mode(case.name, "eager", "mean")(as_tensors(arguments, dtype))
    )
    exact, _ = case.expected(arguments)
    error = np.abs(value - exact) / ulp(exact, dtype)
    assert error.max() <= 0.5 + LOSS * 2.0**-13
    assert (error > 0.25).any()
    assert np.abs(mean - exact.mean()) <= 0.501 * ulp(exact.mean(), dtype)


@pytest.mark.parametrize("name", [SPARSE, SIGMOID])
def test_float64(name):
    """Measured: 1.1 and 1.4 ulp of float64."""
    gaps = np.random.default_rng(4).uniform(-80, 80, size=2000)
    if name == SPARSE:
        logits = np.stack([gaps, np.zeros_like(gaps)], -1)
        arguments = {"labels": np.zeros(len(gaps), np.int64), "logits": logits}
    else:
        arguments = {"labels": np.ones_like(gaps), "logits": gaps}
    value, gradient = run(name, arguments, "float64")
    gradient = gradient[:, 0] if name == SPARSE else gradient
    exact, slope = np.transpose([exact_pair(gap) for gap in gaps])
    assert ulps(value, exact, "float64").max() <= LOSS
    assert ulps(gradient, slope, "float64").max() <= LOSS


def test_the_gap_is_compensated():
    """A difference of -80 is rounded by up to 4e-6, and exp makes that 32 ulp."""
    logits = np.array([[0.1, 80.3]])
    exact = np.diff(float32(logits))[0, 0]
    assert abs(np.exp(float32(exact) - exact) - 1) > 2.0**-21
    value, _ = run(SPARSE, {"labels": np.array([1]), "logits": logits})
    assert ulps(value, np.log1p(np.exp(-exact))).max() <= LOSS


def test_labels_that_add_up_to_much():
    """Value and gradient grow with their sum, and so do their errors."""
    rng = np.random.default_rng(5)
    labels = float32(1e6 * distributions(rng, (50, 300)))
    logits = float32(rng.normal(scale=3, size=(50, 300)))
    value, gradient = run(SOFTMAX, {"labels": labels, "logits": logits})
    case = next(case for case in CASES if case.function == SOFTMAX)
    exact, slope = case.expected({"labels": labels, "logits": logits})
    assert ulps(value, exact).max() <= LOSS
    assert (np.abs(gradient - slope) <= GRADIENT * ulp(labels.sum(-1))[:, None]).all()
