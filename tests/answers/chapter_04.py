"""Answers to the exercises of chapter 4."""

import numpy as np
import tensorflow as tf

from lossfn import nn
from tests.answers import Right, Wrong

VOID = 255


def pixel_losses(labels, logits):
    """Return losses of which those at void pixels mean nothing, and what counts."""
    valid = labels != VOID
    losses = nn.sparse_softmax_cross_entropy_with_logits(
        labels=np.where(valid, labels, 0), logits=logits, axis=1
    )
    return losses, valid


def mean_over_all(*, labels, logits):
    losses, valid = pixel_losses(labels, logits)
    return tf.reduce_mean(tf.where(valid, losses, 0))


def void_is_class_0(*, labels, logits):
    return tf.reduce_mean(pixel_losses(labels, logits)[0])


def not_reduced(*, labels, logits):
    losses, valid = pixel_losses(labels, logits)
    return tf.where(valid, losses, 0)


def no_mask(*, labels, logits):
    losses = nn.sparse_softmax_cross_entropy_with_logits(
        labels=labels, logits=logits, axis=1
    )
    return tf.reduce_mean(losses)


def mean_of_pictures(*, labels, logits):
    losses, valid = pixel_losses(labels, logits)
    counts = valid.sum(axis=(1, 2))
    sums = tf.reduce_sum(tf.where(valid, losses, 0), axis=(1, 2))
    return tf.reduce_mean(sums / counts)


def in_numpy(*, labels, logits):
    losses, valid = pixel_losses(labels, logits)
    return losses.numpy()[valid].mean()


def by_boolean_mask(labels, logits):
    keep = tf.constant(labels) != VOID
    rows = tf.boolean_mask(tf.transpose(logits, [0, 2, 3, 1]), keep)
    numbers = tf.cast(tf.boolean_mask(labels, keep), tf.int32)
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=numbers, logits=rows)
    )


def sparse(labels, logits):
    return nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def uniform(logits):
    return tf.reduce_logsumexp(logits, axis=-1) - tf.reduce_mean(logits, axis=-1)


def unsmoothed(labels, logits, epsilon):
    return sparse(labels, logits)


def wrong_classes_only(labels, logits, epsilon):
    rows = tf.one_hot(labels, 4, 1 - epsilon, epsilon / 3, dtype=logits.dtype)
    return nn.softmax_cross_entropy_with_logits(labels=rows, logits=logits)


def sum_of_logits(labels, logits, epsilon):
    every = tf.reduce_logsumexp(logits, axis=-1) - tf.reduce_sum(logits, axis=-1)
    return (1 - epsilon) * sparse(labels, logits) + epsilon * every


def mean_of_batch(labels, logits, epsilon):
    every = tf.reduce_logsumexp(logits, axis=-1) - tf.reduce_mean(logits)
    return (1 - epsilon) * sparse(labels, logits) + epsilon * every


def exchanged_weights(labels, logits, epsilon):
    return epsilon * sparse(labels, logits) + (1 - epsilon) * uniform(logits)


def only_true_class(labels, logits, epsilon):
    return (1 - epsilon + epsilon / 4) * sparse(labels, logits)


def smoothed_mean(labels, logits, epsilon):
    loss = (1 - epsilon) * sparse(labels, logits) + epsilon * uniform(logits)
    return tf.reduce_mean(loss)


def in_one_line(labels, logits, epsilon):
    true_logit = tf.gather(logits, labels, axis=1, batch_dims=1)
    aim = (1 - epsilon) * true_logit + epsilon * tf.reduce_mean(logits, axis=1)
    return tf.reduce_logsumexp(logits, axis=1) - aim


def padding_counted(losses, valid):
    return losses.mean(), losses.mean(axis=1).mean()


def all_places(losses, valid):
    kept = np.where(valid, losses, 0)
    return kept.mean(), kept.mean(axis=1).mean()


def padding_in_sums(losses, valid):
    of_sentences = losses.sum(axis=1) / valid.sum(axis=1)
    return losses.sum() / valid.sum(), of_sentences.mean()


def with_masked_arrays(losses, valid):
    kept = np.ma.array(losses, mask=~valid)
    return [float(kept.mean()), float(kept.mean(axis=1).mean())]


