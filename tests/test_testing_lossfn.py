"""Every loss of lossfn passes every check of lossfn.testing: no check is a false alarm.

A row is a loss with options that are fair to it: where its expected loss is least, and
that it is not 0 at a perfect prediction, if it is meant so. One row of each loss runs
all checks; the rows of other parameters leave out the slow ones.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import keras
import numpy as np
import pytest
import scipy.optimize
import scipy.special
import tensorflow as tf

from lossfn import keras_losses, losses, nn
from lossfn.testing import CHECKS, check_loss

# What depends on parameters, and takes no graphs.
QUICK = ["one_value_per_example", "no_broadcast", "finite", "finite_16_bits"]
QUICK += ["gradient", "gradient_does_not_vanish", "least_at_target", "zero_at_perfect"]
QUICK += ["float64_precision", "large_labels", "labels_out_of_range", "sample_weights"]
QUICK += ["labels_not_summing_to_one", "save_and_load"]
OF_KERAS = ["one_value_per_example", "sample_weights", "save_and_load"]
OF_KERAS += ["replicas_add_up", "large_labels", "labels_out_of_range"]


@dataclass(frozen=True)
class Row:
    """A loss with the options that are fair to it."""

    name: str
    loss: object
    task: str
    checks: list[str] | None
    options: dict[str, object]

    def not_applicable(self) -> set[str]:
        """Name the checks that have nothing to say of this row."""
        options = {"target": "truth", "zero_at_perfect": True, **self.options}
        # Three weights do not fit thousands of classes.
        weighted = PER_CLASS in self.options.get("parameters", {}).values()
        silent = {
            "large_labels": not self.task.startswith("sparse") or weighted,
            "labels_out_of_range": self.task in ("regression", "quantile"),
            "labels_not_summing_to_one": not self.task.startswith("onehot"),
            "save_and_load": not isinstance(self.loss, keras.Loss),
            "sample_weights": "reduction" in options,
            "least_at_target": options["target"] is None,
            "zero_at_perfect": not options["zero_at_perfect"],
            "gradient_does_not_vanish": "bounded" in options,
        }
        return {name for name in self.checks or CHECKS if silent.get(name)}


def row(
    name: str,
    loss: object,
    task: str,
    checks: list[str] | None = None,
    **options: object,
) -> Row:
    return Row(name, loss, task, checks, options)


def ids(row: Row) -> str:
    return row.name


# --- where the expected loss is least --------------------------------------------


def smoothed(p: np.ndarray, smoothing: float, classes: int) -> np.ndarray:
    return p * (1 - smoothing) + smoothing / classes


def odds_times(p: np.ndarray, factor: float) -> np.ndarray:
    return factor * p / (factor * p + 1 - p)


def in_proportion(p: np.ndarray) -> np.ndarray:
    return p / p.sum()


def least(expected: Callable[[np.ndarray, np.ndarray], float]) -> Callable:
    """Return the minimiser over all predicted probabilities, found by search."""

    def minimiser(truth: np.ndarray) -> np.ndarray:
        def of_logits(logits: np.ndarray) -> float:
            return expected(truth, scipy.special.softmax(logits))

        start = np.log(truth)
        found = scipy.optimize.minimize(of_logits, start, method="BFGS", tol=1e-10)
        return scipy.special.softmax(found.x)

    return minimiser


def least_of_yes_or_no(expected: Callable) -> Callable:
    """Return the same for each of several labels on its own."""
    both = least(lambda truth, q: expected(truth[0], q[0]))
    return lambda p: np.array([both(np.array([each, 1 - each]))[0] for each in p])


def focal(truth: np.ndarray, q: np.ndarray, gamma: float) -> float:
    return float(-(truth * (1 - q) ** gamma * np.log(q)).sum())


def yes_or_no_focal(p: float, q: float, gamma: float, alpha: float) -> float:
    missed = -alpha * p * (1 - q) ** gamma * np.log(q)
    return missed - (1 - alpha) * (1 - p) * q**gamma * np.log1p(-q)


def symmetric(truth: np.ndarray, q: np.ndarray) -> float:
    """Return 0.1 CE + RCE, whose log of zero is -4."""
    return float(truth @ (-0.1 * np.log(q) + 4 * (1 - q)))


def times_four_at_the_last(p: np.ndarray) -> np.ndarray:
    return in_proportion(p * [1.0, 1.0, 4.0])


LEVELS = [0.1, 0.5, 0.9]
PER_CLASS = [1.0, 1.0, 4.0]
SMOOTH = {"label_smoothing": 0.3}
# With q the probabilities of the softmax go as the power 1 / (1 - q) of the truth.
POWER = 1 / (1 - 0.7)

# --- the rows --------------------------------------------------------------------


def of_all_examples(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    mask = tf.ones(tf.shape(y_pred), tf.bool)
    return losses.masked(losses.squared_error, y_true, y_pred, mask=mask)


def mean_of_all_examples(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    squares = losses.squared_error(y_true, y_pred)
    return losses.masked_mean(squares, tf.ones(tf.shape(squares), tf.bool))


def linear_of_logits(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Return the mean loss of a layer that hands on what it gets."""
    kernel = tf.eye(tf.shape(y_pred)[-1], dtype=y_pred.dtype)
    return losses.linear_softmax_cross_entropy(y_true, y_pred, kernel)


