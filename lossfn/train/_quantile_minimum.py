"""The minimum of the pinball loss of a linear model, with the proof that it is one.

The mathematics is in :func:`lossfn.train.fit_quantiles`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from lossfn import nn
from lossfn.losses import pinball

# Each width of the smooth loss is this share of the one before.
_NARROWING = 0.25
_MOST_WIDTHS = 24
_MOST_STEPS = 50
# Newton stops when the slopes add up to 0 but for this part of one example. More would
# leave out an example that holds the line with no more force than that.
_BALANCE = 1e-6
_ENOUGH_DECREASE = 1e-4
_SMALLEST_STEP = 2.0**-40
_ROUNDING = 16 * np.finfo(np.float64).eps

_VECTOR = tf.TensorSpec([None], tf.float64)
_SCALAR = tf.TensorSpec([], tf.float64)


class Plane:
    """Every prediction that a linear model can make, as the span of a good basis."""

    def __init__(self, features: np.ndarray) -> None:
        self.mean = features.mean(axis=0)
        spread = features.std(axis=0)
        self.spread = np.where(spread > 0, spread, 1.0)
        standard = (features - self.mean) / self.spread
        rows = np.column_stack([standard, np.ones(len(features))])
        left, sizes, right = np.linalg.svd(rows, full_matrices=False)
        # A feature that the others make up gives a direction without a size.
        rank = np.sum(sizes > sizes[0] * max(rows.shape) * np.finfo(np.float64).eps)
        root = np.sqrt(len(rows))
        self.basis = left[:, :rank] * root
        self._back = right[:rank].T * (root / sizes[:rank])

    def coefficients(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Turn parameters of the basis, (rank, Q), into weights (D, Q), bias (Q,)."""
        standard = self._back @ parameters
        weights = standard[:-1] / self.spread[:, None]
        return weights, standard[-1] - self.mean @ weights


