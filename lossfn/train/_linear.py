"""Linear models under a convex loss, fitted to the last digit that holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from lossfn import _check

LossFunction = Callable[..., tf.Tensor]

# A step must bring this share of the decrease that the gradient promises.
_ENOUGH_DECREASE = 1e-4
_SMALLEST_STEP = 2.0**-40
# The objective itself is known to a few ulp only, which hides the last decreases.
_ROUNDING = 16 * np.finfo(np.float64).eps
# At a minimum the gradient is rounding error, for each unit of the largest feature.
_LARGEST_GRADIENT = 1e-6


@dataclass(frozen=True)
class LinearFit:
    r"""A linear model :math:`z = x W + b` at the minimum of its objective.

    Attributes:
        weights: :math:`W`, shape (D, outputs), float64.
        bias: :math:`b`, shape (outputs,), float64.
        history: the objective before the first Newton step and after each one, shape
            (steps + 1,), float64.
        gradient_norm: the Euclidean norm of the gradient of the objective, over the
            weights and the bias, at the minimum that was found.
        one_logit: whether an example has one logit instead of a vector of logits.

    Examples:
        >>> fit = fit_linear(
        ...     np.array([[-1.0], [1.0], [-1.0], [1.0]]),
        ...     np.array([0, 1, 1, 1]),
        ...     loss=tf.nn.sparse_softmax_cross_entropy_with_logits,
        ...     outputs=2,
        ...     l2=0.1,
        ... )
        >>> fit.weights.shape, fit.bias.shape, fit.logits([[0.0]]).shape
        ((1, 2), (2,), (1, 2))
        >>> bool(fit.gradient_norm < 1e-6 and fit.history[-1] < fit.history[0])
        True
    """

    weights: np.ndarray
    bias: np.ndarray
    history: np.ndarray
    gradient_norm: float
    one_logit: bool

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Return the logits of the model.

        Args:
            features: shape (N, D).

        Returns:
            Shape (N, outputs), or (N,) if the labels of the fit had the shape (N,) and
            the model has one output; float64.

        Raises:
            TypeError: if ``features`` is not an array of numbers.
            ValueError: if ``features`` has another shape or an entry is not finite.
        """
        features = _as_features(features)
        expected = (len(features), len(self.weights))
        _check.same_shape("features", features.shape, "training features", expected)
        logits = features @ self.weights + self.bias
        return logits[:, 0] if self.one_logit else logits


def fit_linear(
    features: np.ndarray,
    labels: np.ndarray,
    *,
    loss: LossFunction,
    outputs: int,
    l2: float,
    sample_weight: np.ndarray | None = None,
    tolerance: float = 1e-8,
    max_steps: int = 50,
) -> LinearFit:
    r"""Fit a linear model to a convex loss by Newton's method, in float64.

    With the logits :math:`z_i = x_i W + b` of example :math:`i` and its loss
    :math:`\ell_i`, summed over its labels where it has several, the objective is

    .. math::
        J(W, b) = \frac{1}{N} \sum_{i=1}^{N} s_i \, \ell_i(z_i)
            + \frac{\lambda}{2} \sum_{d,k} W_{dk}^2 .

    The bias is not penalised, and :math:`s_i` is 1 without sample weights. (The sum is
    divided by :math:`N`, not by the sum of the weights.) TensorFlow differentiates the
    loss of each example twice with respect to its own logits, which gives :math:`g_i`
    and the small matrix :math:`H_i`. With :math:`\tilde x_i = (x_i, 1)` the chain rule
    does the rest:

    .. math::
        \nabla J = \frac{1}{N} \sum_i \tilde x_i \otimes g_i + \lambda W, \qquad
        \nabla^2 J = \frac{1}{N} \sum_i
            \tilde x_i \tilde x_i^\top \otimes H_i + \lambda I .

    A step solves :math:`\nabla^2 J \, \delta = -\nabla J` and is halved until the
    objective falls enough. Where a direction changes nothing, such as the same number
    added to all biases under a softmax, the step has no part in it. Near the minimum
    each step doubles the number of correct digits, and the fit ends with the step that
    moves no logit by more than ``tolerance``.

    With ``l2=0`` there may be no minimum: on separable data the loss falls for ever as
    the weights grow, and the fit raises an error instead of returning weights that only
    tell how long it ran. The same holds for the bias of a class without examples.

    The fit starts where all logits are 0. Both derivatives of
    ``tf.nn.weighted_cross_entropy_with_logits`` are wrong there, so that a fit with it
    can fail to take its first step; those of :mod:`lossfn.nn` are right.

    Args:
        features: shape (N, D).
        labels: what ``loss`` takes, its first axis N. Floating labels are converted to
            float64; others are passed on as they are.
        loss: called as ``loss(labels=..., logits=...)`` with a float64 tensor of logits
            of shape (N, outputs), or (N,) if ``outputs`` is 1 and the labels have the
            shape (N,). Returns one loss for each example, shape (N,), or one for each
            label, shape (N, L), where an example's loss depends on its own logits only.
        outputs: the number of logits of an example.
        l2: :math:`\lambda`, not negative, in units of loss for a squared weight.
        sample_weight: :math:`s_i`, not negative, shape (N,).
        tolerance: the largest change of a logit that ends the fit.
        max_steps: the number of Newton steps after which to give up.

    Returns:
        The fit. Each step solves a system of (D + 1) * outputs equations.

    Raises:
        TypeError: if an argument has the wrong kind of value.
        ValueError: if a value is out of range, shapes differ, or the loss is infinite.
        RuntimeError: if no minimum was found; the message says why.

    Examples:
        Without features that tell the examples apart, the best logit is the log odds:

        >>> fit = fit_linear(
        ...     np.zeros((4, 1)),
        ...     np.array([1.0, 1.0, 1.0, 0.0]),
        ...     loss=tf.nn.sigmoid_cross_entropy_with_logits,
        ...     outputs=1,
        ...     l2=0.1,
        ... )
        >>> round(float(np.exp(fit.bias[0])), 6)
        3.0

    References:
        S. Boyd and L. Vandenberghe, "Convex Optimization", Cambridge University Press,
        2004, section 9.5.
    """
    _check.integer("outputs", np.asarray(outputs).dtype.name)
    _check.integer("max_steps", np.asarray(max_steps).dtype.name)
    objective = _Objective(
        features=_as_features(features),
        labels=_as_labels(labels),
        loss=loss,
        outputs=int(_check.positive("outputs", outputs)),
        l2=float(_not_negative("l2", l2)),
        sample_weight=sample_weight,
    )
    return _minimise(
        objective,
        tolerance=float(_check.positive("tolerance", tolerance)),
        max_steps=int(_check.positive("max_steps", max_steps)),
    )


