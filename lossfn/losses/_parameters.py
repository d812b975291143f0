"""The parameters of the losses: what each may be, checked once, in one form."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from lossfn import _tensors


class Rule(NamedTuple):
    """What holds for every entry of a parameter."""

    words: str
    holds: Callable[[tf.Tensor], tf.Tensor]


POSITIVE = Rule("be positive and finite", lambda x: (x > 0) & tf.math.is_finite(x))
NEGATIVE = Rule("be negative and finite", lambda x: (x < 0) & tf.math.is_finite(x))
NOT_NEGATIVE = Rule(
    "be finite and not negative", lambda x: (x >= 0) & tf.math.is_finite(x)
)
FROM_0_TO_1 = Rule("lie in [0, 1]", lambda x: (x >= 0) & (x <= 1))
ABOVE_0_TO_1 = Rule("lie in (0, 1]", lambda x: (x > 0) & (x <= 1))
BETWEEN_0_AND_1 = Rule("lie in (0, 1)", lambda x: (x > 0) & (x < 1))


class Parameter(NamedTuple):
    """A parameter, and where it keeps its rule (under XLA it need not)."""

    value: tf.Tensor
    valid: tf.Tensor


def scalar(name: str, value: object, dtype: tf.DType, rule: Rule) -> Parameter:
    """Check a parameter that is one number."""
    number = _tensors.as_number(name, value, dtype)
    return _kept(name, _tensors.as_scalar(name, number), rule)


def for_each(name: str, value: object, y_pred: tf.Tensor, rule: Rule) -> Parameter:
    """Check a parameter that may differ from prediction to prediction."""
    number = _tensors.as_number(name, value, y_pred.dtype)
    number = _tensors.broadcast_into(name, number, "y_pred", y_pred)
    return _kept(name, number, rule)


def gamma(value: object, dtype: tf.DType) -> Parameter:
    """Check how strongly easy examples are set aside."""
    return scalar("gamma", value, dtype, NOT_NEGATIVE)


def label_smoothing(value: object, dtype: tf.DType) -> Parameter:
    """Check the share of a label that is spread over the classes."""
    return scalar("label_smoothing", value, dtype, FROM_0_TO_1)


def class_weight(value: object, logits: tf.Tensor) -> Parameter:
    """Check what each class counts for; without a value, all count 1."""
    if value is None:
        return Parameter(tf.ones([], logits.dtype), tf.constant(True))
    number = _tensors.as_number("class_weight", value, logits.dtype)
    number = _tensors.one_for_each_class("class_weight", number, "y_pred", logits)
    return _kept_by_all("class_weight", number, POSITIVE)


def focal_alpha(value: object, logits: tf.Tensor) -> Parameter:
    """Check a weight for all classes, or for each; without a value, all count 1."""
    if value is None:
        return Parameter(tf.ones([], logits.dtype), tf.constant(True))
    number = _tensors.as_number("alpha", value, logits.dtype)
    number = _tensors.for_all_classes_or_each("alpha", number, "y_pred", logits)
    return _kept_by_all("alpha", number, POSITIVE)


def of_label(weight: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Return the weight of the class of each label."""
    return weight if weight.shape.rank == 0 else tf.gather(weight, labels)


def spread(smoothing: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return what each class gets of a label that is smoothed."""
    return smoothing / tf.cast(tf.shape(logits)[-1], smoothing.dtype)


def is_zero(value: object) -> bool:
    """Whether a parameter is known to be 0 before anything runs."""
    return isinstance(value, int | float) and value == 0


def _kept(name: str, number: tf.Tensor, rule: Rule) -> Parameter:
    valid = rule.holds(number)
    return Parameter(_tensors.with_values(name, number, valid, rule.words), valid)


def _kept_by_all(name: str, number: tf.Tensor, rule: Rule) -> Parameter:
    """Check weights that every example is made of, so that one spoils all."""
    weights = _kept(name, number, rule)
    return Parameter(weights.value, tf.reduce_all(weights.valid))
