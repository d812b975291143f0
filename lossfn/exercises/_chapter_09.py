"""The source's classifier: its loss with exchanged labels, and starts that are dead."""

from __future__ import annotations

import numpy as np

from lossfn.exercises._answer import Answer, WrongAnswerError
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import ONE_NUMBER, expect_close


@exercise("ex-09-coding", "exchanged")
def exchanged(answer: Answer) -> str:
    """The source's loss for labels that are 0 where it expects 1, and 1 where 0."""
    import tensorflow as tf

    loss = answer.function("y_true", "y_pred")
    y_true = np.array([[0.0], [0.0], [1.0], [1.0], [0.0], [0.0]])
    outputs = np.array([[0.25], [0.8], [0.25], [-3.0], [-3.0], [4.0]])
    for dtype in ("float32", "float64"):
        got = loss.array(tf.constant(y_true, dtype), tf.constant(outputs, dtype))
        if got.shape == ():
            raise WrongAnswerError(ONE_NUMBER)
        expect_close(
            got[:, np.newaxis] if got.shape == (len(outputs),) else got,
            -(1 - y_true) * _clipped_log(outputs),
            given=f"y_true = {y_true[:, 0].tolist()} and y_pred = "
            f"{outputs[:, 0].tolist()}",
            mistakes={
                "The labels are not exchanged: this is the source's loss.": (
                    -y_true * _clipped_log(outputs)
                ),
                "The outputs are exchanged too: only the labels change.": (
                    -(1 - y_true) * _clipped_log(1 - outputs)
                ),
                "The outputs are exchanged, and the labels are not.": (
                    -y_true * _clipped_log(1 - outputs)
                ),
                "This loss has both terms: the source's has one.": (
                    -(1 - y_true) * _clipped_log(outputs)
                    - y_true * _clipped_log(1 - outputs)
                ),
                "The clip of the source is missing.": (-(1 - y_true) * _log(outputs)),
                "The clip is another one: the source's goes from 1e-10 to 1.": (
                    -(1 - y_true) * np.log(np.clip(outputs, 1e-7, 1 - 1e-7))
                ),
            },
        )
    return "Compared with -(1 - y) log(clip(a)) in float64, for six outputs."


def _clipped_log(outputs: np.ndarray) -> np.ndarray:
    return np.log(np.clip(outputs, 1e-10, 1))


def _log(outputs: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.log(outputs)


@exercise("ex-09-lucky", "dead_starts")
def dead_starts(answer: Answer) -> str:
    """The shares of draws with all positives, and with some, at 0 or below."""
    starts = answer.function("positives", "first", "second")
    generator = np.random.default_rng(9)
    positives = generator.uniform(size=(5, 2))
    first = generator.normal(size=(40, 2, 3))
    second = generator.normal(size=(40, 3, 1))
    # One loop instead of the chapter's product of stacks of matrices.
    dead = np.array(
        [(positives @ w1 @ w2)[:, 0] <= 0 for w1, w2 in zip(first, second, strict=True)]
    )
    got = starts.array(positives, first, second)
    _expect_two(got)
    right = np.array([dead.all(axis=1).mean(), dead.any(axis=1).mean()])
    expect_close(
        got,
        right,
        given="5 positives and 40 draws",
        mistakes={
            "The two are exchanged: the share with all positives dead comes first.": (
                right[::-1]
            ),
            "These are numbers of draws: divide by how many draws there are.": (
                40 * right
            ),
            "These are the draws that are alive: the clip hides outputs of at most "
            "0.": np.array([(~dead).all(axis=1).mean(), (~dead).any(axis=1).mean()]),
            "You look along the draws for each positive: look along the positives "
            "for each draw.": np.array(
                [dead.all(axis=0).mean(), dead.any(axis=0).mean()]
            ),
            "The second is the share of all outputs: a draw counts once, however "
            "many of its positives are dead.": np.array([right[0], dead.mean()]),
            "The second leaves out the draws with all positives dead: some are.": (
                np.array([right[0], right[1] - right[0]])
            ),
        },
    )
    return "Compared with a count, draw by draw, of 5 positives and 40 draws."


def _expect_two(got: np.ndarray) -> None:
    if got.shape != (2,):
        raise WrongAnswerError(
            "dead_starts must return two numbers, the share of draws with all "
            "positives at 0 or below and that with some, got shape "
            f"{got.shape}."
        )


@exercise("ex-09-no-sigmoid", "slope_for_a_zero")
def slope_for_a_zero(answer: Answer) -> str:
    """A function of the output: the slope of the textbook loss for the label 0."""
    slope = answer.function("output")
    outputs = np.array([-2.0, 0.25, 0.75, 1.5, 20.0])
    alive = (outputs > 0) & (outputs < 1)
    expect_close(
        slope.array(outputs),
        np.where(alive, 1 / (1 - outputs), 0),
        given=f"output = {outputs.tolist()}",
        mistakes={
            "The clip is missing: outside of it the slope is 0.": 1 / (1 - outputs),
            "The sign is wrong: a larger output costs a zero more.": np.where(
                alive, -1 / (1 - outputs), 0
            ),
            "This is the slope for the label 1.": np.where(alive, -1 / outputs, 0),
            "This is the loss, and the slope was asked for.": -np.log(
                np.clip(1 - outputs, 1e-7, 1 - 1e-7)
            ),
            "Below 0 the clip acts too.": np.where(outputs < 1, 1 / (1 - outputs), 0),
            "The clip has a slope of its own: outside it is 0.": (
                1 / (1 - np.clip(outputs, 1e-7, 1 - 1e-7))
            ),
        },
        rtol=1e-4,
    )
    return "Compared with 1 / (1 - a) inside of the clip, and 0 outside."
