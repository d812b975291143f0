"""Many small networks at once, to see what a loss does apart from luck."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from lossfn import _check
from lossfn.train import _adam

LossFunction = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

_EPSILON = 1e-7  # that of fit_adam


@dataclass(frozen=True)
class NetworkFits:
    r"""R networks with one hidden layer, each as it was after S numbers of steps.

    The logits of a network are :math:`\tanh(x W_1 + b_1)\, W_2 + b_2`.

    Attributes:
        steps: the numbers of steps, shape (S,), int64.
        hidden_weights: :math:`W_1`, shape (S, R, D, H), float64.
        hidden_bias: :math:`b_1`, shape (S, R, H), float64.
        weights: :math:`W_2`, shape (S, R, H, K), float64.
        bias: :math:`b_2`, shape (S, R, K), float64.

    Examples:
        >>> one_network = NetworkFits(
        ...     steps=np.array([10]),
        ...     hidden_weights=np.ones((1, 1, 2, 3)),
        ...     hidden_bias=np.zeros((1, 1, 3)),
        ...     weights=np.ones((1, 1, 3, 1)),
        ...     bias=np.zeros((1, 1, 1)),
        ... )
        >>> one_network.logits(np.zeros((1, 5, 2))).shape
        (1, 1, 5, 1)
    """

    steps: np.ndarray
    hidden_weights: np.ndarray
    hidden_bias: np.ndarray
    weights: np.ndarray
    bias: np.ndarray

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Return the logits of each network for examples of its own.

        Args:
            features: shape (R, M, D): row r is for network r.

        Returns:
            Shape (S, R, M, K), float64.

        Raises:
            TypeError: if ``features`` is not an array of numbers.
            ValueError: if ``features`` has another shape or an entry is not finite.
        """
        features = _as_features(features)
        count, width = self.hidden_weights.shape[1:3]
        expected = (count, features.shape[1], width)
        _check.same_shape("features", features.shape, "training features", expected)
        hidden = np.tanh(features @ self.hidden_weights + self.hidden_bias[:, :, None])
        return hidden @ self.weights + self.bias[:, :, None]


def fit_networks(
    features: np.ndarray,
    labels: np.ndarray,
    *,
    loss: LossFunction,
    hidden: int,
    outputs: int,
    steps: Sequence[int],
    seed: int,
    learning_rate: float = 0.01,
    l2: float = 0.0,
) -> NetworkFits:
    r"""Train R networks with one hidden layer at once, each on data of its own.

    Network :math:`r` sees its own :math:`N` examples and minimises

    .. math::
        J_r = \frac{1}{N} \sum_{n=1}^{N} \ell\bigl(y_{rn},
            \tanh(x_{rn} W_1 + b_1)\, W_2 + b_2\bigr)
            + \frac{\lambda}{2} \bigl(\lVert W_1 \rVert^2 + \lVert W_2 \rVert^2\bigr)

    with Adam (see :func:`fit_adam`), all examples in every step. What is minimised is
    :math:`\sum_r J_r`. A weight is in one term only, and Adam moves each weight by its
    own derivatives, so that every network is trained as if it were alone; but one
    product of stacked matrices serves all of them.

    Everything is float64, and tanh is smooth: a rounding error stays small for
    hundreds of steps, and what a network answers is the same on another machine.

    Args:
        features: shape (R, N, D).
        labels: what ``loss`` takes, shape (R, N) or (R, N, ...).
        loss: called as ``loss(y_true, y_pred)`` with the labels and float64 logits of
            shape (R, N, K). Returns one loss for each example, shape (R, N).
        hidden: H, the number of hidden units.
        outputs: K, the number of logits of an example.
        steps: after how many steps to keep the networks: whole numbers that increase,
            S of them. The last is the number of all steps.
        seed: decides the weights at the start, which are normal with mean 0 and
            variance 1 over the number of inputs of their layer; the biases are 0. The
            same seed gives the same start under every loss.
        learning_rate: that of Adam, positive.
        l2: :math:`\lambda`, not negative.

    Returns:
        The networks.

    Raises:
        TypeError: if an argument has the wrong kind of value.
        ValueError: if a value is out of range, shapes differ, or the loss is not
            finite before the first step.

    Examples:
        Two networks learn "or" and "and" of the same two inputs:

        >>> inputs = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        >>> fits = fit_networks(
        ...     np.stack([inputs, inputs]),
        ...     np.array([[0, 1, 1, 1], [0, 0, 0, 1]]),
        ...     loss=tf.nn.sparse_softmax_cross_entropy_with_logits,
        ...     hidden=4,
        ...     outputs=2,
        ...     steps=[1, 200],
        ...     seed=0,
        ... )
        >>> fits.logits(np.stack([inputs, inputs]))[-1].argmax(axis=-1)
        array([[0, 1, 1, 1],
               [0, 0, 0, 1]])

    References:
        D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", 3rd
        International Conference on Learning Representations, 2015.
    """
    features, labels = _as_features(features), np.asarray(labels)
    _check.same_shape("labels", labels.shape[:2], "features", features.shape[:2])
    steps = _increasing("steps", steps)
    problem = _Problem(
        features=features,
        labels=labels.astype(np.float64) if labels.dtype.kind == "f" else labels,
        loss=loss,
        l2=_not_negative("l2", l2),
        start=_start(
            len(features),
            (
                features.shape[2],
                _check.whole_number("hidden", hidden, 1),
                _check.whole_number("outputs", outputs, 1),
            ),
            seed=_check.whole_number("seed", seed, 0),
        ),
    )
    kept = problem.train(steps, learning_rate=learning_rate)
    return NetworkFits(np.array(steps, np.int64), *kept)


