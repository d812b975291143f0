"""Which one: a loss for each of four tasks, and the chance that nothing is there."""

from __future__ import annotations

import numpy as np

from lossfn.exercises._answer import Answer, WrongAnswerError
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import expect_choices, expect_close

RIGHT = {
    "genres": "sigmoid",
    "next word": "sparse softmax",
    "failure": "weighted",
    "mood": "softmax",
}
WHY_NOT = {
    ("genres", "softmax"): "A film may have several genres, and a softmax makes them "
    "compete for one unit of probability.",
    ("genres", "sparse softmax"): "A film may have several genres, and this loss "
    "takes exactly one number.",
    ("genres", "weighted"): "Nothing says that a missed genre costs another amount "
    "than a false one.",
    ("next word", "softmax"): "It gives the same model, but its labels are rows of "
    "50,000 numbers. You know the word: give its number.",
    ("next word", "sigmoid"): "Exactly one word comes next. 50,000 separate questions "
    "do not know that, and their answers are no distribution.",
    ("next word", "weighted"): "Exactly one word comes next, so it is no question of "
    "yes or no.",
    ("failure", "softmax"): "Two exclusive classes would fit, but the loss does not "
    "know that a missed failure costs twenty times as much.",
    ("failure", "sparse softmax"): "Two exclusive classes would fit, but the loss "
    "does not know that a missed failure costs twenty times as much.",
    ("failure", "sigmoid"): "It fits the question, but not the costs: it counts a "
    "missed failure like a false alarm, unless you move the threshold to 1/21.",
    ("mood", "sparse softmax"): "The annotators disagree, and one number cannot say "
    "how they voted.",
    ("mood", "sigmoid"): "The shares of the votes are one distribution over the "
    "moods. Five separate questions do not know that they add up to 1.",
    ("mood", "weighted"): "The shares of the votes are one distribution over the "
    "moods, and no mistake was said to cost more.",
}


@exercise("ex-07-choose", "choice")
def choice(answer: Answer) -> str:
    """A dict of four tasks: softmax, sparse softmax, sigmoid or weighted for each."""
    expect_choices(answer, RIGHT, WHY_NOT)
    return "Compared with what the labels of the four tasks mean."


@exercise("ex-07-background", "chance_of_nothing")
def chance_of_nothing(answer: Answer) -> str:
    """A function of rows of five logits: the probability that no object is there."""
    chance = answer.function("logits")
    logits = np.array(
        [
            [0.0, 0, 0, 0, 0],
            [-2, -1, 0.5, -3, -4],
            [3, -2, -2, -1, -2],
            [-9, -9, -9, -9, -9],
        ]
    )
    yes = 1 / (1 + np.exp(-logits))
    got = chance.array(logits)
    if got.shape != (4,):
        raise WrongAnswerError(
            "chance_of_nothing must return one probability for each row of five "
            f"logits, shape (4,) for four rows, got shape {got.shape}."
        )
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expect_close(
        got,
        np.prod(1 - yes, axis=1),
        given=f"the logits {logits[:2].tolist()} and two more rows",
        mistakes={
            "This is the probability that all five objects are there.": (
                np.prod(yes, axis=1)
            ),
            "This is the probability that something is there.": (
                1 - np.prod(1 - yes, axis=1)
            ),
            "The largest answer alone does not decide: the other four have to say no "
            "too.": 1 - yes.max(axis=1),
            "The five chances do not exclude each other, so they must not be added.": (
                1 - yes.sum(axis=1)
            ),
            "This is the mean of five answers: all of them have to say no.": (
                np.mean(1 - yes, axis=1)
            ),
            "Five sigmoids do not share their probability, as a softmax does.": (
                np.prod(1 - softmax, axis=1)
            ),
        },
    )
    return "Compared with the product of five chances of a no, for four rows."
