"""Answers to the exercises of chapter 11."""

import numpy as np

from lossfn import losses
from tests.answers import Right, Wrong


def outside(interval, y):
    return np.maximum(interval[:, 0] - y, y - interval[:, 1])


def at_rank(rank, distances=outside):
    def widening(interval, y, coverage):
        return np.sort(distances(interval, y))[rank(coverage, len(y)) - 1]

    return widening


def right_rank(coverage, count):
    return int(np.ceil(coverage * (count + 1)))


def smaller_distance(interval, y):
    return np.minimum(interval[:, 0] - y, y - interval[:, 1])


def absolute(interval, y):
    return np.abs(y[:, np.newaxis] - interval).max(axis=1)


def inside(interval, y):
    return -outside(interval, y)


def both_ends(low, high):
    def interval_score(y, interval):
        return losses.pinball(y, interval[:, 0], quantile=low) + losses.pinball(
            y, interval[:, 1], quantile=high
        )

    return interval_score


def of_ends(y, interval):
    y = np.repeat(y[:, np.newaxis], 2, axis=1)
    return losses.pinball(y, interval, quantile=np.array([0.05, 0.95]))


def misses(y, interval):
    return np.maximum(outside(interval, y), 0)


def by_partition(interval, y, coverage):
    k = right_rank(coverage, len(y))
    return np.partition(outside(interval, y), k - 1)[k - 1]