NN = [
    row("sigmoid", nn.sigmoid_cross_entropy_with_logits, "multilabel_logits"),
    row("softmax", nn.softmax_cross_entropy_with_logits, "onehot_logits"),
    row("sparse_softmax", nn.sparse_softmax_cross_entropy_with_logits, "sparse_logits"),
    row(
        "weighted",
        nn.weighted_cross_entropy_with_logits,
        "binary_logits",
        parameters={"pos_weight": 3.0},
        target=lambda p: odds_times(p, 3.0),
    ),
]

FUNCTIONS = [
    row("squared_error", losses.squared_error, "regression", target="mean"),
    row("huber", losses.huber, "regression", parameters={"delta": 1.5}),
    row(
        "pinball",
        losses.pinball,
        "quantile",
        parameters={"quantile": LEVELS},
        target=LEVELS,
        outputs=3,
    ),
    row(
        "newsvendor",
        losses.newsvendor,
        "quantile",
        parameters={"underage_cost": 10.0, "overage_cost": 1.0},
        target=10 / 11,
    ),
    row(
        "binary",
        losses.binary_crossentropy,
        "binary_logits",
        parameters={"pos_weight": 3.0},
        target=lambda p: odds_times(p, 3.0),
    ),
    row(
        "binary_focal",
        losses.binary_focal_crossentropy,
        "multilabel_logits",
        parameters={"gamma": 0.5, "alpha": 0.25},
        target=least_of_yes_or_no(
            functools.partial(yes_or_no_focal, gamma=0.5, alpha=0.25)
        ),
    ),
    row("categorical", losses.categorical_crossentropy, "onehot_logits"),
    row("sparse", losses.sparse_categorical_crossentropy, "sparse_logits"),
    row(
        "categorical_focal",
        losses.categorical_focal_crossentropy,
        "onehot_logits",
        parameters={"gamma": 0.5},
        target=least(functools.partial(focal, gamma=0.5)),
    ),
    row(
        "sparse_focal",
        losses.sparse_categorical_focal_crossentropy,
        "sparse_logits",
        parameters={"gamma": 0.5, "alpha": 0.25},
        target=least(functools.partial(focal, gamma=0.5)),
    ),
    row(
        "generalized",
        losses.generalized_crossentropy,
        "sparse_logits",
        bounded=True,
        target=lambda p: in_proportion(p**POWER),
    ),
    row(
        "symmetric",
        losses.symmetric_crossentropy,
        "sparse_logits",
        target=least(symmetric),
    ),
    row("linear", linear_of_logits, "sparse_logits", reduction="mean"),
    row("masked", of_all_examples, "regression"),
    row("masked_mean", mean_of_all_examples, "regression", reduction="mean"),
]

