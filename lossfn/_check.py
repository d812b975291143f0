"""Checks of shape, dtype and range, and the wording of their errors.

Every check names the argument, the rule, and what was received, in the form
``<argument> must <rule>, got <received>``. A check returns what the caller goes on
with, or raises ``TypeError`` for a kind of value and ``ValueError`` for a value.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence

import numpy as np

Shape = Sequence["int | None"]

# float64 sums of a few thousand rounded probabilities stay far inside this.
SUM_TOLERANCE = 1e-6


def shape_text(shape: Shape | None) -> str:
    """Write a shape the way NumPy does, with ``?`` for what is not known yet."""
    if shape is None:
        return "of unknown rank"
    sizes = ["?" if size is None else str(size) for size in shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def shapes_differ(shape: Shape, other_shape: Shape) -> bool:
    """Whether two shapes cannot be equal, whatever their unknown sizes are."""
    if len(shape) != len(other_shape):
        return True
    return any(
        size is not None and other is not None and size != other
        for size, other in zip(shape, other_shape, strict=True)
    )


def same_shape(name: str, shape: Shape, other_name: str, other_shape: Shape) -> None:
    """Refuse two shapes that differ, so that nothing is ever broadcast."""
    if shapes_differ(shape, other_shape):
        raise ValueError(
            f"{name} and {other_name} must have the same shape, "
            f"got {shape_text(shape)} and {shape_text(other_shape)}"
        )


def one_label_per_example(
    labels_shape: Shape,
    logits_shape: Shape,
    axis: int,
    *,
    labels: str = "labels",
    logits: str = "logits",
) -> None:
    """Refuse sparse labels not of the shape of the logits without their classes."""
    axis %= len(logits_shape)
    expected = [*logits_shape[:axis], *logits_shape[axis + 1 :]]
    if shapes_differ(labels_shape, expected):
        raise ValueError(
            f"{labels} must have the shape of {logits} without the class axis, "
            f"{shape_text(expected)}, got {shape_text(labels_shape)} "
            f"for {logits} of shape {shape_text(logits_shape)}"
        )


def broadcasts_into(name: str, shape: Shape, other_name: str, other: Shape) -> None:
    """Refuse a shape that does not broadcast to ``other``, or that would enlarge it."""
    padded = [1] * (len(other) - len(shape)) + list(shape)
    fits = len(padded) == len(other) and all(
        size in (1, None) or whole is None or size == whole
        for size, whole in zip(padded, other, strict=True)
    )
    if not fits:
        raise ValueError(
            f"{name} must be a scalar or broadcast to the shape of {other_name}, "
            f"{shape_text(other)}, got shape {shape_text(shape)}"
        )


def one_for_each_class(
    name: str, shape: Shape, other_name: str, classes: Shape
) -> None:
    """Refuse a shape that is not that of the last axis of the other alone."""
    if shapes_differ(shape, classes):
        raise ValueError(
            f"{name} must have one entry for each class of {other_name}, "
            f"{shape_text(classes)}, got shape {shape_text(shape)}"
        )


def integer_number(name: str, value: int) -> int:
    """Refuse what is not an integer; True and False are not."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None


def whole_number(name: str, value: int, low: int, high: int | None = None) -> int:
    """Refuse a number that is not an integer from ``low`` to ``high``."""
    number = integer_number(name, value)
    if high is None and number < low:
        raise ValueError(f"{name} must be at least {low}, got {number}")
    if high is not None and not low <= number <= high:
        raise ValueError(f"{name} must lie in [{low}, {high}], got {number}")
    return number


def integer_axis(axis: int, *, name: str = "axis") -> int:
    """Refuse an axis that is not an integer."""
    return integer_number(name, axis)


def axis_in_range(axis: int, rank: int, *, name: str = "axis") -> int:
    """Return the axis counted from the front."""
    axis = integer_axis(axis, name=name)
    if rank < 1:
        raise ValueError(f"{name} must name an axis of an array, got a scalar")
    if not -rank <= axis < rank:
        raise ValueError(f"{name} must lie in [{-rank}, {rank}), got {axis}")
    return axis % rank


