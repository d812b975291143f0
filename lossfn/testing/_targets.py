"""Labels that come with known probabilities, and where the loss should be least."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lossfn import _check
from lossfn.testing._tasks import Task

# How far from the target the expected loss must be larger, in logits.
LOGIT_STEPS = (0.05, -0.05, 0.2, -0.2, 1.0, -1.0, 3.0, -3.0)
# Outcomes whose mean (3.42), median (2) and other quantiles differ. No round level is a
# sum of the first few probabilities, where a quantile would not be one number.
VALUES = np.array([0.5, 1.0, 2.0, 4.0, 11.5])
NINETEENTHS = (3, 5, 4, 4, 3)
PROBABILITIES = np.array(NINETEENTHS) / 19
# The golden section, which no round number is near.
GOLDEN = (5**0.5 - 1) / 2
# A quantile is told from those of levels so far away, and one at the edge is not.
NEARBY, EDGE = GOLDEN / 30, 0.01
NUMBER_STEPS = (0.25, -0.25, 1.0, -1.0, 4.0, -4.0)
POSITIVE_STEPS = (0.125, -0.125, 0.25, -0.25, 4.0)


class Outcome(NamedTuple):
    """Labels, their probabilities, and the prediction with the least expected loss.

    Attributes:
        described: The probabilities in words.
        labels: A batch of labels, one for each that may come.
        probabilities: Their probabilities.
        target: The best prediction; a logit where the task predicts probabilities.
        steps: How far from it to look.
    """

    described: str
    labels: np.ndarray
    probabilities: np.ndarray
    target: np.ndarray
    steps: tuple[float, ...]


def checked_target(task: Task, target: object) -> object:
    """Refuse a target that the task does not have."""
    if target is None or callable(target):
        return target
    words = ("truth",) if task.label != "number" else ("truth", "mean", "median")
    if task.name == "quantile":
        words = ("median",)
    if isinstance(target, str) and target in words:
        return target
    if isinstance(target, str) or task.label != "number":
        level = ", a level in (0, 1)" if task.label == "number" else ""
        raise ValueError(
            f"target must be {', '.join(map(repr, words))}{level}, a function, or None "
            f"for task {task.name!r}, got {target!r}"
        )
    levels = _check.as_floats("target", target)
    _check.all_valid(
        "target", levels, (levels > 0) & (levels < 1), "lie strictly between 0 and 1"
    )
    _one_or_for_each_output(task, "target", levels)
    return np.atleast_1d(levels)


def _one_or_for_each_output(task: Task, name: str, values: np.ndarray) -> None:
    if values.shape not in ((), (1,), (task.outputs,)):
        raise ValueError(
            f"{name} must be one number, or one for each of {task.outputs} outputs, "
            f"got shape {_check.shape_text(values.shape)}"
        )


def outcomes(task: Task, target: object) -> Iterator[Outcome]:
    """Yield random labels for a task."""
    if task.of_classes:
        yield from _of_classes(task, target)
    elif task.label == "binary":
        yield from _of_yes_or_no(task, target)
    elif isinstance(target, str) and target == "truth":
        yield from _certain(task)
    else:
        yield from _of_numbers(task, target)


def _of_classes(task: Task, target: object) -> Iterator[Outcome]:
    # The least likely of many classes must still be seen in the average.
    falling = np.linspace(min(task.outputs, 3), 1.0, task.outputs)
    for weights in (falling, falling[::-1]):
        truth = weights / weights.sum()
        best = target(truth.copy()) if callable(target) else truth
        yield Outcome(
            f"true probabilities [{', '.join(f'{p:.3g}' for p in truth)}]",
            task.class_label(np.arange(task.outputs)),
            truth,
            np.log(_of_all_classes(_probabilities(best, truth.shape))),
            LOGIT_STEPS,
        )


def _of_all_classes(best: np.ndarray) -> np.ndarray:
    if not np.isclose(best.sum(), 1.0, rtol=0.0, atol=_check.SUM_TOLERANCE):
        raise ValueError(f"target(truth) must sum to 1, got a sum of {best.sum():g}")
    return best


def _of_yes_or_no(task: Task, target: object) -> Iterator[Outcome]:
    for truth in (0.2, 0.7):
        best = truth
        if callable(target):
            best = np.asarray(target(np.full(task.outputs, truth)))
        best = _probabilities(best, () if np.ndim(best) == 0 else (task.outputs,))
        yield Outcome(
            f"true probability {truth}",
            np.repeat([[0.0], [1.0]], task.outputs, axis=1),
            np.array([1 - truth, truth]),
            np.broadcast_to(np.log(best / (1 - best)), (task.outputs,)).copy(),
            LOGIT_STEPS,
        )


def _probabilities(value: object, shape: tuple[int, ...]) -> np.ndarray:
    value = _check.as_floats("target(truth)", value)
    if value.shape != shape:
        raise ValueError(
            f"target(truth) must have the shape of truth, {_check.shape_text(shape)}, "
            f"got {_check.shape_text(value.shape)}"
        )
    _check.all_valid(
        "target(truth)", value, (value > 0) & (value < 1), "lie strictly in (0, 1)"
    )
    return value


def _certain(task: Task) -> Iterator[Outcome]:
    for value in (0.5, 4.0):
        yield Outcome(
            f"a certain outcome {value}",
            np.full((1, task.outputs), value),
            np.ones(1),
            np.full(task.outputs, value),
            _steps(task),
        )


def _of_numbers(task: Task, target: object) -> Iterator[Outcome]:
    described = f"in {', '.join(map(str, NINETEENTHS))} of 19 cases"
    if callable(target):
        best = _checked_numbers(task, target(VALUES.copy(), PROBABILITIES.copy()))
        yield _outcome(task, described, PROBABILITIES, best)
        return
    if isinstance(target, str) and target == "mean":
        yield _outcome(task, described, PROBABILITIES, VALUES @ PROBABILITIES)
        return
    levels = np.array([0.5]) if isinstance(target, str) else target
    yield _outcome(task, described, PROBABILITIES, _quantiles(levels, PROBABILITIES))
    for level in np.unique(levels):
        if EDGE <= level <= 1 - EDGE:
            around = _around(level)
            described = f"with probabilities {', '.join(f'{p:.3g}' for p in around)}"
            yield _outcome(task, described, around, _quantiles(levels, around))


def _outcome(
    task: Task, described: str, probabilities: np.ndarray, best: np.ndarray
) -> Outcome:
    return Outcome(
        f"outcomes {', '.join(f'{value:g}' for value in VALUES)} {described}",
        np.repeat(VALUES[:, None], task.outputs, axis=1),
        probabilities,
        np.broadcast_to(best, (task.outputs,)).astype(np.float64),
        _steps(task),
    )


def _around(level: float) -> np.ndarray:
    """Return probabilities with which the quantile of another level is another value.

    The middle value is that of the levels nearby alone, and no round level is a sum of
    the first few.
    """
    half = min(NEARBY, level / 2, (1 - level) / 2)
    below, above = level - half, 1 - level - half
    parts = (1 - GOLDEN) * below, GOLDEN * below, 2 * half
    return np.array([*parts, GOLDEN * above, (1 - GOLDEN) * above])


def _checked_numbers(task: Task, value: object) -> np.ndarray:
    name = "target(values, probabilities)"
    value = _check.as_floats(name, value)
    _one_or_for_each_output(task, name, value)
    if task.prediction == "positive numbers":
        _check.positive(name, value)
    _check.all_valid(name, value, np.isfinite(value), "be finite")
    return value


def _steps(task: Task) -> tuple[float, ...]:
    positive = task.prediction == "positive numbers"
    return POSITIVE_STEPS if positive else NUMBER_STEPS


def _quantiles(levels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the smallest values that are exceeded with 1 - level at most."""
    return VALUES[np.searchsorted(np.cumsum(probabilities), levels)]
