"""Answers to the exercises of chapter 16."""

import numpy as np
import tensorflow as tf

from lossfn import losses, reference
from tests.answers import Right, Wrong


def probability(y, z):
    return tf.gather(tf.nn.softmax(z), y, batch_dims=1)


def in_place(p):
    p *= 0.9
    p += 0.1 / 3
    return p


WRONG = [
    Wrong(
        "ex-16-smoothing",
        "no smoothing",
        lambda p: p,
        "For p = [1.0, 0.0, 0.0] your function gives 1 at position 0, where "
        "0.9333 is right. Without smoothing it would be smallest at p. Which "
        "label does the loss see?",
    ),
    Wrong(
        "ex-16-smoothing",
        "0.1 to each",
        lambda p: 0.9 * p + 0.1,
        "For p = [1.0, 0.0, 0.0] your function gives 1 at position 0, where "
        "0.9333 is right. These do not sum to 1: the 0.1 is shared by three "
        "classes.",
    ),
    Wrong(
        "ex-16-smoothing",
        "rest missing",
        lambda p: 0.9 * p,
        "For p = [1.0, 0.0, 0.0] your function gives 0.9 at position 0, where "
        "0.9333 is right. The rest is missing: these sum to 0.9.",
    ),
    Wrong(
        "ex-16-smoothing",
        "not to the true one",
        lambda p: np.where(p == p.max(), 0.9 * p, 0.9 * p + 0.05),
        "For p = [1.0, 0.0, 0.0] your function gives 0.9 at position 0, where "
        "0.9333 is right. The 0.1 is shared by all three classes, the true one "
        "too.",
    ),
    Wrong(
        "ex-16-smoothing",
        "taken out",
        lambda p: (p - 0.1 / 3) / 0.9,
        "For p = [1.0, 0.0, 0.0] your function gives 1.074 at position 0, where "
        "0.9333 is right. This takes the smoothing out again: put it in.",
    ),
    Wrong(
        "ex-16-mend",
        "logits for probabilities",
        lambda y, z: (1 - tf.sqrt(tf.gather(z, y, batch_dims=1))) / 0.5,
        "Your function gives -0.8284 at position 0, where 0.3203 is right. Your "
        "function takes the logits for probabilities.",
    ),
    Wrong(
        "ex-16-mend",
        "sigmoid",
        lambda y, z: (1 - tf.sqrt(tf.gather(tf.sigmoid(z), y, batch_dims=1))) / 0.5,
        "Your function gives 0.123 at position 0, where 0.3203 is right. This is the "
        "sigmoid of one logit: the probability of a class is a softmax.",
    ),
    Wrong(
        "ex-16-mend",
        "q of 1",
        lambda y, z: 1 - probability(y, z),
        "Your function gives 0.2946 at position 0, where 0.3203 is right. This is 1 -"
        " p, the loss with q = 1.",
    ),
    Wrong(
        "ex-16-mend",
        "cross entropy",
        lambda y, z: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=z),
        "Your function gives 0.349 at position 0, where 0.3203 is right. This "
        "is the cross entropy, the limit for q = 0.",
    ),
    Wrong(
        "ex-16-mend",
        "mean",
        lambda y, z: tf.reduce_mean(losses.generalized_crossentropy(y, z, q=0.5)),
        "Your function returns one number for the batch: then sample_weight "
        "cannot work. Return one loss for each example, and leave the mean to "
        "whoever trains.",
    ),
    Wrong(
        "ex-16-mend",
        "no division",
        lambda y, z: 1 - tf.sqrt(probability(y, z)),
        "Your function gives 0.1601 at position 0, where 0.3203 is right. The "
        "division by q is missing.",
    ),
    Wrong(
        "ex-16-mend",
        "through probabilities",
        lambda y, z: (1 - tf.gather(tf.nn.softmax(z), y, batch_dims=1) ** 0.5) / 0.5,
        "In float32 the gradient is [nan, nan, nan]. Compute from logits with a"
        " stable form (tf.nn or lossfn), and choose the input of a log, a root "
        "or a division before it, not the output after it. (The check finite; "
        "chapter 02 explains it.)",
    ),
    Wrong(
        "ex-16-mend",
        "one hot",
        lambda y, z: (
            (
                1
                - tf.reduce_sum(
                    tf.one_hot(
                        y,
                        tf.shape(z)[-1],
                        dtype=z.dtype if tf.is_tensor(z) else tf.float64,
                    )
                    * tf.nn.softmax(z),
                    -1,
                )
                ** 0.5
            )
            / 0.5
        ),
        "Labels of shape (4, 1) and predictions of shape (4, 3) give losses of "
        "shape (4, 4), [0.979, 0.8143, 0.4342, 1.39, 1.16, 1.266, ...], and no "
        "error. Make class indices flat before anything else, y_true = "
        "tf.reshape(y_true, [-1]), and use no other form of them. (The check "
        "no_broadcast; chapter 12 explains it.)",
    ),
    Wrong(
        "ex-16-mend",
        "numpy",
        lambda y, z: (
            (
                1
                - np.sqrt(
                    np.exp(
                        -reference.sparse_softmax_cross_entropy_with_logits(
                            labels=np.asarray(y), logits=np.asarray(z)
                        )
                    )
                )
            )
            / 0.5
        ),
        "The gradient is None. Use TensorFlow's own differentiable operations "
        "all the way, without tf.stop_gradient; in a tf.custom_gradient derive "
        "the formula again, and multiply by the upstream gradient. (The check "
        "gradient; chapter 08 explains it.)",
    ),
]

RIGHT = [
    Right("ex-16-smoothing", "in place", in_place),
    Right("ex-16-smoothing", "otherwise", lambda p: p + 0.1 * (1 / 3 - p)),
    Right(
        "ex-16-mend",
        "otherwise",
        lambda y, z: (
            -2
            * tf.math.expm1(
                -tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=z) / 2
            )
        ),
    ),
]
