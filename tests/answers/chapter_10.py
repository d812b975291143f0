"""Answers to the exercises of chapter 10."""

import numpy as np

from tests.answers import Right, Wrong


def profits_of(mean, demand, factors):
    return np.array([profit(f * mean, demand).mean() for f in factors])


def profit(order, demand):
    return 11.0 * np.minimum(order, demand) - order


def by_error(power):
    def best_factor(mean, demand, factors):
        errors = [np.mean(np.abs(f * mean - demand) ** power) for f in factors]
        return factors[np.argmin(errors)]

    return best_factor


def by_exchanged_costs(mean, demand, factors):
    errors = [demand - f * mean for f in factors]
    return factors[np.argmin([np.where(e > 0, e, -10 * e).mean() for e in errors])]


def by_loop(mean, demand, factors):
    best = factors[0]
    for factor in factors:
        if profit(factor * mean, demand).sum() > profit(best * mean, demand).sum():
            best = factor
    return best


def choose(order="the same", adam="the same", descent="100 times as long"):
    return {
        "best order": order,
        "a step of Adam": adam,
        "a step of gradient descent": descent,
    }


WRONG = [
    Wrong(
        "ex-10-salvage",
        "exchanged",
        lambda r, k, v: (k - v, r - k),
        "For price = 3, unit_cost = 1 and salvage = 0.5 your function gives 0.5 at "
        "position 0, where 2 is right. The two are exchanged: the cost of a piece "
        "short comes first.",
    ),
    Wrong(
        "ex-10-salvage",
        "no salvage",
        lambda r, k, v: (r - k, k),
        "For price = 3, unit_cost = 1 and salvage = 0.5 your function gives 1 at "
        "position 1, where 0.5 is right. The salvage value is not used: a piece "
        "that is left brings it.",
    ),
    Wrong(
        "ex-10-salvage",
        "salvage alone",
        lambda r, k, v: (r - k, v),
        "For price = 11, unit_cost = 4 and salvage = 1 your function gives 1 at "
        "position 1, where 3 is right. A piece that is left was paid for: it costs "
        "what you do not get back.",
    ),
    Wrong(
        "ex-10-salvage",
        "sum",
        lambda r, k, v: (r - k, k + v),
        "For price = 3, unit_cost = 1 and salvage = 0.5 your function gives 1.5 at "
        "position 1, where 0.5 is right. The salvage value is what you get back: "
        "take it away from the cost.",
    ),
    Wrong(
        "ex-10-salvage",
        "price",
        lambda r, k, v: (r, k - v),
        "For price = 3, unit_cost = 1 and salvage = 0.5 your function gives 3 at "
        "position 0, where 2 is right. A piece that is short was not bought either:"
        " it costs the profit on it, not the price.",
    ),
    Wrong(
        "ex-10-salvage",
        "left at the price",
        lambda r, k, v: (r - k, r - v),
        "For price = 3, unit_cost = 1 and salvage = 0.5 your function gives 2.5 at "
        "position 1, where 0.5 is right. A piece that is left was bought at the unit "
        "cost, not at the price.",
    ),
    Wrong(
        "ex-10-salvage",
        "both",
        lambda r, k, v: (r - k - v, k - v),
        "For price = 3, unit_cost = 1 and salvage = 0.5 your function gives 1.5 at "
        "position 0, where 2 is right. A piece that is short cannot be left: the "
        "salvage value is no part of the underage cost.",
    ),
    Wrong(
        "ex-10-salvage",
        "half of the cost",
        lambda r, k, v: (r - k, k / 2),
        "For price = 11, unit_cost = 4 and salvage = 1 your function gives 2 at "
        "position 1, where 3 is right. Half of the cost is one salvage value: use "
        "the argument.",
    ),
    Wrong(
        "ex-10-salvage",
        "level",
        lambda r, k, v: (r - k) / (r - v),
        "costs_with_salvage must return two numbers, the underage cost and the "
        "overage cost, got shape ().",
    ),
    Wrong(
        "ex-10-factor",
        "place",
        lambda m, d, f: np.argmax(profits_of(m, d, f)),
        "For 200 days and factors from 0.5 to 2 your function gives 19, and 1.45 is"
        " right. This is the place of the factor in the list: return the factor.",
    ),
    Wrong(
        "ex-10-factor",
        "profit",
        lambda m, d, f: np.max(profits_of(m, d, f)),
        "For 200 days and factors from 0.5 to 2 your function gives 724.2, and 1.45"
        " is right. This is the profit: return the factor that earns it.",
    ),
    Wrong(
        "ex-10-factor",
        "smallest",
        lambda m, d, f: f[np.argmin(profits_of(m, d, f))],
        "For 200 days and factors from 0.5 to 2 your function gives 0.5, and 1.45 "
        "is right. This factor earns least.",
    ),
    Wrong(
        "ex-10-factor",
        "exchanged",
        by_exchanged_costs,
        "For 200 days and factors from 0.5 to 2 your function gives 0.65, and 1.45 "
        "is right. The costs are exchanged: a missing piece is the dear one.",
    ),
    Wrong(
        "ex-10-factor",
        "squared error",
        by_error(2),
        "For 200 days and factors from 0.5 to 2 your function gives 1.05, and 1.45 "
        "is right. This factor has the smallest squared error: the profit was asked"
        " for.",
    ),
    Wrong(
        "ex-10-factor",
        "absolute error",
        by_error(1),
        "For 200 days and factors from 0.5 to 2 your function gives 1, and 1.45 is "
        "right. This factor has the smallest absolute error: the profit was asked "
        "for.",
    ),
    Wrong(
        "ex-10-factor",
        "sales",
        lambda m, d, f: f[np.argmax([np.minimum(g * m, d).mean() for g in f])],
        "For 200 days and factors from 0.5 to 2 your function gives 2, and 1.45 is "
        "right. This factor sells most: what is left has been paid for too.",
    ),
    Wrong(
        "ex-10-factor",
        "all profits",
        profits_of,
        "For 200 days and factors from 0.5 to 2 your answer has shape (31,), and "
        "must be one number.",
    ),
    Wrong(
        "ex-10-ratio",
        "larger order",
        choose(order="larger"),
        "best order: not larger. A short piece is dearer, but so is one that is "
        "left: look at the critical fractile.",
    ),
    Wrong(
        "ex-10-ratio",
        "order",
        choose(order="100 times as large"),
        "best order: not 100 times as large. The critical fractile is a ratio of "
        "the costs.",
    ),
    Wrong(
        "ex-10-ratio",
        "Adam",
        choose(adam="100 times as long"),
        "a step of Adam: not 100 times as long. Adam divides a step by the size of "
        "the gradients.",
    ),
    Wrong(
        "ex-10-ratio",
        "Adam short",
        choose(adam="100 times as short"),
        "a step of Adam: not 100 times as short. Adam divides by the size of the "
        "gradients, and multiplies by the gradient: the factor cancels.",
    ),
    Wrong(
        "ex-10-ratio",
        "descent",
        choose(descent="the same"),
        "a step of gradient descent: not the same. It is the learning rate times "
        "the gradient, and nothing divides the factor out.",
    ),
    Wrong(
        "ex-10-ratio",
        "descent short",
        choose(descent="100 times as short"),
        "a step of gradient descent: not 100 times as short. A gradient is as large"
        " as the loss is steep, and the loss is steeper.",
    ),
    Wrong(
        "ex-10-ratio",
        "open",
        choose(adam=None),
        "Your choice for 'a step of Adam' is still to be made.",
    ),
    Wrong(
        "ex-10-ratio",
        "no choice",
        choose(adam="same"),
        "The choice for 'a step of Adam' must be one of 100 times as long, 100 "
        "times as short, the same, got 'same'.",
    ),
]

RIGHT = [
    Right("ex-10-salvage", "array", lambda r, k, v: np.array([r, k]) - [k, v]),
    Right("ex-10-factor", "loop", by_loop),
    Right("ex-10-ratio", "dict", choose()),
]
