"""Linear quantile regression, fitted until the minimum is certain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lossfn import _check
from lossfn.train._quantile_minimum import Plane, minimum

# Squares and sums of numbers of this size still have room.
_LARGEST = 1e100


@dataclass(frozen=True)
class QuantileFit:
    r"""A linear model :math:`f_q(x) = x \cdot w_q + b_q` for each of Q quantiles.

    Attributes:
        quantiles: the quantiles :math:`q`, increasing, shape (Q,), float64.
        weights: :math:`w_q` in the columns, shape (D, Q), float64, in units of the
            target for a unit of the feature.
        bias: :math:`b_q`, shape (Q,), float64, in units of the target.
        loss: the mean pinball loss over the examples of the fit, shape (Q,), float64.
        gap: how far at most each loss is above the smallest one that a linear model
            can have, shape (Q,), float64.

    Examples:
        >>> fit = fit_quantiles(
        ...     np.array([[0.0], [1.0], [2.0]]),
        ...     np.array([1.0, 3.0, 5.0]),
        ...     quantiles=[0.2, 0.8],
        ... )
        >>> fit.predict([[10.0]]).round(3)
        array([[21., 21.]])
    """

    quantiles: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    loss: np.ndarray
    gap: np.ndarray

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the predicted quantiles. Nothing keeps them from crossing.

        Args:
            features: shape (N, D).

        Returns:
            Shape (N, Q), float64, the quantiles in the order of ``quantiles``.

        Raises:
            TypeError: if ``features`` is not an array of numbers.
            ValueError: if ``features`` has another shape or an entry is not finite.
        """
        features = as_features(features)
        expected = (len(features), len(self.weights))
        _check.same_shape("features", features.shape, "training features", expected)
        return features @ self.weights + self.bias


