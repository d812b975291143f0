"""The simulators draw what they say: the source's numbers, and sales with a truth."""

import random

import numpy as np
import pytest
from scipy import stats

from lossfn import data

SOURCES = {
    "classes": data.simulate_source_classes,
    "sales": data.simulate_source_sales,
}
SIMULATORS = {
    **SOURCES,
    "daily sales": lambda *, seed: data.simulate_daily_sales(days=40, seed=seed),
}
each_source = pytest.mark.parametrize("simulate", SOURCES.values(), ids=SOURCES)
each_simulator = pytest.mark.parametrize(
    "simulate", SIMULATORS.values(), ids=SIMULATORS
)
TWENTY_YEARS = 7305
SMALL_NOISE = 1e-9


def drawn_one_by_one(*, seed, count):
    """Draw the points and the noise of both programs in the order of the source."""
    generator = np.random.RandomState(seed)
    points = [[generator.rand(), generator.rand()] for _ in range(count)]
    return points, [generator.rand() for _ in range(count)]


def simulated(**settings):
    return data.simulate_daily_sales(**{"days": 40, "seed": 1, **settings})


@pytest.mark.parametrize("seed", [1, 7])
def test_classes_are_those_of_the_source_to_the_last_bit(seed):
    points, _ = drawn_one_by_one(seed=seed, count=128)
    features, labels = data.simulate_source_classes(seed=seed)
    assert features.tolist() == points
    assert labels.tolist() == [[float(x1 + x2 < 1)] for x1, x2 in points]


@pytest.mark.parametrize("seed", [1, 7])
def test_sales_are_those_of_the_source_to_the_last_bit(seed):
    points, noise = drawn_one_by_one(seed=seed, count=128)
    features, sales = data.simulate_source_sales(seed=seed)
    assert features.tolist() == points
    assert sales.tolist() == [
        [x1 + x2 + u / 10.0 - 0.05] for (x1, x2), u in zip(points, noise, strict=True)
    ]


def test_the_first_and_last_digits_of_the_source_stay_the_same():
    """The numbers are what ``drawn_one_by_one(seed=1, count=128)`` gave when written.

    NumPy promises never to change the draws of RandomState.
    """
    features, labels = data.simulate_source_classes(seed=1)
    _, sales = data.simulate_source_sales(seed=1)
    assert features[0].tolist() == [0.417022004702574, 0.7203244934421581]
    assert features[-1].tolist() == [0.604716100974053, 0.828845807980693]
    assert sales[[0, -1], 0].tolist() == [1.1448176486155424, 1.403952531478058]
    assert labels[:8, 0].tolist() == [0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0]
    assert labels.sum() == 61


@each_source
def test_the_data_of_the_source_are_columns_of_floats(simulate):
    features, labels = simulate(seed=3, count=5)
    assert (features.shape, labels.shape) == ((5, 2), (5, 1))
    assert features.dtype == labels.dtype == np.float64


def test_the_noise_of_the_sales_is_uniform():
    features, sales = data.simulate_source_sales(seed=0, count=20_000)
    noise = (sales - features.sum(axis=1, keepdims=True)).ravel()
    assert stats.kstest(noise, stats.uniform(-0.05, 0.1).cdf).pvalue > 0.01


def test_the_days_are_numbered_from_a_monday_at_the_start_of_a_year():
    sales = simulated(days=800)
    assert sales.day.tolist() == list(range(800))
    assert sales.weekday[:9].tolist() == [0, 1, 2, 3, 4, 5, 6, 0, 1]
    assert sales.year_position[0] == 0
    assert np.flatnonzero(np.diff(sales.year_position) < 0).tolist() == [365, 730]
    assert sales.day.dtype == sales.weekday.dtype == np.int64


