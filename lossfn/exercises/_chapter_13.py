"""More than one device: a penalty, small batches, and shares that are not equal."""

from __future__ import annotations

import math

import numpy as np

from lossfn.exercises._answer import Answer, WrongAnswerError
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import expect_close, gradient_of


@exercise("ex-13-penalty", "penalty_part")
def penalty_part(answer: Answer) -> str:
    """What each replica adds to its part for a penalty of half the squared order."""
    part = answer.function("order", "strength", "replicas")
    for order, strength, replicas in ((3.0, 0.5, 8), (2.5, 1.0, 2)):
        whole = strength * order**2 / 2
        expect_close(
            part.array(order, strength, replicas),
            whole / replicas,
            given=f"order = {order:g}, strength = {strength:g} and replicas = "
            f"{replicas}",
            mistakes={
                "This is the whole penalty: the parts are added, so it would count "
                "once for each replica.": whole,
                "The parts are added: each has to be smaller, not larger.": (
                    whole * replicas
                ),
                "One half is missing: the penalty is half of the square.": (
                    2 * whole / replicas
                ),
                "This is the gradient of the penalty, and its value was asked for.": (
                    strength * order
                ),
                "This is the gradient of a part, and its value was asked for.": (
                    strength * order / replicas
                ),
                "The six days have nothing to do with it: a penalty does not depend "
                "on the examples.": whole / 6,
            },
        )
    return "Compared with the penalty over the number of replicas, for 2 and 8."


@exercise("ex-13-accumulate", "part_of_mean")
def part_of_mean(answer: Answer) -> str:
    """A small batch's part of the mean over the words of the large batch."""
    import tensorflow as tf

    part = answer.function("each", "valid", "words")
    # Not half of the words of the large batch: half of an own mean has to differ.
    valid = np.array([[True, True, True, True], [True, True, False, False]])
    each = np.where(valid, [[0.5], [2.0]], 0)
    words = 10
    expect_close(
        part.array(tf.constant(each), valid, words),
        each.sum() / words,
        given="losses of 6 words in 8 places, and words = 10 in the large batch",
        mistakes={
            "This is the mean of the small batch's own words.": each.sum() / 6,
            "This is half of the mean of the small batch's own words: a word of a "
            "short batch counts more.": each.sum() / 6 / 2,
            "This is the sum: divide by the words of the large batch.": each.sum(),
            "Do not halve it: the words of the large batch are those of both small "
            "ones.": each.sum() / words / 2,
            "This is the mean over all places of the small batch.": each.mean(),
        },
    )
    _expect_parts_add_up(part)
    gradient_of(
        Answer(part.name, lambda each: part.value(each, valid, words)),
        (tf.constant(each),),
    )
    return "Compared with the sum over the words of the large batch, in two batches."


def _expect_parts_add_up(part: Answer) -> None:
    """Compare with the mean of a large batch, whose second part is short."""
    import tensorflow as tf

    generator = np.random.default_rng(13)
    valid = np.arange(6) < np.array([6, 5, 1, 1])[:, None]
    each = np.where(valid, generator.exponential(size=valid.shape), 0)
    expect_close(
        sum(
            part.array(tf.constant(each[i : i + 2]), valid[i : i + 2], 13)
            for i in (0, 2)
        ),
        each[valid].mean(),
        given="sentences of 6, 5, 1 and 1 words, two in a batch,",
        what="the parts of your function add up to",
        mistakes={
            "That is the mean over all places: filling must not count.": each.mean()
        },
    )


@exercise("ex-13-ten", "factors")
def factors(answer: Answer) -> str:
    """What the examples of each replica count, relative to what they should."""
    count = answer.function("examples", "replicas")
    for examples, replicas in ((10, 4), (9, 4), (5, 2), (1, 2)):
        shares = _shares(examples, replicas)
        even = np.bincount(np.arange(examples) % replicas)
        got = count.array(examples, replicas)
        if got.shape == ():
            raise WrongAnswerError(
                "factors must return a number for each replica that has examples, "
                "got one number."
            )
        expect_close(
            got,
            examples / (replicas * shares),
            given=f"{examples} examples and {replicas} replicas",
            mistakes={
                "This is what an example counts: divide by the 1 / N that it should.": (
                    1 / (replicas * shares)
                ),
                "R is missing: each mean is divided by the number of replicas.": (
                    examples / shares
                ),
                "These are the shares: an example of a small one counts more.": shares,
                "Turned round: an example of a small share counts more.": (
                    replicas * shares / examples
                ),
                "The shares are not the most equal ones: each replica gets the size "
                "rounded up, until none are left.": examples / (replicas * even),
                "All replicas divide, also those without an example.": (
                    examples / (len(shares) * shares)
                ),
            },
        )
    return "Compared with N / (R N_r) for four batches."


def _shares(examples: int, replicas: int) -> np.ndarray:
    """Hand out the examples as the strategy does, until none are left."""
    shares, left = [], examples
    while left:
        shares.append(min(math.ceil(examples / replicas), left))
        left -= shares[-1]
    return np.array(shares)
