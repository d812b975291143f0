"""The lines are the minimum of the pinball loss: two other solvers find it too."""

import functools
import re
from typing import NamedTuple

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import linprog

from lossfn import data, nn, train
from lossfn.train import _quantile_minimum

LEVELS = (0.05, 0.3, 0.5, 0.9)


class Problem(NamedTuple):
    features: np.ndarray
    target: np.ndarray


def normal(rng):
    return Problem(rng.normal(size=(80, 3)), rng.normal(size=80))


def uneven(rng):
    """The spread grows with the first feature."""
    features = rng.uniform(1, 5, size=(120, 2))
    return Problem(features, features @ [2, -1] + features[:, 0] * rng.normal(size=120))


def heavy_tails(rng):
    return Problem(rng.normal(size=(100, 2)), rng.standard_cauchy(size=100))


def skewed(rng):
    return Problem(rng.lognormal(size=(90, 2)), rng.lognormal(sigma=2, size=90))


def counts(rng):
    """Many examples share a residual of 0."""
    return Problem(
        rng.integers(0, 4, size=(70, 2)).astype(float),
        rng.integers(0, 6, size=70).astype(float),
    )


def mostly_zero(rng):
    return Problem(rng.normal(size=(60, 2)), np.maximum(rng.normal(size=60) - 1, 0))


def groups(rng):
    """Whole numbers of examples below each quantile, and one feature too many."""
    return Problem(np.eye(4)[np.arange(40) % 4], rng.normal(size=40))


def repeated_feature(rng):
    return Problem(np.repeat(rng.normal(size=(30, 1)), 2, axis=1), rng.normal(size=30))


def as_many_as_weights(rng):
    return Problem(rng.normal(size=(4, 3)), rng.normal(size=4))


def fewer_than_weights(rng):
    return Problem(rng.normal(size=(3, 6)), rng.normal(size=3))


def one_example(rng):
    return Problem(rng.normal(size=(1, 2)), rng.normal(size=1))


def constant_target(rng):
    return Problem(rng.normal(size=(20, 2)), np.full(20, 7.0))


def constant_feature(rng):
    return Problem(np.full((21, 1), 3.0), rng.normal(size=21))


def an_exact_line(rng):
    features = rng.normal(size=(25, 2))
    return Problem(features, features @ [3, -2] + 1)


def one_outlier(rng):
    target = rng.normal(size=50)
    target[0] = 1e4
    return Problem(rng.normal(size=(50, 1)), target)


# Where one model alone has the smallest loss, and where several share it.
UNIQUE = {f.__name__: f for f in (normal, uneven, heavy_tails, skewed, one_outlier)}
SHARED = {
    f.__name__: f
    for f in (
        counts,
        mostly_zero,
        groups,
        repeated_feature,
        as_many_as_weights,
        fewer_than_weights,
        one_example,
        constant_target,
        constant_feature,
        an_exact_line,
    )
}
each_unique = pytest.mark.parametrize("draw", UNIQUE.values(), ids=UNIQUE)
each = pytest.mark.parametrize("draw", (UNIQUE | SHARED).values(), ids=UNIQUE | SHARED)


@functools.cache
def drawn(draw):
    problem = draw(np.random.default_rng(11))
    return problem, train.fit_quantiles(*problem, quantiles=LEVELS)


@functools.cache
def engel():
    households = data.load_engel()
    return Problem(households.income[:, None], households.food)


@functools.cache
def engel_fit():
    return train.fit_quantiles(*engel(), quantiles=np.arange(1, 20) / 20)


def with_ones(features):
    return np.column_stack([features, np.ones(len(features))])


def mean_pinball(residuals, quantile):
    """Write the loss out in NumPy, apart from the package."""
    costs = np.where(residuals > 0, quantile * residuals, (quantile - 1) * residuals)
    return costs.mean()


def loss_of(coefficients, problem, quantile):
    return mean_pinball(
        problem.target - with_ones(problem.features) @ coefficients, quantile
    )


def by_linear_programme(problem, quantile):
    """Minimise q * above + (1 - q) * below, where target = model + above - below."""
    rows = with_ones(problem.features)
    count, width = rows.shape
    costs = np.repeat([0.0, quantile, 1 - quantile], [width, count, count]) / count
    found = linprog(
        costs,
        A_eq=np.hstack([rows, np.eye(count), -np.eye(count)]),
        b_eq=problem.target,
        bounds=[(None, None)] * width + [(0, None)] * (2 * count),
        method="highs",
    )
    return found.x[:width], found.fun


