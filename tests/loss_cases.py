"""The table of cases that drives the tests of lossfn.losses.

A case is one of the losses with one kind of labels and parameters. It draws its
arguments from a seed, and knows the loss and its derivative by the predictions, written
as in a textbook, in float64, from other building blocks than those of lossfn.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import scipy.special
import tensorflow as tf

from lossfn import losses
from tests.cases import (
    Arguments,
    as_tensors,
    class_indices,
    compiled,
    distributions,
    hard_labels,
    rounded,
    soft_labels,
    value_and_gradient,
)

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
Formula = Callable[..., np.ndarray]


@dataclass(frozen=True)
class LossCase:
    """One loss with one kind of labels and parameters."""

    name: str
    function: str
    draw_labels: Draw
    value: Formula
    gradient: Formula  # by y_pred, of the sum of the losses
    parameters: dict[str, Draw | float] = field(default_factory=dict)
    ignore_index: int | None = None

    @property
    def loss(self) -> Callable[..., tf.Tensor]:
        function = getattr(losses, self.function)
        if self.ignore_index is None:
            return function
        return functools.partial(function, ignore_index=self.ignore_index)

    @property
    def of(self) -> str:
        """The argument that the gradient is taken by."""
        return "y_pred"

    @property
    def has_classes(self) -> bool:
        """Whether the last axis holds the classes, and the result loses it."""
        return self.draw_labels in (distributions, class_indices)

    @property
    def is_sparse(self) -> bool:
        """Whether labels are class indices."""
        return self.draw_labels is class_indices

    @property
    def is_regression(self) -> bool:
        """Whether labels are numbers, and a tie is an error of 0."""
        return self.draw_labels is numbers

    def arguments(
        self,
        *,
        seed: int,
        shape: tuple[int, ...] = (6, 5),
        scale: float = 3.0,
        dtype: str = "float64",
    ) -> Arguments:
        """Draw arguments that ``dtype`` can hold, as float64 (class indices: int64)."""
        rng = np.random.default_rng(seed)
        arguments = {
            "y_true": self.draw_labels(rng, shape),
            "y_pred": rng.normal(scale=scale, size=shape),
        }
        for name, draw in self.parameters.items():
            value = draw(rng, shape) if callable(draw) else np.float64(draw)
            arguments[name] = value
        arguments = {name: rounded(value, dtype) for name, value in arguments.items()}
        if self.is_regression and len(shape) == 2:
            arguments["y_pred"][::2, -1] = arguments["y_true"][::2, -1]  # ties
        return arguments

    def expected(self, arguments: Arguments) -> tuple[np.ndarray, np.ndarray]:
        """Return value and gradient of the formulas."""
        value, gradient = self.value(**arguments), self.gradient(**arguments)
        if self.ignore_index is None:
            return value, gradient
        ignored = arguments["y_true"] == self.ignore_index
        return np.where(ignored, 0, value), np.where(ignored[..., None], 0, gradient)


def numbers(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(scale=3, size=shape)


def costs_per_column(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(0.1, 10, size=shape[-1:])


def costs_per_entry(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(0.1, 10, size=shape)


def levels_per_column(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(0.05, 0.95, size=shape[-1:])


def squared_error(y_true, y_pred):
    return (y_true - y_pred) ** 2


def squared_error_by_prediction(y_true, y_pred):
    return 2 * (y_pred - y_true)


def huber(y_true, y_pred, delta):
    size = np.abs(y_true - y_pred)
    return np.where(size <= delta, size**2 / 2, delta * size - delta**2 / 2)


def huber_by_prediction(y_true, y_pred, delta):
    error = y_pred - y_true
    return np.where(np.abs(error) <= delta, error, delta * np.sign(error))


def newsvendor(y_true, y_pred, underage_cost, overage_cost):
    error = y_true - y_pred
    return np.maximum(underage_cost * error, -overage_cost * error)


def newsvendor_by_prediction(y_true, y_pred, underage_cost, overage_cost):
    short, left = y_true > y_pred, y_true < y_pred
    return overage_cost * left - underage_cost * short


def pinball(y_true, y_pred, quantile):
    return newsvendor(y_true, y_pred, quantile, 1 - quantile)


def pinball_by_prediction(y_true, y_pred, quantile):
    return newsvendor_by_prediction(y_true, y_pred, quantile, 1 - quantile)


def binary(y_true, y_pred, pos_weight=1.0, label_smoothing=0.0):
    y = y_true * (1 - label_smoothing) + label_smoothing / 2
    log_p, log_not_p = log_probabilities(y_pred)
    return -pos_weight * y * log_p - (1 - y) * log_not_p


def log_probabilities(logits):
    return scipy.special.log_expit(logits), scipy.special.log_expit(-logits)


def binary_by_logit(y_true, y_pred, pos_weight=1.0, label_smoothing=0.0):
    y = y_true * (1 - label_smoothing) + label_smoothing / 2
    p, not_p = scipy.special.expit(y_pred), scipy.special.expit(-y_pred)
    return (1 - y) * p - pos_weight * y * not_p


def binary_focal(y_true, y_pred, gamma, alpha=None):
    positive, negative = alphas(alpha)
    log_p, log_not_p = log_probabilities(y_pred)
    p, not_p = np.exp(log_p), np.exp(log_not_p)
    missed = -positive * y_true * not_p**gamma * log_p
    return missed - negative * (1 - y_true) * p**gamma * log_not_p


def alphas(alpha):
    return (1.0, 1.0) if alpha is None else (alpha, 1 - alpha)


def binary_focal_by_logit(y_true, y_pred, gamma, alpha=None):
    """Of -(1 - p)^g log p by z, with p' = p (1 - p)."""
    positive, negative = alphas(alpha)

    def of_positive(log_p, log_not_p):
        p, not_p = np.exp(log_p), np.exp(log_not_p)
        return not_p**gamma * (gamma * p * log_p - not_p)

    log_p, log_not_p = log_probabilities(y_pred)
    missed = positive * y_true * of_positive(log_p, log_not_p)
    return missed - negative * (1 - y_true) * of_positive(log_not_p, log_p)


