"""Sigmoid: two forms of one loss, float32's edge, answers of no digit, a penalty."""

from __future__ import annotations

from itertools import product

import numpy as np

from lossfn.exercises._answer import Answer, WrongAnswerError
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import expect_close, expect_gradient


@exercise("ex-05-two-classes", "sigmoid_by_softmax")
def sigmoid_by_softmax(answer: Answer) -> str:
    """A function of labels 0 and 1 and of logits: the sigmoid cross entropy of each."""
    import tensorflow as tf

    loss = answer.function("labels", "logits")
    labels = np.array([0, 1, 1, 0], np.int32)
    logits = np.array([1.5, 1.0, -30.0, -2.0])
    signs = 2 * labels - 1
    expect_close(
        loss.array(tf.constant(labels), tf.constant(logits)),
        _softplus(-signs * logits),
        given=f"labels = {labels.tolist()} and logits = {logits.tolist()}",
        mistakes={
            "The two classes are exchanged: z is the logit of the second.": (
                _softplus(signs * logits)
            ),
            "With the logits (-z, z) the difference is 2z: one of them has to be 0.": (
                _softplus(-2 * signs * logits)
            ),
            "Both classes have the same logit: one of them has to be 0.": (
                np.full(4, np.log(2))
            ),
            "The label does nothing: it is the number of the true class.": (
                _softplus(-logits)
            ),
        },
    )
    expect_gradient(
        answer,
        (labels, logits),
        1 / (1 + np.exp(-logits)) - labels,
        given=f"labels = {labels.tolist()} and logits = {logits.tolist()}",
    )
    return "Compared with softplus(z) and softplus(-z), and with their gradients."


def _softplus(z: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, z)


@exercise("ex-05-infinity", "first_infinite")
def first_infinite(answer: Answer) -> str:
    """The smallest logit, to two digits, at which the float32 sigmoid rounds to 1."""
    expect_close(
        answer.numbers(),
        _first_logit_of_one(),
        what="your number is",
        mistakes={
            "This is where 1 - sigma(z) is half of 2^-24, the prediction from the "
            "numbers below 1: the sum 1 + e^-z is rounded before.": 25 * np.log(2),
            "This is where e^-z is the spacing of the numbers above 1: half of it "
            "decides.": 23 * np.log(2),
            "This is where float64 rounds to 1.": 53 * np.log(2),
            "This is the chapter's rough number: look for two digits more.": 17,
        },
        rtol=6e-4,  # one step of the chapter's grid, 0.01
    )
    return "Compared with a search in float32; 24 log 2 is what it finds."


def _first_logit_of_one() -> float:
    one = np.float32(1)
    low, high = 10.0, 20.0
    while high - low > 1e-5:
        middle = (low + high) / 2
        rounded = one / (one + np.float32(np.exp(-middle))) == one
        low, high = (low, middle) if rounded else (middle, high)
    return high


@exercise("ex-05-impossible", "is_impossible")
def is_impossible(answer: Answer) -> str:
    """A function of answers and labels: whether each row of answers is no label's."""
    impossible = answer.function("answers", "labels")
    labels = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 0.0]])
    answers = np.array(list(product([False, True], repeat=3)))
    known = {tuple(row) for row in labels.tolist()}
    right = np.array([tuple(map(float, row)) not in known for row in answers])
    got = impossible.array(answers, labels)
    if got.shape != right.shape:
        raise WrongAnswerError(
            "is_impossible must return one truth value for each row of answers, shape "
            f"{right.shape}, got shape {got.shape}."
        )
    expect_close(
        got,
        right,
        given="the eight answers from [no, no, no] to [yes, yes, yes]",
        mistakes={
            "It is the other way round: True is for a row that no label has.": ~right,
            "A row is possible only if one label has all of it: you look at one column "
            "at a time.": np.zeros(8),
        },
    )
    return "Compared with a look-up of all eight answers to three questions."


@exercise("ex-05-penalty", "matching_penalty")
def matching_penalty(answer: Answer) -> str:
    """A function of lambda and the number of labels: the penalty of the other mean."""
    penalty = answer.function("penalty", "labels")
    for before, labels in ((1e-3, 3), (0.2, 5)):
        expect_close(
            penalty.array(before, labels),
            before / labels,
            given=f"penalty = {before:g} and {labels} labels",
            mistakes={
                "The mean over both axes makes the loss smaller: the penalty has to "
                "become smaller too.": before * labels,
                "The same penalty would weigh more beside a smaller loss.": before,
                "The penalty is squared in the weights, but its factor is not.": (
                    before / labels**2
                ),
                "The chapter has 3 labels: divide by the argument, not by 3.": (
                    before / 3
                ),
            },
        )
    return "Compared with lambda / K for 3 and 5 labels."
