"""A small network with an output for each of several quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np
import tensorflow as tf

from lossfn import _check, losses
from lossfn.train._adam import AdamFit, fit_adam
from lossfn.train._quantile import as_features, as_quantiles, as_target

_LARGEST_SEED = 2**32 - 1
# The second half of the steps is for settling down.
_SLOW_DOWN = 0.1
_REPORTS = 20
# Quantiles of a sample with ties coincide; the outputs start a little apart.
_SMALLEST_GAP = 1e-3


@dataclass(frozen=True)
class QuantileNetwork:
    """A fitted network, which predicts Q quantiles of the target.

    Attributes:
        quantiles: the quantiles, increasing, shape (Q,), float64.
        steps: how many steps had been made at each of R reports, shape (R,), int64.
        losses: the pinball loss at each report, its mean over the examples of the fit
            and the quantiles, in units of the target, shape (R,), float64.

    Examples:
        >>> x = np.linspace(-1, 1, 20)[:, None]
        >>> network = fit_quantile_network(
        ...     x, x[:, 0], quantiles=[0.1, 0.9], seed=0, steps=20
        ... )
        >>> network.quantiles, network.predict([[0.0], [1.0]]).shape
        (array([0.1, 0.9]), (2, 2))
    """

    quantiles: np.ndarray
    steps: np.ndarray
    losses: np.ndarray
    _network: _Network = field(repr=False)
    _scaling: _Scaling = field(repr=False)

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the predicted quantiles.

        Args:
            features: shape (N, D).

        Returns:
            Shape (N, Q), float64, in the order of ``quantiles``; in each row increasing
            if the network is a non-crossing one.

        Raises:
            TypeError: if ``features`` is not an array of numbers.
            ValueError: if ``features`` has another shape or an entry is not finite.
        """
        features = as_features(features)
        expected = (len(features), len(self._scaling.mean))
        _check.same_shape("features", features.shape, "training features", expected)
        predictions = self._network(tf.constant(self._scaling.standard(features)))
        return self._scaling.centre + self._scaling.scale * predictions.numpy()


def fit_quantile_network(
    features: np.ndarray,
    target: np.ndarray,
    *,
    quantiles: Sequence[float],
    seed: int,
    hidden: Sequence[int] = (16,),
    non_crossing: bool = True,
    steps: int = 2000,
    learning_rate: float = 0.01,
) -> QuantileNetwork:
    r"""Train a network with one output for each quantile, in float64.

    The hidden layers are :math:`\tanh(x W + b)`. The last layer gives one number
    :math:`z_k` for each of the increasing quantiles :math:`q_1, \dots, q_Q`. A network
    that may cross predicts :math:`f_k = z_k`. A non-crossing one predicts the first
    quantile and the distances between neighbours,

    .. math::
        f_1 = z_1, \qquad
        f_k = f_{k-1} + \operatorname{softplus}(z_k), \quad k = 2, \dots, Q,

    which cannot decrease, since softplus is positive. The objective is the mean pinball
    loss over examples and quantiles,

    .. math::
        J = \frac{1}{N Q} \sum_{n=1}^{N} \sum_{k=1}^{Q}
            \rho_{q_k}\bigl(y_n - f_k(x_n)\bigr).

    Features and target are standardised inside. The biases of the last layer start at
    the quantiles of the sample, the weights at numbers drawn uniformly from
    :math:`\pm\sqrt{6 / (\text{inputs} + \text{outputs})}`. :func:`fit_adam` takes half
    of the steps on all examples with the given rate, and the other half with a tenth of
    it.

    The minimum is not unique and not reached: the result depends on the seed, and its
    last digits on the machine. Nothing penalises large weights. A network that is large
    for its number of examples, or trained for long, follows the training data, and its
    intervals become too narrow for others.

    Args:
        features: shape (N, D).
        target: :math:`y`, shape (N,), one number for each example.
        quantiles: the quantiles, in (0, 1) and increasing, shape (Q,).
        seed: decides the first weights; an integer from 0 to 2**32 - 1.
        hidden: the number of units in each hidden layer; an empty one makes a linear
            model of the :math:`z_k`.
        non_crossing: whether the quantiles of an example keep their order.
        steps: the number of steps, at least 2.
        learning_rate: the rate of the first half, positive, in standardised units.

    Returns:
        The trained network.

    Raises:
        TypeError: if an argument has the wrong kind of value.
        ValueError: if a value is out of range or not finite, or shapes do not fit.

    Examples:
        >>> x = np.linspace(-1, 1, 50)[:, None]
        >>> network = fit_quantile_network(
        ...     x, x[:, 0] ** 2, quantiles=[0.1, 0.5, 0.9], seed=0, steps=100
        ... )
        >>> predictions = network.predict(x)
        >>> predictions.shape, bool(np.all(np.diff(predictions, axis=1) >= 0))
        ((50, 3), True)

    References:
        J. W. Taylor, "A quantile regression neural network approach to estimating the
        conditional density of multiperiod returns", Journal of Forecasting 19, 299-311,
        2000.
    """
    features = as_features(features)
    target = as_target(target, len(features))
    quantiles = as_quantiles(quantiles)
    scaling = _Scaling.of(features, target)
    standard_target = scaling.standard_target(target)
    network = _Network(
        (features.shape[1], *_as_hidden(hidden), len(quantiles)),
        seed=_check.whole_number("seed", seed, 0, _LARGEST_SEED),
        start=np.quantile(standard_target, quantiles),
        non_crossing=_as_boolean("non_crossing", non_crossing),
    )
    steps, history = _train(
        network,
        scaling.standard(features),
        standard_target,
        quantiles=quantiles,
        steps=_check.whole_number("steps", steps, 2),
        learning_rate=learning_rate,
    )
    return QuantileNetwork(quantiles, steps, scaling.scale * history, network, scaling)


