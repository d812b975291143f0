"""Answers to the exercises of chapter 1."""

import math

import numpy as np

from lossfn import theory
from tests.answers import Right, Wrong


def probabilities_of_sums(faces):
    return np.convolve(np.ones(faces), np.ones(faces)) / faces**2


def in_nats(faces):
    return theory.entropy(probabilities_of_sums(faces), base=math.e)


def unordered(faces):
    ways = probabilities_of_sums(faces) * faces**2
    counts = (ways + 1) // 2
    return theory.entropy(counts / counts.sum())


def left_out(faces):
    return 2 * math.log2(faces) - theory.entropy(probabilities_of_sums(faces))


def huffman_length(faces):
    p = probabilities_of_sums(faces)
    return theory.expected_code_length(p, theory.huffman_code(p))


def by_conditional_entropy(faces):
    p = probabilities_of_sums(faces)
    return 2 * np.log2(faces) - np.sum(p * np.log2(p * faces**2))


def bounds_in_nats(epsilon):
    return -np.log(1 - epsilon), -np.log(epsilon)


WRONG = [
    Wrong(
        "ex-01-dice",
        "all sums equally likely",
        lambda faces: np.log2(2 * faces - 1),
        "For faces = 6 your function gives 3.459, and 3.274 is right. The sums are "
        "not equally likely: a sum in the middle can be made in more ways.",
    ),
    Wrong(
        "ex-01-dice",
        "both dice",
        lambda faces: np.log2(faces**2),
        "For faces = 6 your function gives 5.17, and 3.274 is right. This is the "
        "entropy of both dice: the sum leaves out which of the ways came up.",
    ),
    Wrong(
        "ex-01-dice",
        "nats",
        in_nats,
        "For faces = 6 your function gives 2.27, and 3.274 is right. Your logarithm"
        " is the natural one: the answer is in bits.",
    ),
    Wrong(
        "ex-01-dice",
        "unordered pairs",
        unordered,
        "For faces = 6 your function gives 3.332, and 3.274 is right. You count 1 "
        "and 2 once: it comes up as (1, 2) and as (2, 1).",
    ),
    Wrong(
        "ex-01-dice",
        "what is left out",
        left_out,
        "For faces = 6 your function gives 1.896, and 3.274 is right. This is what "
        "the sum leaves out: its entropy is the rest.",
    ),
    Wrong(
        "ex-01-dice",
        "Huffman code",
        huffman_length,
        "For faces = 6 your function gives 3.306, and 3.274 is right. This is the mean "
        "length of the Huffman code: the entropy can be less.",
    ),
    Wrong(
        "ex-01-dice",
        "for six faces only",
        lambda faces: in_nats(6) / math.log(2),
        "For faces = 2 your function gives 3.274, and 1.5 is right.",
    ),
    Wrong(
        "ex-01-hedge",
        "exchanged",
        lambda epsilon: (-np.log2(epsilon), -np.log2(1 - epsilon)),
        "For epsilon = 0.1 your function gives 3.322 at position 0, where 0.152 is "
        "right. The two are exchanged: q keeps the weight 1 - epsilon, so the excess "
        "over it is the small one.",
    ),
    Wrong(
        "ex-01-hedge",
        "one bit",
        lambda epsilon: (1, 1),
        "For epsilon = 0.1 your function gives 1 at position 0, where 0.152 is right. "
        "The two bounds are 1 bit for epsilon = 0.5 alone.",
    ),
    Wrong(
        "ex-01-hedge",
        "nats",
        bounds_in_nats,
        "For epsilon = 0.1 your function gives 0.1054 at position 0, where 0.152 is "
        "right. Your logarithm is the natural one: the answer is in bits.",
    ),
    Wrong(
        "ex-01-hedge",
        "no minus",
        lambda epsilon: (np.log2(1 - epsilon), np.log2(epsilon)),
        "For epsilon = 0.1 your function gives -0.152 at position 0, where 0.152 is "
        "right. The sign is wrong: a smaller probability is a longer codeword.",
    ),
    Wrong(
        "ex-01-hedge",
        "shares",
        lambda epsilon: (1 - epsilon, epsilon),
        "For epsilon = 0.1 your function gives 0.9 at position 0, where 0.152 is "
        "right. This is the share that each part keeps: the excess is the surprise at "
        "it.",
    ),
    Wrong(
        "ex-01-hedge",
        "one number",
        lambda epsilon: -np.log2(1 - epsilon),
        "excess_bounds must return two numbers, the excess over the cross entropy "
        "of q and the excess over log2 K, got shape ().",
    ),
]

RIGHT = [
    Right("ex-01-dice", "without what is left out", by_conditional_entropy),
    Right(
        "ex-01-hedge",
        "as an array",
        lambda epsilon: np.log2(1 / np.array([1 - epsilon, epsilon])),
    ),
]