def by_quantreg(problem, quantile, **arguments):
    model = sm.QuantReg(problem.target, with_ones(problem.features))
    return model.fit(q=quantile, **arguments).params


def coefficients_of(fit):
    """Weights, then the bias, one row for each quantile."""
    return np.vstack([fit.weights, fit.bias]).T


# --- two other solvers -------------------------------------------------------


@each
def test_the_loss_is_that_of_a_linear_programme(draw):
    problem, fit = drawn(draw)
    size = np.abs(problem.target).max()
    for quantile, loss in zip(LEVELS, fit.loss, strict=True):
        other, smallest = by_linear_programme(problem, quantile)
        assert loss == pytest.approx(smallest, rel=1e-7, abs=1e-12 * size)
        assert loss <= loss_of(other, problem, quantile) + 1e-14 * size


@each_unique
def test_the_model_is_that_of_a_linear_programme(draw):
    problem, fit = drawn(draw)
    for quantile, found in zip(LEVELS, coefficients_of(fit), strict=True):
        expected, _ = by_linear_programme(problem, quantile)
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)


def test_engel_agrees_with_the_linear_programme():
    for quantile, found in zip(
        engel_fit().quantiles, coefficients_of(engel_fit()), strict=True
    ):
        expected, _ = by_linear_programme(engel(), quantile)
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_engel_agrees_with_quantreg_which_never_has_the_lower_loss():
    fit = engel_fit()
    for quantile, found, loss in zip(
        fit.quantiles, coefficients_of(fit), fit.loss, strict=True
    ):
        expected = by_quantreg(engel(), quantile)
        np.testing.assert_allclose(found, expected, rtol=2e-6)
        assert loss <= loss_of(expected, engel(), quantile) + 1e-12


@pytest.mark.parametrize("draw", [normal, uneven], ids=["normal", "uneven"])
def test_small_problems_agree_with_a_patient_quantreg(draw):
    problem, fit = drawn(draw)
    for quantile, found in zip(LEVELS, coefficients_of(fit), strict=True):
        expected = by_quantreg(problem, quantile, p_tol=1e-9, max_iter=20_000)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_an_impatient_quantreg_stops_above_the_minimum():
    problem, fit = drawn(normal)
    stopped = by_quantreg(problem, LEVELS[-1])
    assert np.abs(stopped - coefficients_of(fit)[-1]).max() > 0.05
    assert fit.loss[-1] + 1e-6 < loss_of(stopped, problem, LEVELS[-1])


# --- the conditions of a minimum ---------------------------------------------


@each
def test_the_reported_loss_is_that_of_the_reported_model(draw):
    problem, fit = drawn(draw)
    residuals = problem.target[:, None] - fit.predict(problem.features)
    expected = [
        mean_pinball(r, q) for r, q in zip(residuals.T, fit.quantiles, strict=True)
    ]
    size = np.abs(problem.target).max()
    np.testing.assert_allclose(fit.loss, expected, rtol=1e-9, atol=1e-13 * size)


@each
def test_no_model_is_below_the_loss_by_more_than_the_gap(draw):
    problem, fit = drawn(draw)
    rng = np.random.default_rng(5)
    for quantile, found, loss, gap in zip(
        LEVELS, coefficients_of(fit), fit.loss, fit.gap, strict=True
    ):
        assert gap >= 0
        scale = np.abs(problem.target - np.median(problem.target)).mean()
        assert gap <= 1e-13 * (scale or 1.0)
        for size in (1e-6, 1e-3, 1.0):
            other = found + size * rng.normal(size=found.size)
            assert loss_of(other, problem, quantile) >= loss * (1 - 1e-12) - gap


def slopes_along(directions, problem, coefficients, quantile):
    """Return the one-sided derivatives of the loss along the columns given."""
    rows = with_ones(problem.features)
    residuals = problem.target - rows @ coefficients
    moved = -rows @ directions
    on = np.abs(residuals) < 1e-9
    side = np.where(on[:, None], moved > 0, (residuals > 0)[:, None])
    return np.where(side, quantile * moved, (quantile - 1) * moved).mean(axis=0)


@each_unique
def test_the_loss_rises_in_every_direction(draw):
    problem, fit = drawn(draw)
    width = problem.features.shape[1] + 1
    axes = np.eye(width)
    random = np.random.default_rng(6).normal(size=(width, 500))
    directions = np.hstack([axes, -axes, random])
    for quantile, found in zip(LEVELS, coefficients_of(fit), strict=True):
        assert slopes_along(directions, problem, found, quantile).min() > 0
        # Beside the minimum the same slopes say so.
        beside = found + 1e-3 * random[:, 0]
        assert slopes_along(directions, problem, beside, quantile).min() < 0


