"""NumPy float64 twins of the four tf.nn losses: the oracle of the tests.

Each loss comes three times: ``NAME_textbook`` is the formula as it is first written
down, overflow and all; ``NAME`` is the form that stays right; ``NAME_gradient`` is its
derivative with respect to the logits. Arguments and results are as in
:mod:`lossfn.nn`, but every result is float64.

Examples:
    >>> float(sigmoid_cross_entropy_with_logits(labels=1.0, logits=0.0).round(6))
    0.693147
    >>> sigmoid_cross_entropy_with_logits_textbook(labels=[0.0], logits=[800.0])
    array([inf])
    >>> sigmoid_cross_entropy_with_logits(labels=[0.0], logits=[800.0])
    array([800.])
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lossfn import _check


class _Logits(NamedTuple):
    """Logits, their classes on the last axis, as gaps below the largest of each row."""

    is_top: np.ndarray  # (..., K) True at the first largest logit
    gap: np.ndarray  # (..., K) logit minus the largest logit, at most 0
    rest: np.ndarray  # (..., 1) sum of exp(gap) over the classes that are not the top

    @property
    def log_softmax(self) -> np.ndarray:
        return self.gap - np.log1p(self.rest)

    @property
    def softmax(self) -> np.ndarray:
        # Not exp(log_softmax): a rounded exponent of -30 is a relative error of 30 ulp.
        return np.exp(self.gap) / (1.0 + self.rest)


def _split(logits: np.ndarray) -> _Logits:
    # log sum exp(z) = z_top + log(1 + sum of exp(z - z_top) over the others): the 1 is
    # never added to what is small beside it before log1p sees it.
    if logits.shape[-1] == 0:
        shape = _check.shape_text(logits.shape)
        raise ValueError(f"logits must have at least one class, got shape {shape}")
    is_top = np.arange(logits.shape[-1]) == np.argmax(logits, -1)[..., None]
    top = np.max(logits, -1, keepdims=True)
    with np.errstate(invalid="ignore"):  # inf - inf: a row without a softmax is NaN
        gap = np.where(is_top, top - top, logits - top)
        rest = np.where(is_top, 0.0, np.exp(gap)).sum(-1, keepdims=True)
        return _Logits(is_top, gap, rest + (top - top))


def _distributions(
    labels: ArrayLike, logits: ArrayLike, axis: int
) -> tuple[np.ndarray, np.ndarray, int]:
    labels = _check.as_floats("labels", labels)
    logits = _check.as_floats("logits", logits)
    _check.same_shape("labels", labels.shape, "logits", logits.shape)
    axis = _check.axis_in_range(axis, logits.ndim)
    outside = (labels < 0) | (labels == np.inf)
    _check.all_valid("labels", labels, ~outside, "lie in [0, inf)")
    return np.moveaxis(labels, axis, -1), np.moveaxis(logits, axis, -1), axis


def _times(weight: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return weight * value, and 0 where the weight is 0 whatever the value."""
    with np.errstate(invalid="ignore"):
        return np.where(weight == 0, 0.0, weight * value)


def softmax_cross_entropy_with_logits_textbook(
    *, labels: ArrayLike, logits: ArrayLike, axis: int = -1
) -> np.ndarray:
    r"""Return -sum_k p_k log(exp(z_k) / sum_j exp(z_j)), computed in that order.

    Examples:
        >>> certain = {"labels": [[1.0, 0.0]], "logits": [[0.0, 800.0]]}
        >>> softmax_cross_entropy_with_logits_textbook(**certain)  # exp(800) overflows
        array([nan])
    """
    labels, logits, _ = _distributions(labels, logits, axis)
    with np.errstate(all="ignore"):
        powers = np.exp(logits)
        return -(labels * np.log(powers / powers.sum(-1, keepdims=True))).sum(-1)


def softmax_cross_entropy_with_logits(
    *, labels: ArrayLike, logits: ArrayLike, axis: int = -1
) -> np.ndarray:
    r"""Return sum_k p_k (log sum_j exp(z_j) - z_k), through log1p.

    Examples:
        >>> certain = {"labels": [[1.0, 0.0]], "logits": [[0.0, 800.0]]}
        >>> softmax_cross_entropy_with_logits(**certain)
        array([800.])
    """
    labels, logits, _ = _distributions(labels, logits, axis)
    return -_times(labels, _split(logits).log_softmax).sum(-1)


