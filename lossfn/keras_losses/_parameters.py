"""The parameters of a loss: checked when it is made, and fixed from then on.

The functions check them too, but at the first batch, and inside a compiled model. Here
nothing is computed by TensorFlow: making a loss does not start its devices, so that a
program can still configure them.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import NamedTuple

import keras
import tensorflow as tf

from lossfn import _check

INFINITY = float("inf")


class Rule(NamedTuple):
    """What holds for every entry of a parameter."""

    words: str
    holds: Callable[..., object]

    def check(self, name: str, value: object, dtype: tf.DType) -> None:
        """Refuse an entry that breaks the rule once it is rounded to the dtype."""
        array = _check.rounded(value, dtype.as_numpy_dtype)
        _check.all_valid(name, array, self.holds(array), self.words)


# Comparisons with NaN are false.
POSITIVE = Rule("be positive and finite", lambda x: (x > 0) & (x < INFINITY))
NEGATIVE = Rule("be negative and finite", lambda x: (x < 0) & (x > -INFINITY))
NOT_NEGATIVE = Rule("be finite and not negative", lambda x: (x >= 0) & (x < INFINITY))
FROM_0_TO_1 = Rule("lie in [0, 1]", lambda x: (x >= 0) & (x <= 1))
ABOVE_0_TO_1 = Rule("lie in (0, 1]", lambda x: (x > 0) & (x <= 1))
BETWEEN_0_AND_1 = Rule("lie in (0, 1)", lambda x: (x > 0) & (x < 1))

# Takes the name of a parameter, its fixed value, and the dtype that it is computed in.
Check = Callable[[str, object, tf.DType], None]


def fixed(name: str, value: object) -> object:
    """Return plain numbers, in tuples where they form an array; None stays None.

    Raises:
        TypeError: If the value is not made of numbers, or can change later.
        ValueError: If it is empty.
    """
    if value is None:
        return None
    symbolic = tf.is_tensor(value) and not hasattr(value, "numpy")
    if symbolic or isinstance(value, tf.Variable | keras.Variable):
        raise TypeError(f"{name} must be known when the loss is made, got {value!r}")
    numbers = value.numpy() if tf.is_tensor(value) else value
    array = _check.as_numbers(name, numbers)
    if array.size == 0:
        raise ValueError(f"{name} must not be empty, got {value!r}")
    return _as_tuples(array.tolist())


def _as_tuples(value: object) -> object:
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value


def as_lists(value: object) -> object:
    """Turn the tuples of a fixed parameter into lists, which a JSON file can hold."""
    return list(map(as_lists, value)) if isinstance(value, tuple) else value


def shape(value: object) -> tuple[int, ...]:
    """Return the shape of a fixed parameter."""
    return (len(value), *shape(value[0])) if isinstance(value, tuple) else ()


def checks(**of_each: Check) -> Mapping[str, Check]:
    """Return the checks of the parameters of a class, by name."""
    return types.MappingProxyType(of_each)


def for_each_output(rule: Rule) -> Check:
    """Return the check of a parameter that may differ from output to output."""

    def check(name: str, value: object, dtype: tf.DType) -> None:
        rule.check(name, _given(name, value), dtype)

    return check


def scalar(rule: Rule) -> Check:
    """Return the check of a parameter that is one number."""

    def check(name: str, value: object, dtype: tf.DType) -> None:
        received = shape(_given(name, value))
        if received:
            text = _check.shape_text(received)
            raise ValueError(f"{name} must be a scalar, got shape {text}")
        rule.check(name, value, dtype)

    return check


def for_each_class(rule: Rule) -> Check:
    """Return the check of a parameter that has an entry for each class."""

    def check(name: str, value: object, dtype: tf.DType) -> None:
        received = shape(_given(name, value))
        if len(received) != 1:
            raise ValueError(
                f"{name} must be a vector with one entry for each class, "
                f"got shape {_check.shape_text(received)}"
            )
        rule.check(name, value, dtype)

    return check


def scalar_or_for_each_class(rule: Rule) -> Check:
    """Return the check of a parameter that has one entry, or one for each class."""

    def check(name: str, value: object, dtype: tf.DType) -> None:
        form = for_each_class if shape(value) else scalar
        form(rule)(name, value, dtype)

    return check


def optional(check: Check) -> Check:
    """Return the check of a parameter that may also be None."""

    def check_if_given(name: str, value: object, dtype: tf.DType) -> None:
        if value is not None:
            check(name, value, dtype)

    return check_if_given


def integer(name: str, value: object, dtype: tf.DType) -> None:
    """Check a parameter that is an integer."""
    _check.integer_number(name, value)


def _given(name: str, value: object) -> object:
    if value is None:
        raise TypeError(f"{name} must be a number or an array of them, got None")
    return value