def test_each_part_of_the_mean_is_what_it_is_called():
    flat = {"level": 50.0, "trend": 0.0, "weekly": np.zeros(7), "yearly": 0.0}
    days = np.arange(800)
    expected = {
        "level": np.full(800, 50.0),
        "trend": 50 + 4 * days / 365.25,
        "weekly": 50 + np.arange(7.0)[days % 7],
        "yearly": 50 - 10 * np.cos(2 * np.pi * days / 365.25),
    }
    settings = {"level": 50.0, "trend": 4.0, "weekly": np.arange(7.0), "yearly": 10.0}
    for part, value in settings.items():
        sales = simulated(days=800, **{**flat, part: value})
        np.testing.assert_allclose(sales.mean, expected[part], rtol=1e-12)


def test_the_parts_add_up_and_the_weekdays_of_the_default_cancel():
    whole = simulated(days=7 * 53)
    without_week = simulated(days=7 * 53, weekly=[0] * 7)
    difference = (whole.mean - without_week.mean).reshape(-1, 7)
    assert np.ptp(difference, axis=0) == pytest.approx(0, abs=1e-12)
    assert difference.sum(axis=1) == pytest.approx(0, abs=1e-11)


def test_nearly_without_noise_the_sales_are_the_mean():
    sales = simulated(noise=SMALL_NOISE)
    np.testing.assert_allclose(sales.sales, sales.mean, rtol=10 * SMALL_NOISE)
    np.testing.assert_allclose(sales.quantile(0.5), sales.mean, rtol=10 * SMALL_NOISE)


@pytest.mark.parametrize("noise", [0.1, 0.25, 0.8])
def test_sales_are_lognormal_around_the_mean(noise):
    sales = simulated(days=TWENTY_YEARS, noise=noise)
    shares = sales.sales / sales.mean
    truth = stats.lognorm(s=noise, scale=np.exp(-(noise**2) / 2))
    assert truth.mean() == pytest.approx(1, rel=1e-12)
    assert stats.kstest(shares, truth.cdf).pvalue > 0.01
    error = truth.std() / np.sqrt(TWENTY_YEARS)
    assert shares.mean() == pytest.approx(1, abs=4 * error)
    assert truth.std() == pytest.approx(np.sqrt(np.expm1(noise**2)), rel=1e-12)


def test_the_noise_grows_with_the_demand():
    sales = simulated(days=TWENTY_YEARS)
    residuals = np.abs(sales.sales - sales.mean)
    busy = sales.mean > np.median(sales.mean)
    ratio = residuals[busy].mean() / residuals[~busy].mean()
    expected = sales.mean[busy].mean() / sales.mean[~busy].mean()
    assert ratio == pytest.approx(expected, rel=0.1)
    assert expected > 1.5


@pytest.mark.parametrize("level", [0.01, 0.1, 0.5, 0.9, 0.99])
def test_the_quantile_is_that_of_scipy_and_covers_its_share(level):
    sales = simulated(days=TWENTY_YEARS)
    scale = sales.mean * np.exp(-(sales.noise**2) / 2)
    expected = stats.lognorm(s=sales.noise, scale=scale).ppf(level)
    np.testing.assert_allclose(sales.quantile(level), expected, rtol=1e-12)
    error = np.sqrt(level * (1 - level) / TWENTY_YEARS)
    covered = (sales.sales <= sales.quantile(level)).mean()
    assert covered == pytest.approx(level, abs=3 * error)


def test_a_vector_of_levels_gives_a_column_for_each():
    sales = simulated()
    table = sales.quantile([0.1, 0.9])
    assert table.shape == (40, 2)
    np.testing.assert_array_equal(table[:, 0], sales.quantile(0.1))
    np.testing.assert_array_equal(table[:, 1], sales.quantile(0.9))


@pytest.mark.parametrize("level", [0.3, 0.95])
def test_mean_and_quantiles_are_linear_in_the_features(level):
    sales = simulated(days=1000)
    features = sales.features()
    assert features.shape == (1000, 10)
    assert features.dtype == np.float64
    np.testing.assert_array_equal(features[:, 3:].sum(axis=1), 1)
    for truth in (sales.mean, sales.quantile(level)):
        weights = np.linalg.lstsq(features, truth, rcond=None)[0]
        np.testing.assert_allclose(features @ weights, truth, rtol=1e-10)