def softmax_cross_entropy_with_logits_gradient(
    *, labels: ArrayLike, logits: ArrayLike, axis: int = -1
) -> np.ndarray:
    r"""Return (sum_j p_j) softmax(z)_k - p_k, of the shape of the logits.

    Examples:
        >>> softmax_cross_entropy_with_logits_gradient(
        ...     labels=[0.9, 0.1], logits=[0.0, 0.0]
        ... )
        array([-0.4,  0.4])
    """
    labels, logits, axis = _distributions(labels, logits, axis)
    row = _split(logits)
    log_softmax = row.log_softmax
    total = labels.sum(-1, keepdims=True)
    # Where q is near 1, q - p = (q - 1) + (1 - p), and expm1 knows q - 1 exactly.
    gradient = np.where(
        log_softmax > -np.log(2.0),
        total * np.expm1(log_softmax) + (total - labels),
        total * row.softmax - labels,
    )
    return np.moveaxis(gradient, -1, axis)


def _one_hot(labels: ArrayLike, logits: ArrayLike, axis: int) -> np.ndarray:
    """Return float64 one-hot labels with the classes on ``axis``, once checked."""
    labels = np.asarray(labels)
    logits = _check.as_floats("logits", logits)
    axis = _check.axis_in_range(axis, logits.ndim)
    _check.integer("labels", labels.dtype)
    _check.one_label_per_example(labels.shape, logits.shape, axis)
    classes = logits.shape[axis]
    valid = (labels >= 0) & (labels < classes)
    _check.all_valid("labels", labels, valid, f"lie in [0, {classes})")
    one_hot = (labels[..., None] == np.arange(classes)).astype(np.float64)
    return np.moveaxis(one_hot, -1, axis)


def sparse_softmax_cross_entropy_with_logits_textbook(
    *, labels: ArrayLike, logits: ArrayLike, axis: int = -1
) -> np.ndarray:
    r"""Return -log(exp(z_y) / sum_j exp(z_j)) for class y, computed in that order.

    Examples:
        >>> certain = {"labels": [0], "logits": [[0.0, 800.0]]}
        >>> sparse_softmax_cross_entropy_with_logits_textbook(**certain)
        array([inf])
    """
    _one_hot(labels, logits, axis)
    powers = np.moveaxis(_check.as_floats("logits", logits), axis, -1)
    with np.errstate(all="ignore"):
        powers = np.exp(powers)
        model = powers / powers.sum(-1, keepdims=True)
        return -np.log(np.take_along_axis(model, np.asarray(labels)[..., None], -1))[
            ..., 0
        ]


def sparse_softmax_cross_entropy_with_logits(
    *, labels: ArrayLike, logits: ArrayLike, axis: int = -1
) -> np.ndarray:
    r"""Return log sum_j exp(z_j) - z_y for the class y, through log1p.

    Examples:
        >>> certain = {"labels": [0], "logits": [[0.0, 800.0]]}
        >>> sparse_softmax_cross_entropy_with_logits(**certain)
        array([800.])
    """
    one_hot = _one_hot(labels, logits, axis)
    return softmax_cross_entropy_with_logits(labels=one_hot, logits=logits, axis=axis)


def sparse_softmax_cross_entropy_with_logits_gradient(
    *, labels: ArrayLike, logits: ArrayLike, axis: int = -1
) -> np.ndarray:
    r"""Return softmax(z)_k - [k = y], of the shape of the logits.

    Examples:
        >>> sparse_softmax_cross_entropy_with_logits_gradient(
        ...     labels=[1], logits=[[0.0, 0.0]]
        ... )
        array([[ 0.5, -0.5]])
    """
    one_hot = _one_hot(labels, logits, axis)
    return softmax_cross_entropy_with_logits_gradient(
        labels=one_hot, logits=logits, axis=axis
    )


