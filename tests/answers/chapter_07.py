"""Answers to the exercises of chapter 7."""

import numpy as np
import tensorflow as tf

from tests.answers import Right, Wrong

CHOICE = {
    "mood": "softmax",
    "failure": "weighted",
    "next word": "sparse softmax",
    "genres": "sigmoid",
}


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def by_logarithms(logits):
    return tf.exp(-tf.reduce_sum(tf.nn.softplus(logits), axis=-1))


WRONG = [
    Wrong(
        "ex-07-choose",
        "softmax for tags",
        CHOICE | {"genres": "softmax"},
        "genres: not softmax. A film may have several genres, and a softmax makes "
        "them compete for one unit of probability.",
    ),
    Wrong(
        "ex-07-choose",
        "rows of words",
        CHOICE | {"next word": "softmax"},
        "next word: not softmax. It gives the same model, but its labels are rows of "
        "50,000 numbers. You know the word: give its number.",
    ),
    Wrong(
        "ex-07-choose",
        "no costs",
        CHOICE | {"failure": "sigmoid"},
        "failure: not sigmoid. It fits the question, but not the costs: it counts a "
        "missed failure like a false alarm, unless you move the threshold to 1/21.",
    ),
    Wrong(
        "ex-07-choose",
        "one vote",
        CHOICE | {"mood": "sparse softmax"},
        "mood: not sparse softmax. The annotators disagree, and one number cannot say "
        "how they voted.",
    ),
    Wrong(
        "ex-07-choose",
        "five questions",
        CHOICE | {"mood": "sigmoid"},
        "mood: not sigmoid. The shares of the votes are one distribution over the "
        "moods. Five separate questions do not know that they add up to 1.",
    ),
    Wrong(
        "ex-07-choose",
        "a name in Keras",
        CHOICE | {"genres": "Binary"},
        "The choice for 'genres' must be one of sigmoid, softmax, sparse softmax, "
        "weighted, got 'Binary'.",
    ),
    Wrong(
        "ex-07-choose",
        "one is missing",
        {"genres": "sigmoid"},
        "choice has no entry for 'next word'.",
    ),
    Wrong(
        "ex-07-choose",
        "a list",
        list(CHOICE.values()),
        "choice must be a dict, got a list.",
    ),
    Wrong(
        "ex-07-background",
        "all are there",
        lambda logits: np.prod(sigmoid(logits), axis=-1),
        "For the logits [[0.0, 0.0, 0.0, 0.0, 0.0], [-2.0, -1.0, 0.5, -3.0, -4.0]] "
        "and two more rows your function gives 1.702e-05 at position 1, where 0.2274 "
        "is right. This is the probability that all five objects are there.",
    ),
    Wrong(
        "ex-07-background",
        "something is there",
        lambda logits: 1 - np.prod(1 - sigmoid(logits), axis=-1),
        "For the logits [[0.0, 0.0, 0.0, 0.0, 0.0], [-2.0, -1.0, 0.5, -3.0, -4.0]] "
        "and two more rows your function gives 0.9688 at position 0, where 0.03125 is "
        "right. This is the probability that something is there.",
    ),
    Wrong(
        "ex-07-background",
        "the largest alone",
        lambda logits: 1 - sigmoid(logits.max(axis=-1)),
        "For the logits [[0.0, 0.0, 0.0, 0.0, 0.0], [-2.0, -1.0, 0.5, -3.0, -4.0]] "
        "and two more rows your function gives 0.5 at position 0, where 0.03125 is "
        "right. The largest answer alone does not decide: the other four have to say "
        "no too.",
    ),
    Wrong(
        "ex-07-background",
        "a sum",
        lambda logits: 1 - sigmoid(logits).sum(axis=-1),
        "For the logits [[0.0, 0.0, 0.0, 0.0, 0.0], [-2.0, -1.0, 0.5, -3.0, -4.0]] "
        "and two more rows your function gives -1.5 at position 0, where 0.03125 is "
        "right. The five chances do not exclude each other, so they must not be "
        "added.",
    ),
    Wrong(
        "ex-07-background",
        "a mean",
        lambda logits: np.mean(1 - sigmoid(logits), axis=-1),
        "For the logits [[0.0, 0.0, 0.0, 0.0, 0.0], [-2.0, -1.0, 0.5, -3.0, -4.0]] "
        "and two more rows your function gives 0.5 at position 0, where 0.03125 is "
        "right. This is the mean of five answers: all of them have to say no.",
    ),
    Wrong(
        "ex-07-background",
        "a softmax",
        lambda logits: tf.reduce_prod(1 - tf.nn.softmax(logits), axis=-1),
        "For the logits [[0.0, 0.0, 0.0, 0.0, 0.0], [-2.0, -1.0, 0.5, -3.0, -4.0]] "
        "and two more rows your function gives 0.3277 at position 0, where 0.03125 is "
        "right. Five sigmoids do not share their probability, as a softmax does.",
    ),
    Wrong(
        "ex-07-background",
        "over the rows too",
        lambda logits: np.prod(1 - sigmoid(logits)),
        "chance_of_nothing must return one probability for each row of five logits, "
        "shape (4,) for four rows, got shape ().",
    ),
    Wrong(
        "ex-07-background",
        "over the rows only",
        lambda logits: np.prod(1 - sigmoid(logits), axis=0),
        "chance_of_nothing must return one probability for each row of five logits, "
        "shape (4,) for four rows, got shape (5,).",
    ),
]

RIGHT = [
    Right("ex-07-choose", "another order", CHOICE),
    Right("ex-07-background", "logarithms", by_logarithms),
]