OTHER_PARAMETERS = [
    row("squared_error-3", losses.squared_error, "regression", QUICK, outputs=3),
    row(
        "pinball-one_level",
        losses.pinball,
        "quantile",
        QUICK,
        parameters={"quantile": 0.9},
        target=0.9,
        outputs=2,
    ),
    row(
        "newsvendor-each",
        losses.newsvendor,
        "quantile",
        QUICK,
        parameters={"underage_cost": [1.0, 9.0], "overage_cost": 1.0},
        target=[0.5, 0.9],
        outputs=2,
    ),
    row(
        "binary-smoothed",
        losses.binary_crossentropy,
        "multilabel_logits",
        QUICK,
        parameters=SMOOTH,
        target=lambda p: smoothed(p, 0.3, 2),
        zero_at_perfect=False,
    ),
    row(
        "binary-weight_each",
        losses.binary_crossentropy,
        "multilabel_logits",
        QUICK,
        parameters={"pos_weight": PER_CLASS},
        target=lambda p: odds_times(p, np.array(PER_CLASS)),
    ),
    row(
        "binary_focal-0",
        losses.binary_focal_crossentropy,
        "binary_logits",
        QUICK,
        parameters={"gamma": 0.0},
    ),
    row(
        "binary_focal-2",
        losses.binary_focal_crossentropy,
        "binary_logits",
        QUICK,
        target=least_of_yes_or_no(
            functools.partial(yes_or_no_focal, gamma=2.0, alpha=0.5)
        ),
    ),
    row(
        "categorical-weighted",
        losses.categorical_crossentropy,
        "onehot_logits",
        QUICK,
        parameters={"class_weight": PER_CLASS},
        target=times_four_at_the_last,
    ),
    row(
        "categorical-smoothed",
        losses.categorical_crossentropy,
        "onehot_logits",
        QUICK,
        parameters=SMOOTH,
        target=lambda p: smoothed(p, 0.3, 3),
        zero_at_perfect=False,
    ),
    row(
        "sparse-weighted_and_smoothed",
        losses.sparse_categorical_crossentropy,
        "sparse_logits",
        QUICK,
        parameters={"class_weight": PER_CLASS, **SMOOTH},
        target=lambda p: times_four_at_the_last(smoothed(p, 0.3, 3)),
        zero_at_perfect=False,
    ),
    row(
        "sparse-ignore",
        losses.sparse_categorical_crossentropy,
        "sparse_logits",
        QUICK,
        parameters={"ignore_index": -1},
    ),
    row(
        "sparse-10_classes",
        losses.sparse_categorical_crossentropy,
        "sparse_logits",
        ["gradient", "least_at_target", "zero_at_perfect", "labels_out_of_range"],
        outputs=10,
    ),
    row(
        "categorical_focal-0",
        losses.categorical_focal_crossentropy,
        "onehot_logits",
        QUICK,
        parameters={"gamma": 0.0, "alpha": PER_CLASS},
        target=times_four_at_the_last,
    ),
    row(
        "categorical_focal-2",
        losses.categorical_focal_crossentropy,
        "onehot_logits",
        QUICK,
        target=least(functools.partial(focal, gamma=2.0)),
    ),
    row(
        "sparse_focal-ignore",
        losses.sparse_categorical_focal_crossentropy,
        "sparse_logits",
        QUICK,
        parameters={"gamma": 2.0, "ignore_index": -1},
        target=least(functools.partial(focal, gamma=2.0)),
    ),
    row(
        "generalized-1",
        losses.generalized_crossentropy,
        "sparse_logits",
        QUICK,
        parameters={"q": 1.0, "ignore_index": -100},
        bounded=True,
        target=None,
    ),
    row(
        "symmetric-ignore",
        losses.symmetric_crossentropy,
        "sparse_logits",
        QUICK,
        parameters={"log_zero": -6.0, "beta": 0.5, "ignore_index": -1},
        target=None,
    ),
]

