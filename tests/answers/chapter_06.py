"""Answers to the exercises of chapter 6."""

import numpy as np
import tensorflow as tf
from scipy.optimize import brentq

from tests.answers import Right, Wrong


def by_copying(penalty, labels, pos_weight):
    positives = [label for label in labels if label == 1]
    copied = list(labels) + positives * (pos_weight - 1)
    return penalty * len(labels) / len(copied)


def one_copy_too_many(penalty, labels, pos_weight):
    return penalty * len(labels) / (len(labels) + pos_weight * labels.sum())


def only_the_copies(penalty, labels, pos_weight):
    copied = len(labels) + (pos_weight - 2) * labels.sum()
    return penalty * len(labels) / copied


def upside_down(penalty, labels, pos_weight):
    return penalty**2 / by_copying(penalty, labels, pos_weight)


def log_odds(output):
    return np.log(output / (1 - output))


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def through_tf_nn(y, z, w):
    return tf.nn.weighted_cross_entropy_with_logits(labels=y, logits=z, pos_weight=w)


def weight_on_both(y, z, w):
    return w * tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z)


def weight_on_negatives(y, z, w):
    return y * tf.nn.softplus(-z) + w * (1 - y) * tf.nn.softplus(z)


def through_sigmoids(y, z, w):
    return -w * y * tf.math.log(tf.sigmoid(z)) - (1 - y) * tf.math.log(tf.sigmoid(-z))


def through_powers(y, z, w):
    return w * y * tf.math.log1p(tf.exp(-z)) + (1 - y) * tf.math.log1p(tf.exp(z))


def exchanged_signs(y, z, w):
    return w * y * tf.nn.softplus(z) + (1 - y) * tf.nn.softplus(-z)


def with_gradient(q_of):
    """Make a loss whose gradient is written down, with a sigmoid of one's own."""

    def mended(y, z, w):
        @tf.custom_gradient
        def loss(z):
            q = q_of(z)
            slope = (1 - y) * q - w * y * (1 - q)
            return through_tf_nn(y, z, w), lambda by: by * slope

        return loss(z)

    return mended


def patched_at_0(z):
    return tf.where(z == 0, tf.cast(0.5, z.dtype), tf.sigmoid(z))


def not_seen(z):
    return tf.stop_gradient(tf.sigmoid(z))


def with_shared_factor(y, z, w):
    return (1 - y) * z + (1 + (w - 1) * y) * tf.nn.softplus(-z)


def log_of_weight(logits, base_rate):
    return brentq(lambda c: sigmoid(logits - c).mean() - base_rate, -9, 9)


def above_1_only(logits, base_rate):
    return max(1.0, np.exp(log_of_weight(logits, base_rate)))


def ratio_of_means(logits, base_rate):
    return sigmoid(logits).mean() / base_rate


def odds_of_means(logits, base_rate):
    return np.exp(log_odds(sigmoid(logits).mean()) - log_odds(base_rate))


def by_bisection(logits, base_rate):
    low, high = 1e-3, 1e3
    while high / low > 1 + 1e-6:
        middle = np.sqrt(low * high)
        too_high = sigmoid(logits - np.log(middle)).mean() > base_rate
        low, high = (middle, high) if too_high else (low, middle)
    return low


