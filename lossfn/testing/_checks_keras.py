"""Checks of what Keras and several devices make of the loss."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from lossfn.testing._outcomes import (
    FaultError,
    NotApplicableError,
    check,
    number,
    numbers,
)
from lossfn.testing._subject import Subject, in_float64, one_line, part
from lossfn.testing._tasks import Example


@check(
    chapter="12-losses-in-keras",
    mend="Return one loss for each example from call, and leave weights and reduction "
    "to keras.losses.Loss.__call__.",
)
def sample_weights(subject: Subject) -> None:
    """Does weight 0 remove an example, and weight 2 count it twice?

    Keras multiplies the losses that it is given by the weights. One number for the
    batch is multiplied by each of them: the mean of the weights times the mean of the
    losses, in which no weight belongs to an example.
    """
    if subject.reduction is not None:
        raise NotApplicableError("a loss reduced by itself takes no sample weights")
    batch, loss = subject.task.batch(4), subject.loss.for_keras()
    for weights, rows, what in (
        ([0.0, 1.0, 1.0, 1.0], [1, 2, 3], "without it"),
        ([2.0, 1.0, 1.0, 1.0], [0, 0, 1, 2, 3], "with it twice"),
    ):
        same = part(batch, rows)
        found = _weighted_sum(subject, loss, batch, weights)
        expected = _weighted_sum(subject, loss, same, [1.0] * len(same.y_pred))
        if not np.isclose(found, expected, rtol=_tolerance(loss), atol=1e-6):
            raise FaultError(
                f"With weight {weights[0]:g} for the first of four examples the losses "
                f"sum to {number(found)}, and {what} to {number(expected)}.",
                batch,
            )


def _weighted_sum(
    subject: Subject, loss: keras.Loss, batch: Example, weights: list[float]
) -> float:
    """Undo the denominator of the reduction."""
    y_true, y_pred = subject.as_tensors(batch)
    # A weight for each row of losses, where there is a loss for each output.
    per_output = subject.losses(batch).shape.rank == 2
    sample_weight = tf.reshape(weights, [-1, 1] if per_output else [-1])
    reduced = in_float64(loss(y_true, y_pred, sample_weight=sample_weight))
    if loss.reduction in ("sum", None, "none"):
        return float(reduced.sum())
    by_weight = loss.reduction == "mean_with_sample_weight"
    return float(reduced.sum() * (sum(weights) if by_weight else len(weights)))


def _tolerance(loss: keras.Loss) -> float:
    """Return what two reduced losses may differ by, relative to them."""
    return 0.03 if tf.as_dtype(loss.dtype).size < 4 else 1e-4


@check(
    chapter="13-more-than-one-device",
    mend="Return one loss for each example, and divide their sum by the size of the "
    "global batch: tf.nn.compute_average_loss.",
)
def replicas_add_up(subject: Subject) -> None:
    """Do two halves of a batch combine to the whole?

    With two replicas each computes the loss of its half, and gradients are added. Sums
    add up; a mean over each replica's own half, added, is twice the mean, and the mean
    over what a mask left on each is not the mean over both.
    """
    batch = subject.task.batch(4)
    loss = subject.loss.keras
    reduction = subject.reduction if loss is None else loss.reduction
    averaged = reduction not in (None, "none", "sum")
    # Replicas of one size, as an average of theirs needs, else of two sizes; neighbours
    # have different labels, and so has each half.
    halves = ([0, 2], [1, 3]) if averaged else ([0], [1, 2, 3])
    parts = [_on_replica(subject, part(batch, half)) for half in halves]
    whole = _on_replica(subject, batch)
    combined = np.mean(parts) if averaged else np.sum(parts)
    rtol = _tolerance(subject.loss.for_keras())
    if not np.isclose(combined, whole, rtol=rtol, atol=1e-6):
        raise FaultError(
            f"Two replicas have {number(parts[0])} and {number(parts[1])}, "
            f"{'on average' if averaged else 'together'} {number(combined)}; one "
            f"device has {number(whole)}.",
            batch,
        )


def _on_replica(subject: Subject, batch: Example) -> float:
    y_true, y_pred = subject.as_tensors(batch)
    called = subject.loss if subject.loss.keras is None else subject.loss.keras
    return float(in_float64(tf.convert_to_tensor(called(y_true, y_pred))).sum())


@check(
    chapter="12-losses-in-keras",
    mend="Register the class with keras.saving.register_keras_serializable, and return "
    "every parameter from get_config, under the name that __init__ has for it.",
)
def save_and_load(subject: Subject) -> None:
    """Does the loss come back from a saved model with its parameters?

    A compiled model is saved with its loss: the class's name and what get_config
    returns. What is missing there comes back as the default, without a word. Each
    number that the constructor takes is changed and must survive as well.
    """
    if subject.loss.keras is None:
        raise NotApplicableError("a function is saved by name, without parameters")
    for which, loss in _variants(subject, subject.loss.keras):
        before = _values(subject, loss)
        try:
            after = _values(subject, _loaded(loss))
        except Exception as error:
            raise FaultError(f"Loading it raises {one_line(error)}") from None
        if before.shape != after.shape or not np.allclose(
            before, after, rtol=1e-5, equal_nan=True
        ):
            raise FaultError(
                f"{which} losses are {numbers(before)} before saving and "
                f"{numbers(after)} after loading.",
                subject.task.batch(4),
            )


def _loaded(loss: keras.Loss) -> keras.Loss:
    """Return the loss as a saved model has it."""
    # As load_model does; keras.losses.deserialize gives a class that it does not find
    # back as a string.
    saved = keras.saving.serialize_keras_object(loss)
    return keras.saving.deserialize_keras_object(saved)


def _values(subject: Subject, loss: keras.Loss) -> np.ndarray:
    y_true, y_pred = subject.as_tensors(subject.task.batch(4), subject.dtype)
    return in_float64(tf.convert_to_tensor(loss(y_true, y_pred)))


def _variants(subject: Subject, loss: keras.Loss) -> Iterator[tuple[str, keras.Loss]]:
    """Yield the loss, and others of its class with one number changed each.

    They tell a parameter that is lost from one that comes back because it is the
    default.
    """
    yield "The", loss
    for name, default in _numbers_of(type(loss)):
        whole = isinstance(default, int)
        for value in (default + 1,) if whole else (default + 0.25, default / 2 + 0.125):
            try:
                changed = type(loss)(**{**_required(loss), name: value})
                _values(subject, changed)
            except Exception:
                # Not a value for this parameter.
                continue
            yield f"With {name}={value:g} the", changed
            break


def _numbers_of(made: type) -> Iterator[tuple[str, float | int]]:
    for name, parameter in inspect.signature(made).parameters.items():
        if type(parameter.default) in (float, int):
            yield name, parameter.default


def _required(loss: keras.Loss) -> dict[str, object]:
    """Return what the constructor cannot do without, as far as the loss tells."""
    return {
        name: getattr(loss, name)
        for name, parameter in inspect.signature(type(loss)).parameters.items()
        if parameter.default is parameter.empty and hasattr(loss, name)
    }
