"""Data drawn from rules that are known, so that a result can be held against them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from lossfn import _check
from lossfn.data._seed import as_seed

DAYS_PER_YEAR = 365.25

# Pieces a day above the level, Monday first; they sum to 0.
_WEEK = (-10.0, -15.0, -10.0, 0.0, 15.0, 30.0, -10.0)


def simulate_source_classes(
    *, seed: int, count: int = 128
) -> tuple[np.ndarray, np.ndarray]:
    r"""Draw points of the unit square, and whether they lie below its diagonal.

    With :math:`x_1` and :math:`x_2` uniform on [0, 1) and independent,

    .. math:: y = 1 \text{ if } x_1 + x_2 < 1, \text{ else } 0.

    Both classes are equally likely, and a line tells them apart. These are the data of
    the source's classifier: ``seed=1`` with the 128 points of the default gives its
    training set, bit for bit, because NumPy keeps the draws of its old ``RandomState``
    for ever.

    Args:
        seed: decides the draws; an integer from 0 to 2**32 - 1.
        count: the number of points :math:`N`, at least 1.

    Returns:
        The features :math:`(x_1, x_2)`, shape (N, 2), and the labels, shape (N, 1), 0
        or 1; both float64.

    Raises:
        TypeError: if ``seed`` or ``count`` is not an integer.
        ValueError: if ``seed`` or ``count`` is out of range.

    Examples:
        >>> features, labels = simulate_source_classes(seed=1)
        >>> features.shape, labels.shape, int(labels.sum())
        ((128, 2), (128, 1), 61)
        >>> print(features[0].round(6), labels[0])
        [0.417022 0.720324] [0.]
    """
    features = _uniform(np.random.RandomState(as_seed(seed)), count, 2)
    labels = (features[:, :1] + features[:, 1:] < 1).astype(np.float64)
    return features, labels


def simulate_source_sales(
    *, seed: int, count: int = 128
) -> tuple[np.ndarray, np.ndarray]:
    r"""Draw the sales of the source's forecaster: a sum with a little noise.

    With :math:`x_1`, :math:`x_2` and :math:`u` uniform on [0, 1) and independent,

    .. math:: y = x_1 + x_2 + \frac{u}{10} - \frac{1}{20},

    so that the noise is uniform on [-0.05, 0.05) and the mean of the sales is
    :math:`x_1 + x_2`. ``seed=1`` with the 128 examples of the default gives the
    source's training set, bit for bit: all features are drawn first, then all noise.

    Args:
        seed: decides the draws; an integer from 0 to 2**32 - 1.
        count: the number of examples :math:`N`, at least 1.

    Returns:
        The features :math:`(x_1, x_2)`, shape (N, 2), and the sales, shape (N, 1);
        both float64.

    Raises:
        TypeError: if ``seed`` or ``count`` is not an integer.
        ValueError: if ``seed`` or ``count`` is out of range.

    Examples:
        >>> features, sales = simulate_source_sales(seed=1)
        >>> features.shape, sales.shape
        ((128, 2), (128, 1))
        >>> noise = sales - features.sum(axis=1, keepdims=True)
        >>> bool(abs(noise).max() <= 0.05)
        True
    """
    generator = np.random.RandomState(as_seed(seed))
    features = _uniform(generator, count, 2)
    noise = _uniform(generator, count, 1) / 10.0
    # In the source's order of operations: another order differs in the last bit.
    return features, features[:, :1] + features[:, 1:] + noise - 0.05


class DailySales(NamedTuple):
    r"""Simulated sales of :math:`D` days, with what a model may know and the truth.

    Attributes:
        day: the number of the day, 0, 1, ..., shape (D,), int64.
        weekday: 0 for Monday to 6 for Sunday, shape (D,), int64. Day 0 is a Monday.
        year_position: the part of the year that has gone by, in [0, 1), shape (D,),
            float64. Day 0 is the first of a year.
        sales: pieces sold on the day, shape (D,), float64, positive, not rounded.
        mean: the true mean of the day's sales, pieces, shape (D,), float64.
        noise: :math:`\sigma`, the standard deviation of the logarithm of the sales,
            the same for every day.

    Examples:
        >>> sales = simulate_daily_sales(days=8, seed=0)
        >>> sales.weekday
        array([0, 1, 2, 3, 4, 5, 6, 0])
        >>> bool(np.all(sales.quantile(0.1) < sales.quantile(0.9)))
        True
    """

    day: np.ndarray
    weekday: np.ndarray
    year_position: np.ndarray
    sales: np.ndarray
    mean: np.ndarray
    noise: float

    def quantile(self, level: float | Sequence[float]) -> np.ndarray:
        r"""Return the true quantile of each day's sales.

        The logarithm of the sales is normal with standard deviation :math:`\sigma` and
        mean :math:`\log\mu_d - \sigma^2/2`, so that with the quantile function
        :math:`\Phi^{-1}` of the standard normal distribution

        .. math:: Q_d(q) = \mu_d \exp\bigl(\sigma\,\Phi^{-1}(q) - \sigma^2/2\bigr).

        Args:
            level: :math:`q`, strictly between 0 and 1: one number, or a vector of Q.

        Returns:
            Pieces a day, shape (D,), or (D, Q) for a vector; float64.

        Raises:
            TypeError: if ``level`` is not a number or a vector of numbers.
            ValueError: if ``level`` has another shape or an entry is out of range.
        """
        levels = _check.as_floats("level", level)
        inside = (levels > 0) & (levels < 1)
        _check.all_valid("level", levels, inside, "lie strictly between 0 and 1")
        if levels.ndim > 1:
            shape = _check.shape_text(levels.shape)
            raise ValueError(f"level must be a number or a vector, got shape {shape}")
        normal = np.vectorize(NormalDist().inv_cdf, otypes=[np.float64])(levels)
        factor = np.exp(self.noise * normal - self.noise**2 / 2)
        return np.multiply.outer(self.mean, factor)

    def features(self) -> np.ndarray:
        """Return features in which the mean and every quantile are linear.

        Returns:
            Ten columns, shape (D, 10), float64. They are the years gone by, the cosine
            and the sine of the position in the year, and one indicator for each
            weekday, Monday first. The indicators add up to 1, so that a model needs no
            bias.
        """
        angle = 2 * np.pi * self.year_position
        weekdays = self.weekday[:, None] == np.arange(7)
        years = self.day / DAYS_PER_YEAR
        return np.column_stack([years, np.cos(angle), np.sin(angle), weekdays])


def simulate_daily_sales(
    *,
    days: int,
    seed: int,
    level: float = 100.0,
    trend: float = 10.0,
    weekly: Sequence[float] = _WEEK,
    yearly: float = 20.0,
    noise: float = 0.25,
) -> DailySales:
    r"""Draw daily sales with seasons, a trend, and noise that grows with demand.

    After :math:`t = d / 365.25` years, on day :math:`d` with weekday :math:`w`, the
    mean of the sales is

    .. math:: \mu_d = \text{level} + \text{trend} \cdot t + \text{weekly}_w
        - \text{yearly} \cdot \cos(2\pi t),

    lowest around the new year and highest in the middle of the year. The sales are
    lognormal around it: with :math:`z_d` standard normal and :math:`\sigma` the noise,

    .. math:: y_d = \mu_d \exp\bigl(\sigma z_d - \sigma^2/2\bigr), \qquad
        \mathbb{E}\,y_d = \mu_d, \qquad
        \mathrm{std}\,y_d = \mu_d \sqrt{e^{\sigma^2} - 1}.

    So sales are positive, their spread is a fixed share of their mean, and every
    quantile is the mean times a number: :meth:`DailySales.quantile` gives it. Mean and
    quantiles are linear in :meth:`DailySales.features`, so that a linear model can be
    held against the truth.

    Args:
        days: the number of days :math:`D`, at least 1. With the same seed, fewer days
            are the first of more.
        seed: decides the noise; an integer from 0 to 2**32 - 1.
        level: pieces a day.
        trend: pieces a day, for each year that goes by.
        weekly: pieces a day for each of the 7 weekdays, Monday first.
        yearly: half of the difference between midsummer and new year, pieces a day.
        noise: :math:`\sigma`, positive: about the spread as a share of the mean.

    Returns:
        The days, the sales and the truth about them.

    Raises:
        TypeError: if an argument has the wrong kind of value.
        ValueError: if a value is out of range, ``weekly`` has not 7 entries, or the
            mean of a day would not be positive.

    Examples:
        >>> sales = simulate_daily_sales(days=3653, seed=0)
        >>> sales.features().shape
        (3653, 10)
        >>> print(f"{(sales.sales < sales.quantile(0.9)).mean():.2f}")
        0.90

    References:
        N. L. Johnson, S. Kotz and N. Balakrishnan, "Continuous Univariate
        Distributions", volume 1, 2nd edition, Wiley, 1994, chapter 14.
    """
    day = np.arange(_check.whole_number("days", days, 1))
    noise = float(_scalar("noise", _check.positive("noise", noise)))
    years = day / DAYS_PER_YEAR
    weekday, year_position = day % 7, years % 1.0
    mean = (
        _scalar("level", level)
        + _scalar("trend", trend) * years
        + _week(weekly)[weekday]
        - _scalar("yearly", yearly) * np.cos(2 * np.pi * years)
    )
    _check.all_valid("the mean of every day", mean, mean > 0, "be positive")
    normal = np.random.default_rng(as_seed(seed)).standard_normal(len(day))
    sales = mean * np.exp(noise * normal - noise**2 / 2)
    return DailySales(day, weekday, year_position, sales, mean, noise)


def _uniform(generator: np.random.RandomState, count: int, columns: int) -> np.ndarray:
    return generator.rand(_check.whole_number("count", count, 1), columns)


def _scalar(name: str, value: object) -> np.ndarray:
    return _finite(name, value, ())


def _week(value: object) -> np.ndarray:
    return _finite("weekly", value, (7,))


def _finite(name: str, value: object, shape: tuple[int, ...]) -> np.ndarray:
    numbers = _check.as_floats(name, value)
    _check.all_valid(name, numbers, np.isfinite(numbers), "be finite")
    if numbers.shape != shape:
        expected, got = _check.shape_text(shape), _check.shape_text(numbers.shape)
        raise ValueError(f"{name} must have shape {expected}, got {got}")
    return numbers
