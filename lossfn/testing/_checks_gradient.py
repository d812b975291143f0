"""Checks of the derivatives, against differences of the loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from lossfn.testing._differences import (
    central,
    close,
    indices,
    one_sided,
    rounding,
    slopes_of_gradient,
    weights,
)
from lossfn.testing._loss import NoGradientError, as_losses
from lossfn.testing._outcomes import (
    FaultError,
    NotApplicableError,
    check,
    number,
    numbers,
)
from lossfn.testing._subject import Measured, Subject, in_float64, singles
from lossfn.testing._tasks import Example

# Smooth ground: a few examples of nothing in particular.
EXAMPLES = 3
# A gradient this much smaller than that of a lesser mistake counts as vanished.
VANISHED = 1e-3


@check(
    chapter="08-a-loss-is-a-function",
    mend="Use TensorFlow's own differentiable operations all the way, without "
    "tf.stop_gradient; in a tf.custom_gradient derive the formula again, and multiply "
    "by the upstream gradient.",
)
def gradient(subject: Subject) -> None:
    """Is the gradient that of the value?

    argmax, round, comparisons and NumPy have no gradient; stop_gradient and
    tf.custom_gradient can have another one than the value. Training follows the
    gradient, and the printed loss follows the value. Compared with central differences
    of the loss.
    """
    for example in singles(subject.task.batch(EXAMPLES)):
        try:
            found = subject.gradient(example)
        except NoGradientError:
            raise FaultError("The gradient is None.", example) from None
        expected = central(subject, example)
        if not close(found, expected, subject.tolerance):
            raise FaultError(
                f"The gradient is {numbers(found)}, and differences of the loss give "
                f"{numbers(expected)}.",
                example,
            )
        weighted = subject.measured(example, subject.dtype, _thrice(subject)).gradient
        if not close(weighted, 3 * found, subject.tolerance):
            raise FaultError(
                f"The gradient is {numbers(found)}, and that of three times the loss "
                f"{numbers(weighted)}.",
                example,
                mend="In a tf.custom_gradient, multiply by the upstream gradient.",
            )


def _thrice(subject: Subject) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Weigh the loss, as sample weights and means do."""
    return lambda y_true, y_pred: 3 * as_losses(subject.loss(y_true, y_pred))


@check(
    chapter="06-weighted",
    mend="If gradient fails too, mend that first. Else rewrite the loss so that it is "
    "smooth where its formula is, for instance with tf.nn.softplus instead of abs and "
    "max, or give it the right gradient with tf.custom_gradient.",
)
def gradient_at_kinks(subject: Subject) -> None:
    """Is the gradient right at 0, at ties and at the edges of clips?

    A formula with abs, max or where has a kink at which TensorFlow picks a derivative,
    and two kinks that cancel in the value need not cancel in the gradient. Models start
    at exactly such points: all weights zero, all logits equal. The gradient must lie
    between the derivatives from the left and from the right.
    """
    for example in subject.task.kinks():
        try:
            found = subject.gradient(example)
        except NoGradientError:
            raise NotApplicableError("there is no gradient, see gradient") from None
        for index in indices(example):
            left, right = one_sided(subject, example, index)
            slack = subject.tolerance * max(1.0, abs(left), abs(right))
            slack += rounding(subject, example, index) * max(1.0, abs(found[index]))
            low, high = min(left, right) - slack, max(left, right) + slack
            # A comparison with NaN is False.
            if not low <= found[index] <= high:
                raise FaultError(
                    f"At {numbers(example.y_pred)} the gradient is "
                    f"{number(found[index])}, and the derivative "
                    f"{_sides(left, right, slack)}.",
                    example,
                )


@check(
    chapter="05-sigmoid",
    mend="Take logits and combine the sigmoid or softmax with the logarithm (tf.nn or "
    "lossfn); do not clip. If the loss is meant to level off, say bounded=True.",
)
def gradient_does_not_vanish(subject: Subject) -> None:
    """Does a prediction that is very wrong still have a gradient?

    The log of a clipped probability, the square of a sigmoid and a softmax applied
    twice are flat where the loss is largest: the worst mistakes are never unlearned,
    and nothing in the printed loss says so. Checked in float32.
    """
    if subject.bounded:
        raise NotApplicableError("bounded=True was stated")
    for lesser, worse in subject.task.wrong():
        try:
            before = _first_slope(subject.measured(lesser))
            there = subject.measured(worse)
        except NoGradientError:
            raise NotApplicableError("there is no gradient, see gradient") from None
        after = _first_slope(there)
        # NaN is no gradient either.
        if not after > VANISHED * before:
            other = "has none either" if before == 0 else f"has {number(before)}"
            raise FaultError(
                f"At a loss of {number(there.losses.sum())} the slope is "
                f"{number(after)}; a lesser mistake {other}.",
                worse,
            )


def _first_slope(measured: Measured) -> float:
    """Return the slope of an output, or of the true class, which is the first."""
    return float(np.abs(measured.gradient[0, 0]))


@check(
    chapter="06-weighted",
    mend="If gradient fails too, mend that first. Else write a tf.custom_gradient so "
    "that its backward pass is made of differentiable operations, and put no gradient "
    "tape's result through stop_gradient.",
)
def second_derivative(subject: Subject) -> None:
    """Does the second derivative exist, and is it that of the gradient?

    Newton's method, Hessian-vector products and gradient penalties need it. Operations
    without one raise when it is asked for, long after the loss was written. Compared
    with differences of the gradient, where these exist.
    """
    smooth = singles(subject.task.batch(EXAMPLES))
    for example in (*smooth, *_moderate_kinks(subject)):
        try:
            expected = slopes_of_gradient(subject, example)
        except NoGradientError:
            raise NotApplicableError("there is no gradient, see gradient") from None
        if expected is None:
            continue
        found = _second(subject, example)
        if not close(found, expected, 10 * subject.tolerance):
            raise FaultError(
                f"The derivatives of the gradient's sum are {numbers(found)}, and "
                f"differences of the gradient give {numbers(expected)}.",
                example,
            )


def _moderate_kinks(subject: Subject) -> Iterator[Example]:
    if subject.task.prediction != "probabilities":
        yield from subject.task.kinks()


def _sides(left: float, right: float, slack: float) -> str:
    if abs(left - right) <= 2 * slack:
        return f"is {number((left + right) / 2)}"
    return f"is {number(left)} on the left and {number(right)} on the right"


def _second(subject: Subject, example: Example) -> np.ndarray:
    """Differentiate the weighted sum of the gradient with TensorFlow."""
    y_true, y_pred = subject.as_tensors(example, subject.dtype)
    with tf.GradientTape() as outer:
        outer.watch(y_pred)
        with tf.GradientTape() as inner:
            inner.watch(y_pred)
            losses = as_losses(subject.loss(y_true, y_pred))
        first = tf.convert_to_tensor(inner.gradient(losses, y_pred))
        weighted = tf.reshape(first, [-1]) * tf.cast(weights(example), first.dtype)
    second = outer.gradient(weighted, y_pred)
    if second is None:
        # The gradient does not depend on the predictions, as for a linear loss.
        return np.zeros(example.y_pred.shape)
    return in_float64(second)