def test_the_weights_of_the_mean_are_the_settings():
    week = np.array([1.0, 2, 3, 4, 5, 6, 7])
    sales = simulated(days=1000, level=100.0, trend=12.0, weekly=week, yearly=30.0)
    weights = np.linalg.lstsq(sales.features(), sales.mean, rcond=None)[0]
    np.testing.assert_allclose(weights, [12, -30, 0, *(100 + week)], atol=1e-9)


def test_fewer_days_are_the_first_of_more():
    short, long = simulated(days=30), simulated(days=300)
    for name in ("day", "weekday", "year_position", "sales", "mean"):
        np.testing.assert_array_equal(getattr(short, name), getattr(long, name)[:30])


@each_simulator
def test_the_seed_decides_and_nothing_else(simulate):
    first = simulate(seed=5)
    np.random.default_rng().random()
    random.random()
    again, other = simulate(seed=5), simulate(seed=6)
    for part, same in zip(first, again, strict=True):
        assert np.array_equal(part, same)
    assert any(
        not np.array_equal(part, changed)
        for part, changed in zip(first, other, strict=True)
    )


@each_simulator
def test_the_seed_has_no_default(simulate):
    with pytest.raises(TypeError, match=r"required keyword-only argument: 'seed'$"):
        simulate()


@pytest.mark.parametrize(
    ("seed", "error", "message"),
    [
        (None, TypeError, "seed must be an integer, got None"),
        (1.0, TypeError, "seed must be an integer, got 1.0"),
        (-1, ValueError, "seed must lie in [0, 4294967295], got -1"),
        (2**32, ValueError, "seed must lie in [0, 4294967295], got 4294967296"),
    ],
)
@each_simulator
def test_refused_seeds(simulate, seed, error, message):
    with pytest.raises(error) as caught:
        simulate(seed=seed)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("count", "error", "message"),
    [
        (0, ValueError, "count must be at least 1, got 0"),
        (2.0, TypeError, "count must be an integer, got 2.0"),
    ],
)
@each_source
def test_refused_counts(simulate, count, error, message):
    with pytest.raises(error) as caught:
        simulate(seed=1, count=count)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"days": 0}, ValueError, "days must be at least 1, got 0"),
        ({"days": 1.5}, TypeError, "days must be an integer, got 1.5"),
        ({"level": "x"}, TypeError, "level must be an array of numbers, got 'x'"),
        ({"level": [1.0]}, ValueError, "level must have shape (), got (1,)"),
        ({"trend": np.nan}, ValueError, "trend must be finite, got nan"),
        ({"yearly": np.inf}, ValueError, "yearly must be finite, got inf"),
        ({"weekly": [0.0] * 6}, ValueError, "weekly must have shape (7,), got (6,)"),
        (
            {"weekly": [0.0] * 6 + [np.nan]},
            ValueError,
            "weekly must be finite, got nan at index (6,)",
        ),
        ({"noise": 0}, ValueError, "noise must be positive and finite, got 0.0"),
        ({"noise": [1.0]}, ValueError, "noise must have shape (), got (1,)"),
        (
            {"level": 15.0, "yearly": 0.0, "trend": 0.0},
            ValueError,
            "the mean of every day must be positive, got 0.0 at index (1,)",
        ),
    ],
    ids=str,
)
def test_refused_settings_of_the_daily_sales(settings, error, message):
    with pytest.raises(error) as caught:
        simulated(**settings)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("level", "error", "message"),
    [
        (0, ValueError, "level must lie strictly between 0 and 1, got 0.0"),
        (
            [0.5, 1.0],
            ValueError,
            "level must lie strictly between 0 and 1, got 1.0 at index (1,)",
        ),
        (np.nan, ValueError, "level must lie strictly between 0 and 1, got nan"),
        ("a", TypeError, "level must be an array of numbers, got 'a'"),
        (
            [[0.5]],
            ValueError,
            "level must be a number or a vector, got shape (1, 1)",
        ),
    ],
    ids=str,
)
def test_refused_levels(level, error, message):
    with pytest.raises(error) as caught:
        simulated().quantile(level)
    assert str(caught.value) == message
