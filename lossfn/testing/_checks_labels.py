"""Checks of labels that are large, wrong, or not there."""

from __future__ import annotations

import numpy as np

from lossfn.testing._differences import central, close
from lossfn.testing._outcomes import (
    FaultError,
    NotApplicableError,
    check,
    number,
    numbers,
)
from lossfn.testing._subject import Subject, in_float64, joined, rows
from lossfn.testing._tasks import Example, Task

# The first whole number that a 16-bit dtype cannot hold, one past a power of two.
FIRST_INEXACT = {"bfloat16": 257, "float16": 2049}


@check(
    chapter="12-losses-in-keras",
    mend="Never cast class indices to a floating dtype; cast them to int32 or int64 "
    "and look them up with tf.gather(..., batch_dims=1) or the sparse op.",
)
def large_labels(subject: Subject) -> None:
    """Do large class indices stay exact?

    bfloat16 has no 257 and float16 no 2049: a class index that passes through them
    becomes its neighbour, and one class is learned as another.
    """
    if subject.task.label != "sparse":
        raise NotApplicableError("labels are not class indices")
    for dtype, index in FIRST_INEXACT.items():
        task = subject.task._replace(outputs=index + 3)
        try:
            expected = in_float64(subject.losses(_sure_of(task, 1), dtype)).sum()
            # A table of three class weights, say, has no entry for it in any dtype.
            subject.losses(_sure_of(task, index))
        except Exception:
            raise NotApplicableError(
                "the loss does not take thousands of classes"
            ) from None
        found = in_float64(subject.losses(_sure_of(task, index), dtype)).sum()
        # Another class costs many times as much; 16 bits alone move it by a tenth.
        if not np.isclose(found, expected, rtol=0.5, equal_nan=True):
            raise FaultError(
                f"In {dtype} a sure and right prediction of class {index} costs "
                f"{number(found)}, and of class 1 {number(expected)}.",
                _sure_of(task, index),
            )


def _sure_of(task: Task, index: int) -> Example:
    logits = np.zeros((1, task.outputs))
    logits[0, index] = 10.0
    return Example(np.array([index]), task.as_predictions(logits))


@check(
    chapter="05-sigmoid",
    mend="Check labels before the arithmetic (tf.debugging.assert_less, or NaN for the "
    "example under XLA); lossfn does.",
)
def labels_out_of_range(subject: Subject) -> None:
    """Are impossible labels refused, or NaN for their example alone?

    0 and 255 from an image mask, -1 for "unknown", class 10 of ten: a formula takes any
    number, the loss falls below zero or is that of no class, and training goes on.
    """
    if subject.task.label == "number":
        raise NotApplicableError("any number may be a target")
    for example in subject.task.out_of_range():
        try:
            alone = in_float64(subject.losses(example))
        except Exception:
            continue
        if not np.isnan(alone).any():
            raise FaultError(
                f"The label {_label(example)} has the loss {numbers(alone)}, and no "
                "error.",
                example,
            )
        _alone(subject, example, f"a label {_label(example)}")


def _label(example: Example) -> str:
    return (
        numbers(example.y_true)
        if example.y_true.size > 1
        else number(example.y_true.item())
    )


@check(
    chapter="03-softmax",
    mend="Use lossfn.nn.softmax_cross_entropy_with_logits, whose gradient holds for "
    "all labels, or refuse these; weight and mask examples by multiplying their loss.",
)
def labels_not_summing_to_one(subject: Subject) -> None:
    """Do dense labels that do not sum to one have the right gradient, or none?

    A row of zeros as a mask and class weights multiplied into one-hot labels are such
    labels. An op whose gradient is softmax(x) - labels is right only for labels that
    sum to one: the mask then pulls on the logits, and the weight does not weigh.
    """
    if subject.task.label != "onehot":
        raise NotApplicableError("labels are not dense")
    predictions = subject.task.batch(1).y_pred
    for row in ([5.0, 0.0], [0.0, 0.0], [0.5, 0.0]):
        labels = np.array([[*row, *[0.0] * (subject.task.outputs - 2)]])
        example = Example(labels, predictions)
        try:
            found = subject.gradient(example)
        except Exception:
            continue
        expected = central(subject, example)
        if not close(found, expected, max(1e-3, subject.tolerance)):
            raise FaultError(
                f"Labels {numbers(labels)} have the gradient {numbers(found)}, and "
                f"differences of their loss give {numbers(expected)}.",
                example,
            )


@check(
    chapter="12-losses-in-keras",
    mend="Do not hide NaN with tf.maximum, a comparison or a mean over the batch, and "
    "replace what a mask takes out before the arithmetic, not after.",
)
def nan_stays_alone(subject: Subject) -> None:
    """Is NaN refused, or does it stay with its example, as NaN?

    A NaN that comes out as a number hides that the data or the model is broken, and
    one that spreads to other examples makes a broken row hard to find.
    """
    batch = subject.task.batch(1)
    if subject.task.label != "sparse":
        _nan_in(
            subject, Example(np.full_like(batch.y_true, np.nan), batch.y_pred), "label"
        )
    _nan_in(
        subject, Example(batch.y_true, np.full_like(batch.y_pred, np.nan)), "prediction"
    )


def _nan_in(subject: Subject, example: Example, where: str) -> None:
    try:
        losses = in_float64(subject.losses(example))
    except Exception:
        return
    if not np.isnan(losses).any():
        raise FaultError(
            f"A NaN in the {where} has the loss {numbers(losses)}.", example
        )
    _alone(subject, example, f"a NaN in the {where}")


def _alone(subject: Subject, bad: Example, what: str) -> None:
    """Ask that a NaN loss does not spread; any other change is for neighbours."""
    good = subject.task.batch(1, seed=2)
    both = joined([good, bad])
    try:
        losses = in_float64(subject.losses(both))
    except Exception:
        return
    if not subject.one_for_each(losses.shape, 2):
        # One number for the batch, which is NaN as it should be.
        return
    neighbour, alone = rows(losses)[0], in_float64(subject.losses(good)).sum()
    if np.isfinite(alone) and not np.isfinite(neighbour):
        raise FaultError(
            f"Beside {what}, an example with a loss of {number(alone)} has "
            f"{number(neighbour)}.",
            both,
        )