def floating(name: str, dtype: str, *, remedy: str = "") -> None:
    """Refuse a dtype that cannot hold a probability or a logit."""
    if not str(dtype).startswith(("float", "bfloat")):
        raise TypeError(f"{name} must have a floating dtype, got {dtype}{remedy}")


def integer(name: str, dtype: str, *, remedy: str = "") -> None:
    """Refuse a dtype that does not count classes."""
    if not str(dtype).startswith(("int", "uint")):
        raise TypeError(f"{name} must have an integer dtype, got {dtype}{remedy}")


def boolean(name: str, dtype: str) -> None:
    """Refuse a dtype that does not say yes or no."""
    if dtype != "bool":
        raise TypeError(f"{name} must have dtype bool, got {dtype}")


def all_valid(name: str, values: np.ndarray, valid: np.ndarray, rule: str) -> None:
    """Refuse an array with an entry that breaks a rule, and show the first one."""
    values, valid = np.asarray(values), np.asarray(valid)
    if valid.all():
        return
    index = tuple(int(i) for i in np.argwhere(~valid)[0])
    where = f" at index {index}" if index else ""
    raise ValueError(f"{name} must {rule}, got {values[index]!s}{where}")


def as_floats(name: str, value: object) -> np.ndarray:
    """Convert numbers to a float64 array."""
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise TypeError
        return array.astype(np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be an array of numbers, got {value!r}") from None


def as_numbers(name: str, value: object) -> np.ndarray:
    """Convert to an array of integers or of float64; booleans are neither."""
    try:
        array = np.asarray(value)
        if array.dtype.name.startswith(("float", "bfloat")):
            return array.astype(np.float64)
        if array.dtype.kind not in "iu":
            raise TypeError
        return array
    except (TypeError, ValueError):
        raise TypeError(
            f"{name} must be a number or an array of them, got {value!r}"
        ) from None


def rounded(value: object, dtype: np.dtype) -> np.ndarray:
    """Round numbers to a dtype; those too large for it become infinite."""
    with np.errstate(over="ignore"):
        return np.asarray(value, dtype)


def in_range(name: str, value: object, low: float, high: float) -> np.ndarray:
    """Convert to float64 and refuse entries outside [low, high], NaN included."""
    array = as_floats(name, value)
    all_valid(
        name, array, (array >= low) & (array <= high), f"lie in [{low:g}, {high:g}]"
    )
    return array


def positive(name: str, value: object) -> np.ndarray:
    """Convert to float64 and refuse entries that are not positive and finite."""
    array = as_floats(name, value)
    all_valid(name, array, (array > 0) & np.isfinite(array), "be positive and finite")
    return array


def log_base(base: float) -> float:
    """Return the base of a logarithm as a float."""
    array = positive("base", base)
    if array.ndim:
        raise ValueError(f"base must be a scalar, got shape {shape_text(array.shape)}")
    value = float(array)
    if math.isclose(value, 1.0, abs_tol=0.0, rel_tol=1e-12):
        raise ValueError(f"base must not be 1, got {base!r}")
    return value


def as_probabilities(name: str, value: object, axis: int = -1) -> np.ndarray:
    """Convert to float64 and refuse what is not a distribution along an axis."""
    array = in_range(name, value, 0.0, 1.0)
    axis = axis_in_range(axis, array.ndim)
    sums = array.sum(axis=axis)
    valid = np.abs(sums - 1.0) <= SUM_TOLERANCE
    if not valid.all():
        index = tuple(int(i) for i in np.argwhere(~valid)[0])
        where = f" at index {index}" if index else ""
        raise ValueError(
            f"{name} must sum to 1 along axis {axis}, "
            f"got a sum of {sums[index]:g}{where}"
        )
    return array
