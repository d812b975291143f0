"""Answers to the exercises of chapter 13."""

import numpy as np
import tensorflow as tf

from lossfn import losses
from tests.answers import Right, Wrong


def of_shares(factor, even=False, zeros=False):
    def factors(examples, replicas):
        largest = -(-examples // replicas)
        shares = np.clip(examples - largest * np.arange(replicas), 0, largest)
        if even:
            shares = np.bincount(np.arange(examples) % replicas)
        used = shares if zeros else shares[shares > 0]
        return factor(examples, replicas, used)

    return factors


def one_by_one(examples, replicas):
    largest = int(np.ceil(examples / replicas))
    batch = range(examples)
    parts = [batch[i : i + largest] for i in range(0, examples, largest)]
    return [(1 / len(part) / replicas) / (1 / examples) for part in parts]


WRONG = [
    Wrong(
        "ex-13-penalty",
        "whole",
        lambda y, s, r: s * y**2 / 2,
        "For order = 3, strength = 0.5 and replicas = 8 your function gives 2.25, "
        "and 0.2812 is right. This is the whole penalty: the parts are added, so it"
        " would count once for each replica.",
    ),
    Wrong(
        "ex-13-penalty",
        "times",
        lambda y, s, r: r * s * y**2 / 2,
        "For order = 3, strength = 0.5 and replicas = 8 your function gives 18, and"
        " 0.2812 is right. The parts are added: each has to be smaller, not larger.",
    ),
    Wrong(
        "ex-13-penalty",
        "no half",
        lambda y, s, r: s * y**2 / r,
        "For order = 3, strength = 0.5 and replicas = 8 your function gives 0.5625,"
        " and 0.2812 is right. One half is missing: the penalty is half of the "
        "square.",
    ),
    Wrong(
        "ex-13-penalty",
        "gradient",
        lambda y, s, r: s * y,
        "For order = 3, strength = 0.5 and replicas = 8 your function gives 1.5, "
        "and 0.2812 is right. This is the gradient of the penalty, and its value "
        "was asked for.",
    ),
    Wrong(
        "ex-13-penalty",
        "gradient of a part",
        lambda y, s, r: s * y / r,
        "For order = 3, strength = 0.5 and replicas = 8 your function gives 0.1875,"
        " and 0.2812 is right. This is the gradient of a part, and its value was "
        "asked for.",
    ),
    Wrong(
        "ex-13-penalty",
        "days",
        lambda y, s, r: s * y**2 / 12,
        "For order = 3, strength = 0.5 and replicas = 8 your function gives 0.375, "
        "and 0.2812 is right. The six days have nothing to do with it: a penalty "
        "does not depend on the examples.",
    ),
    Wrong(
        "ex-13-accumulate",
        "own words",
        lambda e, v, n: losses.masked_mean(e, v),
        "For losses of 6 words in 8 places, and words = 10 in the large batch your "
        "function gives 1, and 0.6 is right. This is the mean of the small "
        "batch's own words.",
    ),
    Wrong(
        "ex-13-accumulate",
        "own words halved",
        lambda e, v, n: losses.masked_mean(e, v) / 2,
        "For losses of 6 words in 8 places, and words = 10 in the large batch your "
        "function gives 0.5, and 0.6 is right. This is half of the mean of the "
        "small batch's own words: a word of a short batch counts more.",
    ),
    Wrong(
        "ex-13-accumulate",
        "sum",
        lambda e, v, n: tf.reduce_sum(e),
        "For losses of 6 words in 8 places, and words = 10 in the large batch your "
        "function gives 6, and 0.6 is right. This is the sum: divide by the "
        "words of the large batch.",
    ),
    Wrong(
        "ex-13-accumulate",
        "halved",
        lambda e, v, n: tf.reduce_sum(e) / n / 2,
        "For losses of 6 words in 8 places, and words = 10 in the large batch your "
        "function gives 0.3, and 0.6 is right. Do not halve it: the words of the"
        " large batch are those of both small ones.",
    ),
    Wrong(
        "ex-13-accumulate",
        "all places",
        lambda e, v, n: tf.reduce_mean(e),
        "For losses of 6 words in 8 places, and words = 10 in the large batch your "
        "function gives 0.75, and 0.6 is right. This is the mean over all places"
        " of the small batch.",
    ),
    Wrong(
        "ex-13-accumulate",
        "each",
        lambda e, v, n: e / n,
        "For losses of 6 words in 8 places, and words = 10 in the large batch your "
        "answer has shape (2, 4), and must be one number.",
    ),
    Wrong(
        "ex-13-accumulate",
        "by NumPy",
        lambda e, v, n: np.sum(np.asarray(e)) / n,
        "Your function has no gradient: nothing can be trained with it. Compute "
        "with TensorFlow from the arguments to what you return, without NumPy, "
        "casts to whole numbers or comparisons alone.",
    ),
    Wrong(
        "ex-13-accumulate",
        "always 10",
        lambda e, v, n: tf.reduce_sum(e) / 10,
        "For sentences of 6, 5, 1 and 1 words, two in a batch, the parts of your "
        "function add up to 1.366, and 1.051 is right.",
    ),
    Wrong(
        "ex-13-ten",
        "count",
        of_shares(lambda n, r, s: 1 / (r * s)),
        "For 10 examples and 4 replicas your function gives 0.08333 at position 0, "
        "where 0.8333 is right. This is what an example counts: divide by the 1 / N"
        " that it should.",
    ),
    Wrong(
        "ex-13-ten",
        "not divided",
        of_shares(lambda n, r, s: n / s),
        "For 10 examples and 4 replicas your function gives 3.333 at position 0, "
        "where 0.8333 is right. R is missing: each mean is divided by the number of"
        " replicas.",
    ),
    Wrong(
        "ex-13-ten",
        "shares",
        of_shares(lambda n, r, s: s),
        "For 10 examples and 4 replicas your function gives 3 at position 0, where "
        "0.8333 is right. These are the shares: an example of a small one counts "
        "more.",
    ),
    Wrong(
        "ex-13-ten",
        "turned",
        of_shares(lambda n, r, s: r * s / n),
        "For 10 examples and 4 replicas your function gives 1.2 at position 0, "
        "where 0.8333 is right. Turned round: an example of a small share counts "
        "more.",
    ),
    Wrong(
        "ex-13-ten",
        "even",
        of_shares(lambda n, r, s: n / (r * s), even=True),
        "For 10 examples and 4 replicas your function gives 1.25 at position 2, "
        "where 0.8333 is right. The shares are not the most equal ones: each "
        "replica gets the size rounded up, until none are left.",
    ),
    Wrong(
        "ex-13-ten",
        "used replicas",
        of_shares(lambda n, r, s: n / (len(s) * s)),
        "For 9 examples and 4 replicas your function gives 1 at position 0, where "
        "0.75 is right. All replicas divide, also those without an example.",
    ),
    Wrong(
        "ex-13-ten",
        "empty replica",
        of_shares(lambda n, r, s: n / (r * np.maximum(s, 1)), zeros=True),
        "For 9 examples and 4 replicas your answer has shape (4,), and must "
        "have shape (3,).",
    ),
    Wrong(
        "ex-13-ten",
        "one number",
        lambda n, r: 1.0,
        "factors must return a number for each replica that has examples, got one "
        "number.",
    ),
]

RIGHT = [
    Right("ex-13-penalty", "scaled", lambda y, s, r: tf.square(y) * (0.5 * s / r)),
    Right(
        "ex-13-accumulate",
        "with the mask",
        lambda e, v, n: tf.reduce_sum(e[v]) / tf.cast(n, e.dtype),
    ),
    Right(
        "ex-13-accumulate",
        "from its own mean",
        lambda e, v, n: losses.masked_mean(e, v) * (v.sum() / n),
    ),
    Right("ex-13-ten", "one by one", one_by_one),
]