class _Objective:
    """The objective as a function of the parameters, the bias as their last row."""

    def __init__(
        self,
        *,
        features: np.ndarray,
        labels: np.ndarray,
        loss: LossFunction,
        outputs: int,
        l2: float,
        sample_weight: np.ndarray | None,
    ) -> None:
        count = len(features)
        _check.same_shape("labels", labels.shape[:1], "features", (count,))
        weight = np.ones(count) if sample_weight is None else sample_weight
        weight = _not_negative("sample_weight", weight)
        _check.same_shape("sample_weight", weight.shape, "features", (count,))
        self.features = np.column_stack([features, np.ones(count)])
        self.labels = tf.constant(labels)
        self.loss = loss
        self.sample_weight = weight
        self.shape = (self.features.shape[1], outputs)
        self.one_logit = outputs == 1 and labels.ndim == 1
        self.penalty = np.full(self.shape, l2)
        self.penalty[-1] = 0.0

    def value(self, parameters: np.ndarray) -> float:
        """Return the objective, which may be infinite or NaN."""
        losses = self._losses(self._logits(parameters)).numpy()
        penalty = np.sum(self.penalty * parameters**2) / 2
        return float(np.mean(self.sample_weight * losses) + penalty)

    def derivatives(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradient, shaped as the parameters, and the Hessian, a matrix."""
        by_logit, by_logits = self._derivatives_by_logits(self._logits(parameters))
        scale = self.sample_weight / len(self.features)
        weighted = self.features * scale[:, None]
        gradient = weighted.T @ by_logit + self.penalty * parameters
        # One matrix product for each pair of logits: ten times as fast as an einsum.
        hessian = np.empty(self.shape + self.shape)
        for j, k in np.ndindex(self.shape[1], self.shape[1]):
            hessian[:, j, :, k] = (
                weighted * by_logits[:, j, k, None]
            ).T @ self.features
        hessian = hessian.reshape(gradient.size, gradient.size)
        return gradient, hessian + np.diag(self.penalty.ravel())

    def _logits(self, parameters: np.ndarray) -> tf.Tensor:
        return tf.constant(self.features @ parameters)

    def _losses(self, logits: tf.Tensor) -> tf.Tensor:
        """Return the loss of each example, shape (N,)."""
        if self.one_logit:
            logits = logits[:, 0]
        losses = self.loss(labels=self.labels, logits=logits)
        return _one_per_example(tf.convert_to_tensor(losses), len(self.features))

    def _derivatives_by_logits(
        self, logits: tf.Tensor
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return first and second derivatives, shapes (N, K) and (N, K, K)."""
        with tf.GradientTape(persistent=True) as outer:
            outer.watch(logits)
            with tf.GradientTape() as inner:
                inner.watch(logits)
                losses = self._losses(logits)
            gradient = inner.gradient(losses, logits)
            if gradient is None:
                raise ValueError("loss must depend on logits, got one that does not")
            columns = tf.unstack(gradient, axis=1)
        # An example's loss depends on its own logits only, so that one backward pass
        # gives a row of every example's Hessian.
        rows = [
            outer.gradient(
                column, logits, unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
            for column in columns
        ]
        return gradient.numpy(), np.stack([row.numpy() for row in rows], axis=1)


def _minimise(objective: _Objective, *, tolerance: float, max_steps: int) -> LinearFit:
    parameters = np.zeros(objective.shape)
    history = [objective.value(parameters)]
    if not np.isfinite(history[0]):
        raise ValueError(
            f"loss must be finite where all logits are 0, got a mean of {history[0]}"
        )
    largest_rank = 0
    for _ in range(max_steps):
        gradient, hessian = objective.derivatives(parameters)
        step, rank = _newton_step(gradient, hessian)
        if rank < largest_rank:
            raise RuntimeError(
                "the objective has no minimum: it keeps falling in a direction in "
                "which it has become flat, as on separable data without a penalty; "
                "use l2 > 0, and examples of every class"
            )
        largest_rank = rank
        step, value = _shortened(objective, parameters, history[-1], gradient, step)
        parameters = parameters + step
        history.append(value)
        if np.abs(objective.features @ step).max() <= tolerance:
            return _as_fit(objective, parameters, history)
    raise RuntimeError(
        f"the fit did not converge in max_steps={max_steps} Newton steps: the last one "
        f"still moved a logit by more than tolerance={tolerance:g}; with little or no "
        "penalty on separable data there may be no minimum"
    )


def _newton_step(gradient: np.ndarray, hessian: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the shortest step to the minimum of the quadratic model, and the rank."""
    step, _, rank, _ = np.linalg.lstsq(hessian, -gradient.ravel(), rcond=None)
    return step.reshape(gradient.shape), int(rank)


def _shortened(
    objective: _Objective,
    parameters: np.ndarray,
    value: float,
    gradient: np.ndarray,
    step: np.ndarray,
) -> tuple[np.ndarray, float]:
    """Return the step, halved until the objective falls enough, and the value there."""
    slope = float(np.sum(gradient * step))
    noise = _ROUNDING * max(1.0, abs(value))
    share = 1.0
    while share >= _SMALLEST_STEP and slope <= noise:
        new_value = objective.value(parameters + share * step)
        if new_value <= value + _ENOUGH_DECREASE * share * slope + noise:
            return share * step, new_value
        share /= 2
    raise RuntimeError(
        "no step along the Newton direction lowers the objective: loss must be convex "
        "in logits, and its first and second derivatives those of its value"
    )


def _as_fit(
    objective: _Objective, parameters: np.ndarray, history: list[float]
) -> LinearFit:
    gradient, _ = objective.derivatives(parameters)
    gradient_norm = float(np.linalg.norm(gradient))
    # A Hessian of 0 makes the step 0 wherever it is, and so looks like convergence.
    if gradient_norm > _LARGEST_GRADIENT * np.abs(objective.features).max():
        raise RuntimeError(
            f"the fit stopped at a gradient of norm {gradient_norm:.3g}, where the "
            "second derivative of loss is 0: it must be that of its value"
        )
    return LinearFit(
        weights=parameters[:-1],
        bias=parameters[-1],
        history=np.array(history),
        gradient_norm=gradient_norm,
        one_logit=objective.one_logit,
    )


def _as_features(value: object) -> np.ndarray:
    features = _check.as_floats("features", value)
    _check.all_valid("features", features, np.isfinite(features), "be finite")
    if features.ndim != 2 or not features.size:
        raise ValueError(
            "features must have shape (N, D) with N and D at least 1, "
            f"got {_check.shape_text(features.shape)}"
        )
    return features


def _as_labels(value: object) -> np.ndarray:
    labels = np.asarray(value)
    return labels.astype(np.float64) if labels.dtype.kind == "f" else labels


def _not_negative(name: str, value: object) -> np.ndarray:
    array = _check.as_floats(name, value)
    valid = (array >= 0) & np.isfinite(array)
    _check.all_valid(name, array, valid, "be finite and not negative")
    return array


def _one_per_example(losses: tf.Tensor, count: int) -> tf.Tensor:
    if losses.dtype != tf.float64:
        raise TypeError(
            f"loss must return float64 for float64 logits, got {losses.dtype.name}"
        )
    if losses.shape.rank not in (1, 2) or losses.shape[0] != count:
        raise ValueError(
            "loss must return one value for each example, shape (N,) or (N, L) with "
            f"N = {count}, got shape {_check.shape_text(tuple(losses.shape))}"
        )
    return tf.reduce_sum(losses, axis=1) if losses.shape.rank == 2 else losses
