"""Information: the entropy of a sum of dice, and what a hedged model may cost."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np

from lossfn import theory
from lossfn.exercises._answer import Answer, WrongAnswerError
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import expect_close


@exercise("ex-01-dice", "entropy_of_sum")
def entropy_of_sum(answer: Answer) -> str:
    """A function of the number of faces: the entropy of two dice's sum, in bits."""
    entropy = answer.function("faces")
    for faces in (6, 2, 20):
        sums, both = 2 * faces - 1, 2 * np.log2(faces)
        right = _entropy_of_counts(_ways_to_make(faces))
        expect_close(
            entropy.array(faces),
            right,
            given=f"faces = {faces}",
            mistakes={
                "The sums are not equally likely: a sum in the middle can be made in "
                "more ways.": np.log2(sums),
                "This is the entropy of both dice: the sum leaves out which of the "
                "ways came up.": both,
                "This is what the sum leaves out: its entropy is the rest.": (
                    both - right
                ),
                "This is the entropy of one die.": np.log2(faces),
                "This is the mean length of the Huffman code: the entropy can be "
                "less.": _huffman_length(_ways_to_make(faces)),
                "You count 1 and 2 once: it comes up as (1, 2) and as (2, 1).": (
                    _entropy_of_counts(_ways_to_make(faces, ordered=False))
                ),
            },
        )
    return "Compared with all throws counted, for dice with 2, 6 and 20 faces."


def _ways_to_make(faces: int, *, ordered: bool = True) -> list[int]:
    """Count the throws that make each sum."""
    throws = product(range(1, faces + 1), repeat=2)
    return list(Counter(a + b for a, b in throws if ordered or a <= b).values())


def _entropy_of_counts(counts: list[int]) -> float:
    p = np.array(counts) / sum(counts)
    return float(np.sum(p * np.log2(1 / p)))


def _huffman_length(counts: list[int]) -> float:
    p = np.array(counts) / sum(counts)
    return float(theory.expected_code_length(p, theory.huffman_code(p)))


@exercise("ex-01-hedge", "excess_bounds")
def excess_bounds(answer: Answer) -> str:
    """A function of epsilon: the largest excess over q, and over log2 K, in bits."""
    bounds = answer.function("epsilon")
    for epsilon in (0.1, 0.5, 0.01):
        got = bounds.array(epsilon)
        if got.shape != (2,):
            raise WrongAnswerError(
                "excess_bounds must return two numbers, the excess over the cross "
                f"entropy of q and the excess over log2 K, got shape {got.shape}."
            )
        right = np.array([-np.log2(1 - epsilon), -np.log2(epsilon)])
        expect_close(
            got,
            right,
            given=f"epsilon = {epsilon:g}",
            mistakes={
                "The two are exchanged: q keeps the weight 1 - epsilon, so the excess "
                "over it is the small one.": right[::-1],
                "This is the share that each part keeps: the excess is the surprise "
                "at it.": 2**-right,
                "The sign is wrong: a smaller probability is a longer codeword.": (
                    -right
                ),
                "The excess over q does depend on epsilon.": np.array([1, right[1]]),
                "The two bounds are 1 bit for epsilon = 0.5 alone.": np.ones(2),
            },
        )
    return "Compared with -log2(1 - epsilon) and -log2(epsilon) for three mixtures."
