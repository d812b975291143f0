"""What is computed: the losses, their inputs from a seed, and the right results.

Every loss is a mean over the batch. Its inputs are ``truth`` and ``prediction``, by
which the gradient is taken; the linear layer has ``features`` and a ``kernel``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from lossfn import reference

Inputs = dict[str, np.ndarray]
Shape = tuple[int, ...]
Formula = Callable[[np.ndarray, np.ndarray], np.ndarray]

SEED = 20
POS_WEIGHT = 3.0
UNDERAGE_COST = 9.0
OVERAGE_COST = 1.0

OURS = "native mean eager"
SHAPES = ((128, 10), (4096, 1000), (1024, 32000))
LINEAR_SHAPES = ((2048, 512, 32000), (8192, 512, 32000))

# The reference makes float64 arrays of this many logits at a time.
_BLOCK = 1 << 22


class Outcome(NamedTuple):
    """A mean loss and its gradients, one for each of ``Loss.gradient_of``."""

    loss: float
    gradients: tuple[np.ndarray, ...]


class Loss(NamedTuple):
    """One loss: how its inputs are drawn and what it should be."""

    title: str
    draw: Callable[[np.random.Generator, Shape], Inputs]
    expected: Callable[[Inputs], Outcome]
    axes: str = "examples x classes"
    shapes: tuple[Shape, ...] = SHAPES
    gradient_of: tuple[str, ...] = ("prediction",)
    ours: str = OURS  # what the others are compared with
    rounding: float = 1e-6  # what float32 may be off by, of the largest slope


class Case(NamedTuple):
    """One loss at one shape."""

    name: str
    shape: Shape

    @property
    def loss(self) -> Loss:
        """What the loss is."""
        return LOSSES[self.name]

    @property
    def logits(self) -> int:
        """How many logits, or predictions, there are."""
        return self.shape[0] * self.shape[-1]

    @property
    def inputs(self) -> Inputs:
        """The arguments, the same at every call."""
        return self.loss.draw(np.random.default_rng(SEED), self.shape)

    def __str__(self) -> str:
        """Write the loss and the shape."""
        return f"{self.name}, {shape_text(self.shape)}"


def shape_text(shape: Shape) -> str:
    """Write a shape as the command line reads it.

    Examples:
        >>> shape_text((128, 10))
        '128x10'
    """
    return "x".join(map(str, shape))


def few(inputs: Inputs) -> Inputs:
    """Return a batch of two examples."""
    return {
        name: values if name == "kernel" else values[:2]
        for name, values in inputs.items()
    }


def _normal(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    drawn = 2 * rng.standard_normal(shape, np.float32)
    # There is a zero among some millions, and at zero tf.nn's weighted loss has another
    # gradient (see lossfn.nn), for which it would be refused.
    drawn[drawn == 0] = 1
    return drawn


def _distributions(rng: np.random.Generator, shape: Shape) -> Inputs:
    share = rng.standard_exponential(shape, np.float32)
    share /= share.sum(-1, keepdims=True)
    return {"truth": share, "prediction": _normal(rng, shape)}


def _indices(rng: np.random.Generator, shape: Shape) -> Inputs:
    truth = rng.integers(shape[-1], size=shape[0])
    return {"truth": truth, "prediction": _normal(rng, shape)}


def _answers(rng: np.random.Generator, shape: Shape) -> Inputs:
    truth = (rng.random(shape, np.float32) < 0.25).astype(np.float32)
    return {"truth": truth, "prediction": _normal(rng, shape)}


def _demands(rng: np.random.Generator, shape: Shape) -> Inputs:
    # Half of the orders are too large and half too small, with no pattern.
    truth = rng.standard_exponential(shape, np.float32)
    return {"truth": truth, "prediction": truth + _normal(rng, shape)}


def _tokens(rng: np.random.Generator, shape: Shape) -> Inputs:
    tokens, features, classes = shape
    return {
        "truth": rng.integers(classes, size=tokens),
        "features": _normal(rng, (tokens, features)),
        "kernel": _normal(rng, (features, classes)) / np.float32(math.sqrt(features)),
    }


def _blocks(examples: int, classes: int) -> Iterator[slice]:
    step = max(1, _BLOCK // classes)
    return (slice(start, start + step) for start in range(0, examples, step))


def _mean(value: Formula, gradient: Formula) -> Callable[[Inputs], Outcome]:
    """Make the mean of formulas that give one loss for each example or label."""

    def expected(inputs: Inputs) -> Outcome:
        truth, prediction = inputs["truth"], inputs["prediction"]
        count = len(prediction) * value(truth[:1], prediction[:1]).size
        slopes = np.empty_like(prediction)
        total = 0.0
        for rows in _blocks(*prediction.shape):
            total += value(truth[rows], prediction[rows]).sum()
            slopes[rows] = gradient(truth[rows], prediction[rows]) / count
        return Outcome(float(total / count), (slopes,))

    return expected


def _with_logits(name: str, **parameters: float) -> Callable[[Inputs], Outcome]:
    """Make the mean of one of the losses of :mod:`lossfn.reference`."""
    value = getattr(reference, name)
    gradient = getattr(reference, f"{name}_gradient")
    return _mean(
        lambda truth, prediction: value(labels=truth, logits=prediction, **parameters),
        lambda truth, prediction: gradient(
            labels=truth, logits=prediction, **parameters
        ),
    )


def _cost(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    short = truth.astype(np.float64) - prediction
    return np.where(short > 0, UNDERAGE_COST * short, -OVERAGE_COST * short)


def _cost_gradient(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    return np.where(truth > prediction, -UNDERAGE_COST, OVERAGE_COST)


def _linear(inputs: Inputs) -> Outcome:
    truth = inputs["truth"]
    features = inputs["features"].astype(np.float64)
    kernel = inputs["kernel"].astype(np.float64)
    by_features, by_kernel = np.zeros_like(features), np.zeros_like(kernel)
    total = 0.0
    for rows in _blocks(len(features), kernel.shape[-1]):
        labelled = {"labels": truth[rows], "logits": features[rows] @ kernel}
        name = "sparse_softmax_cross_entropy_with_logits"
        total += getattr(reference, name)(**labelled).sum()
        slopes = getattr(reference, f"{name}_gradient")(**labelled) / len(features)
        by_features[rows] = slopes @ kernel.T
        by_kernel += features[rows].T @ slopes
    return Outcome(float(total / len(features)), (by_features, by_kernel))


LOSSES = {
    "dense": Loss(
        "softmax cross-entropy, labels are distributions",
        _distributions,
        _with_logits("softmax_cross_entropy_with_logits"),
    ),
    "sparse": Loss(
        "softmax cross-entropy, labels are class indices",
        _indices,
        _with_logits("sparse_softmax_cross_entropy_with_logits"),
    ),
    "sigmoid": Loss(
        "sigmoid cross-entropy, labels are independent",
        _answers,
        _with_logits("sigmoid_cross_entropy_with_logits"),
    ),
    "weighted": Loss(
        f"sigmoid cross-entropy, a yes counts {POS_WEIGHT:g} times",
        _answers,
        _with_logits("weighted_cross_entropy_with_logits", pos_weight=POS_WEIGHT),
    ),
    "newsvendor": Loss(
        f"newsvendor, short costs {UNDERAGE_COST:g} and left over {OVERAGE_COST:g}",
        _demands,
        _mean(_cost, _cost_gradient),
    ),
    "linear": Loss(
        "linear layer and sparse cross-entropy, without the logits",
        _tokens,
        _linear,
        axes="tokens x features x classes",
        shapes=LINEAR_SHAPES,
        gradient_of=("features", "kernel"),
        ours="losses eager",
        rounding=1e-5,  # its gradients are sums over all classes and tokens
    ),
}