def one_hot(y_true, y_pred):
    """Return a row for each class index; one outside of the classes gets zeros."""
    return (y_true[..., None] == np.arange(y_pred.shape[-1])).astype(np.float64)


def categorical(y_true, y_pred, label_smoothing=0.0, class_weight=1.0):
    y = smoothed(y_true, label_smoothing)
    return -(class_weight * y * scipy.special.log_softmax(y_pred, -1)).sum(-1)


def smoothed(y_true, label_smoothing):
    return y_true * (1 - label_smoothing) + label_smoothing / y_true.shape[-1]


def categorical_by_logit(y_true, y_pred, label_smoothing=0.0, class_weight=1.0):
    y = class_weight * smoothed(y_true, label_smoothing)
    return y.sum(-1, keepdims=True) * scipy.special.softmax(y_pred, -1) - y


def log_one_minus_softmax(logits):
    """Return log(1 - p_k): the log-sum-exp of the other logits less that of all."""
    classes = logits.shape[-1]
    diagonal = np.where(np.eye(classes, dtype=bool), -np.inf, 0)
    others = scipy.special.logsumexp(logits[..., None, :] + diagonal, -1)
    return others - scipy.special.logsumexp(logits, -1, keepdims=True)


def categorical_focal(y_true, y_pred, gamma, alpha=1.0):
    ease = np.exp(gamma * log_one_minus_softmax(y_pred))
    log_p = scipy.special.log_softmax(y_pred, -1)
    return -(alpha * y_true * ease * log_p).sum(-1)


def categorical_focal_by_logit(y_true, y_pred, gamma, alpha=1.0):
    """By p_k first, times p_k; then by z_j, which leaves [j = k] - p_j.

    p log(p) is 0 where p is, and log(p) / (1 - p) is -1 where p is 1.
    """
    p, log_p = scipy.special.softmax(y_pred, -1), scipy.special.log_softmax(y_pred, -1)
    not_p = np.exp(log_one_minus_softmax(y_pred))
    with np.errstate(invalid="ignore"):
        ratio = np.where(p == 0, 0.0, np.where(not_p == 0, -1.0, p * log_p / not_p))
    by_p = alpha * y_true * not_p**gamma * (gamma * ratio - 1)
    return by_p - p * by_p.sum(-1, keepdims=True)


def sparse(formula: Formula) -> Formula:
    """Return a formula of class indices, from one of labels for each class."""

    def of_indices(y_true, y_pred, **parameters):
        return formula(one_hot(y_true, y_pred), y_pred, **parameters)

    return of_indices


def generalized(y_true, y_pred, q):
    p = (one_hot(y_true, y_pred) * scipy.special.softmax(y_pred, -1)).sum(-1)
    return (1 - p**q) / q


def generalized_by_logit(y_true, y_pred, q):
    labels, p = one_hot(y_true, y_pred), scipy.special.softmax(y_pred, -1)
    p_true = (labels * p).sum(-1, keepdims=True)
    return -(p_true**q) * (labels - p)


def symmetric(y_true, y_pred, alpha, beta, log_zero):
    labels, p = one_hot(y_true, y_pred), scipy.special.softmax(y_pred, -1)
    direct = -(labels * scipy.special.log_softmax(y_pred, -1)).sum(-1)
    reverse = -(p * np.where(labels == 1, 0, log_zero)).sum(-1)
    return alpha * direct + beta * reverse


def symmetric_by_logit(y_true, y_pred, alpha, beta, log_zero):
    labels, p = one_hot(y_true, y_pred), scipy.special.softmax(y_pred, -1)
    p_true = (labels * p).sum(-1, keepdims=True)
    return alpha * (p - labels) + beta * log_zero * p_true * (labels - p)


SPARSE_CE = "sparse_categorical_crossentropy"
SPARSE_FOCAL = "sparse_categorical_focal_crossentropy"
ALL_COSTS = {"underage_cost": 9.0, "overage_cost": 1.5}
SMOOTHED = {"label_smoothing": 0.2, "class_weight": costs_per_column}