WRONG = [
    Wrong(
        "ex-11-conformal",
        "without new",
        at_rank(lambda c, n: int(np.ceil(c * n))),
        "For 57 households and coverage = 0.9 your function gives -0.06742, and "
        "-0.04403 is right. The rank is counted among the measured households "
        "alone: the new one makes them one more.",
    ),
    Wrong(
        "ex-11-conformal",
        "off by one",
        at_rank(lambda c, n: right_rank(c, n) + 1),
        "For 57 households and coverage = 0.9 your function gives 0.06144, and "
        "-0.04403 is right. This is the next larger distance: a list begins with "
        "the index 0.",
    ),
    Wrong(
        "ex-11-conformal",
        "rounded down",
        at_rank(lambda c, n: int(c * (n + 1))),
        "For 57 households and coverage = 0.9 your function gives -0.06742, and "
        "-0.04403 is right. The rank is counted among the measured households "
        "alone: the new one makes them one more.",
    ),
    Wrong(
        "ex-11-conformal",
        "largest",
        at_rank(lambda c, n: 1 - right_rank(c, n)),
        "For 57 households and coverage = 0.9 your function gives -1.685, and "
        "-0.04403 is right. You took the k-th largest distance.",
    ),
    Wrong(
        "ex-11-conformal",
        "quantile",
        lambda i, y, c: np.quantile(outside(i, y), c),
        "For 57 households and coverage = 0.9 your function gives -0.1091, and "
        "-0.04403 is right. This is np.quantile, which interpolates: take the k-th "
        "smallest distance itself.",
    ),
    Wrong(
        "ex-11-conformal",
        "smaller distance",
        at_rank(right_rank, smaller_distance),
        "For 57 households and coverage = 0.9 your function gives -0.8985, and "
        "-0.04403 is right. Outside on one side is enough: take the larger of the "
        "two distances.",
    ),
    Wrong(
        "ex-11-conformal",
        "absolute",
        at_rank(right_rank, absolute),
        "For 57 households and coverage = 0.9 your function gives 2.583, and "
        "-0.04403 is right. The distances are taken without their sign: inside they"
        " are negative.",
    ),
    Wrong(
        "ex-11-conformal",
        "inside",
        at_rank(right_rank, inside),
        "For 57 households and coverage = 0.9 your function gives 1.685, and "
        "-0.04403 is right. The sign of the distances is wrong: outside they are "
        "positive.",
    ),
    Wrong(
        "ex-11-conformal",
        "distances",
        lambda i, y, c: outside(i, y),
        "For 57 households and coverage = 0.9 your answer has shape (57,), and "
        "must be one number.",
    ),
    Wrong(
        "ex-11-score",
        "width",
        lambda y, i: i[:, 1] - i[:, 0],
        "For intervals [300, 500], [400, 700], [200, 260] and y = [420, 760, 150] "
        "your function gives 200 at position 0, where 10 is right. This is the "
        "width: a household outside has to cost more.",
    ),
    Wrong(
        "ex-11-score",
        "misses",
        misses,
        "For intervals [300, 500], [400, 700], [200, 260] and y = [420, 760, 150] "
        "your function gives 0 at position 0, where 10 is right. The width costs "
        "nothing here: a wide interval would be free.",
    ),
    Wrong(
        "ex-11-score",
        "exchanged",
        both_ends(0.95, 0.05),
        "For intervals [300, 500], [400, 700], [200, 260] and y = [420, 760, 150] "
        "your function gives 190 at position 0, where 10 is right. The two levels "
        "are exchanged: the lower end is the 5% quantile.",
    ),
    Wrong(
        "ex-11-score",
        "lower level twice",
        both_ends(0.05, 0.05),
        "For intervals [300, 500], [400, 700], [200, 260] and y = [420, 760, 150] "
        "your function gives 82 at position 0, where 10 is right. Each end needs "
        "the pinball loss of its level: 5% for the lower one and 95% for the upper "
        "one.",
    ),
    Wrong(
        "ex-11-score",
        "upper level twice",
        both_ends(0.95, 0.95),
        "For intervals [300, 500], [400, 700], [200, 260] and y = [420, 760, 150] "
        "your function gives 118 at position 0, where 10 is right. Each end needs "
        "the pinball loss of its own level.",
    ),
    Wrong(
        "ex-11-score",
        "mean of ends",
        lambda y, i: np.mean(of_ends(y, i), 1),
        "For intervals [300, 500], [400, 700], [200, 260] and y = [420, 760, 150] "
        "your function gives 5 at position 0, where 10 is right. This is the mean "
        "of the two ends: add them up.",
    ),
    Wrong(
        "ex-11-score",
        "two columns",
        of_ends,
        "Your function returns a loss for each end: add up the two ends of each "
        "household.",
    ),
    Wrong(
        "ex-11-score",
        "mean",
        lambda y, i: np.sum(of_ends(y, i)) / len(y),
        "Your function returns one number: return one for each household, and take "
        "means of them later.",
    ),
    Wrong(
        "ex-11-score",
        "of the literature",
        lambda y, i: i[:, 1] - i[:, 0] + 20 * misses(y, i),
        "For intervals [300, 500], [400, 700], [200, 260] and y = [420, 760, 150] "
        "your function gives 200 at position 0, where 10 is right. This is the "
        "interval score of the literature, 2 / 0.1 = 20 times the sum of the two "
        "pinball losses.",
    ),
    Wrong(
        "ex-11-kiosk",
        "exchanged",
        1 / 3,
        "Your level is 0.3333, which is too small. The two costs are exchanged: a "
        "drink short is the dear one.",
    ),
    Wrong(
        "ex-11-kiosk",
        "price",
        0.75,
        "Your level is 0.75, which is too large. A drink short costs the profit, 3"
        " - 1, and not the price.",
    ),
    Wrong(
        "ex-11-kiosk",
        "ratio",
        2 / 1,
        "Your level is 2, which is too large. This is the ratio of the two costs: "
        "the level is the part of c_u in their sum.",
    ),
    Wrong(
        "ex-11-kiosk",
        "median",
        0.5,
        "Your level is 0.5, which is too small. This is the median, which is right"
        " for two equal costs.",
    ),
    Wrong(
        "ex-11-kiosk",
        "per cent",
        66.7,
        "Your level is 66.7, which is too large. A level lies between 0 and 1: "
        "this is in per cent.",
    ),
    Wrong(
        "ex-11-kiosk", "0 / 0", float("nan"), "Your level is nan, which is no number."
    ),
]

RIGHT = [
    Right("ex-11-conformal", "partition", by_partition),
    Right("ex-11-score", "two losses", both_ends(0.05, 0.95)),
    Right("ex-11-kiosk", "rounded", 0.6667),
]
