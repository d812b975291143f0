"""Checks of what goes in and what comes out: kinds and shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from lossfn import _check
from lossfn.testing._loss import NoNumbersError, as_losses, tensors
from lossfn.testing._outcomes import (
    FaultError,
    NotApplicableError,
    check,
    number,
    numbers,
)
from lossfn.testing._subject import Subject, in_float64, part, raises, rows, singles
from lossfn.testing._tasks import Example, Task

# Noise may leave four examples as they were, and hardly a thousand.
MANY = 1000


@check(
    chapter="08-a-loss-is-a-function",
    mend="Return a TensorFlow tensor of real numbers that depends on nothing but the "
    "labels and the predictions.",
)
def runs(subject: Subject) -> None:
    """Does the loss give real numbers, and the same ones when called again?

    Whatever else a loss is, it is a function from labels and predictions to real
    numbers. One that raises on ordinary input, or gives None, text or complex numbers,
    cannot be examined further, and neither can one that draws random numbers.
    """
    for count in (4, MANY):
        _runs_on(subject, subject.task.batch(count))


def _runs_on(subject: Subject, batch: Example) -> None:
    try:
        first, again = subject.losses(batch), subject.losses(batch)
    except NoNumbersError as error:
        raise FaultError(f"It {error}.", batch) from None
    except (Exception, SystemExit) as error:
        raise FaultError(
            f"It {raises(error)}",
            batch,
            mend="Call the loss on the input above and follow its error.",
        ) from None
    if first.shape != again.shape or not np.array_equal(first, again, equal_nan=True):
        raise FaultError(
            "Two calls with the same labels and predictions gave different losses.",
            _changed(batch, first, again),
            mend="Keep random numbers and counters out of the loss; noise belongs in "
            "the data or in a layer.",
        )


def _changed(batch: Example, first: tf.Tensor, again: tf.Tensor) -> Example:
    """Return a few examples whose losses changed, or the first few."""
    count = len(batch.y_pred)
    which = np.arange(count)
    if first.shape == again.shape and first.shape[:1] == (count,):
        changed = np.not_equal(first, again)
        which = np.flatnonzero(changed.reshape(count, -1).any(1))
    return part(batch, which[:4].tolist())


@check(
    chapter="12-losses-in-keras",
    mend="Return one loss for each example: reduce over the last axis at most "
    "(axis=-1), and leave the mean over the batch to the caller.",
)
def one_value_per_example(subject: Subject) -> None:
    """Does every example get a loss of its own?

    A loss that returns one number for the batch cannot be weighted by example, masked,
    or averaged over replicas. Where ``reduction`` says that one number is meant, it
    must be the mean or the sum of the losses of the examples.
    """
    batch = subject.task.batch(4)
    losses = in_float64(subject.losses(batch, subject.dtype))
    if subject.reduction is not None:
        _reduced_as_stated(subject, batch, losses)
    elif losses.ndim == 0:
        raise FaultError(
            f"A batch of 4 examples gives one number, {number(losses)}.", batch
        )
    elif not subject.one_for_each(losses.shape, 4):
        raise FaultError(
            f"A batch of 4 examples gives losses of shape "
            f"{_check.shape_text(losses.shape)}.",
            batch,
        )


def _reduced_as_stated(subject: Subject, batch: Example, losses: np.ndarray) -> None:
    if losses.ndim:
        raise FaultError(
            f'reduction="{subject.reduction}" asks for one number, and a batch of 4 '
            f"examples gives the shape {_check.shape_text(losses.shape)}.",
            batch,
            mend="Reduce over the batch too, or do not state a reduction.",
        )
    alone = [subject.total(example) for example in singles(batch)]
    if not np.isfinite(alone).all():
        raise FaultError(f"The examples alone have losses {numbers(alone)}.", batch)
    expected = np.mean(alone) if subject.reduction == "mean" else np.sum(alone)
    if not np.isclose(losses, expected, rtol=1e-5):
        raise FaultError(
            f"The {subject.reduction} of the examples' own losses is "
            f"{number(expected)}, and their batch gives {number(losses)}.",
            batch,
            mend=f"Return the {subject.reduction} over the batch of what one example "
            "gives, and make nothing else depend on the batch.",
        )


class _Mismatch(NamedTuple):
    """Labels and predictions whose shapes differ, and, if any, in shapes that match."""

    example: Example
    matching: Example | None

    def shown(self) -> str:
        """Name both shapes."""
        y_true, y_pred = self.example
        return (
            f"Labels of shape {_check.shape_text(y_true.shape)} and predictions of "
            f"shape {_check.shape_text(y_pred.shape)}"
        )


def _mismatches(task: Task) -> Iterator[_Mismatch]:
    # One example more than outputs, so that a size cannot fit by accident ...
    batch = task.batch(task.outputs + 1)
    if task.label == "sparse":
        yield _Mismatch(Example(batch.y_true[:, None], batch.y_pred), batch)
        return
    if task.outputs == 1:
        flat_labels = Example(batch.y_true[:, 0], batch.y_pred)
        yield _Mismatch(flat_labels, batch)
        yield _Mismatch(Example(batch.y_true, batch.y_pred[:, 0]), batch)
        return
    yield _Mismatch(Example(batch.y_true[:, :1], batch.y_pred), None)
    # ... and as many, so that it does.
    square = task.batch(task.outputs)
    yield _Mismatch(Example(square.y_true[:, 0], square.y_pred), None)


# Class indices never have the shape of the predictions.
_MEND_OF_INDICES = (
    "Make class indices flat before anything else, y_true = tf.reshape(y_true, [-1]), "
    "and use no other form of them."
)


def _refuse(
    subject: Subject,
    mismatches: Iterable[_Mismatch],
    call: Callable[[Example], np.ndarray],
    where: str = "",
) -> None:
    """Ask that shapes that differ raise, or are lined up, but never broadcast."""
    for mismatch in mismatches:
        try:
            losses = call(mismatch.example)
        except Exception:
            # Whatever it says: a refusal.
            continue
        if mismatch.matching is not None and _lined_up(
            subject, losses, mismatch.matching
        ):
            continue
        raise FaultError(
            f"{mismatch.shown()} give losses of shape "
            f"{_check.shape_text(losses.shape)}, {numbers(losses)}, and no "
            f"error{where}.",
            mismatch.example,
            dtype="float32",
            mend=_MEND_OF_INDICES if subject.task.label == "sparse" else None,
        )


def _lined_up(subject: Subject, losses: np.ndarray, matching: Example) -> bool:
    """Whether these are the losses of the examples, or their mean or sum."""
    alone = np.array([subject.total(example) for example in singles(matching)])
    if losses.size == alone.size:
        return np.allclose(losses.ravel(), alone, rtol=1e-4)
    reduced = losses.size == 1
    return reduced and bool(np.isclose(losses, [alone.mean(), alone.sum()]).any())


@check(
    chapter="12-losses-in-keras",
    mend="Compare the shapes before the arithmetic and raise when they differ, or line "
    "labels up with tf.reshape(y_true, tf.shape(y_pred)).",
)
def no_broadcast(subject: Subject) -> None:
    """Are labels and predictions whose shapes differ refused, or lined up?

    Labels of shape (N,) against predictions of shape (N, 1) broadcast to (N, N): every
    label meets every prediction, the mean of it is a plausible number, and the model
    learns the average label.
    """

    def call(example: Example) -> np.ndarray:
        return in_float64(subject.losses(example))

    _refuse(subject, _mismatches(subject.task), call)


@check(
    chapter="12-losses-in-keras",
    mend="Compare in the graph too, with tf.debugging.assert_equal: tf.rank first, "
    "then tf.shape, which alone takes (3,) for (3, 3); or line labels up with "
    "tf.reshape(y_true, tf.shape(y_pred)).",
)
def no_broadcast_unknown_shapes(subject: Subject) -> None:
    """Are shapes that differ refused where a graph learns them as it runs?

    A tf.function may be traced for shapes that are known only when it runs, and a check
    of the static shape lets everything through there. A loss that asks for a known rank
    when it is traced refuses, too.
    """
    for shapes in _unknown_shapes(subject.task):

        def call(
            example: Example, shapes: tuple[tf.TensorShape, ...] = shapes
        ) -> np.ndarray:
            y_true, y_pred = tensors(*example, "float32")
            y_shape, p_shape = shapes
            traced = tf.function(
                lambda y_true, y_pred: as_losses(subject.loss(y_true, y_pred))
            ).get_concrete_function(
                tf.TensorSpec(y_shape, y_true.dtype),
                tf.TensorSpec(p_shape, y_pred.dtype),
            )
            return in_float64(traced(y_true, y_pred))

        fitting = (
            mismatch
            for mismatch in _mismatches(subject.task)
            if all(map(_fits, mismatch.example, shapes))
        )
        _refuse(subject, fitting, call, ", in a graph that does not know them")


def _fits(array: np.ndarray, shape: tf.TensorShape) -> bool:
    return shape.is_compatible_with(array.shape)


def _unknown_shapes(task: Task) -> Iterator[tuple[tf.TensorShape, tf.TensorShape]]:
    unknown, vector, matrix = (
        tf.TensorShape(shape) for shape in (None, [None], [None, None])
    )
    yield unknown, unknown
    yield matrix, matrix
    if task.label != "sparse":
        yield vector, matrix
        yield matrix, vector


@check(
    chapter="13-more-than-one-device",
    mend="Compute each example's loss from its own label and prediction; statistics of "
    "the batch, its size included, do not belong in it.",
)
def neighbours(subject: Subject) -> None:
    """Is an example's loss its own, whatever else is in the batch and in what order?

    A loss that is normalised by its batch, or sorts it, changes with the batch size,
    differs between one device and two, and makes the last, smaller batch count
    differently.
    """
    batch = subject.task.batch(4)
    losses = in_float64(subject.losses(batch, subject.dtype))
    alone = np.array([subject.total(example) for example in singles(batch)])
    if losses.size == 1:
        reduced = [alone.mean(), alone.sum()]
        if np.isclose(losses, reduced, rtol=1e-5).any():
            return
        raise FaultError(
            f"Alone the four examples have the losses {numbers(alone)}, and together "
            f"{number(losses)}, neither their mean nor their sum.",
            batch,
        )
    if not subject.one_for_each(losses.shape, 4):
        raise NotApplicableError("the loss does not give one value for each example")
    together = rows(losses)
    if not np.allclose(together, alone, rtol=1e-5):
        raise FaultError(
            f"Alone the four examples have the losses {numbers(alone)}, and together "
            f"{numbers(together)}.",
            batch,
        )
    turned = part(batch, [3, 2, 1, 0])
    backwards = rows(in_float64(subject.losses(turned, subject.dtype)))
    if not np.allclose(backwards[::-1], together, rtol=1e-5):
        raise FaultError(
            f"In the reverse order they have {numbers(backwards[::-1])} and not "
            f"{numbers(together)}.",
            batch,
        )