def fit_quantiles(
    features: np.ndarray,
    target: np.ndarray,
    *,
    quantiles: Sequence[float],
    tolerance: float = 1e-13,
) -> QuantileFit:
    r"""Fit a linear model to each of several quantiles, in float64.

    For the quantile :math:`q` the fit minimises the mean pinball loss of the residuals
    :math:`e_n = y_n - f(x_n)`,

    .. math::
        J = \frac{1}{N} \sum_{n=1}^{N} \rho_q(e_n), \qquad
        \rho_q(e) = \max\bigl(q\, e, (q - 1)\, e\bigr) = q\, e + \max(-e, 0).

    This is convex, and has a kink wherever a residual is 0, where the minimum lies too:
    a gradient step there goes to and fro. So the kink is rounded off first. With
    :math:`T \operatorname{softplus}(-e / T)` in the place of :math:`\max(-e, 0)` the
    loss becomes

    .. math::
        \rho_{q,T}(e) = q\, e + T \operatorname{softplus}(-e / T)
            = T \bigl(\operatorname{softplus}(z) - q\, z\bigr), \qquad z = -e / T,

    which is :math:`T` times the sigmoid cross entropy of the label :math:`q` and the
    logit :math:`z`. It lies above :math:`\rho_q`, by :math:`T \log 2` at most, and
    TensorFlow differentiates it twice. Newton's method finds its minimum, :math:`T` is
    divided by 4, and Newton starts again from where the minimum is on its way to.

    Two things make the end exact. The curvature :math:`\sigma(z)\,\sigma(-z)` of the
    smooth loss weighs the examples near the model, and a least squares fit with these
    weights goes through the few examples that the minimum interpolates. And any
    multipliers :math:`a_n` in :math:`[q - 1, q]` with :math:`\sum_n a_n x_n = 0` and
    :math:`\sum_n a_n = 0` give a bound below, since :math:`\rho_q(e) \ge a\, e`:

    .. math::
        J \ge \frac{1}{N} \sum_n a_n\, e_n = \frac{1}{N} \sum_n a_n\, y_n
        \qquad \text{for every linear model.}

    The slopes of the smooth loss are such multipliers, :math:`a_n = q - \sigma(z_n)`.
    The fit ends when its loss has come down to the bound, so that no linear model has a
    smaller one. That is the condition that 0 is a subgradient of :math:`J`. The result
    depends on the problem alone, not on a seed or a learning rate; where several models
    share the minimum, it is one of them.

    Args:
        features: shape (N, D).
        target: :math:`y`, shape (N,), one number for each example.
        quantiles: the quantiles, in (0, 1) and increasing, shape (Q,).
        tolerance: the largest distance between loss and bound, as a share of the mean
            absolute deviation of ``target`` from its median.

    Returns:
        The fit. Each quantile is fitted by itself.

    Raises:
        TypeError: if an argument is not of numbers.
        ValueError: if a value is out of range or not finite, or shapes do not fit.
        RuntimeError: if the loss stayed above the bound.

    Examples:
        Without features that tell the examples apart, it finds the sample's quantiles:

        >>> sample = np.array([1.0, 2.0, 3.0, 4.0, 50.0])
        >>> fit = fit_quantiles(np.zeros((5, 1)), sample, quantiles=[0.3, 0.5, 0.9])
        >>> fit.bias.round(6)
        array([ 2.,  3., 50.])

    References:
        R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46, 33-50, 1978.

        C. Chen, "A finite smoothing algorithm for quantile regression", Journal of
        Computational and Graphical Statistics 16, 136-164, 2007, rounds the kink off
        by a parabola.
    """
    features = as_features(features)
    target = as_target(target, len(features))
    quantiles = as_quantiles(quantiles)
    tolerance = float(_check.positive("tolerance", tolerance))
    plane = Plane(features)
    centre = np.median(target)
    scale = np.mean(np.abs(target - centre)) or 1.0
    scaled = (target - centre) / scale
    minima = [
        minimum(plane.basis, scaled, quantile, tolerance=tolerance)
        for quantile in quantiles
    ]
    weights, bias = plane.coefficients(np.stack([m.parameters for m in minima], 1))
    return QuantileFit(
        quantiles=quantiles,
        weights=scale * weights,
        bias=centre + scale * bias,
        loss=scale * np.array([m.loss for m in minima]),
        gap=scale * np.array([m.gap for m in minima]),
    )


def as_features(value: object) -> np.ndarray:
    """Convert features to float64 and refuse all but finite ones of shape (N, D)."""
    features = _check.as_floats("features", value)
    _all_finite("features", features)
    if features.ndim != 2 or not features.size:
        raise ValueError(
            "features must have shape (N, D) with N and D at least 1, "
            f"got {_check.shape_text(features.shape)}"
        )
    return features


def as_target(value: object, count: int) -> np.ndarray:
    """Convert a target to float64 and refuse all but ``count`` finite numbers."""
    target = _check.as_floats("target", value)
    if target.shape != (count,):
        raise ValueError(
            f"target must have shape {_check.shape_text((count,))}, one number for "
            f"each row of features, got {_check.shape_text(target.shape)}"
        )
    _all_finite("target", target)
    return target


def as_quantiles(value: object) -> np.ndarray:
    """Convert to float64 and refuse all but increasing numbers between 0 and 1."""
    quantiles = _check.as_floats("quantiles", value)
    if quantiles.ndim != 1 or not quantiles.size:
        raise ValueError(
            "quantiles must be a vector with at least one entry, "
            f"got shape {_check.shape_text(quantiles.shape)}"
        )
    inside = (quantiles > 0) & (quantiles < 1)
    _check.all_valid("quantiles", quantiles, inside, "lie in (0, 1)")
    rises = np.diff(quantiles, prepend=0.0) > 0
    _check.all_valid("quantiles", quantiles, rises, "increase")
    return quantiles


def _all_finite(name: str, values: np.ndarray) -> None:
    _check.all_valid(
        name, values, np.abs(values) < _LARGEST, f"be finite and below {_LARGEST:g}"
    )
