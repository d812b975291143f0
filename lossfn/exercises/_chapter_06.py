"""Weighted cross-entropy: copies, thinned negatives, kinks mended, a weight found."""

from __future__ import annotations

import numpy as np

from lossfn.exercises._answer import Answer, WrongAnswerError
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import expect_close, expect_gradient


@exercise("ex-06-copies", "penalty_for_copies")
def penalty_for_copies(answer: Answer) -> str:
    """A function of lambda, labels and a whole weight: the penalty for the copies."""
    penalty = answer.function("penalty", "labels", "pos_weight")
    labels = np.array([1.0, 0, 0, 0, 1, 0, 0, 0, 0, 0])
    size, positives = labels.size, labels.sum()
    for before, weight in ((0.1, 4), (1e-3, 2)):
        copied = np.repeat(labels, np.where(labels == 1, weight, 1))
        expect_close(
            penalty.array(before, labels, weight),
            before * size / copied.size,
            given=f"penalty = {before:g}, 2 positives among 10 and weight {weight}",
            mistakes={
                "The fraction is upside down: a longer list makes each loss count "
                "less, so the penalty has to count less.": before * copied.size / size,
                "The mean is over more examples now: the same penalty counts more.": (
                    before
                ),
                "One copy too many: a weight w means w - 1 copies and the original.": (
                    before * size / (size + weight * positives)
                ),
                "Not all examples were copied: the list is not w times as long.": before
                / weight,
                "The original positives are still there beside their copies.": (
                    before * size / (size + (weight - 2) * positives)
                ),
            },
        )
    return "Compared with the lengths of lists with copies, for two weights."


@exercise("ex-06-fewer", "corrected_probability")
def corrected_probability(answer: Answer) -> str:
    """A function of outputs and of the share of negatives kept: the probabilities."""
    corrected = answer.function("output", "share_kept")
    truth = np.array([0.1, 0.5, 0.02, 0.9])
    for share in (np.float64(0.25), np.float64(0.6)):  # the type of a mean of booleans
        output = truth / (truth + share * (1 - truth))
        expect_close(
            corrected.array(output, share),
            truth,
            given=f"the outputs {np.round(output, 4).tolist()} and the share {share:g}",
            mistakes={
                "The correction goes the wrong way: throwing negatives away made the "
                "outputs too large.": output / (output + share * (1 - output)),
                "The odds are multiplied by the share, not the probability.": (
                    share * output
                ),
                "These are the corrected odds: divide them by 1 plus themselves.": (
                    truth / (1 - truth)
                ),
                "These are the corrected logits: put them into a sigmoid.": (
                    np.log(truth / (1 - truth))
                ),
                "Nothing is corrected.": output,
            },
        )
    return "Compared with the probabilities that the outputs were made from."


@exercise("ex-06-mend", "mended")
def mended(answer: Answer) -> str:
    """A function of labels, logits and a weight: the loss, with its slopes at 0 too."""
    import tensorflow as tf

    loss = answer.function("y", "z", "w")
    y, z, w = np.array([1.0, 0.0, 0.3, 1.0]), np.array([0.0, 0.0, 0.0, -2.0]), 3.0
    positive, negative = np.logaddexp(0, -z), np.logaddexp(0, z)
    expect_close(
        loss.array(tf.constant(y), tf.constant(z), w),
        w * y * positive + (1 - y) * negative,
        given=f"y = {y.tolist()}, z = {z.tolist()} and w = {w:g}",
        mistakes={
            "The weight belongs to the term with y alone.": (
                w * (y * positive + (1 - y) * negative)
            ),
            "The weight is at the negatives: it belongs to the term with y.": (
                y * positive + w * (1 - y) * negative
            ),
            "The signs of the two softplus terms are exchanged.": (
                w * y * negative + (1 - y) * positive
            ),
            "The weight does nothing.": y * positive + (1 - y) * negative,
        },
    )
    _expect_derivatives(answer, y, z, w)
    _expect_no_overflow(answer, w)
    return "Compared with the value, also far away, and with both derivatives."


def _expect_derivatives(answer: Answer, y: np.ndarray, z: np.ndarray, w: float) -> None:
    import tensorflow as tf

    labels, weight = tf.constant(y), tf.constant(w, tf.float64)
    q, factor = 1 / (1 + np.exp(-z)), 1 + (w - 1) * y
    right, flat = (1 - y) * q - w * y * (1 - q), np.where(z == 0, factor / 2, 0)
    given = f"y = {y.tolist()}, z = {z.tolist()} and w = {w:g}"
    kinks = (
        "Something with a kink at 0 counts as flat there, as in tf.nn. Use softplus, "
        "which has no kink."
    )
    loss = Answer(answer.name, lambda z: answer.value(labels, z, weight))
    expect_gradient(loss, (z,), right, given=given, mistakes={kinks: right + flat})
    curvature = factor * q * (1 - q)
    expect_close(
        _second_derivative(loss, z),
        curvature,
        given=given,
        what="the second derivative of your function is",
        mistakes={kinks: np.where(z == 0, 0, curvature)},
    )


def _expect_no_overflow(answer: Answer, w: float) -> None:
    import tensorflow as tf

    y, z = np.array([1.0, 0.0]), np.array([-800.0, 800.0])
    expect_close(
        answer.array(tf.constant(y), tf.constant(z), w),
        [800 * w, 800],
        given=f"y = {y.tolist()}, z = {z.tolist()} and w = {w:g}",
        mistakes={
            "A power of e is too large there, or a sigmoid is 0: tf.nn.softplus "
            "computes with neither.": [np.inf, np.inf],
        },
    )


def _second_derivative(loss: Answer, z: np.ndarray) -> object:
    import tensorflow as tf

    z = tf.constant(z)
    with tf.GradientTape() as outer:
        outer.watch(z)
        with tf.GradientTape() as inner:
            inner.watch(z)
            value = loss(z)
        slope = inner.gradient(value, z)
    second = outer.gradient(slope, z)
    if second is None:
        raise WrongAnswerError(
            "Your function has a gradient, and no second derivative: TensorFlow has "
            "to see how the gradient depends on z."
        )
    return second


@exercise("ex-06-which", "estimated_weight")
def estimated_weight(answer: Answer) -> str:
    """A function of logits and of the base rate: the weight that shifted the logits."""
    weight = answer.function("logits", "base_rate")
    probabilities = np.array([0.02, 0.05, 0.1, 0.1, 0.3, 0.6, 0.01])
    base_rate = probabilities.mean()
    for right in (10.0, 0.5):
        logits = np.log(probabilities / (1 - probabilities)) + np.log(right)
        output = 1 / (1 + np.exp(-logits))
        expect_close(
            weight.array(logits, base_rate),
            right,
            given=f"logits that were shifted by log {right:g}",
            mistakes={
                "This is the logarithm of the weight.": np.log(right),
                "The shift goes the wrong way: a large weight makes outputs larger.": (
                    1 / right
                ),
                "This is the mean output divided by the base rate: the weight "
                "multiplies odds.": output.mean() / base_rate,
                "This compares the odds of the two means: subtract from each logit, "
                "and then take the mean.": _odds(output.mean()) / _odds(base_rate),
            },
            rtol=1e-3,
        )
    return "Compared with the weights by which logits were shifted, 10 and 0.5."


def _odds(probability: float) -> float:
    return probability / (1 - probability)