WRONG = [
    Wrong(
        "ex-06-copies",
        "weight 4 in the code",
        lambda penalty, labels, pos_weight: by_copying(penalty, labels, 4),
        "For penalty = 0.001, 2 positives among 10 and weight 2 your function gives "
        "0.000625, and 0.0008333 is right.",
    ),
    Wrong(
        "ex-06-which",
        "above 1 only",
        above_1_only,
        "For logits that were shifted by log 0.5 your function gives 1, and 0.5 is "
        "right. Your answer is 2 times too large.",
    ),
    Wrong(
        "ex-06-copies",
        "upside down",
        upside_down,
        "For penalty = 0.1, 2 positives among 10 and weight 4 your function gives "
        "0.16, and 0.0625 is right. The fraction is upside down: a longer list makes "
        "each loss count less, so the penalty has to count less.",
    ),
    Wrong(
        "ex-06-copies",
        "the same",
        lambda penalty, labels, pos_weight: penalty,
        "For penalty = 0.1, 2 positives among 10 and weight 4 your function gives "
        "0.1, and 0.0625 is right. The mean is over more examples now: the same "
        "penalty counts more.",
    ),
    Wrong(
        "ex-06-copies",
        "one copy too many",
        one_copy_too_many,
        "For penalty = 0.1, 2 positives among 10 and weight 4 your function gives "
        "0.05556, and 0.0625 is right. One copy too many: a weight w means w - 1 "
        "copies and the original.",
    ),
    Wrong(
        "ex-06-copies",
        "divided by the weight",
        lambda penalty, labels, pos_weight: penalty / pos_weight,
        "For penalty = 0.1, 2 positives among 10 and weight 4 your function gives "
        "0.025, and 0.0625 is right. Not all examples were copied: the list is not w "
        "times as long.",
    ),
    Wrong(
        "ex-06-copies",
        "the originals are gone",
        only_the_copies,
        "For penalty = 0.1, 2 positives among 10 and weight 4 your function gives "
        "0.07143, and 0.0625 is right. The original positives are still there beside "
        "their copies.",
    ),
    Wrong(
        "ex-06-fewer",
        "nothing",
        lambda output, share: output,
        "For the outputs [0.3077, 0.8, 0.0755, 0.973] and the share 0.25 your "
        "function gives 0.3077 at position 0, where 0.1 is right. Nothing is "
        "corrected.",
    ),
    Wrong(
        "ex-06-fewer",
        "wrong way",
        lambda output, share: sigmoid(log_odds(output) - np.log(share)),
        "For the outputs [0.3077, 0.8, 0.0755, 0.973] and the share 0.25 your "
        "function gives 0.64 at position 0, where 0.1 is right. The correction goes "
        "the wrong way: throwing negatives away made the outputs too large.",
    ),
    Wrong(
        "ex-06-fewer",
        "scaled",
        lambda output, share: share * output,
        "For the outputs [0.3077, 0.8, 0.0755, 0.973] and the share 0.25 your "
        "function gives 0.07692 at position 0, where 0.1 is right. The odds are "
        "multiplied by the share, not the probability.",
    ),
    Wrong(
        "ex-06-fewer",
        "odds",
        lambda output, share: share * output / (1 - output),
        "For the outputs [0.3077, 0.8, 0.0755, 0.973] and the share 0.25 your "
        "function gives 0.1111 at position 0, where 0.1 is right. These are the "
        "corrected odds: divide them by 1 plus themselves.",
    ),
    Wrong(
        "ex-06-fewer",
        "logits",
        lambda output, share: log_odds(output) + np.log(share),
        "For the outputs [0.3077, 0.8, 0.0755, 0.973] and the share 0.25 your "
        "function gives -2.197 at position 0, where 0.1 is right. These are the "
        "corrected logits: put them into a sigmoid.",
    ),
    Wrong(
        "ex-06-mend",
        "tf.nn",
        through_tf_nn,
        "For y = [1.0, 0.0, 0.3, 1.0], z = [0.0, 0.0, 0.0, -2.0] and w = 3 the "
        "gradient of your function is 0 at position 0, where -1.5 is right. Something "
        "with a kink at 0 counts as flat there, as in tf.nn. Use softplus, which has "
        "no kink.",
    ),
    Wrong(
        "ex-06-mend",
        "weight on both",
        weight_on_both,
        "For y = [1.0, 0.0, 0.3, 1.0], z = [0.0, 0.0, 0.0, -2.0] and w = 3 your "
        "function gives 2.079 at position 1, where 0.6931 is right. The weight "
        "belongs to the term with y alone.",
    ),
    Wrong(
        "ex-06-mend",
        "weight on negatives",
        weight_on_negatives,
        "For y = [1.0, 0.0, 0.3, 1.0], z = [0.0, 0.0, 0.0, -2.0] and w = 3 your "
        "function gives 0.6931 at position 0, where 2.079 is right. The weight is at "
        "the negatives: it belongs to the term with y.",
    ),
    Wrong(
        "ex-06-mend",
        "exchanged signs",
        exchanged_signs,
        "For y = [1.0, 0.0, 0.3, 1.0], z = [0.0, 0.0, 0.0, -2.0] and w = 3 your "
        "function gives 0.3808 at position 3, where 6.381 is right. The signs of the "
        "two softplus terms are exchanged.",
    ),
    Wrong(
        "ex-06-mend",
        "patched at 0",
        with_gradient(patched_at_0),
        "For y = [1.0, 0.0, 0.3, 1.0], z = [0.0, 0.0, 0.0, -2.0] and w = 3 the second "
        "derivative of your function is 0 at position 0, where 0.75 is right. "
        "Something with a kink at 0 counts as flat there, as in tf.nn. Use softplus, "
        "which has no kink.",
    ),
    Wrong(
        "ex-06-mend",
        "no second derivative",
        with_gradient(not_seen),
        "Your function has a gradient, and no second derivative: TensorFlow has to "
        "see how the gradient depends on z.",
    ),
    Wrong(
        "ex-06-mend",
        "no weight",
        lambda y, z, w: with_shared_factor(y, z, 1),
        "For y = [1.0, 0.0, 0.3, 1.0], z = [0.0, 0.0, 0.0, -2.0] and w = 3 your "
        "function gives 0.6931 at position 0, where 2.079 is right. The weight does "
        "nothing.",
    ),
    *(
        Wrong(
            "ex-06-mend",
            mistake,
            loss,
            "For y = [1.0, 0.0], z = [-800.0, 800.0] and w = 3 your function gives "
            "inf at position 0, where 2400 is right. A power of e is too large there, "
            "or a sigmoid is 0: tf.nn.softplus computes with neither.",
        )
        for mistake, loss in (
            ("log of a sigmoid", through_sigmoids),
            ("log of a power", through_powers),
        )
    ),
    Wrong(
        "ex-06-which",
        "logarithm",
        log_of_weight,
        "For logits that were shifted by log 10 your function gives 2.303, and 10 is "
        "right. This is the logarithm of the weight.",
    ),
    Wrong(
        "ex-06-which",
        "wrong way",
        lambda logits, base_rate: np.exp(-log_of_weight(logits, base_rate)),
        "For logits that were shifted by log 10 your function gives 0.1, and 10 is "
        "right. The shift goes the wrong way: a large weight makes outputs larger.",
    ),
    Wrong(
        "ex-06-which",
        "ratio of means",
        ratio_of_means,
        "For logits that were shifted by log 10 your function gives 2.887, and 10 is "
        "right. This is the mean output divided by the base rate: the weight "
        "multiplies odds.",
    ),
    Wrong(
        "ex-06-which",
        "odds of means",
        odds_of_means,
        "For logits that were shifted by log 10 your function gives 4.677, and 10 is "
        "right. This compares the odds of the two means: subtract from each logit, "
        "and then take the mean.",
    ),
]

RIGHT = [
    Right("ex-06-copies", "list of copies", by_copying),
    Right(
        "ex-06-fewer",
        "by the logit",
        lambda output, share: sigmoid(log_odds(output) + np.log(share)),
    ),
    Right(
        "ex-06-fewer",
        "by the logit in TensorFlow",
        lambda output, share: tf.sigmoid(
            tf.math.log(output / (1 - output)) + tf.math.log(share)
        ),
    ),
    Right("ex-06-mend", "shared factor", with_shared_factor),
    Right("ex-06-mend", "gradient written down", with_gradient(tf.sigmoid)),
    Right("ex-06-which", "bisection", by_bisection),
]
