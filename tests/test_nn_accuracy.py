"""The float32 error of lossfn.nn in ulp, beside that of tf.nn on the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from lossfn import nn, reference
from tests.cases import (
    BINARY_CASES,
    BY_NAME,
    CASES_WITH_CLASSES,
    Case,
    as_arrays,
    as_tensors,
    ids,
    in_mode,
    label_total,
    ulp,
    ulps,
    value_and_gradient,
)

# exp and log1p of TensorFlow take up to 2 ulp each; measured: 4.1 at most.
BUDGET = 5
# Smaller numbers are flushed to 0, before a pos_weight of up to 10 multiplies them.
TINY = 16 * float(np.finfo(np.float32).tiny)


def errors(case: Case, loss, arguments: dict) -> tuple[float, float]:
    """Return the largest error of value and gradient, in float32 ulp.

    For labels of 0 and 1 nothing need cancel, and the gradient's ulp are its own; for
    others they are those of the sum of the labels: see cases.label_total.
    """
    value, gradient = as_arrays(
        value_and_gradient(loss, as_tensors(arguments, "float32"))
    )
    expected = case.reference(**arguments)
    exact = case.gradient(**arguments)
    scale = exact
    if not (case.is_sparse or case.name.endswith(("hard", "one_hot"))):
        scale = np.broadcast_to(label_total(case, arguments), exact.shape)
    normal = np.abs(exact) >= TINY
    gradient_error = np.abs(gradient - exact)[normal] / ulp(scale[normal])
    value_error = ulps(value, expected)[np.abs(expected) >= TINY]
    return value_error.max(initial=0), gradient_error.max(initial=0)


def assert_no_worse_than_tf(case: Case, arguments: dict) -> None:
    ours = errors(case, case.loss, arguments)
    theirs = errors(case, case.tf_loss, arguments)
    for our, their in zip(ours, theirs, strict=True):
        assert our <= max(their, BUDGET)
        assert our <= 2 * BUDGET


@pytest.mark.parametrize("scale", [1, 3, 10, 30])
@pytest.mark.parametrize("classes", [2, 10, 1000, 32000])
@pytest.mark.parametrize("case", CASES_WITH_CLASSES, ids=ids)
def test_ordinary_logits(case, classes, scale):
    examples = max(4, min(200, 20_000 // classes))
    arguments = case.arguments(
        seed=classes + scale,
        shape=(examples, classes),
        scale=scale,
        dtype="float32",
    )
    assert_no_worse_than_tf(case, arguments)


@pytest.mark.parametrize("scale", [1, 3, 10, 30])
@pytest.mark.parametrize("case", BINARY_CASES, ids=ids)
def test_ordinary_binary_logits(case, scale):
    arguments = case.arguments(
        seed=scale, shape=(2000, 10), scale=scale, dtype="float32"
    )
    assert_no_worse_than_tf(case, arguments)


@pytest.mark.parametrize("mode", ["eager", "function", "xla"])
@pytest.mark.parametrize("name", ["sigmoid-hard", "weighted-hard"])
def test_every_logit_of_a_sweep(name, mode):
    """tf.nn.softplus and tf.sigmoid take 7 and 6 ulp on this sweep."""
    logits = np.linspace(-86, 86, 40_001).astype(np.float32).astype(np.float64)
    case = BY_NAME[name]
    for label in (0.0, 1.0):
        arguments = {"labels": np.full_like(logits, label), "logits": logits}
        if name.startswith("weighted"):
            arguments["pos_weight"] = np.float64(3.0)
        got = in_mode(case.function, mode)(as_tensors(arguments, "float32"))
        value, gradient = as_arrays(got)
        assert ulps(value, case.reference(**arguments)).max() <= BUDGET
        assert ulps(gradient, case.gradient(**arguments)).max() <= BUDGET


MARGINS = np.concatenate([np.linspace(0, 86, 1721), [16.6, 16.7, 17.33]])


def confident(classes: int) -> np.ndarray:
    """Return rows in which class 0 leads by every margin."""
    logits = np.zeros((len(MARGINS), classes))
    logits[:, 0] = MARGINS
    offsets = np.random.default_rng(0).normal(size=(len(MARGINS), 1))
    return (logits + offsets).astype(np.float32).astype(np.float64)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("mode", ["eager", "function", "xla"])
@pytest.mark.parametrize("name", ["softmax-one_hot", "sparse"])
def test_confident_margins(name, mode, classes):
    case = BY_NAME[name]
    logits = confident(classes)
    rows = np.zeros(len(logits), np.int64)
    arguments = {
        "labels": rows if case.is_sparse else np.eye(classes)[rows],
        "logits": logits,
    }
    got = in_mode(case.function, mode)(as_tensors(arguments, "float32"))
    value, gradient = as_arrays(got)
    assert (value > 0).all()
    assert (gradient != 0).all()
    loss_error = ulps(value, case.reference(**arguments)).max()
    gradient_error = ulps(gradient, case.gradient(**arguments)).max()
    assert max(loss_error, gradient_error) <= 64  # promised
    assert max(loss_error, gradient_error) <= 8  # kept


@pytest.mark.parametrize("mode", ["eager", "function", "xla"])
@pytest.mark.parametrize("function", ["sigmoid", "weighted"])
def test_soft_labels_near_0_and_1(function, mode):
    """The reference gets the labels that float32 holds."""
    labels = np.float32([1 - 1e-6, 1 - 1e-7, 1e-6, 1e-7, 1e-30, 0.5, 0.0, 1.0])
    logits = np.float32([-100, -50, -20, -5, -1, 0, 1, 5, 20, 50, 100])
    labels, logits = (
        grid.ravel().astype(np.float64) for grid in np.meshgrid(labels, logits)
    )
    arguments = {"labels": labels, "logits": logits}
    if function == "weighted":
        arguments["pos_weight"] = np.float64(3.0)
    name = f"{function}_cross_entropy_with_logits"
    value, _ = as_arrays(in_mode(name, mode)(as_tensors(arguments, "float32")))
    expected = getattr(reference, name)(**arguments)
    normal = expected >= TINY
    assert ulps(value, expected)[normal].max() <= BUDGET


def test_gap_is_compensated():
    """A difference of -80 is rounded by up to 4e-6, and exp makes that 32 ulp."""
    logits = tf.constant([[0.1, 80.3]], tf.float32)
    exact = np.diff(logits.numpy().astype(np.float64))[0, 0]
    assert abs(np.exp(np.float64(np.float32(exact)) - exact) - 1) > 2.0**-21
    loss = nn.sparse_softmax_cross_entropy_with_logits(labels=[1], logits=logits)
    assert ulps(loss.numpy(), np.log1p(np.exp(-exact))).max() <= BUDGET