WRONG = [
    Wrong(
        "ex-04-void",
        "divided by all pixels",
        mean_over_all,
        "For a mask with void pixels your function gives 1.082, and 1.396 is right. "
        "The sum is divided by all pixels: divide by those that count.",
    ),
    Wrong(
        "ex-04-void",
        "void is class 0",
        void_is_class_0,
        "For a mask with void pixels your function gives 1.451, and 1.396 is right. "
        "The void pixels are counted as pixels of class 0.",
    ),
    Wrong(
        "ex-04-void",
        "not reduced",
        not_reduced,
        "Your function must return one number, the mean over the pixels that count, "
        "got shape (2, 4, 5).",
    ),
    Wrong(
        "ex-04-void",
        "no mask",
        no_mask,
        "Your function raised ValueError when it was called with labels=an array of "
        "shape (2, 4, 5), logits=an array of shape (2, 3, 4, 5): labels must lie in "
        "[0, 3), got 255 at index (0, 1, 0).",
    ),
    Wrong(
        "ex-04-void",
        "mean of means",
        mean_of_pictures,
        "For a mask with void pixels your function gives 1.403, and 1.396 is right. "
        "This is the mean of the pictures' means: the pixels do not all count the "
        "same.",
    ),
    Wrong(
        "ex-04-void",
        "no gradient",
        in_numpy,
        "Your function has no gradient: nothing can be trained with it. Compute with "
        "TensorFlow from the arguments to what you return, without NumPy, casts to "
        "whole numbers or comparisons alone.",
    ),
    Wrong(
        "ex-04-smoothing",
        "unsmoothed",
        unsmoothed,
        "For epsilon = 0.2 and 4 classes your function gives 0.3423 at position 0, "
        "where 0.6673 is right. Nothing is smoothed.",
    ),
    Wrong(
        "ex-04-smoothing",
        "wrong classes only",
        wrong_classes_only,
        "For epsilon = 0.2 and 4 classes your function gives 0.7757 at position 0, "
        "where 0.6673 is right. Epsilon is shared by the wrong classes only: here the "
        "true class gets its part of it too.",
    ),
    Wrong(
        "ex-04-smoothing",
        "sum of logits",
        sum_of_logits,
        "For epsilon = 0.2 and 4 classes your function gives 0.4423 at position 0, "
        "where 0.6673 is right. The mean of the logits is needed, not their sum.",
    ),
    Wrong(
        "ex-04-smoothing",
        "mean of the batch",
        mean_of_batch,
        "For epsilon = 0.2 and 4 classes your function gives 0.6507 at position 0, "
        "where 0.6673 is right. The mean of the logits is needed for each example, "
        "not for the batch.",
    ),
    Wrong(
        "ex-04-smoothing",
        "exchanged",
        exchanged_weights,
        "For epsilon = 0.2 and 4 classes your function gives 1.642 at position 0, "
        "where 0.6673 is right. The two weights are exchanged: the one-hot part has 1 "
        "- epsilon.",
    ),
    Wrong(
        "ex-04-smoothing",
        "true class only",
        only_true_class,
        "For epsilon = 0.2 and 4 classes your function gives 0.291 at position 0, "
        "where 0.6673 is right. Only the part of the true class is here: the other "
        "classes have epsilon / K each.",
    ),
    Wrong(
        "ex-04-smoothing",
        "mean",
        smoothed_mean,
        "Your function returns one number for the batch: then sample_weight cannot "
        "work. Return one loss for each example, and leave the mean to whoever "
        "trains.",
    ),
    Wrong(
        "ex-04-two-means",
        "exchanged",
        lambda losses, valid: with_masked_arrays(losses, valid)[::-1],
        "For sentences of 2, 8 and 5 words your function gives 2 at position 0, where "
        "1.6 is right. The two are exchanged: the mean over all words comes first.",
    ),
    Wrong(
        "ex-04-two-means",
        "padding counted",
        padding_counted,
        "For sentences of 2, 8 and 5 words your function gives 4.375 at position 0, "
        "where 1.6 is right. The losses of the padding are counted.",
    ),
    Wrong(
        "ex-04-two-means",
        "all places",
        all_places,
        "For sentences of 2, 8 and 5 words your function gives 1 at position 0, where "
        "1.6 is right. The sums are divided by all places: divide by those that "
        "count.",
    ),
    Wrong(
        "ex-04-two-means",
        "padding in the sums",
        padding_in_sums,
        "For sentences of 2, 8 and 5 words your function gives 7 at position 0, where "
        "1.6 is right. The losses of the padding are in the sums.",
    ),
    Wrong(
        "ex-04-two-means",
        "one mean",
        lambda losses, valid: losses[valid].mean(),
        "two_means must return two numbers, the mean over all words and the mean of "
        "the sentences' means, got shape ().",
    ),
    Wrong(
        "ex-04-gigabyte",
        "one too few",
        15258,
        "Your number is 15258, which is too small. With this number they do not "
        "exceed it yet: it is one too few.",
    ),
    Wrong(
        "ex-04-gigabyte",
        "float64",
        10**9 // (8 * 32 * 512) + 1,
        "Your number is 7630, which is too small. A number of float32 has 4 bytes, "
        "not 8.",
    ),
    Wrong(
        "ex-04-gigabyte",
        "not whole",
        10**9 / (4 * 32 * 512),
        "Your number is 1.526e+04, which is too small. Take a whole number of "
        "classes: the next larger one.",
    ),
    Wrong(
        "ex-04-gigabyte",
        "powers of two",
        2**14 + 1,
        "Your number is 16385, which is too large. A billion bytes are 10^9, not 2^30.",
    ),
]

RIGHT = [
    Right("ex-04-void", "boolean mask", by_boolean_mask),
    Right("ex-04-smoothing", "one line", in_one_line),
    Right("ex-04-two-means", "masked arrays", with_masked_arrays),
    Right("ex-04-gigabyte", "rounded up", np.ceil(10**9 / 2**16)),
]