def _binary(labels: ArrayLike, logits: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    labels = _check.as_floats("labels", labels)
    logits = _check.as_floats("logits", logits)
    _check.same_shape("labels", labels.shape, "logits", logits.shape)
    outside = (labels < 0) | (labels > 1)
    _check.all_valid("labels", labels, ~outside, "lie in [0, 1]")
    return labels, logits


def _weight(pos_weight: ArrayLike, logits: np.ndarray) -> np.ndarray:
    pos_weight = _check.positive("pos_weight", pos_weight)
    _check.broadcasts_into("pos_weight", pos_weight.shape, "logits", logits.shape)
    return pos_weight


def _softplus(x: np.ndarray) -> np.ndarray:
    """Return log(1 + exp(x)) without overflow."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)) without overflow, to full relative precision."""
    power = np.exp(-np.abs(x))
    return np.where(x < 0, power, 1.0) / (1.0 + power)


def sigmoid_cross_entropy_with_logits_textbook(
    *, labels: ArrayLike, logits: ArrayLike
) -> np.ndarray:
    r"""Return -y log(sigmoid(z)) - (1 - y) log(1 - sigmoid(z)), in that order.

    Examples:
        >>> sigmoid_cross_entropy_with_logits_textbook(labels=[0.0], logits=[800.0])
        array([inf])
    """
    return weighted_cross_entropy_with_logits_textbook(
        labels=labels, logits=logits, pos_weight=1.0
    )


def sigmoid_cross_entropy_with_logits(
    *, labels: ArrayLike, logits: ArrayLike
) -> np.ndarray:
    r"""Return y softplus(-z) + (1 - y) softplus(z).

    Examples:
        >>> sigmoid_cross_entropy_with_logits(labels=[0.0], logits=[800.0])
        array([800.])
    """
    return weighted_cross_entropy_with_logits(
        labels=labels, logits=logits, pos_weight=1.0
    )


def sigmoid_cross_entropy_with_logits_gradient(
    *, labels: ArrayLike, logits: ArrayLike
) -> np.ndarray:
    r"""Return sigmoid(z) - y, written so that nothing cancels at 0 and 1.

    Examples:
        >>> sigmoid_cross_entropy_with_logits_gradient(
        ...     labels=[0.0, 1.0], logits=[0.0, 0.0]
        ... )
        array([ 0.5, -0.5])
    """
    return weighted_cross_entropy_with_logits_gradient(
        labels=labels, logits=logits, pos_weight=1.0
    )


def weighted_cross_entropy_with_logits_textbook(
    *, labels: ArrayLike, logits: ArrayLike, pos_weight: ArrayLike
) -> np.ndarray:
    r"""Return -w y log(sigmoid(z)) - (1 - y) log(1 - sigmoid(z)), in that order.

    Examples:
        >>> weighted_cross_entropy_with_logits_textbook(
        ...     labels=[1.0], logits=[-800.0], pos_weight=3.0
        ... )
        array([inf])
    """
    labels, logits = _binary(labels, logits)
    weight = _weight(pos_weight, logits)
    with np.errstate(all="ignore"):
        model = 1.0 / (1.0 + np.exp(-logits))
        log_model, log_rest = np.log(model), np.log(1.0 - model)
        return -weight * labels * log_model - (1.0 - labels) * log_rest


def weighted_cross_entropy_with_logits(
    *, labels: ArrayLike, logits: ArrayLike, pos_weight: ArrayLike
) -> np.ndarray:
    r"""Return w y softplus(-z) + (1 - y) softplus(z).

    Examples:
        >>> weighted_cross_entropy_with_logits(
        ...     labels=[1.0], logits=[-800.0], pos_weight=3.0
        ... )
        array([2400.])
    """
    labels, logits = _binary(labels, logits)
    weight = _weight(pos_weight, logits)
    positive = _times(weight * labels, _softplus(-logits))
    return positive + _times(1.0 - labels, _softplus(logits))


def weighted_cross_entropy_with_logits_gradient(
    *, labels: ArrayLike, logits: ArrayLike, pos_weight: ArrayLike
) -> np.ndarray:
    r"""Return (1 - y) sigmoid(z) - w y sigmoid(-z).

    Examples:
        >>> weighted_cross_entropy_with_logits_gradient(
        ...     labels=[0.0, 1.0], logits=[0.0, 0.0], pos_weight=3.0
        ... )
        array([ 0.5, -1.5])
    """
    labels, logits = _binary(labels, logits)
    weight = _weight(pos_weight, logits)
    return (1.0 - labels) * _sigmoid(logits) - weight * labels * _sigmoid(-logits)