@each_unique
def test_as_many_examples_as_weights_lie_on_the_model_and_the_share_below_fits(draw):
    problem, fit = drawn(draw)
    residuals = problem.target[:, None] - fit.predict(problem.features)
    count, held = len(problem.target), problem.features.shape[1] + 1
    on = np.abs(residuals) < 1e-9
    below = np.sum((residuals < 0) & ~on, axis=0)
    assert np.all(on.sum(axis=0) == held)
    assert np.all(below <= count * fit.quantiles)
    assert np.all(count * fit.quantiles <= below + held)


# --- what is known without a solver ------------------------------------------


def test_without_features_it_finds_the_sample_quantiles():
    sample = np.random.default_rng(2).normal(size=101)
    levels = np.arange(1, 10) / 10
    fit = train.fit_quantiles(np.zeros((101, 1)), sample, quantiles=levels)
    expected = np.quantile(sample, levels, method="inverted_cdf")
    np.testing.assert_allclose(fit.bias, expected, rtol=1e-10)
    assert np.array_equal(fit.weights, np.zeros((1, 9)))


def test_between_two_examples_any_number_is_a_quantile():
    sample = np.array([4.0, 1.0, 3.0, 2.0])
    fit = train.fit_quantiles(np.zeros((4, 1)), sample, quantiles=[0.25, 0.5])
    assert 1 <= fit.bias[0] <= 2 <= fit.bias[1] <= 3
    # A quarter of 0, 1, 2 and 3; half of 1 + 0 + 0 + 1 or less, over 4 examples.
    assert fit.loss[0] == pytest.approx((0.25 * 6) / 4, rel=1e-12)
    assert fit.loss[1] == pytest.approx(0.5 * 4 / 4, rel=1e-12)


def test_groups_have_their_own_quantiles():
    rng = np.random.default_rng(4)
    group = np.arange(33) % 3
    target = rng.normal(size=33) + 10 * group
    fit = train.fit_quantiles(np.eye(3)[group], target, quantiles=[0.2, 0.5, 0.7])
    expected = [
        np.quantile(target[group == k], fit.quantiles, method="inverted_cdf")
        for k in range(3)
    ]
    np.testing.assert_allclose(fit.predict(np.eye(3)), expected, rtol=1e-10)


def test_the_true_lines_of_simulated_sales_are_found():
    sales = data.simulate_daily_sales(days=3653, seed=0)
    fit = train.fit_quantiles(sales.features(), sales.sales, quantiles=[0.1, 0.5, 0.9])
    found, truth = fit.predict(sales.features()), sales.quantile([0.1, 0.5, 0.9])
    errors = np.sqrt(np.mean((found - truth) ** 2, axis=0))
    assert np.all(errors < 0.03 * truth.mean(axis=0))
    # The constant quantiles are much further away.
    constant = np.quantile(sales.sales, [0.1, 0.5, 0.9])
    assert np.all(np.sqrt(np.mean((constant - truth) ** 2, axis=0)) > 10 * errors)


# --- equivariance ------------------------------------------------------------


def refit(features, target, levels=LEVELS):
    return train.fit_quantiles(features, target, quantiles=levels)


