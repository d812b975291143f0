"""Answers to the exercises of chapter 5."""

import numpy as np
import tensorflow as tf

from lossfn import nn
from tests.answers import Right, Wrong


def through_softmax(pair, number=lambda labels: labels):
    """Make an answer of the two logits, and of the number of the true class."""

    def sigmoid_by_softmax(labels, logits):
        return nn.sparse_softmax_cross_entropy_with_logits(
            labels=number(labels), logits=tf.stack(pair(logits), axis=-1)
        )

    return sigmoid_by_softmax


def zero_first(logits):
    return [tf.zeros_like(logits), logits]


def zero_last(logits):
    return [logits, tf.zeros_like(logits)]


def summed(labels, logits):
    return tf.reduce_sum(through_softmax(zero_first)(labels, logits))


def with_rows(labels, logits):
    rows = tf.one_hot(1 - labels, 2, dtype=logits.dtype)
    pair = tf.stack(zero_last(logits), axis=1)
    return -tf.reduce_sum(rows * tf.nn.log_softmax(pair), axis=1)


def in_numpy(labels, logits):
    return np.logaddexp(0, np.asarray(logits)) - np.asarray(labels) * np.asarray(logits)


def column_by_column(answers, labels):
    seen = [set(column) for column in labels.T]
    return [
        any(value not in values for value, values in zip(row, seen, strict=True))
        for row in answers
    ]


def agrees_somewhere(answers, labels):
    return ~(answers[:, None] == labels[None]).any(axis=(1, 2))


def is_possible(answers, labels):
    return (answers[:, None] == labels[None]).all(axis=2).any(axis=1)


def by_binary_numbers(answers, labels):
    numbers = np.asarray(answers, int) @ [4, 2, 1]
    return ~np.isin(numbers, np.asarray(labels, int) @ [4, 2, 1])


WRONG = [
    Wrong(
        "ex-05-two-classes",
        "NumPy",
        in_numpy,
        "Your function has no gradient: nothing can be trained with it. Compute with "
        "TensorFlow from the arguments to what you return, without NumPy, casts to "
        "whole numbers or comparisons alone.",
    ),
    Wrong(
        "ex-05-two-classes",
        "exchanged",
        through_softmax(zero_last),
        "For labels = [0, 1, 1, 0] and logits = [1.5, 1.0, -30.0, -2.0] your function "
        "gives 0.2014 at position 0, where 1.701 is right. The two classes are "
        "exchanged: z is the logit of the second.",
    ),
    Wrong(
        "ex-05-two-classes",
        "minus and plus",
        through_softmax(lambda logits: [-logits, logits]),
        "For labels = [0, 1, 1, 0] and logits = [1.5, 1.0, -30.0, -2.0] your function "
        "gives 3.049 at position 0, where 1.701 is right. With the logits (-z, z) the "
        "difference is 2z: one of them has to be 0.",
    ),
    Wrong(
        "ex-05-two-classes",
        "the same logit twice",
        through_softmax(lambda logits: [logits, logits]),
        "For labels = [0, 1, 1, 0] and logits = [1.5, 1.0, -30.0, -2.0] your function "
        "gives 0.6931 at position 0, where 1.701 is right. Both classes have the same "
        "logit: one of them has to be 0.",
    ),
    Wrong(
        "ex-05-two-classes",
        "label 1 for all",
        through_softmax(zero_first, tf.ones_like),
        "For labels = [0, 1, 1, 0] and logits = [1.5, 1.0, -30.0, -2.0] your function "
        "gives 0.2014 at position 0, where 1.701 is right. The label does nothing: it "
        "is the number of the true class.",
    ),
    Wrong(
        "ex-05-two-classes",
        "summed",
        summed,
        "Your function returns one number for the batch: then sample_weight cannot "
        "work. Return one loss for each example, and leave the mean to whoever "
        "trains.",
    ),
    Wrong(
        "ex-05-infinity",
        "below 1",
        25 * np.log(2),
        "Your number is 17.33, which is too large. This is where 1 - sigma(z) is half "
        "of 2^-24, the prediction from the numbers below 1: the sum 1 + e^-z is "
        "rounded before.",
    ),
    Wrong(
        "ex-05-infinity",
        "whole spacing",
        15.94,
        "Your number is 15.94, which is too small. This is where e^-z is the spacing "
        "of the numbers above 1: half of it decides.",
    ),
    Wrong(
        "ex-05-infinity",
        "float64",
        36.74,
        "Your number is 36.74, which is too large. This is where float64 rounds to 1.",
    ),
    Wrong(
        "ex-05-infinity",
        "about",
        17,
        "Your number is 17, which is too large. This is the chapter's rough number: "
        "look for two digits more.",
    ),
    Wrong(
        "ex-05-impossible",
        "possible",
        is_possible,
        "For the eight answers from [no, no, no] to [yes, yes, yes] your function "
        "gives 0 at position 0, where 1 is right. It is the other way round: True is "
        "for a row that no label has.",
    ),
    Wrong(
        "ex-05-impossible",
        "by columns",
        column_by_column,
        "For the eight answers from [no, no, no] to [yes, yes, yes] your function "
        "gives 0 at position 0, where 1 is right. A row is possible only if one label "
        "has all of it: you look at one column at a time.",
    ),
    Wrong(
        "ex-05-impossible",
        "one column is enough",
        agrees_somewhere,
        "For the eight answers from [no, no, no] to [yes, yes, yes] your function "
        "gives 0 at position 0, where 1 is right. A row is possible only if one label "
        "has all of it: you look at one column at a time.",
    ),
    Wrong(
        "ex-05-impossible",
        "a count",
        lambda answers, labels: np.sum(~is_possible(answers, labels)),
        "is_impossible must return one truth value for each row of answers, shape "
        "(8,), got shape ().",
    ),
    Wrong(
        "ex-05-penalty",
        "larger",
        lambda penalty, labels: penalty * labels,
        "For penalty = 0.001 and 3 labels your function gives 0.003, and 0.0003333 is "
        "right. The mean over both axes makes the loss smaller: the penalty has to "
        "become smaller too.",
    ),
    Wrong(
        "ex-05-penalty",
        "the same",
        lambda penalty, labels: penalty,
        "For penalty = 0.001 and 3 labels your function gives 0.001, and 0.0003333 is "
        "right. The same penalty would weigh more beside a smaller loss.",
    ),
    Wrong(
        "ex-05-penalty",
        "three labels only",
        lambda penalty, labels: penalty / 3,
        "For penalty = 0.2 and 5 labels your function gives 0.06667, and 0.04 is "
        "right. The chapter has 3 labels: divide by the argument, not by 3.",
    ),
]

RIGHT = [
    Right("ex-05-two-classes", "one-hot rows", with_rows),
    Right("ex-05-infinity", "two digits", 16.64),
    Right("ex-05-impossible", "binary numbers", by_binary_numbers),
    Right("ex-05-penalty", "times the inverse", lambda penalty, k: penalty * k**-1.0),
]