def case(name: str, draw: Draw, value: Formula, gradient: Formula, **options):
    """Make a case; the parameters are the options that are not of the case itself."""
    function, ignore_index = name.split("-")[0], options.pop("ignore_index", None)
    return LossCase(name, function, draw, value, gradient, options, ignore_index)


BINARY = (binary, binary_by_logit)
BINARY_FOCAL = (binary_focal, binary_focal_by_logit)
DENSE = (categorical, categorical_by_logit)
DENSE_FOCAL = (categorical_focal, categorical_focal_by_logit)
OF_INDICES = tuple(sparse(formula) for formula in DENSE)
FOCAL_OF_INDICES = tuple(sparse(formula) for formula in DENSE_FOCAL)
GENERALIZED = (generalized, generalized_by_logit)
SYMMETRIC = (symmetric, symmetric_by_logit)
WEIGHTS = {"alpha": 0.3, "beta": 2.0, "log_zero": -3.0}

CASES = [
    case("squared_error", numbers, squared_error, squared_error_by_prediction),
    case("huber", numbers, huber, huber_by_prediction, delta=1.5),
    case("pinball-scalar", numbers, pinball, pinball_by_prediction, quantile=0.875),
    case(
        "pinball-per_column",
        numbers,
        pinball,
        pinball_by_prediction,
        quantile=levels_per_column,
    ),
    case(
        "newsvendor-scalar", numbers, newsvendor, newsvendor_by_prediction, **ALL_COSTS
    ),
    case(
        "newsvendor-mixed",
        numbers,
        newsvendor,
        newsvendor_by_prediction,
        underage_cost=costs_per_column,
        overage_cost=costs_per_entry,
    ),
    case("binary_crossentropy-plain", soft_labels, *BINARY),
    case(
        "binary_crossentropy-weighted",
        hard_labels,
        *BINARY,
        pos_weight=costs_per_column,
        label_smoothing=0.125,
    ),
    case("binary_focal_crossentropy-2", hard_labels, *BINARY_FOCAL, gamma=2.0),
    case(
        "binary_focal_crossentropy-half",
        soft_labels,
        *BINARY_FOCAL,
        gamma=0.5,
        alpha=0.25,
    ),
    case("categorical_crossentropy-plain", distributions, *DENSE),
    case("categorical_crossentropy-weighted", distributions, *DENSE, **SMOOTHED),
    case(f"{SPARSE_CE}-plain", class_indices, *OF_INDICES),
    case(f"{SPARSE_CE}-weighted", class_indices, *OF_INDICES, **SMOOTHED),
    case(
        f"{SPARSE_CE}-ignore",
        class_indices,
        *OF_INDICES,
        ignore_index=1,
        label_smoothing=0.2,
    ),
    case("categorical_focal_crossentropy-2", distributions, *DENSE_FOCAL, gamma=2.0),
    case(
        "categorical_focal_crossentropy-half",
        distributions,
        *DENSE_FOCAL,
        gamma=0.5,
        alpha=costs_per_column,
    ),
    case(f"{SPARSE_FOCAL}-2", class_indices, *FOCAL_OF_INDICES, gamma=2.0),
    case(
        f"{SPARSE_FOCAL}-half",
        class_indices,
        *FOCAL_OF_INDICES,
        gamma=0.5,
        alpha=costs_per_column,
        ignore_index=1,
    ),
    case("generalized_crossentropy", class_indices, *GENERALIZED, q=0.7),
    case("symmetric_crossentropy", class_indices, *SYMMETRIC, **WEIGHTS),
    case(
        "symmetric_crossentropy-ignore",
        class_indices,
        *SYMMETRIC,
        ignore_index=1,
        **WEIGHTS,
    ),
]
BY_NAME = {each.name: each for each in CASES}
# One case for each loss, to say something of all losses.
ONE_EACH = list({each.function: each for each in reversed(CASES)}.values())[::-1]


def ids(case: LossCase) -> str:
    return case.name


@functools.cache
def in_mode(name: str, mode: str) -> Callable:
    """Return a function of arguments that gives value and gradient, in a mode."""
    loss = BY_NAME[name].loss

    def run(arguments: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        return value_and_gradient(loss, arguments, of="y_pred")

    return compiled(run, mode)


def arguments_of(
    name: str, *, seed: int = 1, dtype: str = "float64", **options
) -> dict[str, tf.Tensor]:
    """Draw the arguments of a case as tensors."""
    return as_tensors(BY_NAME[name].arguments(seed=seed, dtype=dtype, **options), dtype)


def by_prediction(
    loss: Callable[..., tf.Tensor], arguments: dict[str, tf.Tensor], **options
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return value and gradient."""
    return value_and_gradient(loss, arguments, of="y_pred", **options)


def assert_same(one: tuple, other: tuple, rtol: float = 1e-12) -> None:
    """Compare value and gradient."""
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-14)


def assert_same_bits(one: tuple, other: tuple) -> None:
    for a, b in zip(one, other, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
