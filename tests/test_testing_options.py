"""The options of check_loss: what is refused, with the whole message, and what fits."""

from __future__ import annotations

import functools
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from lossfn import keras_losses, losses
from lossfn.testing import CHECKS, TASKS, check_loss


def squared(y_true, y_pred):
    return tf.square(y_true - y_pred)


def half(*_):
    return 0.5


class NeedsTwo(keras.Loss):
    def __init__(self, low, *, high, **keywords):
        super().__init__(**keywords)
        self.bounds = low, high

    def call(self, y_true, y_pred):
        return squared(y_true, y_pred)


ALL_CHECKS = ", ".join(CHECKS)
BINARY, ONEHOT = {"task": "binary_logits"}, {"task": "onehot_logits"}
THREE_LABELS, QUANTILE = {"task": "multilabel_logits"}, {"task": "quantile"}
OF_NUMBERS = "target(values, probabilities)"

# Options, the kind of error, and the message in full.
WRONG = {
    "task-unknown": (
        {"task": "regresion"},
        ValueError,
        f"task must be one of {', '.join(TASKS)}, got 'regresion'",
    ),
    "task-none": (
        {"task": None},
        TypeError,
        "task must be the name of a task, got None",
    ),
    "task-list": (
        {"task": ["regression"]},
        TypeError,
        "task must be the name of a task, got ['regression']",
    ),
    "outputs-none": (
        {"outputs": 0},
        ValueError,
        "outputs must lie in [1, 1000], got 0",
    ),
    "outputs-one_class": (
        {**ONEHOT, "outputs": 1},
        ValueError,
        "outputs must lie in [2, 1000], got 1",
    ),
    "outputs-one_sparse_class": (
        {"task": "sparse_probabilities", "outputs": 1},
        ValueError,
        "outputs must lie in [2, 1000], got 1",
    ),
    "outputs-too_many": (
        {"task": "sparse_logits", "outputs": 10_000},
        ValueError,
        "outputs must lie in [2, 1000], got 10000",
    ),
    "outputs-float": (
        {"outputs": 2.0},
        TypeError,
        "outputs must be an integer, got 2.0",
    ),
    "outputs-bool": (
        {"outputs": True},
        TypeError,
        "outputs must be an integer, got True",
    ),
    "target-quantile_has_no_level": (
        QUANTILE,
        ValueError,
        "target must be the level of the quantile for task 'quantile', got 'truth'",
    ),
    "target-quantile_is_no_mean": (
        {**QUANTILE, "target": "mean"},
        ValueError,
        "target must be 'median', a level in (0, 1), a function, or None for task "
        "'quantile', got 'mean'",
    ),
    "target-word": (
        {"target": "medium"},
        ValueError,
        "target must be 'truth', 'mean', 'median', a level in (0, 1), a function, or "
        "None for task 'regression', got 'medium'",
    ),
    "target-classes_have_no_median": (
        {**ONEHOT, "target": "median"},
        ValueError,
        "target must be 'truth', a function, or None for task 'onehot_logits', "
        "got 'median'",
    ),
    "target-classes_have_no_level": (
        {**BINARY, "target": 0.5},
        ValueError,
        "target must be 'truth', a function, or None for task 'binary_logits', got 0.5",
    ),
    "target-level_0": (
        {**QUANTILE, "target": 0},
        ValueError,
        "target must lie strictly between 0 and 1, got 0.0",
    ),
    "target-level_1": (
        {**QUANTILE, "target": 1.0},
        ValueError,
        "target must lie strictly between 0 and 1, got 1.0",
    ),
    "target-level_nan": (
        {"target": float("nan")},
        ValueError,
        "target must lie strictly between 0 and 1, got nan",
    ),
    "target-one_of_the_levels": (
        {**QUANTILE, "target": [0.5, 90], "outputs": 2},
        ValueError,
        "target must lie strictly between 0 and 1, got 90.0 at index (1,)",
    ),
    "target-too_few_levels": (
        {**QUANTILE, "target": [0.1, 0.9], "outputs": 3},
        ValueError,
        "target must be one number, or one for each of 3 outputs, got shape (2,)",
    ),
    "target-no_levels": (
        {**QUANTILE, "target": []},
        ValueError,
        "target must be one number, or one for each of 1 outputs, got shape (0,)",
    ),
    "target-matrix": (
        {**QUANTILE, "target": [[0.1, 0.9]], "outputs": 2},
        ValueError,
        "target must be one number, or one for each of 2 outputs, got shape (1, 2)",
    ),
    "target-no_numbers": (
        {**QUANTILE, "target": ["a"]},
        TypeError,
        "target must be an array of numbers, got ['a']",
    ),
    "target-function_of_numbers-shape": (
        {"target": lambda values, p: values[:2], "outputs": 3},
        ValueError,
        f"{OF_NUMBERS} must be one number, or one for each of 3 outputs, "
        "got shape (2,)",
    ),
    "target-function_of_numbers-nan": (
        {"target": lambda values, p: np.nan},
        ValueError,
        f"{OF_NUMBERS} must be finite, got nan",
    ),
    "target-function_of_numbers-none": (
        {"target": lambda values, p: None},
        TypeError,
        f"{OF_NUMBERS} must be an array of numbers, got None",
    ),
    "target-function_of_positive_numbers": (
        {"task": "positive_regression", "target": lambda values, p: -1.0},
        ValueError,
        f"{OF_NUMBERS} must be positive and finite, got -1.0",
    ),
    "target-function_of_labels-shape": (
        {**THREE_LABELS, "target": lambda truth: truth[:1]},
        ValueError,
        "target(truth) must have the shape of truth, (3,), got (1,)",
    ),
    "target-function_of_labels-range": (
        {**BINARY, "target": lambda truth: 2 * truth},
        ValueError,
        "target(truth) must lie strictly in (0, 1), got 1.4 at index (0,)",
    ),
    "target-function_of_classes-shape": (
        {**ONEHOT, "target": half},
        ValueError,
        "target(truth) must have the shape of truth, (3,), got ()",
    ),
    "target-function_of_classes-range": (
        {**ONEHOT, "target": lambda truth: [1.0, 0.0, 0.0]},
        ValueError,
        "target(truth) must lie strictly in (0, 1), got 1.0 at index (0,)",
    ),
    "target-function_of_classes-sum": (
        {**ONEHOT, "target": lambda truth: truth / 2},
        ValueError,
        "target(truth) must sum to 1, got a sum of 0.5",
    ),
    "reduction": (
        {"reduction": "avg"},
        ValueError,
        "reduction must be None, 'mean' or 'sum', got 'avg'",
    ),
    "zero_at_perfect": (
        {"zero_at_perfect": 0},
        TypeError,
        "zero_at_perfect must be True or False, got 0",
    ),
    "bounded": (
        {"bounded": "yes"},
        TypeError,
        "bounded must be True or False, got 'yes'",
    ),
    "parameters-kind": (
        {"parameters": [("delta", 1.0)]},
        TypeError,
        "parameters must be a mapping, got [('delta', 1.0)]",
    ),
    "parameters-of_an_instance": (
        {"loss": keras.losses.Huber(), "parameters": {"delta": 2.0}},
        TypeError,
        "parameters must be given to the loss when it is made, got {'delta': 2.0} for "
        "an instance of Huber",
    ),
    "parameters-unknown": (
        {"loss": losses.huber, "parameters": {"dleta": 2.0}},
        TypeError,
        "parameters must be keywords of huber, got 'dleta'",
    ),
    "parameters-unknown_to_a_class": (
        {"loss": keras_losses.Huber, "parameters": {"dleta": 2.0}},
        TypeError,
        "parameters must be keywords of Huber, got 'dleta'",
    ),
    "parameters-no_name": (
        {"parameters": {1: 2.0}},
        TypeError,
        "parameters must be keywords of squared, got 1",
    ),
    "parameters-needed": (
        {"loss": keras_losses.Pinball, **QUANTILE, "target": 0.5},
        TypeError,
        "parameters must have quantile for Pinball, got {}",
    ),
    "parameters-needed_too": (
        {"loss": NeedsTwo, "parameters": {"name": "two"}},
        TypeError,
        "parameters must have low, high for NeedsTwo, got {'name': 'two'}",
    ),
    "parameters-refused_by_the_class": (
        {"loss": keras_losses.Huber, "parameters": {"delta": -1.0}},
        ValueError,
        "delta must be positive and finite, got -1.0",
    ),
    "loss-number": (
        {"loss": 3},
        TypeError,
        "loss must be a function of labels and predictions, a keras.losses.Loss, or "
        "the name of one, got 3",
    ),
    "loss-none": (
        {"loss": None},
        TypeError,
        "loss must be a function of labels and predictions, a keras.losses.Loss, or "
        "the name of one, got None",
    ),
    "loss-unknown_name": (
        {"loss": "mean squared error"},
        ValueError,
        "loss must be a name that Keras knows, got 'mean squared error'",
    ),
    "checks-text": (
        {"checks": "finite"},
        TypeError,
        "checks must be a sequence of names, got 'finite'",
    ),
    "checks-number": (
        {"checks": 3},
        TypeError,
        "checks must be a sequence of names, got 3",
    ),
    "checks-unknown": (
        {"checks": ["runs", "finit"]},
        ValueError,
        f"checks must be of {ALL_CHECKS}, got 'finit'",
    ),
    "checks-no_name": (
        {"checks": [None]},
        ValueError,
        f"checks must be of {ALL_CHECKS}, got None",
    ),
    "time_limit-0": (
        {"time_limit": 0},
        ValueError,
        "time_limit must be positive and finite, got 0.0",
    ),
    "time_limit-negative": (
        {"time_limit": -1.0},
        ValueError,
        "time_limit must be positive and finite, got -1.0",
    ),
    "time_limit-endless": (
        {"time_limit": float("inf")},
        ValueError,
        "time_limit must be positive and finite, got inf",
    ),
    "time_limit-text": (
        {"time_limit": "60"},
        TypeError,
        "time_limit must be a number of seconds, got '60'",
    ),
    "time_limit-bool": (
        {"time_limit": True},
        TypeError,
        "time_limit must be a number of seconds, got True",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_option_is_refused_before_any_check_runs(name):
    wrong, kind, message = WRONG[name]
    # The name of no check is needed to refuse the others.
    options = {"loss": squared, "task": "regression", "checks": (), **wrong}
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        check_loss(options.pop("loss"), **options)


def test_a_target_function_may_raise_its_own_error():
    def target(values, probabilities):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        check_loss(squared, task="regression", target=target)


RIGHT = {
    "outputs-numpy": {"outputs": np.int64(2)},
    "outputs-most": {"task": "sparse_logits", "outputs": 1000},
    "target-array": {**QUANTILE, "target": np.array([0.1, 0.5]), "outputs": 2},
    "target-tensor": {**QUANTILE, "target": tf.constant([0.1, 0.5]), "outputs": 2},
    "target-one_level_for_all": {**QUANTILE, "target": 0.1, "outputs": 2},
    "target-median": {**QUANTILE, "target": "median"},
    "target-level_in_regression": {"target": 0.25},
    "target-function": {"target": lambda values, p: values @ p, "outputs": 3},
    "target-one_for_all_labels": {**THREE_LABELS, "target": half},
    "target-list": {**ONEHOT, "target": lambda truth: list(truth)},
    "parameters-empty_for_an_instance": {
        "loss": keras.losses.Huber(),
        "parameters": {},
    },
    "parameters-of_a_named_function": {"loss": "huber", "parameters": {"delta": 2.0}},
    "parameters-of_a_named_class": {"loss": "Huber", "parameters": {"delta": 2.0}},
    "parameters-of_a_registered_class": {
        "loss": "lossfn>Pinball",
        "parameters": {"quantile": 0.9},
    },
    "parameters-any": {
        "loss": lambda y_true, y_pred, **any_name: squared(y_true, y_pred),
        "parameters": {"anything": 2},
    },
    "parameters-unknown_signature": {"loss": min, "parameters": {"key": None}},
    "time_limit-numpy": {"time_limit": np.float32(3)},
    "checks-tuple": {"checks": ()},
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_option_is_taken(name):
    options = {"loss": squared, "task": "regression", "checks": (), **RIGHT[name]}
    report = check_loss(options.pop("loss"), **options)
    assert len(report) == 0
    assert report.passed


def test_checks_run_in_their_order_and_once():
    asked = ["zero_at_perfect", "runs", "dtype_kept", "runs"]
    report = check_loss(squared, task="regression", checks=iter(asked))
    names = [result.name for result in report]
    assert names == ["runs", "zero_at_perfect", "dtype_kept"]


def test_all_checks_run_by_default():
    report = check_loss(squared, task="regression")
    assert [result.name for result in report] == list(CHECKS)


def test_an_empty_selection_runs_nothing():
    def must_not_run(y_true, y_pred):
        raise AssertionError("it ran")

    report = check_loss(must_not_run, task="regression", checks=[])
    assert len(report) == 0
    assert str(report) == "must_not_run, checked as regression: no check was run"


def test_a_time_limit_that_no_clock_can_count_is_no_limit():
    report = check_loss(squared, task="regression", checks=["runs"], time_limit=1e300)
    assert report.passed


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("mse", "mse"),
        ("Huber", "Huber"),
        ("lossfn>SquaredError", "lossfn>SquaredError"),
        ("huber", functools.partial(losses.huber, delta=2.0)),
        ("squared", tf.function(squared)),
        ("call", keras.losses.MeanSquaredError().call),
        ("MeanSquaredError", keras.losses.MeanSquaredError()),
        ("MeanSquaredError", keras.losses.MeanSquaredError),
        ("sigmoid_cross_entropy_with_logits", tf.nn.sigmoid_cross_entropy_with_logits),
        ("<lambda>", lambda y_true, y_pred: squared(y_true, y_pred)),
        ("Named", type("Named", (), {"__call__": lambda self, *a: squared(*a)})()),
        # Like a mock, it has every attribute.
        (
            "Willing",
            type(
                "Willing",
                (),
                {"__call__": lambda *a: 0.0, "__getattr__": lambda self, name: 3},
            )(),
        ),
    ],
)
def test_a_report_calls_a_loss_by_its_name(name, loss):
    assert check_loss(loss, task="regression", checks=()).loss == name
