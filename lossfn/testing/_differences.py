"""Derivatives from values alone: differences of the loss of one example."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lossfn.testing._subject import Subject, joined
from lossfn.testing._tasks import Example, looked_at

# A step between probabilities, of the distance to 0 or 1, so that it stays inside.
STEP_OF_ROOM = 1e-4
COARSE_STEP_OF_ROOM = 1e-2


def indices(example: Example) -> Iterator[tuple[int, ...]]:
    """Yield the index of each prediction, of some where there are many."""
    for row in range(len(example.y_pred)):
        for output in looked_at(example.y_pred.shape[1]):
            yield row, output


def moved(example: Example, index: tuple[int, ...], by: float) -> Example:
    """Return the example with one prediction moved."""
    y_pred = example.y_pred.copy()
    y_pred[index] += by
    return Example(example.y_true, y_pred)


def step_at(subject: Subject, example: Example, index: tuple[int, ...]) -> float:
    """Return a step that stays inside (0, 1) where predictions are probabilities."""
    if subject.task.prediction != "probabilities":
        return subject.step
    probability = example.y_pred[index]
    part = STEP_OF_ROOM if subject.exact else COARSE_STEP_OF_ROOM
    return part * min(probability, 1 - probability)


def central(subject: Subject, example: Example) -> np.ndarray:
    """Return the gradient by central differences."""
    slopes, points, steps = np.zeros(example.y_pred.shape), [], []
    for index in indices(example):
        steps.append(step_at(subject, example, index))
        points += [moved(example, index, steps[-1]), moved(example, index, -steps[-1])]
    ahead, behind = subject.totals(joined(points)).reshape(-1, 2).T
    for index, slope in zip(
        indices(example), (ahead - behind) / (2 * np.array(steps)), strict=True
    ):
        slopes[index] = slope
    return slopes


def one_sided(
    subject: Subject, example: Example, index: tuple[int, ...]
) -> tuple[float, float]:
    """Return the derivatives from the left and from the right.

    Three points on one side are exact for a parabola, so that the error is of the order
    of the step squared.
    """
    step = step_at(subject, example, index)
    points = [moved(example, index, count * step) for count in (0, -1, -2, 1, 2)]
    here, left, far_left, right, far_right = subject.totals(joined(points))
    return (
        (4 * left - far_left - 3 * here) / (-2 * step),
        (4 * right - far_right - 3 * here) / (2 * step),
    )


def rounding(subject: Subject, example: Example, index: tuple[int, ...]) -> float:
    """Return what rounding of numbers around 1, as in 1 - p, adds to ``one_sided``."""
    dtype = np.float64 if subject.exact else np.float32
    return 8 * float(np.finfo(dtype).eps) / step_at(subject, example, index)


def slopes_of_gradient(subject: Subject, example: Example) -> np.ndarray | None:
    """Differentiate a weighted sum of the gradient, by differences on either side.

    The gradient at the point itself is left out: where it is wrong, that is for another
    check to say.

    Returns:
        The slopes, or None where left and right disagree: at a kink of the gradient.
    """
    left, right = (
        _slopes_of_gradient(subject, example, side * 10 * subject.step)
        for side in (-1, 1)
    )
    agree = close(left, right, 10 * subject.tolerance)
    return (left + right) / 2 if agree else None


def _slopes_of_gradient(subject: Subject, example: Example, step: float) -> np.ndarray:
    slopes, points = np.zeros(example.y_pred.shape), []
    for index in indices(example):
        points += [moved(example, index, step), moved(example, index, 2 * step)]
    sums = subject.gradients(joined(points)) @ weights(example)
    for index, near, far in zip(indices(example), sums[::2], sums[1::2], strict=True):
        slopes[index] = (far - near) / step
    return slopes


def weights(example: Example) -> np.ndarray:
    """Return weights for a sum of the gradient.

    With equal weights the Hessian of a softmax, whose rows sum to 0, would hide.
    """
    return np.arange(1.0, example.y_pred.size + 1)


def close(found: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    """Compare derivatives, relative to them or to 1, where they are looked at."""
    where = looked_at(expected.shape[-1])
    found, expected = found[..., where], expected[..., where]
    return np.allclose(found, expected, rtol=tolerance, atol=tolerance)
