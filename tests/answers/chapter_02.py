"""Answers to the exercises of chapter 2."""

import math

import numpy as np

from tests.answers import Right, Wrong


def lead_of_negative_logarithm(epsilon):
    return -np.log(epsilon)


WRONG = [
    Wrong(
        "ex-02-uniform",
        "bits",
        np.log2,
        "For classes = 10 your function gives 3.322, and 2.303 is right. "
        "Your logarithm has base 2: the chapter's losses are in nats.",
    ),
    Wrong(
        "ex-02-uniform",
        "no minus",
        lambda classes: np.log(1 / classes),
        "For classes = 10 your function gives -2.303, and 2.303 is right. "
        "The sign is wrong: a loss is minus the logarithm.",
    ),
    Wrong(
        "ex-02-uniform",
        "probability",
        lambda classes: 1 / classes,
        "For classes = 10 your function gives 0.1, and 2.303 is right. "
        "This is the probability of each class: the loss is minus its logarithm.",
    ),
    Wrong(
        "ex-02-uniform",
        "perplexity",
        lambda classes: classes,
        "For classes = 10 your function gives 10, and 2.303 is right. "
        "This is the perplexity: the loss is its logarithm.",
    ),
    Wrong(
        "ex-02-uniform",
        "a number",
        math.log(10),
        "uniform_guess must be a function, got the number 2.303.",
    ),
    Wrong(
        "ex-02-clip",
        "approximate",
        lead_of_negative_logarithm,
        "For epsilon = 0.01 your function gives 4.605, and 4.595 is right. "
        "-log(epsilon) is close for a small epsilon: the right class has the "
        "probability 1 / (1 + e^m).",
    ),
    Wrong(
        "ex-02-clip",
        "lead of the right class",
        lambda epsilon: np.log(epsilon / (1 - epsilon)),
        "For epsilon = 1e-10 your function gives -23.03, and 23.03 is right. "
        "This is the lead of the right class: m is that of the wrong one.",
    ),
]

RIGHT = [
    Right("ex-02-uniform", "as a sum", lambda n: -sum([math.log(1 / n) / n] * n)),
    Right("ex-02-clip", "odds", lambda e: np.log1p(-e) - np.log(e)),
]
