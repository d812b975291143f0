"""The softmax and its cross entropy without checks: what nn and losses are made of.

Logits have their classes on the last axis and a dtype of 32 bits or more. Everything
can be differentiated again, and every derivative is that of the value.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf


class Softmax(NamedTuple):
    """Rows of logits as gaps below their largest, and what their softmax is made of."""

    is_top: tf.Tensor  # (..., K) True at one largest logit
    gap: tf.Tensor  # (..., K) logit minus the largest logit, at most 0
    others: tf.Tensor  # (..., K) exp(gap), and 0 at the top
    rest: tf.Tensor  # (..., 1) the sum of others: softmax is exp(gap) / (1 + rest)


def split(logits: tf.Tensor) -> Softmax:
    """Measure the logits from the largest one of each row."""
    is_top = one_hot(tf.argmax(logits, -1), logits)
    zero = tf.constant(0, logits.dtype)
    # The logit at one index, not reduce_max: its derivative is 1 there, ties or not.
    top = tf.reduce_sum(tf.where(is_top, logits, zero), -1, keepdims=True)
    gap = tf.where(is_top, zero, logits - top)
    others = tf.where(is_top, zero, tf.exp(gap) * (1 + _lost(gap, logits, top)))
    # top - top is 0, or NaN for a row that has no softmax: all -inf, or inf, or NaN.
    rest = tf.reduce_sum(others, -1, keepdims=True) + (top - top)
    return Softmax(is_top, gap, others, rest)


def one_hot(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return a row of booleans for each label, as long as the rows of the logits."""
    classes = tf.shape(logits)[-1]
    return tf.one_hot(labels, classes, on_value=True, off_value=False, dtype=tf.bool)


def _lost(gap: tf.Tensor, logits: tf.Tensor, top: tf.Tensor) -> tf.Tensor:
    """Return what rounding took from ``gap = logits - top`` (Knuth's two-sum).

    A gap of -80 is rounded to about 4e-6, and exp makes that a relative error.
    """
    minus_top = gap - logits
    lost = (logits - (gap - minus_top)) - (top + minus_top)
    zero = tf.constant(0, gap.dtype)
    # At a gap of -inf nothing was lost; a constant has no part in the derivatives.
    return tf.stop_gradient(tf.where(tf.math.is_finite(gap), lost, zero))


def probabilities(row: Softmax) -> tf.Tensor:
    """Return the softmax."""
    return tf.where(row.is_top, tf.ones_like(row.others), row.others) / (1 + row.rest)


def one_minus_top(row: Softmax) -> tf.Tensor:
    """Return what the softmax leaves to the classes that are not the top."""
    return row.rest / (1 + row.rest)


def minus_log(row: Softmax) -> tf.Tensor:
    """Return minus the logarithm of the softmax: the cross entropy of each class."""
    return tf.math.log1p(row.rest) - row.gap


@tf.custom_gradient
def cross_entropy(labels: tf.Tensor, logits: tf.Tensor):
    """Return the loss of labels of the shape of the logits, not negative, any total."""
    row = split(logits)
    total = tf.reduce_sum(labels, -1)
    # A class with label 0 costs nothing, not even at a gap of -inf.
    below = tf.reduce_sum(tf.math.multiply_no_nan(row.gap, labels), -1)
    loss = total * tf.math.log1p(row.rest[..., 0]) - below

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # Computed from the arguments anew, so that it can be differentiated again.
        upstream = upstream[..., None]
        by_label = tf.math.multiply_no_nan(minus_log(split(logits)), upstream)
        return by_label, upstream * cross_entropy_by_logit(labels, logits)

    return loss, gradient


def cross_entropy_by_logit(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    r"""Derivative of the dense loss by the logits, :math:`P q_k - p_k`, P = sum of p.

    At the top class :math:`q_t = 1/(1 + r)` comes close to 1, and close to :math:`p_t`.
    There :math:`P q_t - p_t = (P - p_t) - P r/(1 + r)`, where :math:`P - p_t` is the
    sum of the other labels: two small numbers instead of two large ones.
    """
    row = split(logits)
    total = tf.reduce_sum(labels, -1, keepdims=True)
    direct = total * probabilities(row) - labels
    others = tf.where(row.is_top, tf.zeros_like(labels), labels)
    total_of_others = tf.reduce_sum(others, -1, keepdims=True)
    at_top = total_of_others - total * one_minus_top(row)
    return tf.where(row.is_top & (row.rest < 1), at_top, direct)


@tf.custom_gradient
def sparse_cross_entropy(labels: tf.Tensor, logits: tf.Tensor):
    """Return the loss of class indices of shape (N,), given logits of shape (N, K)."""
    row = split(logits)
    below = tf.gather(row.gap, labels, batch_dims=1)
    loss = tf.math.log1p(row.rest[:, 0]) - below

    def gradient(upstream: tf.Tensor) -> tuple[None, tf.Tensor]:
        return None, upstream[:, None] * sparse_cross_entropy_by_logit(labels, logits)

    return loss, gradient


def sparse_cross_entropy_by_logit(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    r"""Derivative of the sparse loss by the logits, :math:`q_k - [k = y]`.

    Where the true class is the top, :math:`q_t - 1 = -r/(1 + r)` and nothing cancels.
    """
    row = split(logits)
    model = probabilities(row)
    at_true = tf.where(row.is_top, -one_minus_top(row), model - 1)
    return tf.where(one_hot(labels, logits), at_true, model)
