"""Answers to the exercises of chapter 3."""

import math

import numpy as np
import tensorflow as tf

from lossfn import nn
from tests.answers import Right, Wrong


def gap(teacher, student, temperature):
    return tf.nn.softmax(student / temperature) - tf.nn.softmax(teacher / temperature)


def only_student_flattened(teacher, student, temperature):
    q = tf.nn.softmax(student / temperature)
    return temperature * (q - tf.nn.softmax(teacher))


def softmax_of_all(logits):
    return np.exp(logits) / np.sum(np.exp(logits))


def by_tape(teacher, student, temperature):
    student = tf.convert_to_tensor(student)
    with tf.GradientTape() as tape:
        tape.watch(student)
        loss = temperature**2 * nn.softmax_cross_entropy_with_logits(
            labels=tf.nn.softmax(teacher / temperature), logits=student / temperature
        )
    return tape.gradient(loss, student)


def weights_in_labels(labels, logits, class_weights):
    return tf.nn.softmax_cross_entropy_with_logits(
        labels=labels * class_weights, logits=logits
    )


def unweighted(labels, logits, class_weights):
    return tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def weighted_mean(labels, logits, class_weights):
    loss = unweighted(labels, logits, class_weights)
    return tf.reduce_mean(tf.reduce_sum(labels * class_weights, axis=1) * loss)


def weights_of_all_classes(labels, logits, class_weights):
    return tf.reduce_sum(class_weights) * unweighted(labels, logits, class_weights)


def weights_by_position(labels, logits, class_weights):
    return class_weights * unweighted(labels, logits, class_weights)


def by_gather(labels, logits, class_weights):
    weights = tf.gather(class_weights, tf.argmax(labels, axis=-1))
    return weights * -tf.reduce_sum(labels * tf.nn.log_softmax(logits), axis=-1)


def mixed_by(weight_1, weight_2):
    def mixup_loss(labels_1, labels_2, logits, share):
        loss_1 = nn.softmax_cross_entropy_with_logits(labels=labels_1, logits=logits)
        loss_2 = nn.softmax_cross_entropy_with_logits(labels=labels_2, logits=logits)
        return weight_1(share) * loss_1 + weight_2(share) * loss_2

    return mixup_loss


def mixed_labels(labels_1, labels_2, logits, share):
    return nn.softmax_cross_entropy_with_logits(
        labels=share * labels_1 + (1 - share) * labels_2, logits=logits
    )


