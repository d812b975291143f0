"""The sales forecaster: costs with a salvage value, a factor, and what a scale does."""

from __future__ import annotations

import numpy as np

from lossfn.exercises._answer import Answer, WrongAnswerError
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import expect_choices, expect_close


@exercise("ex-10-salvage", "costs_with_salvage")
def costs_with_salvage(answer: Answer) -> str:
    """A function of price, unit cost and salvage value: underage and overage cost."""
    costs = answer.function("price", "unit_cost", "salvage")
    for r, k, v in ((3.0, 1.0, 0.5), (11.0, 4.0, 1.0)):
        got = costs.array(r, k, v)
        if got.shape != (2,):
            raise WrongAnswerError(
                "costs_with_salvage must return two numbers, the underage cost and "
                f"the overage cost, got shape {got.shape}."
            )
        expect_close(
            got,
            # What the profit of one piece loses: by not having it, and by having it.
            [(r - k) - 0, 0 - (v - k)],
            given=f"price = {r:g}, unit_cost = {k:g} and salvage = {v:g}",
            mistakes={
                "The two are exchanged: the cost of a piece short comes first.": [
                    k - v,
                    r - k,
                ],
                "The salvage value is not used: a piece that is left brings it.": [
                    r - k,
                    k,
                ],
                "A piece that is left was paid for: it costs what you do not get "
                "back.": [r - k, v],
                "The salvage value is what you get back: take it away from the cost.": [
                    r - k,
                    k + v,
                ],
                "A piece that is short was not bought either: it costs the profit on "
                "it, not the price.": [r, k - v],
                "A piece that is short cannot be left: the salvage value is no part "
                "of the underage cost.": [r - k - v, k - v],
                "A piece that is left was bought at the unit cost, not at the price.": [
                    r - k,
                    r - v,
                ],
                "Half of the cost is one salvage value: use the argument.": [
                    r - k,
                    k / 2,
                ],
            },
        )
    return "Compared with what a piece too few and a piece too many lose."


@exercise("ex-10-factor", "best_factor")
def best_factor(answer: Answer) -> str:
    """A function of means, demands and factors: the factor with the largest profit."""
    factor = answer.function("mean", "demand", "factors")
    generator = np.random.default_rng(10)
    mean = generator.uniform(50, 100, size=200)
    demand = mean * generator.lognormal(sigma=0.3, size=200)
    factors = np.linspace(0.5, 2, 31)
    orders = factors[:, None] * mean
    profits = (11 * np.minimum(orders, demand) - orders).mean(axis=1)
    turned = np.where(orders < demand, demand - orders, 10 * (orders - demand))
    errors = orders - demand
    expect_close(
        factor.array(mean, demand, factors),
        factors[profits.argmax()],
        given="200 days and factors from 0.5 to 2",
        mistakes={
            "This is the place of the factor in the list: return the factor.": (
                profits.argmax()
            ),
            "This is the profit: return the factor that earns it.": profits.max(),
            "This factor earns least.": factors[profits.argmin()],
            "The costs are exchanged: a missing piece is the dear one.": (
                factors[turned.mean(axis=1).argmin()]
            ),
            "This factor has the smallest squared error: the profit was asked for.": (
                factors[(errors**2).mean(axis=1).argmin()]
            ),
            "This factor has the smallest absolute error: the profit was asked for.": (
                factors[np.abs(errors).mean(axis=1).argmin()]
            ),
            "This factor sells most: what is left has been paid for too.": (
                factors[np.minimum(orders, demand).mean(axis=1).argmax()]
            ),
        },
    )
    return "Compared with the profits of 31 factors on 200 days."


@exercise("ex-10-ratio", "times_hundred")
def times_hundred(answer: Answer) -> str:
    """A dict: what both costs times 100 change in the order and in the steps."""
    shrink = "A gradient is as large as the loss is steep, and the loss is steeper."
    expect_choices(
        answer,
        {
            "best order": "the same",
            "a step of Adam": "the same",
            "a step of gradient descent": "100 times as long",
        },
        {
            ("best order", "100 times as large"): (
                "The critical fractile is a ratio of the costs."
            ),
            ("best order", "larger"): (
                "A short piece is dearer, but so is one that is left: look at the "
                "critical fractile."
            ),
            ("a step of Adam", "100 times as long"): (
                "Adam divides a step by the size of the gradients."
            ),
            ("a step of Adam", "100 times as short"): (
                "Adam divides by the size of the gradients, and multiplies by the "
                "gradient: the factor cancels."
            ),
            ("a step of gradient descent", "the same"): (
                "It is the learning rate times the gradient, and nothing divides the "
                "factor out."
            ),
            ("a step of gradient descent", "100 times as short"): shrink,
        },
    )
    return "Compared with the critical fractile and with the two rules of a step."
