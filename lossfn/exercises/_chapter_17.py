"""Pitfalls: two losses mended."""

from __future__ import annotations

import numpy as np

from lossfn.exercises._answer import Answer, WrongAnswerError, written
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import (
    expect_close,
    expect_gradient,
    expect_sound_loss,
    gradient_of,
)


@exercise("ex-17-success", "mended_distance")
def mended_distance(answer: Answer) -> str:
    """A function of y_true and y_pred: the distance, with a gradient at 0 too."""
    distance = answer.function("y_true", "y_pred")
    y_true, y_pred = np.float32([2.0, 2.0, 2.0]), np.float32([2.0, 5.0, -1.0])
    right = np.abs(y_true - y_pred)
    got = _called_with_tensors(distance, y_true, y_pred)
    expect_close(
        got,
        right,
        mistakes={
            "This is the square of the distance: it is large for large errors.": (
                right**2
            ),
            "Something was added under the root, or cut off there: a perfect "
            "prediction has a loss.": np.hypot(right, np.resize(got, 1)),
        },
        atol=1e-7,
    )
    # At 0 any slope between -1 and 1 will do, and NaN will not.
    expect_gradient(answer, (y_true[1:], y_pred[1:]), np.array([1.0, -1.0]))
    if np.isnan(gradient_of(answer, (y_true, y_pred))[0]):
        raise WrongAnswerError(
            "Where the prediction is exactly right, the gradient is NaN: the root has "
            "an infinite slope at 0, the square has the slope 0, and their product is "
            "NaN."
        )
    expect_sound_loss(answer, task="regression", checks=("finite", "gradient_at_kinks"))
    return "Compared with |y - p| and its slopes, at 0 too."


def _called_with_tensors(
    loss: Answer, y_true: np.ndarray, y_pred: np.ndarray
) -> np.ndarray:
    """Call a loss of TensorFlow with tensors and return its numbers."""
    import tensorflow as tf

    return loss.array(tf.constant(y_true), tf.constant(y_pred))


@exercise("ex-17-better", "mended_signs")
def mended_signs(answer: Answer) -> str:
    """A function of labels -1 and 1 and of logits: the sigmoid cross entropy."""
    loss = answer.function("y_true", "y_pred")
    signs, logits = np.float32([-1.0, 1.0, -1.0]), np.float32([-3.0, 3.0, 2.0])
    right = np.logaddexp(0, -signs * logits)
    unchanged = np.logaddexp(0, logits) - signs * logits
    expect_close(
        _called_with_tensors(loss, signs, logits),
        right,
        given="y_true = [-1, 1, -1] and y_pred = [-3, 3, 2]",
        mistakes={
            "The labels are still taken for 0 and 1.": unchanged,
            "The absolute value makes both classes 1.": np.logaddexp(0, -logits),
            "The two classes are exchanged.": np.logaddexp(0, signs * logits),
        },
    )
    expect_gradient(answer, (signs, logits), -signs / (1 + np.exp(signs * logits)))
    for label in (255, -2):
        _expect_refused(loss, label, logits)
    return "Compared with softplus(-y z); a label of 255 is refused."


def _expect_refused(loss: Answer, label: int, logits: np.ndarray) -> None:
    import tensorflow as tf

    strange = np.float32([label, 1, -1])
    if not loss.refuses(tf.constant(strange), tf.constant(logits)):
        value = _called_with_tensors(loss, strange, logits)[0]
        raise WrongAnswerError(
            f"The label {label} has the loss {written(value)}, and no error: a model "
            "would be trained on it in silence. Refuse what is no label."
        )