@each_unique
def test_scaling_and_shifting_the_target_scales_and_shifts_the_model(draw):
    (features, target), fit = drawn(draw)
    moved = refit(features, 3 * target - 5)
    np.testing.assert_allclose(moved.weights, 3 * fit.weights, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(moved.bias, 3 * fit.bias - 5, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(moved.loss, 3 * fit.loss, rtol=1e-9)


@each_unique
def test_reflecting_the_target_exchanges_a_quantile_and_its_complement(draw):
    (features, target), fit = drawn(draw)
    mirrored = refit(features, -target, 1 - np.array(LEVELS)[::-1])
    expected = -fit.weights[:, ::-1], -fit.bias[::-1]
    np.testing.assert_allclose(mirrored.weights, expected[0], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(mirrored.bias, expected[1], rtol=1e-7, atol=1e-9)


@each_unique
def test_adding_a_linear_function_adds_it_to_the_model(draw):
    (features, target), fit = drawn(draw)
    slope = np.arange(1.0, features.shape[1] + 1)
    added = refit(features, target + features @ slope)
    expected = fit.weights + slope[:, None]
    np.testing.assert_allclose(added.weights, expected, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(added.bias, fit.bias, rtol=1e-7, atol=1e-7)


@each_unique
def test_the_predictions_do_not_depend_on_the_units_of_the_features(draw):
    (features, target), fit = drawn(draw)
    units = 10.0 ** np.arange(-3, features.shape[1] - 3)
    other = refit(features * units + 7, target)
    np.testing.assert_allclose(
        other.predict(features * units + 7), fit.predict(features), rtol=1e-6, atol=1e-6
    )


def test_copying_every_example_changes_nothing():
    (features, target), fit = drawn(normal)
    twice = refit(np.repeat(features, 2, axis=0), np.repeat(target, 2))
    np.testing.assert_allclose(twice.weights, fit.weights, rtol=1e-9)
    np.testing.assert_allclose(twice.loss, fit.loss, rtol=1e-12)


def test_moving_an_example_on_its_side_of_the_model_changes_nothing():
    (features, target), fit = drawn(normal)
    median = fit.predict(features)[:, LEVELS.index(0.5)]
    highest = np.argmax(target - median)
    target = target.copy()
    target[highest] += 1e3
    found = refit(features, target, [0.5])
    np.testing.assert_allclose(found.weights[:, 0], fit.weights[:, 2], rtol=1e-7)
    # The least squares line does move.
    before, after = (
        np.linalg.lstsq(with_ones(features), y, rcond=None)[0]
        for y in (drawn(normal)[0].target, target)
    )
    assert np.abs(before - after).max() > 1


def test_a_quantile_does_not_depend_on_its_neighbours():
    (features, target), fit = drawn(uneven)
    alone = refit(features, target, [0.9])
    assert np.array_equal(alone.weights[:, 0], fit.weights[:, -1])


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_extreme_scales_reach_the_minimum(scale, offset):
    (features, target), fit = drawn(normal)
    moved = refit(features + offset, scale * target)
    np.testing.assert_allclose(moved.loss, scale * fit.loss, rtol=1e-9)
    np.testing.assert_allclose(moved.weights, scale * fit.weights, rtol=1e-6)


# --- the smooth loss of the docstring ----------------------------------------


@pytest.mark.parametrize("quantile", [0.05, 0.5, 0.8])
@pytest.mark.parametrize("width", [1e-6, 0.01, 1.0])
def test_the_smooth_loss_is_a_cross_entropy_and_lies_just_above_the_pinball_loss(
    quantile, width
):
    residuals = np.linspace(-3, 3, 121)
    smooth = width * nn.sigmoid_cross_entropy_with_logits(
        labels=np.full(121, quantile), logits=-residuals / width
    )
    formula = quantile * residuals + width * np.logaddexp(0, -residuals / width)
    np.testing.assert_allclose(smooth, formula, rtol=1e-12, atol=1e-15)
    above = formula - [mean_pinball(np.array([e]), quantile) for e in residuals]
    assert np.all(above > -1e-15)
    assert np.all(above <= width * np.log(2) * (1 + 1e-12))


# --- the result --------------------------------------------------------------


def test_shapes_and_dtypes():
    problem, fit = drawn(normal)
    assert fit.weights.shape == (3, 4)
    assert fit.bias.shape == fit.loss.shape == fit.gap.shape == (4,)
    assert np.array_equal(fit.quantiles, LEVELS)
    arrays = (fit.quantiles, fit.weights, fit.bias, fit.loss, fit.gap)
    assert {a.dtype for a in arrays} == {np.dtype("float64")}
    np.testing.assert_allclose(
        fit.predict(problem.features[:5]),
        problem.features[:5] @ fit.weights + fit.bias,
        rtol=1e-15,
    )


def test_the_same_problem_gives_the_same_bits():
    problem, fit = drawn(heavy_tails)
    again = train.fit_quantiles(*problem, quantiles=LEVELS)
    assert np.array_equal(again.weights, fit.weights)
    assert np.array_equal(again.bias, fit.bias)


def test_other_number_types_are_fitted_in_float64():
    problem, _ = drawn(counts)
    whole = train.fit_quantiles(
        problem.features.astype(int),
        problem.target.astype(np.float32).tolist(),
        quantiles=LEVELS,
    )
    assert np.array_equal(whole.weights, drawn(counts)[1].weights)


def test_a_fit_that_does_not_reach_the_bound_is_an_error(monkeypatch):
    monkeypatch.setattr(_quantile_minimum, "_MOST_WIDTHS", 2)
    with pytest.raises(RuntimeError) as caught:
        train.fit_quantiles(*drawn(normal)[0], quantiles=[0.5], tolerance=1e-5)
    assert re.fullmatch(
        r"the fit did not reach the minimum at quantile 0\.5: its mean loss is above "
        r"the bound by 0\.\d+ mean absolute deviations, and tolerance is 1e-05",
        str(caught.value),
    )


def test_a_wide_tolerance_ends_early_and_the_gap_says_so():
    problem, fit = drawn(normal)
    rough = train.fit_quantiles(*problem, quantiles=LEVELS, tolerance=0.05)
    assert np.all(rough.loss >= fit.loss)
    assert np.all(rough.loss <= fit.loss + rough.gap + 1e-15)
    assert np.all(rough.gap <= 0.05 * np.abs(problem.target).mean() * 1.1)
    assert rough.gap.max() > 1e-6


# --- what is refused ---------------------------------------------------------

SIX = np.arange(6.0)[:, None]
TOO_LARGE = "must be finite and below 1e+100"
REFUSED = {
    "features of one axis": (
        dict(features=np.ones(6)),
        ValueError,
        "features must have shape (N, D) with N and D at least 1, got (6,)",
    ),
    "no features": (
        dict(features=np.ones((6, 0))),
        ValueError,
        "features must have shape (N, D) with N and D at least 1, got (6, 0)",
    ),
    "features of text": (
        dict(features="six"),
        TypeError,
        "features must be an array of numbers, got 'six'",
    ),
    "features not finite": (
        dict(features=np.where(SIX == 3, np.nan, SIX)),
        ValueError,
        f"features {TOO_LARGE}, got nan at index (3, 0)",
    ),
    "features too large": (
        dict(features=np.where(SIX == 3, 1e200, SIX)),
        ValueError,
        f"features {TOO_LARGE}, got 1e+200 at index (3, 0)",
    ),
    "a target of another number": (
        dict(target=np.ones(5)),
        ValueError,
        "target must have shape (6,), one number for each row of features, got (5,)",
    ),
    "a target of two axes": (
        dict(target=np.ones((6, 1))),
        ValueError,
        "target must have shape (6,), one number for each row of features, got (6, 1)",
    ),
    "a target not finite": (
        dict(target=[1, 2, np.inf, 4, 5, 6]),
        ValueError,
        f"target {TOO_LARGE}, got inf at index (2,)",
    ),
    "one quantile without an axis": (
        dict(quantiles=0.5),
        ValueError,
        "quantiles must be a vector with at least one entry, got shape ()",
    ),
    "no quantiles": (
        dict(quantiles=[]),
        ValueError,
        "quantiles must be a vector with at least one entry, got shape (0,)",
    ),
    "a quantile of 0": (
        dict(quantiles=[0.0, 0.5]),
        ValueError,
        "quantiles must lie in (0, 1), got 0.0 at index (0,)",
    ),
    "quantiles in per cent": (
        dict(quantiles=[0.5, 95]),
        ValueError,
        "quantiles must lie in (0, 1), got 95.0 at index (1,)",
    ),
    "a quantile not a number": (
        dict(quantiles=[np.nan]),
        ValueError,
        "quantiles must lie in (0, 1), got nan at index (0,)",
    ),
    "quantiles that fall": (
        dict(quantiles=[0.5, 0.9, 0.7]),
        ValueError,
        "quantiles must increase, got 0.7 at index (2,)",
    ),
    "a quantile twice": (
        dict(quantiles=[0.5, 0.5]),
        ValueError,
        "quantiles must increase, got 0.5 at index (1,)",
    ),
    "no tolerance": (
        dict(tolerance=0.0),
        ValueError,
        "tolerance must be positive and finite, got 0.0",
    ),
}


@pytest.mark.parametrize(("changed", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_arguments(changed, error, message):
    arguments = dict(features=SIX, target=np.arange(6.0), quantiles=[0.5])
    with pytest.raises(error) as caught:
        train.fit_quantiles(**{**arguments, **changed})
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (
            np.ones((2, 3)),
            "features and training features must have the same shape, "
            "got (2, 3) and (2, 1)",
        ),
        (
            np.ones(1),
            "features must have shape (N, D) with N and D at least 1, got (1,)",
        ),
    ],
)
def test_refused_features_of_predict(features, message):
    fit = train.fit_quantiles(SIX, np.arange(6.0), quantiles=[0.5])
    with pytest.raises(ValueError) as caught:
        fit.predict(features)
    assert str(caught.value) == message
