"""Checks of the value: finite, exact, and smallest where it should be."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from lossfn.testing._outcomes import (
    FaultError,
    NotApplicableError,
    check,
    number,
    numbers,
)
from lossfn.testing._subject import Subject, in_float64, joined, singles
from lossfn.testing._targets import Outcome, outcomes
from lossfn.testing._tasks import Example, Task, looked_at

# A clip at 1e-7 leaves a perfect prediction this far from 0, for each output.
NEARLY_ZERO = 1e-6
# More examples than the largest float16 number.
MANY = 70_000


@check(
    chapter="02-cross-entropy",
    mend="Compute from logits with a stable form (tf.nn or lossfn), and choose the "
    "input of a log, a root or a division before it, not the output after it.",
)
def finite(subject: Subject) -> None:
    """Are value and gradient finite for extreme predictions?

    One NaN in one gradient makes every weight NaN in one step. It comes from
    log(0), 0 * inf, exp of a large number, or the root of 0, and a tf.where after the
    fact mends the value and not the gradient. Where predictions are probabilities, an
    infinite loss is right for one that rules the label out; NaN never is.
    """
    _finite_in(subject, "float32")


@check(
    chapter="12-losses-in-keras",
    mend="Cast predictions to float32, compute, and cast the result back.",
)
def finite_16_bits(subject: Subject) -> None:
    """Are value and gradient finite in float16 and bfloat16?

    float16 ends at 65504 and has no number between 0 and 6e-8: constants that protect
    float32, such as 1e-10, are 0 there. A value that float16 cannot hold may be
    infinite. A mean that is stated with ``reduction`` must hold for 70,000 examples
    too: their sum does not fit into float16.
    """
    for dtype in ("float16", "bfloat16"):
        _finite_in(subject, dtype)
        if subject.reduction == "mean":
            _mean_of_many(subject, dtype)


def _mean_of_many(subject: Subject, dtype: str) -> None:
    few = subject.task.batch(4)
    many = joined([few] * (MANY // 4))
    expected, found = (
        float(in_float64(subject.losses(examples, dtype))) for examples in (few, many)
    )
    if not np.isclose(found, expected, rtol=0.05):
        raise FaultError(
            f"In {dtype} four examples have the mean {number(expected)}, and the same "
            f"four {MANY // 4} times over have {number(found)}.",
            few,
            dtype=dtype,
            mend="Cast the losses to float32 before the mean, and the mean back.",
        )


def _finite_in(subject: Subject, dtype: str) -> None:
    for example in subject.task.extremes():
        # That there is a gradient has a check of its own.
        losses, gradient = subject.measured(example, dtype, zero_if_none=True)
        for what, values in (("loss", losses), ("gradient", gradient)):
            if np.isfinite(values).all():
                continue
            if not np.isnan(values).any() and _may_be_infinite(subject, example, dtype):
                continue
            raise FaultError(
                f"In {dtype} the {what} is {numbers(values)}.", example, dtype=dtype
            )


def _may_be_infinite(subject: Subject, example: Example, dtype: str) -> bool:
    if subject.task.prediction == "probabilities":
        return True
    losses, gradient = subject.measured(example, subject.dtype, zero_if_none=True)
    largest = max(np.abs(losses).max(), np.abs(gradient).max())
    return np.isfinite(largest) and largest > 0.99 * float(tf.as_dtype(dtype).max)


@check(
    chapter="12-losses-in-keras",
    mend="Cast labels and constants to y_pred.dtype, never predictions to a fixed "
    "dtype, and cast the result back if you compute in another.",
)
def dtype_kept(subject: Subject) -> None:
    """Has the loss the dtype of the predictions?

    A float32 result inside a float16 model is an error at best and a silent cast at
    worst; a float16 result of float32 predictions has three digits.
    """
    batch = subject.task.batch(2)
    for dtype in ("float32", "float64", "float16", "bfloat16"):
        found = subject.losses(batch, dtype).dtype.name
        if found != dtype:
            raise FaultError(f"Predictions in {dtype} give a loss in {found}.", batch)


@check(
    chapter="02-cross-entropy",
    mend="Remove the cast to float32: constants take the dtype of the predictions with "
    "tf.cast(constant, y_pred.dtype).",
)
def float64_precision(subject: Subject) -> None:
    """Is a float64 loss computed in float64?

    Whoever passes float64 wants its digits: for a gradient by differences, for a second
    derivative, for a solver that converges. A cast to float32 on the way leaves seven.
    """
    if subject.dtype != "float64":
        raise NotApplicableError("the loss does not take float64, see dtype_kept")
    for what, exact in (
        ("prediction", subject.exact),
        ("label", subject.exact_in_labels),
    ):
        if not exact:
            raise FaultError(
                f"A change of 1e-8 in a float64 {what} changes the loss by nothing, or "
                "by a float32 rounding step.",
                subject.task.batch(1),
            )


@check(
    chapter="02-cross-entropy",
    mend="Look for a second softmax, a clip, swapped arguments or a constant that was "
    "added; say zero_at_perfect=False if it is meant, as with label smoothing.",
)
def zero_at_perfect(subject: Subject) -> None:
    """Is the loss 0 for a perfect prediction, and never negative?

    A loss below zero, or one that cannot reach it, points at labels and predictions on
    different scales: a softmax applied twice stops at 1.461 for ten classes.
    """
    if not subject.zero_at_perfect:
        raise NotApplicableError("zero_at_perfect=False was stated")
    for example in subject.task.perfect():
        loss = subject.total(example)
        if not abs(loss) <= NEARLY_ZERO * subject.task.outputs:
            raise FaultError(
                f"A perfect prediction has a loss of {number(loss)}.", example
            )
    batch = subject.task.batch(4)
    for example, loss in zip(singles(batch), subject.totals(batch), strict=True):
        if loss < -NEARLY_ZERO:
            raise FaultError(f"The loss is {number(loss)}, below 0.", example)


@check(
    chapter="08-a-loss-is-a-function",
    mend="Check the order of the arguments, what kind the predictions are (logits or "
    "probabilities), and that no term is missing; a loss that is meant to be least "
    "elsewhere says where with target=.",
)
def least_at_target(subject: Subject) -> None:
    """Is the expected loss smallest at the truth, or at the declared target?

    Training finds the minimiser of the expected loss. If that is not the quantity you
    want to predict, more data and more training do not help. The labels here are drawn
    with known probabilities, and the expected loss is their exact average.
    """
    if subject.target is None:
        raise NotApplicableError("no target was declared")
    for outcome in outcomes(subject.task, subject.target):
        _least_at(subject, outcome)


def _least_at(subject: Subject, outcome: Outcome) -> None:
    task = subject.task
    best = _expected(subject, outcome, outcome.target)
    tolerance = (1e-9 if subject.exact else 1e-5) * max(1.0, abs(best))
    target = _said(task, outcome.target)
    example = Example(outcome.labels[:1], task.as_predictions(outcome.target)[None])
    if not np.isfinite(best):
        raise FaultError(
            f"With {outcome.described}, the expected loss is {number(best)} at the "
            f"target {target}.",
            example,
        )
    for point in _others(subject, outcome):
        value = _expected(subject, outcome, point)
        if value > best + tolerance:
            continue
        smaller = "smaller" if value < best - tolerance else "no larger"
        raise FaultError(
            f"With {outcome.described}, the expected loss is {number(best)} at the "
            f"target {target}, and {smaller}, {number(value)}, at "
            f"{_said(task, point)}.",
            example,
        )


def _said(task: Task, point: np.ndarray) -> str:
    """Write a prediction, and of logits the probabilities too."""
    prediction = numbers(task.as_predictions(point))
    if task.prediction != "logits":
        return prediction
    probabilities = task._replace(prediction="probabilities").as_predictions(point)
    return f"{prediction} (probabilities {numbers(probabilities)})"


def _others(subject: Subject, outcome: Outcome) -> Iterator[np.ndarray]:
    outputs = looked_at(outcome.target.size)
    # One of many classes does not show a small step in float32.
    least = 0.0 if subject.exact or len(outputs) == outcome.target.size else 1.0
    for output in outputs:
        for step in outcome.steps:
            if abs(step) < least:
                continue
            point = outcome.target.copy()
            point[output] += step
            yield point


def _expected(subject: Subject, outcome: Outcome, point: np.ndarray) -> float:
    """Average the loss of one prediction over the labels that may come."""
    prediction = subject.task.as_predictions(point)
    repeated = np.repeat(prediction[None], len(outcome.labels), axis=0)
    losses = subject.totals(Example(outcome.labels, repeated))
    return float(outcome.probabilities @ losses)