@dataclass(frozen=True)
class _Scaling:
    """What to subtract from features and target, and what to divide them by."""

    mean: np.ndarray
    spread: np.ndarray
    centre: float
    scale: float

    @classmethod
    def of(cls, features: np.ndarray, target: np.ndarray) -> _Scaling:
        spread, scale = features.std(axis=0), target.std()
        return cls(
            mean=features.mean(axis=0),
            spread=np.where(spread > 0, spread, 1.0),
            centre=float(target.mean()),
            scale=float(scale) if scale > 0 else 1.0,
        )

    def standard(self, features: np.ndarray) -> np.ndarray:
        return (features - self.mean) / self.spread

    def standard_target(self, target: np.ndarray) -> np.ndarray:
        return (target - self.centre) / self.scale


class _Network:
    """Layers of tanh, and a last one for the quantiles."""

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        seed: int,
        start: np.ndarray,
        non_crossing: bool,
    ) -> None:
        generator = np.random.default_rng(seed)
        self.non_crossing = non_crossing
        self.weights, self.biases = [], []
        for inputs, outputs in pairwise(sizes):
            reach = np.sqrt(6 / (inputs + outputs))
            weights = generator.uniform(-reach, reach, size=(inputs, outputs))
            self.weights.append(tf.Variable(weights))
            self.biases.append(tf.Variable(np.zeros(outputs)))
        self.biases[-1].assign(_apart(start) if non_crossing else start)

    @property
    def variables(self) -> list[tf.Variable]:
        return [*self.weights, *self.biases]

    def __call__(self, features: tf.Tensor) -> tf.Tensor:
        *hidden, last = zip(self.weights, self.biases, strict=True)
        for weights, bias in hidden:
            features = tf.tanh(features @ weights + bias)
        outputs = features @ last[0] + last[1]
        if not self.non_crossing:
            return outputs
        steps = tf.concat([outputs[:, :1], tf.nn.softplus(outputs[:, 1:])], axis=1)
        return tf.cumsum(steps, axis=1)


def _apart(quantiles: np.ndarray) -> np.ndarray:
    """Return the outputs of which a non-crossing network makes the quantiles."""
    distances = np.maximum(np.diff(quantiles), _SMALLEST_GAP)
    # softplus(z) = d is solved by z = log(exp(d) - 1).
    return np.concatenate([quantiles[:1], np.log(np.expm1(distances))])


def _train(
    network: _Network,
    features: np.ndarray,
    target: np.ndarray,
    *,
    quantiles: np.ndarray,
    steps: int,
    learning_rate: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Train in two halves; return the steps and the losses of all reports."""
    # The loss does not broadcast, so each quantile gets its copy of the target.
    labels = np.repeat(target[:, None], len(quantiles), axis=1)

    def fit(count: int, rate: float) -> AdamFit:
        return fit_adam(
            network,
            network.variables,
            features,
            labels,
            loss=partial(losses.pinball, quantile=quantiles),
            steps=count,
            batch_size=len(features),
            learning_rate=rate,
            report_every=max(1, count // _REPORTS),
        )

    first = fit(steps - steps // 2, learning_rate)
    second = fit(steps // 2, learning_rate * _SLOW_DOWN)
    return (
        np.concatenate([first.steps, first.steps[-1] + second.steps[1:]]),
        np.concatenate([first.losses, second.losses[1:]]),
    )


def _as_hidden(value: object) -> list[int]:
    try:
        sizes = list(value)
    except TypeError:
        raise TypeError(
            f"hidden must be a sequence of integers, got {value!r}"
        ) from None
    return [
        _check.whole_number(f"hidden[{k}]", size, 1) for k, size in enumerate(sizes)
    ]


def _as_boolean(name: str, value: object) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)
