"""Right losses of other people pass every check: in every style, and in every form."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf

from lossfn.testing import check_loss
from tests import right_losses as right

LEVELS = [0.1, 0.5, 0.9]
TWICE = np.array([2.0])
ROWS = {
    "keras_ops": (right.keras_ops, {"task": "binary_logits"}),
    "tf_nn_like": (
        right.tf_nn_like,
        {
            "task": "multilabel_logits",
            "parameters": {"pos_weight": 3.0},
            "target": lambda p: 3 * p / (3 * p + 1 - p),
        },
    ),
    "torch_port": (right.TorchPort(), {"task": "binary_logits"}),
    "of_probabilities": (right.of_probabilities, {"task": "binary_probabilities"}),
    "mean_over_labels": (right.mean_over_labels, {"task": "multilabel_probabilities"}),
    "brier": (right.brier, {"task": "binary_probabilities"}),
    "log_softmax": (right.log_softmax, {"task": "onehot_logits"}),
    "log_softmax-2": (right.log_softmax, {"task": "onehot_logits", "outputs": 2}),
    "in_float32": (right.in_float32, {"task": "onehot_logits", "outputs": 4}),
    "of_distributions": (right.of_distributions, {"task": "onehot_probabilities"}),
    "of_distributions-7": (
        right.of_distributions,
        {"task": "onehot_probabilities", "outputs": 7},
    ),
    "looked_up": (right.looked_up, {"task": "sparse_logits"}),
    "looked_up-20": (right.looked_up, {"task": "sparse_logits", "outputs": 20}),
    "looked_up_probability": (
        right.looked_up_probability,
        {"task": "sparse_probabilities"},
    ),
    "squared": (right.squared, {"task": "regression", "target": "mean"}),
    "absolute": (right.absolute, {"task": "regression", "target": "median"}),
    "log_cosh": (right.log_cosh, {"task": "regression", "outputs": 3}),
    "mean_squared": (
        right.mean_squared,
        {"task": "regression", "target": "mean", "reduction": "mean", "outputs": 2},
    ),
    "summed_squared": (
        right.summed_squared,
        {"task": "regression", "target": "mean", "reduction": "sum"},
    ),
    "huber": (right.huber, {"task": "regression", "parameters": {"delta": 0.5}}),
    "pinball": (
        right.pinball,
        {
            "task": "quantile",
            "target": LEVELS,
            "outputs": 3,
            "parameters": {"levels": LEVELS},
        },
    ),
    "gamma_deviance": (
        right.gamma_deviance,
        {"task": "positive_regression", "target": "mean"},
    ),
    "poisson_deviance": (
        right.poisson_deviance,
        {"task": "positive_regression", "target": "mean", "outputs": 2},
    ),
    "squared_logarithmic": (
        right.squared_logarithmic,
        {
            "task": "positive_regression",
            "target": lambda values, p: np.expm1(p @ np.log1p(values)),
        },
    ),
    "class": (right.Scaled(), {"task": "regression", "target": "mean"}),
    "class-to_be_made": (
        right.Scaled,
        {"task": "regression", "parameters": {"scale": 0.5, "reduction": "sum"}},
    ),
    "class-by_name": ("right_losses>Scaled", {"task": "regression", "outputs": 2}),
    "class-with_levels": (
        right.Levels(LEVELS),
        {"task": "quantile", "target": LEVELS, "outputs": 3},
    ),
    "class-that_needs_levels": (
        right.Levels,
        {"task": "quantile", "target": 0.9, "parameters": {"levels": [0.9]}},
    ),
    "class-frozen": (right.Frozen(), {"task": "regression", "target": "median"}),
    "partial": (
        functools.partial(right.huber, delta=2.0),
        {"task": "regression", "outputs": 2},
    ),
    "lambda": (
        lambda y_true, y_pred: right.squared(y_true, y_pred),
        {"task": "regression"},
    ),
    "bound_method": (right.WithMethod(2.0).loss, {"task": "regression"}),
    "method_of_a_class": (right.Scaled(3.0).call, {"task": "regression"}),
    "tf_function": (tf.function(right.squared), {"task": "regression"}),
    "tf_function-compiled": (
        tf.function(right.absolute, jit_compile=True),
        {"task": "regression", "target": "median"},
    ),
    "default_is_an_array": (
        lambda y_true, y_pred, weights=TWICE: right.squared(y_true, y_pred) * weights,
        {"task": "regression"},
    ),
    "sample_weight": (
        lambda y_true, y_pred, sample_weight=None: right.squared(y_true, y_pred),
        {"task": "regression"},
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_right_loss_passes(name):
    loss, options = ROWS[name]
    report = check_loss(loss, **options)
    report.raise_if_failed()
