"""Losses for hard data: a loss that knows the noise, and shares without their flips."""

from __future__ import annotations

import numpy as np

from lossfn.exercises._answer import Answer, WrongAnswerError
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import expect_close, gradient_of
from lossfn.exercises._formulas import softmax


@exercise("ex-14-forward", "corrected")
def corrected(answer: Answer) -> str:
    """The cross entropy of a noisy label, for ten classes and 40% flipped labels."""
    import tensorflow as tf

    loss = answer.function("y_true", "y_pred")
    y_true = np.array([0, 3, 9, 9])
    logits = np.random.default_rng(14).normal(scale=3, size=(4, 10))
    logits[3] = 0
    logits[3, 2] = 800  # its exponential is too large for a float64
    a = softmax(logits)
    one_hot = np.eye(10)[y_true]
    own = np.sum(one_hot * a, axis=1)
    log_a = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    rows = 0.6 * one_hot + 0.4 / 9 * (1 - one_hot)
    mistakes = {
        "This is the plain cross entropy: the noise is nowhere in it.": (
            -np.sum(one_hot * log_a, axis=1)
        ),
        "The true class keeps 1 - 0.4 and the nine others share 0.4: the two are "
        "exchanged.": -np.log(0.4 * own + 0.6 / 9 * (1 - own)),
        "A label flips to one of the 9 other classes, not of 10.": (
            -np.log(0.6 * own + 0.04)
        ),
        "Each other class has 0.4 / 9, not 0.4.": (
            -np.log(0.6 * own + 0.4 * (1 - own))
        ),
        "This is a mean of cross entropies, as label smoothing takes it: add up "
        "the probabilities and take the logarithm afterwards.": (
            -np.sum(rows * log_a, axis=1)
        ),
        "Only the true class is here: a label can come from the nine others "
        "too.": -np.log(0.6) - np.sum(one_hot * log_a, axis=1),
    }
    right = -np.log(np.sum(rows * a, axis=1))
    overflow = "A logit of 800 overflows: use log_softmax and reduce_logsumexp."
    mistakes[overflow] = np.where(np.arange(4) < 3, right, np.nan)
    expect_close(
        loss.array(tf.constant(y_true), tf.constant(logits)),
        right,
        given="40% wrong labels",
        mistakes=mistakes,
        rtol=1e-4,
    )
    _expect_it_trains(loss, y_true, logits, rows)
    return "Compared with the logarithm of the summed probabilities, in float64."


def _expect_it_trains(
    loss: Answer, y_true: np.ndarray, logits: np.ndarray, rows: np.ndarray
) -> None:
    """Compare for two networks at once, as the chapter trains them, and the slopes."""
    import tensorflow as tf

    a = softmax(logits)
    seen = np.sum(rows * a, axis=1, keepdims=True)
    stacked = y_true.reshape(2, 2), logits.reshape(2, 2, 10)
    expect_close(
        loss.array(*map(tf.constant, stacked)),
        -np.log(seen).reshape(2, 2),
        given="labels of shape (2, 2) and logits of shape (2, 2, 10)",
        rtol=1e-4,
    )
    expect_close(
        gradient_of(loss, (y_true, logits)),
        a - rows * a / seen,
        given="40% wrong labels",
        what="the gradient of your function is",
        rtol=1e-4,
        atol=1e-6,
    )


@exercise("ex-14-undo", "clean_shares")
def clean_shares(answer: Answer) -> str:
    """A function of the seen shares and the noise: the shares before labels flipped."""
    clean = answer.function("seen", "noise")
    for shares, noise in (([0.5, 0.3, 0.2], 0.4), ([0.1, 0.2, 0.3, 0.4], 0.2)):
        shares = np.array(shares)
        others = len(shares) - 1
        # Each class loses its own flips, and gets its part of those of the others.
        seen = (1 - noise) * shares + noise / others * (1 - shares)
        got = clean.array(seen, noise)
        if got.shape == ():
            raise WrongAnswerError(
                "clean_shares must return a share for each class, got one number."
            )
        expect_close(
            got,
            shares,
            given=f"seen = {seen.round(4).tolist()} and noise = {noise}",
            mistakes={
                "This is the formula forwards: it makes seen shares of clean ones.": (
                    (1 - noise) * seen + noise / others * (1 - seen)
                ),
                "A label flips to one of the K - 1 other classes, not of K.": (
                    (seen - noise / (others + 1)) / (1 - noise)
                ),
                "The flips that arrive are taken away, and nothing is scaled.": (
                    seen - noise / others
                ),
                "The flips that arrive from other classes are not taken away.": (
                    seen / (1 - noise)
                ),
                "The shares are scaled by 1 - noise: some flips come back, so the "
                "factor is another one.": (seen - noise / others) / (1 - noise),
                "This brings the sum to 1 and does not undo the formula.": (
                    (seen - seen.min()) / (seen - seen.min()).sum()
                ),
            },
        )
    return "Compared with three and four shares before their labels were flipped."
