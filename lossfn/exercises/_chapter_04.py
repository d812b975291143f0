"""Sparse softmax: a void border, smoothing by class number, two means, and bytes."""

from __future__ import annotations

import numpy as np

from lossfn import reference
from lossfn.exercises._answer import Answer, WrongAnswerError, as_array
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import expect_close, expect_gradient

VOID = 255


@exercise("ex-04-void", "mean_without_void")
def mean_without_void(answer: Answer) -> str:
    """A function of a mask and logits: the mean loss where the mask is not 255."""
    import tensorflow as tf

    mean = answer.function("labels=", "logits=")
    mask, logits = _picture()
    valid = mask != VOID
    losses = reference.sparse_softmax_cross_entropy_with_logits(
        labels=np.where(valid, mask, 0), logits=np.moveaxis(logits, 1, -1)
    )
    right = losses[valid].mean()
    expect_close(
        _one_number(mean(labels=mask, logits=tf.constant(logits))),
        right,
        given="a mask with void pixels",
        mistakes={
            "The sum is divided by all pixels: divide by those that count.": (
                losses[valid].sum() / mask.size
            ),
            "The void pixels are counted as pixels of class 0.": losses.mean(),
            "This is the sum over the pixels that count.": losses[valid].sum(),
            "This is the mean of the pictures' means: the pixels do not all count "
            "the same.": np.mean(
                [a[v].mean() for a, v in zip(losses, valid, strict=True)]
            ),
        },
    )
    _expect_no_pull(answer, mask, logits)
    return "Compared with the mean over the pixels that count, and its gradient."


def _picture() -> tuple[np.ndarray, np.ndarray]:
    """Return a mask (batch, height, width) and logits (batch, class, height, width)."""
    generator = np.random.default_rng(seed=1)
    mask = generator.integers(0, 3, size=(2, 4, 5)).astype(np.uint8)
    mask[0, 1], mask[1, :2, 3:] = VOID, VOID
    return mask, generator.normal(size=(2, 3, 4, 5))


def _one_number(value: object) -> np.ndarray:
    value = as_array(value, "Your function returns")
    if value.shape != ():
        raise WrongAnswerError(
            "Your function must return one number, the mean over the pixels that "
            f"count, got shape {value.shape}."
        )
    return value


def _expect_no_pull(answer: Answer, mask: np.ndarray, logits: np.ndarray) -> None:
    by_logits = Answer(
        answer.name, lambda logits: answer.value(labels=mask, logits=logits)
    )
    valid = mask != VOID
    channels_last = reference.sparse_softmax_cross_entropy_with_logits_gradient(
        labels=np.where(valid, mask, 0), logits=np.moveaxis(logits, 1, -1)
    )
    by_pixel = np.moveaxis(channels_last, -1, 1)
    expect_gradient(
        by_logits,
        (logits,),
        np.where(valid[:, None], by_pixel, 0) / valid.sum(),
        given="a mask with void pixels",
    )


@exercise("ex-04-smoothing", "smoothed_loss")
def smoothed_loss(answer: Answer) -> str:
    """A function of class numbers, logits and epsilon: one smoothed loss an example."""
    import tensorflow as tf

    loss = answer.function("labels", "logits", "epsilon")
    labels = np.array([0, 3, 2])
    logits = np.array([[2.0, 0, -1, 0.5], [0, 1, 4, 1.5], [-3, 0.5, 0, 0]])
    one_hot, share = np.eye(4)[labels], 0.2

    def dense(rows: np.ndarray) -> np.ndarray:
        return -np.sum(rows * (logits - _log_sum_exp(logits)), axis=1)

    plain = dense(one_hot)
    expect_close(
        loss.array(tf.constant(labels), tf.constant(logits), share),
        dense((1 - share) * one_hot + share / 4),
        given=f"epsilon = {share:g} and 4 classes",
        mistakes={
            "Nothing is smoothed.": plain,
            "Epsilon is shared by the wrong classes only: here the true class gets "
            "its part of it too.": dense(
                (1 - share) * one_hot + share / 3 * (1 - one_hot)
            ),
            "The mean of the logits is needed, not their sum.": (
                (1 - share) * plain
                + share * (_log_sum_exp(logits)[:, 0] - logits.sum(axis=1))
            ),
            "The mean of the logits is needed for each example, not for the batch.": (
                (1 - share) * plain
                + share * (_log_sum_exp(logits)[:, 0] - logits.mean())
            ),
            "The two weights are exchanged: the one-hot part has 1 - epsilon.": (
                dense(share * one_hot + (1 - share) / 4)
            ),
            "The uniform part is divided by K once more: the mean has done that.": (
                dense((1 - share) * one_hot + share / 16)
            ),
            "Only the part of the true class is here: the other classes have "
            "epsilon / K each.": dense((1 - share + share / 4) * one_hot),
            "The uniform part lacks its log-sum-exp.": (
                (1 - share) * plain - share * logits.mean(axis=1)
            ),
        },
    )
    return "Compared with the dense loss of the smoothed rows, in float64."


def _log_sum_exp(logits: np.ndarray) -> np.ndarray:
    return np.log(np.sum(np.exp(logits), axis=1, keepdims=True))


@exercise("ex-04-two-means", "two_means")
def two_means(answer: Answer) -> str:
    """A function of losses and of what counts: mean over words, mean of sentences."""
    means = answer.function("losses", "valid")
    lengths = np.array([2, 8, 5])
    valid = np.arange(8) < lengths[:, None]
    losses = np.where(valid, [[3.0], [1.0], [2.0]], 9.0)
    got = means.array(losses, valid)
    if got.shape != (2,):
        raise WrongAnswerError(
            "two_means must return two numbers, the mean over all words and the mean "
            f"of the sentences' means, got shape {got.shape}."
        )
    right = np.array([losses[valid].mean(), 2.0])
    kept = np.where(valid, losses, 0)
    expect_close(
        got,
        right,
        given="sentences of 2, 8 and 5 words",
        mistakes={
            "The two are exchanged: the mean over all words comes first.": right[::-1],
            "The losses of the padding are counted.": np.array(
                [losses.mean(), losses.mean(axis=1).mean()]
            ),
            "The sums are divided by all places: divide by those that count.": (
                np.full(2, kept.mean())
            ),
            "The losses of the padding are in the sums.": np.array(
                [losses.sum() / valid.sum(), np.mean(losses.sum(axis=1) / lengths)]
            ),
            "The sentences' sums are divided by 8, and should be by their lengths.": (
                np.array([right[0], kept.mean()])
            ),
        },
    )
    return "Compared with both means of three sentences, with losses at padding."


@exercise("ex-04-gigabyte", "first_too_many")
def first_too_many(answer: Answer) -> str:
    """The smallest number of classes whose one-hot labels exceed a billion bytes."""
    classes = answer.numbers()
    right = next(k for k in range(15_000, 16_000) if 32 * 512 * k * 4 > 10**9)
    expect_close(
        classes,
        right,
        what="your number is",
        mistakes={
            "With this number they do not exceed it yet: it is one too few.": right - 1,
            "With one class fewer they exceed it already.": right + 1,
            "A number of float32 has 4 bytes, not 8.": 10**9 // (8 * 32 * 512) + 1,
            "A number of float32 has 4 bytes, not 1.": 10**9 // (32 * 512) + 1,
            "A billion bytes are 10^9, not 2^30.": 2**30 // (4 * 32 * 512) + 1,
            "Take a whole number of classes: the next larger one.": (
                10**9 / (4 * 32 * 512)
            ),
        },
        rtol=1e-6,
    )
    return "Compared with the bytes counted for every number of classes near it."
