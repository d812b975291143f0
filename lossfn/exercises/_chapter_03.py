"""Softmax: temperature, class weights, a softmax too many, and mixed labels."""

from __future__ import annotations

import numpy as np

from lossfn import reference
from lossfn.exercises._answer import Answer
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import expect_close, expect_gradient
from lossfn.exercises._formulas import softmax

LOGITS = np.array([[2.0, 0.0, -2.0], [0.5, 1.0, 3.0], [-1.0, 0.4, 0.0], [0, 0, 1.5]])
CLASSES = np.array([0, 2, 1, 2])


@exercise("ex-03-temperature", "distillation_gradient")
def distillation_gradient(answer: Answer) -> str:
    """A function of two rows of logits and T: the gradient by the student's logits."""
    gradient = answer.function("teacher", "student", "temperature")
    teacher, student = LOGITS[:2], LOGITS[2:]
    for temperature in (2.0, 10.0, 1.0):
        q, p = (softmax(z / temperature) for z in (student, teacher))
        expect_close(
            gradient.array(teacher, student, temperature),
            temperature * (q - p),
            given=f"temperature = {temperature:g}",
            mistakes={
                "The factor T^2 is missing.": (q - p) / temperature,
                "The chain rule is missing: the derivative of z / T by z is 1 / T.": (
                    temperature**2 * (q - p)
                ),
                "A factor T is missing: T^2 times the 1 / T of the chain rule.": (
                    q - p
                ),
                "The teacher's softmax needs the temperature too.": (
                    temperature * (q - softmax(teacher))
                ),
                "The sign is wrong: the gradient is prediction minus truth, and the "
                "student predicts.": temperature * (p - q),
                "This is the limit for a large T.": (student - teacher) / 3,
                "The softmax was taken over both rows at once: each row is an "
                "example.": temperature
                * (
                    _softmax_of_all(student, temperature)
                    - _softmax_of_all(teacher, temperature)
                ),
            },
            rtol=1e-4,
        )
    return "Compared with T (q - p) at three temperatures."


def _softmax_of_all(logits: np.ndarray, temperature: float) -> np.ndarray:
    return softmax(logits.ravel() / temperature).reshape(logits.shape)


@exercise("ex-03-weights", "class_weighted_loss")
def class_weighted_loss(answer: Answer) -> str:
    """A function of one-hot labels, logits and class weights: one loss an example."""
    import tensorflow as tf

    loss = answer.function("labels", "logits", "class_weights")
    classes, logits = CLASSES[:3], LOGITS[:3]
    one_hot, weights = np.eye(3)[classes], np.array([1.0, 2.0, 5.0])
    of_example = weights[classes]
    plain = reference.softmax_cross_entropy_with_logits(labels=one_hot, logits=logits)
    arguments = tuple(tf.constant(value) for value in (one_hot, logits, weights))
    expect_close(
        loss.array(*arguments),
        of_example * plain,
        given=f"true classes {classes.tolist()} and the class weights 1, 2, 5",
        mistakes={
            "The weights do nothing.": plain,
            "The weights were divided by their mean: the rare class is to count five "
            "times.": of_example * plain / of_example.mean(),
            "Each example was given the weights of all classes.": 8 * plain,
            "The first weight was given to the first example: it belongs to the first "
            "class.": weights * plain,
        },
    )
    q = softmax(logits)
    weighted = one_hot * weights
    expect_gradient(
        answer,
        (one_hot, logits, weights),
        of_example[:, None] * (q - one_hot),
        by=1,
        mistakes={
            "The weights are in the labels: the gradient of tf.nn is then softmax "
            "minus these labels, which is not that of its value. Multiply the loss.": (
                q - weighted
            ),
        },
    )
    return (
        "Compared with the weight of the true class times the loss, and its gradient."
    )


@exercise("ex-03-twice", "largest_loss_twice")
def largest_loss_twice(answer: Answer) -> str:
    """A function of the number of classes: the largest loss with softmax twice."""
    largest = answer.function("classes")
    for classes in (10, 100, 2):
        outputs = np.eye(classes)[1:2]  # certain of class 1, and class 0 is true
        expect_close(
            largest.array(classes),
            -np.log(softmax(outputs)[0, 0]),
            given=f"classes = {classes}",
            mistakes={
                "This is the smallest loss: the model is certain of the true class.": (
                    np.log(1 + (classes - 1) / np.e)
                ),
                "This is the loss of a model that knows nothing.": np.log(classes),
                "One class too many: one has the output 1, K - 1 have 0.": np.log(
                    np.e + classes
                ),
                "One class too few: one has the output 1, K - 1 have 0.": (
                    np.log(np.e + classes - 2)
                ),
                "The loss has a largest value: the outputs lie between 0 and 1.": (
                    np.inf
                ),
            },
        )
    return "Compared with the loss of outputs 0 and 1, for 2, 10 and 100 classes."


@exercise("ex-03-mixup", "mixup_loss")
def mixup_loss(answer: Answer) -> str:
    """A function of two one-hot labels, logits and lambda: one loss an example."""
    import tensorflow as tf

    loss = answer.function("labels_1", "labels_2", "logits", "share")
    labels_1, labels_2 = np.eye(3)[CLASSES], np.eye(3)[[1, 2, 0, 0]]
    arguments = [tf.constant(value) for value in (labels_1, labels_2, LOGITS)]
    plain_1, plain_2 = (
        reference.softmax_cross_entropy_with_logits(labels=labels, logits=LOGITS)
        for labels in (labels_1, labels_2)
    )
    for share in (0.3, 0.9):
        mixed = share * labels_1 + (1 - share) * labels_2
        expect_close(
            loss.array(*arguments, share),
            reference.softmax_cross_entropy_with_logits(labels=mixed, logits=LOGITS),
            given=f"share = {share}",
            mistakes={
                "The share is that of the first example: the two are exchanged.": (
                    (1 - share) * plain_1 + share * plain_2
                ),
                "The two losses must be weighted by the share and by the rest.": (
                    plain_1 + plain_2
                ),
                "Each half counts the same here, whatever the share is.": (
                    (plain_1 + plain_2) / 2
                ),
            },
        )
    return "Compared with the loss of the mixed labels, for two shares."
