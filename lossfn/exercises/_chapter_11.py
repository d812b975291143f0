"""Quantile regression: a widened interval, a score for intervals, and a level."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from lossfn.exercises._answer import Answer, WrongAnswerError
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import expect_close


@exercise("ex-11-conformal", "widening")
def widening(answer: Answer) -> str:
    """A function of intervals, truths and a coverage: what to widen both sides by."""
    widen = answer.function("interval", "y", "coverage")
    for count, coverage in ((57, 0.9), (20, 0.8)):
        generator = np.random.default_rng(count)
        y = generator.normal(size=count)
        interval = y[:, None] + generator.normal([-1.0, 1.5], 0.8, size=(count, 2))
        low, high = interval.T
        nth = partial(_nth_smallest, np.maximum(low - y, y - high))
        rank = math.ceil(coverage * (count + 1))
        expect_close(
            widen.array(interval, y, coverage),
            nth(rank),
            given=f"{count} households and coverage = {coverage}",
            mistakes={
                "The rank is counted among the measured households alone: the new "
                "one makes them one more.": nth(math.ceil(coverage * count)),
                "This is the next larger distance: a list begins with the index 0.": (
                    nth(rank + 1)
                ),
                "This is the next smaller distance: round the rank up.": nth(rank - 1),
                "You took the k-th largest distance.": nth(count + 1 - rank),
                "This is np.quantile, which interpolates: take the k-th smallest "
                "distance itself.": np.quantile(nth.args[0], coverage),
                "This is np.quantile, which interpolates and does not count the new "
                "household.": np.quantile(nth.args[0], rank / count),
                "Outside on one side is enough: take the larger of the two "
                "distances.": _nth_smallest(np.minimum(low - y, y - high), rank),
                "The distances are taken without their sign: inside they are "
                "negative.": _nth_smallest(
                    np.maximum(np.abs(low - y), np.abs(y - high)), rank
                ),
                "The sign of the distances is wrong: outside they are positive.": (
                    _nth_smallest(np.minimum(y - low, high - y), rank)
                ),
                "The distances of households inside were set to 0: leave them "
                "negative.": max(nth(rank), 0),
            },
        )
    return "Compared with the k-th smallest distance of 57 and of 20 households."


def _nth_smallest(distances: np.ndarray, rank: int) -> float:
    return float(np.sort(distances)[rank - 1])


@exercise("ex-11-score", "interval_score")
def interval_score(answer: Answer) -> str:
    """A function of truths and intervals from 5% to 95%: one score a household."""
    score = answer.function("y", "interval")
    interval = np.array([[300.0, 500.0], [400.0, 700.0], [200.0, 260.0]])
    y = np.array([420.0, 760.0, 150.0])
    low, high = interval.T
    got = score.array(y, interval)
    _expect_each(got, y.shape)
    width = high - low
    missed = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    right = 0.05 * width + missed
    crossed = 0.95 * np.abs(y - low) + 0.95 * np.abs(y - high)
    expect_close(
        got,
        right,
        given="intervals [300, 500], [400, 700], [200, 260] and y = [420, 760, 150]",
        mistakes={
            "This is the width: a household outside has to cost more.": width,
            "The width costs nothing here: a wide interval would be free.": missed,
            "The two levels are exchanged: the lower end is the 5% quantile.": (
                0.95 * (np.maximum(y - low, 0) + np.maximum(high - y, 0))
                + 0.05 * (np.maximum(low - y, 0) + np.maximum(y - high, 0))
            ),
            "Each end needs the pinball loss of its own level.": (
                _pinball(y, low, 0.95) + _pinball(y, high, 0.95)
            ),
            "Each end needs the pinball loss of its level: 5% for the lower one and "
            "95% for the upper one.": _pinball(y, low, 0.05) + _pinball(y, high, 0.05),
            "This is the mean of the two ends: add them up.": right / 2,
            "These are the absolute errors of the ends.": crossed / 0.95,
            "This is the interval score of the literature, 2 / 0.1 = 20 times the "
            "sum of the two pinball losses.": 20 * right,
        },
        rtol=1e-4,
    )
    return "Compared with 0.05 times the width plus the distance outside."


def _expect_each(got: np.ndarray, shape: tuple[int, ...]) -> None:
    if got.shape == ():
        raise WrongAnswerError(
            "Your function returns one number: return one for each household, and take "
            "means of them later."
        )
    if got.shape == (*shape, 2):
        raise WrongAnswerError(
            "Your function returns a loss for each end: add up the two ends of each "
            "household."
        )


def _pinball(y: np.ndarray, f: np.ndarray, q: float) -> np.ndarray:
    return np.where(y > f, q * (y - f), (1 - q) * (f - y))


@exercise("ex-11-kiosk", "fractile")
def fractile(answer: Answer) -> str:
    """The level of the quantile that the kiosk should order."""
    expect_close(
        answer.numbers(),
        2 / 3,
        what="your level is",
        mistakes={
            "The two costs are exchanged: a drink short is the dear one.": 1 / 3,
            "A drink short costs the profit, 3 - 1, and not the price.": 3 / 4,
            "This is the ratio of the two costs: the level is the part of c_u in "
            "their sum.": 2.0,
            "This is the median, which is right for two equal costs.": 1 / 2,
            "A level lies between 0 and 1: this is in per cent.": 200 / 3,
        },
        rtol=1e-3,
    )
    return "Compared with c_u / (c_u + c_o)."