WRONG = [
    Wrong(
        "ex-03-temperature",
        "2 in the code",
        lambda t, z, by: 2 * gap(t, z, 2),
        "For temperature = 10 your function gives -0.9015 at position [0, 0], where "
        "-0.9458 is right.",
    ),
    Wrong(
        "ex-03-twice",
        "for ten classes only",
        lambda classes: np.log(np.e + 9),
        "For classes = 100 your function gives 2.461, and 4.622 is right.",
    ),
    Wrong(
        "ex-03-temperature",
        "no T squared",
        lambda t, z, by: gap(t, z, by) / by,
        "For temperature = 2 your function gives -0.2254 at position [0, 0], where "
        "-0.9015 is right. The factor T^2 is missing.",
    ),
    Wrong(
        "ex-03-temperature",
        "no chain rule",
        lambda t, z, by: by**2 * gap(t, z, by),
        "For temperature = 2 your function gives -1.803 at position [0, 0], where "
        "-0.9015 is right. The chain rule is missing: the derivative of z / T by z is "
        "1 / T.",
    ),
    Wrong(
        "ex-03-temperature",
        "no factor",
        gap,
        "For temperature = 2 your function gives -0.4508 at position [0, 0], where "
        "-0.9015 is right. A factor T is missing: T^2 times the 1 / T of the chain "
        "rule.",
    ),
    Wrong(
        "ex-03-temperature",
        "student minus teacher",
        lambda t, z, by: by * gap(z, t, by),
        "For temperature = 2 your function gives 0.9015 at position [0, 0], where "
        "-0.9015 is right. The sign is wrong: the gradient is prediction minus truth, "
        "and the student predicts.",
    ),
    Wrong(
        "ex-03-temperature",
        "certain teacher",
        only_student_flattened,
        "For temperature = 2 your function gives -1.305 at position [0, 0], where "
        "-0.9015 is right. The teacher's softmax needs the temperature too.",
    ),
    Wrong(
        "ex-03-temperature",
        "one softmax for all rows",
        lambda t, z, by: by * (softmax_of_all(z / by) - softmax_of_all(t / by)),
        "For temperature = 2 your function gives -0.2981 at position [0, 0], where "
        "-0.9015 is right. The softmax was taken over both rows at once: each row is "
        "an example.",
    ),
    Wrong(
        "ex-03-temperature",
        "limit",
        lambda t, z, by: (z - t) / 3,
        "For temperature = 2 your function gives -1 at position [0, 0], where -0.9015 "
        "is right. This is the limit for a large T.",
    ),
    Wrong(
        "ex-03-weights",
        "in the labels",
        weights_in_labels,
        "The gradient of your function is 0.06743 at position [1, 0], where 0.3371 is "
        "right. The weights are in the labels: the gradient of tf.nn is then softmax "
        "minus these labels, which is not that of its value. Multiply the loss.",
    ),
    Wrong(
        "ex-03-weights",
        "none",
        unweighted,
        "For true classes [0, 2, 1] and the class weights 1, 2, 5 your function gives "
        "0.1967 at position 1, where 0.9837 is right. The weights do nothing.",
    ),
    Wrong(
        "ex-03-weights",
        "mean",
        weighted_mean,
        "Your function returns one number for the batch: then sample_weight cannot "
        "work. Return one loss for each example, and leave the mean to whoever "
        "trains.",
    ),
    Wrong(
        "ex-03-weights",
        "all classes",
        weights_of_all_classes,
        "For true classes [0, 2, 1] and the class weights 1, 2, 5 your function gives "
        "1.143 at position 0, where 0.1429 is right. Each example was given the "
        "weights of all classes.",
    ),
    Wrong(
        "ex-03-weights",
        "by position",
        weights_by_position,
        "For true classes [0, 2, 1] and the class weights 1, 2, 5 your function gives "
        "0.3935 at position 1, where 0.9837 is right. The first weight was given to "
        "the first example: it belongs to the first class.",
    ),
    Wrong(
        "ex-03-twice",
        "floor",
        lambda classes: math.log(1 + (classes - 1) / math.e),
        "For classes = 10 your function gives 1.461, and 2.461 is right. This is "
        "the smallest loss: the model is certain of the true class.",
    ),
    Wrong(
        "ex-03-twice",
        "knows nothing",
        np.log,
        "For classes = 10 your function gives 2.303, and 2.461 is right. This is "
        "the loss of a model that knows nothing.",
    ),
    Wrong(
        "ex-03-twice",
        "off by one",
        lambda classes: np.log(np.e + classes),
        "For classes = 10 your function gives 2.543, and 2.461 is right. One class "
        "too many: one has the output 1, K - 1 have 0.",
    ),
    Wrong(
        "ex-03-twice",
        "infinite",
        lambda classes: np.inf,
        "For classes = 10 your function gives inf, and 2.461 is right. The loss has"
        " a largest value: the outputs lie between 0 and 1.",
    ),
    Wrong(
        "ex-03-mixup",
        "exchanged",
        mixed_by(lambda s: 1 - s, lambda s: s),
        "For share = 0.3 your function gives 0.7429 at position 0, where 1.543 is "
        "right. The share is that of the first example: the two are exchanged.",
    ),
    Wrong(
        "ex-03-mixup",
        "sum",
        mixed_by(lambda s: 1, lambda s: 1),
        "For share = 0.3 your function gives 2.286 at position 0, where 1.543 is "
        "right. The two losses must be weighted by the share and by the rest.",
    ),
    Wrong(
        "ex-03-mixup",
        "0.3 in the code",
        mixed_by(lambda s: 0.3, lambda s: 0.7),
        "For share = 0.9 your function gives 1.543 at position 0, where 0.3429 is "
        "right.",
    ),
]

RIGHT = [
    Right("ex-03-temperature", "by GradientTape", by_tape),
    Right("ex-03-weights", "by look-up", by_gather),
    Right("ex-03-twice", "floor plus one", lambda k: 1 + np.log1p((k - 1) / np.e)),
    Right("ex-03-mixup", "mixed labels", mixed_labels),
]