K = keras_losses
CLASSES = [
    row("SquaredError", K.SquaredError(), "regression", target="mean"),
    row("Huber", K.Huber(delta=0.5, reduction="sum"), "regression"),
    row("Pinball", K.Pinball(quantile=LEVELS), "quantile", target=LEVELS, outputs=3),
    row(
        "Newsvendor",
        K.Newsvendor(underage_cost=9.0, overage_cost=1.0, dtype="float64"),
        "quantile",
        target=0.9,
    ),
    row("BinaryCrossentropy", K.BinaryCrossentropy(), "binary_logits"),
    row(
        "BinaryFocalCrossentropy",
        K.BinaryFocalCrossentropy(gamma=0.5),
        "binary_logits",
        target=None,
    ),
    row(
        "CategoricalCrossentropy",
        K.CategoricalCrossentropy(class_weight=PER_CLASS, reduction=None),
        "onehot_logits",
        target=times_four_at_the_last,
    ),
    row(
        "SparseCategoricalCrossentropy",
        K.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight"),
        "sparse_logits",
    ),
    row(
        "CategoricalFocalCrossentropy",
        K.CategoricalFocalCrossentropy(gamma=2.0, alpha=0.25),
        "onehot_logits",
        target=None,
    ),
    row(
        "SparseCategoricalFocalCrossentropy",
        K.SparseCategoricalFocalCrossentropy(gamma=0.0, ignore_index=-1),
        "sparse_logits",
    ),
    row(
        "GeneralizedCrossentropy",
        K.GeneralizedCrossentropy(),
        "sparse_logits",
        bounded=True,
        target=lambda p: in_proportion(p**POWER),
    ),
    row(
        "SymmetricCrossentropy",
        K.SymmetricCrossentropy(),
        "sparse_logits",
        target=least(symmetric),
    ),
]

OTHER_CLASSES = [
    row("Huber-3", K.Huber(), "regression", QUICK, outputs=3),
    row("Huber-none", K.Huber(reduction="none"), "regression", OF_KERAS),
    row("Huber-mean-f16", K.Huber(dtype="float16"), "regression", OF_KERAS),
    row(
        "Huber-sum-bf16",
        K.Huber(reduction="sum", dtype="bfloat16"),
        "regression",
        OF_KERAS,
    ),
    row(
        "Huber-weighted_mean-f16",
        K.Huber(reduction="mean_with_sample_weight", dtype="float16"),
        "regression",
        OF_KERAS,
        outputs=2,
    ),
    row(
        "Sparse-smoothed-bf16",
        K.SparseCategoricalCrossentropy(dtype="bfloat16", **SMOOTH),
        "sparse_logits",
        QUICK,
        target=lambda p: smoothed(p, 0.3, 3),
        zero_at_perfect=False,
    ),
    row(
        "BinaryCrossentropy-weighted-sum",
        K.BinaryCrossentropy(pos_weight=PER_CLASS, reduction="sum"),
        "multilabel_logits",
        QUICK,
        target=lambda p: odds_times(p, np.array(PER_CLASS)),
    ),
]

ROWS = [*NN, *FUNCTIONS, *OTHER_PARAMETERS, *CLASSES, *OTHER_CLASSES]


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_a_loss_of_lossfn_passes(row):
    report = check_loss(row.loss, task=row.task, checks=row.checks, **row.options)
    report.raise_if_failed()
    silent = {result.name for result in report.with_status("not applicable")}
    assert silent == row.not_applicable()


@pytest.mark.parametrize("room", [nn, losses, keras_losses], ids=lambda r: r.__name__)
def test_every_public_loss_runs_all_checks(room):
    complete = [row for row in ROWS if row.checks is None]
    tried = {row.loss for row in complete} | {type(row.loss) for row in complete}
    # These are no functions of (y_true, y_pred); their rows make such of them.
    tried |= {losses.masked, losses.masked_mean, losses.linear_softmax_cross_entropy}
    public = [name for name in vars(room) if is_public(room, name)]
    without_row = [name for name in public if getattr(room, name) not in tried]
    assert without_row == []


def is_public(room: ModuleType, name: str) -> bool:
    """Whether a room says so, or has it as a function of its own."""
    value = getattr(room, name)
    if hasattr(room, "__all__"):
        return name in room.__all__
    own = inspect.isfunction(value) and value.__module__ == room.__name__
    return own and not name.startswith("_")