def _start(count: int, widths: Sequence[int], *, seed: int) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    arrays = []
    for inputs, outputs in itertools.pairwise(widths):
        weights = generator.normal(size=(count, inputs, outputs)) / np.sqrt(inputs)
        arrays += [weights, np.zeros((count, outputs))]
    return arrays


class _Problem:
    """The sum of the objectives of all networks, as a function of their variables."""

    def __init__(
        self,
        *,
        features: np.ndarray,
        labels: np.ndarray,
        loss: LossFunction,
        l2: float,
        start: list[np.ndarray],
    ) -> None:
        self.features = tf.constant(features)
        self.labels = tf.constant(labels)
        self.loss = loss
        self.l2 = l2
        self.variables = [tf.Variable(array) for array in start]
        losses = tf.convert_to_tensor(loss(self.labels, self.logits()))
        _one_per_example(losses, features.shape[:2])

    def logits(self) -> tf.Tensor:
        hidden_weights, hidden_bias, weights, bias = self.variables
        hidden = tf.tanh(self.features @ hidden_weights + hidden_bias[:, None])
        return hidden @ weights + bias[:, None]

    def value(self) -> tf.Tensor:
        losses = self.loss(self.labels, self.logits())
        # The mean over the examples of a network, and the sum over the networks.
        value = tf.reduce_sum(losses) / self.features.shape[1]
        if self.l2:
            squares = [tf.reduce_sum(tf.square(w)) for w in self.variables[::2]]
            value += self.l2 / 2 * tf.add_n(squares)
        return value

    def train(self, steps: list[int], *, learning_rate: float) -> list[np.ndarray]:
        """Make the steps, and return each array as it was after each number of them."""
        adam = _adam.Adam(self.variables, learning_rate=learning_rate, epsilon=_EPSILON)

        def one_step(step: tf.Tensor) -> tuple[tf.Tensor]:
            with tf.GradientTape() as tape:
                value = self.value()
            adam.step(tape.gradient(value, self.variables))
            return (step + 1,)

        @tf.function(autograph=False)
        def make_steps(first: tf.Tensor, last: tf.Tensor) -> None:
            tf.while_loop(lambda step: step < last, one_step, (first,))

        # Traced here and once: TensorFlow warns of a function that is made, traced
        # and called again and again, as it is when many losses are compared.
        count = tf.TensorSpec((), tf.int64)
        make_steps = make_steps.get_concrete_function(count, count)
        kept = []
        for first, last in itertools.pairwise([0, *steps]):
            make_steps(tf.constant(first, tf.int64), tf.constant(last, tf.int64))
            kept.append([variable.numpy() for variable in self.variables])
        return [np.stack(arrays) for arrays in zip(*kept, strict=True)]


def _as_features(value: object) -> np.ndarray:
    features = _check.as_floats("features", value)
    _check.all_valid("features", features, np.isfinite(features), "be finite")
    if features.ndim != 3 or not features.size:
        raise ValueError(
            "features must have shape (R, N, D), all at least 1, "
            f"got {_check.shape_text(features.shape)}"
        )
    return features


def _increasing(name: str, value: Sequence[int]) -> list[int]:
    try:
        items = list(value)
    except TypeError:
        raise TypeError(f"{name} must be a sequence, got {value!r}") from None
    numbers = [_check.whole_number(f"{name}[{i}]", v, 1) for i, v in enumerate(items)]
    if not numbers or any(a >= b for a, b in itertools.pairwise(numbers)):
        raise ValueError(f"{name} must increase and hold at least one, got {numbers}")
    return numbers


def _not_negative(name: str, value: object) -> float:
    number = _check.in_range(name, value, 0, np.inf)
    if number.ndim or not np.isfinite(number):
        raise ValueError(f"{name} must be a finite scalar, got {value!r}")
    return float(number)


def _one_per_example(losses: tf.Tensor, shape: tuple[int, ...]) -> None:
    if losses.dtype != tf.float64:
        raise TypeError(
            f"loss must return float64 for float64 logits, got {losses.dtype.name}"
        )
    if tuple(losses.shape) != shape:
        raise ValueError(
            "loss must return one value for each example, shape "
            f"{_check.shape_text(shape)}, got shape {_check.shape_text(losses.shape)}"
        )
    losses = losses.numpy()
    _check.all_valid(
        "loss", losses, np.isfinite(losses), "be finite before the first step"
    )