@tf.function(input_signature=[_VECTOR, _VECTOR, _SCALAR, _SCALAR])
def _smooth(
    target: tf.Tensor, predictions: tf.Tensor, quantile: tf.Tensor, width: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the mean of the smooth loss, and each example's two derivatives, (N,)."""
    labels = tf.fill(tf.shape(target), quantile)
    with tf.GradientTape() as outer:
        outer.watch(predictions)
        with tf.GradientTape() as inner:
            inner.watch(predictions)
            logits = (predictions - target) / width
            losses = width * nn.sigmoid_cross_entropy_with_logits(
                labels=labels, logits=logits
            )
        slopes = inner.gradient(losses, predictions)
    return tf.reduce_mean(losses), slopes, outer.gradient(slopes, predictions)


@tf.function(input_signature=[_VECTOR, _VECTOR, _SCALAR])
def _mean_pinball(
    target: tf.Tensor, predictions: tf.Tensor, quantile: tf.Tensor
) -> tf.Tensor:
    return tf.reduce_mean(pinball(target, predictions, quantile=quantile))


class _Point(NamedTuple):
    """Parameters, and the smooth loss there: its mean, slopes (N,), curvatures (N,)."""

    parameters: np.ndarray
    value: float
    slopes: np.ndarray
    curvatures: np.ndarray


@dataclass(frozen=True)
class _Problem:
    """One quantile: the columns of the basis are orthogonal, of mean square 1."""

    basis: np.ndarray
    target: np.ndarray
    quantile: float

    def at(self, parameters: np.ndarray, width: float) -> _Point:
        predictions = self.basis @ parameters
        parts = _smooth(self.target, predictions, self.quantile, width)
        return _Point(parameters, *(part.numpy() for part in parts))

    def loss(self, parameters: np.ndarray) -> float:
        """Return the mean pinball loss."""
        predictions = self.basis @ parameters
        return float(_mean_pinball(self.target, predictions, self.quantile))

    def step_to_interpolate(self, point: _Point) -> np.ndarray:
        """Return the step to the least squares fit weighted by the curvatures."""
        root = np.sqrt(point.curvatures)
        residuals = self.target - self.basis @ point.parameters
        return _least_squares(self.basis * root[:, None], residuals * root)

    def bound(self, point: _Point) -> float:
        """Return a number that the mean pinball loss of no linear model is below."""
        root = np.sqrt(point.curvatures)
        multipliers = -point.slopes
        # The examples on the line are free to make up for what does not balance yet...
        excess = self.basis.T @ multipliers
        multipliers -= root * _least_squares((self.basis * root[:, None]).T, excess)
        # ...and if they cannot, all of them do it together.
        multipliers -= self.basis @ (self.basis.T @ multipliers) / len(self.basis)
        q = self.quantile
        outside = max(1.0, (multipliers / q).max(), (multipliers / (q - 1)).max())
        return float(np.mean(multipliers * self.target) / outside)


class Minimum(NamedTuple):
    parameters: np.ndarray
    loss: float
    gap: float


def minimum(
    basis: np.ndarray, target: np.ndarray, quantile: float, *, tolerance: float
) -> Minimum:
    """Narrow the smooth loss until the best loss meets the best bound.

    Args:
        basis: orthogonal columns of mean square 1, shape (N, rank).
        target: shape (N,), of a spread of about 1.
        quantile: strictly between 0 and 1.
        tolerance: the largest distance between loss and bound.

    Returns:
        The parameters of the basis, the mean pinball loss, and its distance from the
        bound.

    Raises:
        RuntimeError: if the loss stayed above the bound.
    """
    problem = _Problem(basis, target, quantile)
    width = 1.0
    point = problem.at(np.zeros(problem.basis.shape[1]), width)
    best, loss, bound = point.parameters, np.inf, -np.inf
    for _ in range(_MOST_WIDTHS):
        point = _smooth_minimum(problem, point, width)
        step = problem.step_to_interpolate(point)
        for parameters in (point.parameters, point.parameters + step):
            found = problem.loss(parameters)
            best, loss = (parameters, found) if found < loss else (best, loss)
        bound = max(bound, problem.bound(point))
        if loss - bound <= tolerance:
            return Minimum(best, loss, max(loss - bound, 0.0))
        width *= _NARROWING
        # The minimum moves in proportion to the width, towards the interpolating model,
        # if there is one.
        ahead = problem.at(point.parameters + (1 - _NARROWING) * step, width)
        here = problem.at(point.parameters, width)
        point = ahead if ahead.value < here.value else here
    raise RuntimeError(
        f"the fit did not reach the minimum at quantile {problem.quantile:g}: its mean "
        f"loss is above the bound by {loss - bound:.3g} mean absolute deviations, and "
        f"tolerance is {tolerance:g}"
    )


def _smooth_minimum(problem: _Problem, point: _Point, width: float) -> _Point:
    """Return the minimum of the smooth objective by Newton's method."""
    for _ in range(_MOST_STEPS):
        pull = problem.basis.T @ point.slopes
        if np.abs(pull).max() <= _BALANCE:
            break
        weighted = problem.basis * point.curvatures[:, None]
        step = _least_squares(weighted.T @ problem.basis, -pull)
        following = _lower(problem, point, step, width)
        if following is None:
            break
        point = following
    return point


def _lower(
    problem: _Problem, point: _Point, step: np.ndarray, width: float
) -> _Point | None:
    """Halve the step until the smooth objective falls enough; None if it never does."""
    slope = float(np.mean(point.slopes * (problem.basis @ step)))
    share = 1.0
    while share >= _SMALLEST_STEP:
        found = problem.at(point.parameters + share * step, width)
        if found.value <= point.value + _ENOUGH_DECREASE * share * slope + _ROUNDING:
            return found
        share /= 2
    return None


def _least_squares(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Return the shortest of the best solutions."""
    return np.linalg.lstsq(matrix, vector, rcond=None)[0]
