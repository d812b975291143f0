"""What the checks measure with, against NumPy: differences, labels, tasks."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from lossfn.testing import CHECKS, TASKS, _differences
from lossfn.testing._checks_value import _may_be_infinite
from lossfn.testing._loss import (
    Loss,
    NoGradientError,
    NoNumbersError,
    as_losses,
    gradient_of,
    tensors,
)
from lossfn.testing._subject import Subject
from lossfn.testing._targets import PROBABILITIES, VALUES, checked_target, outcomes
from lossfn.testing._tasks import Example, looked_at, task_named

LOGITS = [name for name in TASKS if name.endswith("_logits")]
PROBABILITY_TASKS = [name for name in TASKS if name.endswith("_probabilities")]
CLASSES = ["onehot_logits", "onehot_probabilities"]
CLASSES += ["sparse_logits", "sparse_probabilities"]
NUMBERS = ["regression", "positive_regression", "quantile"]
EXPECTED_SHAPE = {"regression": 1, "quantile": 1, "positive_regression": 1}
EXPECTED_SHAPE |= {"binary_logits": 1, "binary_probabilities": 1}


def subject_of(loss, task: str, outputs: int | None = None, **meant) -> Subject:
    options = {"target": None, "zero_at_perfect": True, "bounded": False}
    options |= {"reduction": None, **meant}
    return Subject(Loss(loss), task_named(task, outputs), **options)


# --- losses and their derivatives, in TensorFlow and in NumPy --------------------


def squared(y_true, y_pred):
    return tf.square(y_true - y_pred)


def absolute(y_true, y_pred):
    return tf.abs(y_true - y_pred)


def cross_entropy(y_true, y_pred):
    return tf.nn.softplus(y_pred) - y_true * y_pred


def of_probabilities(y_true, y_pred):
    return -tf.math.xlogy(y_true, y_pred) - tf.math.xlogy(1 - y_true, 1 - y_pred)


def softmax(y_true, y_pred):
    return -tf.reduce_sum(y_true * tf.nn.log_softmax(y_pred), axis=-1)


def of_distributions(y_true, y_pred):
    return -tf.reduce_sum(tf.math.xlogy(y_true, y_pred), axis=-1)


def hessian_of_softmax(y_true, y_pred):
    p = scipy.special.softmax(y_pred[0])
    return np.diag(p) - np.outer(p, p)


def diagonal(second):
    return lambda y_true, y_pred: np.diag(second(y_true[0], y_pred[0]))


# The loss, its task, its first derivative, and the matrix of its second.
SMOOTH = {
    "squared": (
        squared,
        "regression",
        lambda y, x: 2 * (x - y),
        diagonal(lambda y, x: np.full(x.shape, 2.0)),
    ),
    "absolute": (
        absolute,
        "positive_regression",
        lambda y, x: np.sign(x - y),
        diagonal(lambda y, x: np.zeros(x.shape)),
    ),
    "softplus": (
        cross_entropy,
        "multilabel_logits",
        lambda y, x: scipy.special.expit(x) - y,
        diagonal(lambda y, x: scipy.special.expit(x) * scipy.special.expit(-x)),
    ),
    "of_probabilities": (
        of_probabilities,
        "multilabel_probabilities",
        lambda y, p: (p - y) / (p * (1 - p)),
        diagonal(lambda y, p: y / p**2 + (1 - y) / (1 - p) ** 2),
    ),
    "softmax": (
        softmax,
        "onehot_logits",
        lambda y, x: scipy.special.softmax(x, -1) - y,
        hessian_of_softmax,
    ),
    "of_distributions": (
        of_distributions,
        "onehot_probabilities",
        lambda y, p: -y / p,
        diagonal(lambda y, p: y / p**2),
    ),
}


def in_float32(loss):
    """Cast on the way, as many losses do."""

    def rounded(y_true, y_pred):
        y_true, narrow = tf.cast(y_true, tf.float32), tf.cast(y_pred, tf.float32)
        return tf.cast(loss(y_true, narrow), y_pred.dtype)

    return rounded


def summed(loss):
    return lambda y_true, y_pred: tf.reduce_sum(loss(y_true, y_pred))


def first_examples(subject: Subject) -> list[Example]:
    batch = subject.task.batch(4)
    return [Example(batch.y_true[[row]], batch.y_pred[[row]]) for row in range(4)]


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("form", ["plain", "summed", "float32"])
def test_central_differences_are_the_derivative(name, form):
    loss, task, derivative, _ = SMOOTH[name]
    forms = {"plain": loss, "summed": summed(loss), "float32": in_float32(loss)}
    subject = subject_of(forms[form], task)
    assert subject.separable == (form != "summed")
    assert subject.exact == (form != "float32")
    for example in first_examples(subject):
        found = _differences.central(subject, example)
        expected = derivative(*example)
        assert _differences.close(found, expected, subject.tolerance)
        if subject.exact:
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", SMOOTH)
def test_one_sided_differences_are_the_derivative_on_smooth_ground(name):
    loss, task, derivative, _ = SMOOTH[name]
    subject = subject_of(loss, task)
    for example in first_examples(subject):
        for index in _differences.indices(example):
            sides = _differences.one_sided(subject, example, index)
            expected = derivative(*example)[index]
            np.testing.assert_allclose(sides, [expected] * 2, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("loss", "error", "expected"),
    [
        (absolute, 0.0, (-1.0, 1.0)),
        (absolute, 0.5, (1.0, 1.0)),
        (squared, 0.0, (0.0, 0.0)),
        # 0.9 per unit short, 0.1 per unit left
        (lambda y, x: tf.maximum(0.9 * (y - x), 0.1 * (x - y)), 0.0, (-0.9, 0.1)),
        # a clip at 2: flat to the right
        (lambda y, x: tf.square(tf.minimum(x - y, 2.0)), 2.0, (4.0, 0.0)),
    ],
    ids=["absolute", "absolute-beside", "squared", "pinball", "clipped"],
)
@pytest.mark.parametrize("form", [lambda loss: loss, summed], ids=["plain", "summed"])
def test_one_sided_differences_see_both_sides_of_a_kink(loss, error, expected, form):
    subject = subject_of(form(loss), "regression")
    example = Example(np.array([[3.0]]), np.array([[3.0 + error]]))
    sides = _differences.one_sided(subject, example, (0, 0))
    np.testing.assert_allclose(sides, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", ["squared", "absolute", "softplus", "softmax"])
@pytest.mark.parametrize("form", ["plain", "summed"])
def test_slopes_of_the_gradient_are_the_hessian_times_the_weights(name, form):
    loss, task, _, hessian = SMOOTH[name]
    subject = subject_of(loss if form == "plain" else summed(loss), task)
    for example in first_examples(subject):
        found = _differences.slopes_of_gradient(subject, example)
        expected = hessian(*example) @ np.arange(1.0, example.y_pred.size + 1)
        np.testing.assert_allclose(found[0], expected, rtol=1e-3, atol=1e-3)


def test_slopes_of_the_gradient_are_none_at_a_kink_of_it():
    def huber(y_true, y_pred):
        error = y_pred - y_true
        near = tf.clip_by_value(error, -1.0, 1.0)
        return near * (error - near / 2)

    subject = subject_of(huber, "regression")
    # 1 inside, 0 outside
    for error, expected in ((0.5, 1.0), (1.0, None), (1.5, 0.0), (-1.0, None)):
        example = Example(np.array([[3.0]]), np.array([[3.0 + error]]))
        found = _differences.slopes_of_gradient(subject, example)
        assert (found is None) == (expected is None)
        if found is not None:
            np.testing.assert_allclose(found, [[expected]], atol=1e-8)


def test_the_point_itself_has_no_part_in_the_slopes_of_the_gradient():
    @tf.custom_gradient
    def wrong_at_three(y_true, y_pred):
        slope = tf.where(y_pred == 3.0, 77.0, 2 * (y_pred - y_true))
        return tf.square(y_true - y_pred), lambda upstream: (None, upstream * slope)

    subject = subject_of(wrong_at_three, "regression")
    found = _differences.slopes_of_gradient(
        subject, Example(np.array([[3.0]]), np.array([[3.0]]))
    )
    np.testing.assert_allclose(found, [[2.0]], rtol=1e-6)


@pytest.mark.parametrize("form", [lambda loss: loss, in_float32])
@pytest.mark.parametrize("probability", [1e-10, 1e-7, 0.3, 0.5, 1 - 1e-7])
def test_steps_between_probabilities_stay_inside(form, probability):
    subject = subject_of(form(of_probabilities), "binary_probabilities")
    example = Example(np.array([[1.0]]), np.array([[probability]]))
    step = _differences.step_at(subject, example, (0, 0))
    assert 0 < step
    assert 0 < probability - 2 * step
    assert probability + 2 * step < 1


def test_a_moved_example_leaves_the_other_as_it_was():
    example = Example(np.array([[1.0]]), np.array([[2.0]]))
    assert _differences.moved(example, (0, 0), 0.5).y_pred == 2.5
    assert example.y_pred == 2.0


@pytest.mark.parametrize(
    ("found", "expected", "agree"),
    [
        ([[0.0]], [[9e-5]], True),
        ([[0.0]], [[2e-4]], False),
        ([[1000.0]], [[1000.09]], True),
        ([[1000.0]], [[1000.2]], False),
        ([[np.nan]], [[0.0]], False),
        ([[np.nan]], [[np.nan]], False),
        # Of many outputs the middle ones are not looked at.
        ([[0.0] * 20], [[0.0] * 6 + [1.0] * 12 + [0.0] * 2], True),
        ([[0.0] * 20], [[0.0] * 5 + [1.0] + [0.0] * 14], False),
        ([[0.0] * 20], [[0.0] * 18 + [1.0, 0.0]], False),
    ],
)
def test_derivatives_are_compared_relative_to_themselves_or_to_one(
    found, expected, agree
):
    assert _differences.close(np.array(found), np.array(expected), 1e-4) == agree


def test_all_outputs_are_looked_at_unless_they_are_many():
    for outputs in range(1, 9):
        assert looked_at(outputs) == list(range(outputs))
    assert looked_at(1000) == [0, 1, 2, 3, 4, 5, 998, 999]


# --- what is known of a loss -----------------------------------------------------


def test_what_a_loss_is_measured_in():
    assert subject_of(squared, "regression").dtype == "float64"
    assert subject_of(in_float32(squared), "regression").dtype == "float64"
    narrow = tf.function(squared, input_signature=[tf.TensorSpec([None, 1])] * 2)
    assert subject_of(narrow, "regression").dtype == "float32"
    assert not subject_of(narrow, "regression").exact


def test_float32_on_the_way_of_the_labels_alone_is_seen():
    def rounded_labels(y_true, y_pred):
        return squared(tf.cast(tf.cast(y_true, tf.float32), y_pred.dtype), y_pred)

    subject = subject_of(rounded_labels, "regression")
    assert subject.exact
    assert not subject.exact_in_labels
    assert subject_of(squared, "regression").exact_in_labels


def by_batch(y_true, y_pred):
    losses = tf.reduce_mean(squared(y_true, y_pred), axis=-1)
    return losses / tf.reduce_max(losses)


@pytest.mark.parametrize(
    ("loss", "separable"),
    [
        (squared, True),
        (lambda y, x: tf.reduce_mean(squared(y, x), -1), True),
        (summed(squared), False),
        (lambda y, x: squared(y, x)[:, :1], False),
        (lambda y, x: squared(y, x)[..., None], False),
        (by_batch, False),
    ],
    ids=["output", "example", "sum", "other_shape", "deep", "by_batch"],
)
def test_totals_are_those_of_examples_alone(loss, separable):
    subject = subject_of(loss, "regression", 2)
    assert subject.separable == separable
    batch = subject.task.batch(5)
    alone = [
        float(tf.reduce_sum(loss(batch.y_true[[row]], batch.y_pred[[row]])))
        for row in range(5)
    ]
    np.testing.assert_allclose(subject.totals(batch), alone, rtol=1e-12)
    assert subject.gradients(batch).shape == (5, 2)


@pytest.mark.parametrize(
    ("task", "shape", "expected"),
    [
        ("regression", (4,), True),
        ("regression", (4, 1), True),
        ("regression", (), False),
        ("regression", (1, 4), False),
        ("regression", (4, 1, 1), False),
        ("multilabel_logits", (4, 3), True),
        ("multilabel_logits", (4, 1), False),
        ("onehot_logits", (4,), True),
        ("onehot_logits", (4, 3), False),
        ("sparse_logits", (4, 3), False),
        ("sparse_logits", (3,), False),
    ],
)
def test_a_loss_for_each_example_or_for_each_output(task, shape, expected):
    assert subject_of(squared, task).one_for_each(shape, 4) == expected


@pytest.mark.parametrize(
    ("task", "y_pred", "dtype", "allowed"),
    [
        ("regression", 300.0, "float16", True),
        ("regression", 300.0, "bfloat16", False),
        ("regression", 200.0, "float16", False),
        ("regression", 1e30, "bfloat16", True),
        ("binary_probabilities", 0.5, "float16", True),
    ],
    ids=["too_large", "fits_bfloat16", "fits", "too_large_for_32", "probability"],
)
def test_a_loss_may_be_infinite_where_its_value_does_not_fit(
    task, y_pred, dtype, allowed
):
    # 300 squared is 90000, and float16 ends at 65504
    example = Example(np.array([[0.0]]), np.array([[y_pred]]))
    assert _may_be_infinite(subject_of(squared, task), example, dtype) == allowed


# --- losses in their forms -------------------------------------------------------


def test_labels_and_logits_are_given_by_their_names():
    def swapped(logits, labels, scale=1.0):
        return scale * (labels - logits)

    loss = Loss(swapped, {"scale": 2.0})
    assert float(loss(tf.constant(3.0), tf.constant(1.0))) == 4.0
    assert float(Loss(squared)(tf.constant(3.0), tf.constant(1.0))) == 4.0


def test_class_indices_stay_integers_and_other_labels_take_the_dtype():
    y_true, y_pred = tensors(np.array([1, 2]), np.array([[0.5], [0.1]]), "bfloat16")
    assert (y_true.dtype, y_pred.dtype) == (tf.int64, tf.bfloat16)
    y_true, y_pred = tensors(np.array([1.0]), np.array([[0.5]]), "float16")
    assert (y_true.dtype, y_pred.dtype) == (tf.float16, tf.float16)


def test_a_keras_loss_is_called_in_the_dtype_and_not_reduced():
    mean_squared = tf.keras.losses.MeanSquaredError(reduction="sum")
    loss = Loss(mean_squared)
    for dtype in ("float64", "float16"):
        found = loss(*tensors(np.zeros((2, 1)), np.array([[1.0], [3.0]]), dtype))
        assert found.dtype.name == dtype
        assert found.numpy().tolist() == [1.0, 9.0]
    assert loss.for_keras() is mean_squared
    assert mean_squared.reduction == "sum"


def test_a_function_is_reduced_and_weighted_as_keras_does():
    wrapped = Loss(squared).for_keras()
    y_true, y_pred = tf.zeros([2, 1]), tf.constant([[1.0], [3.0]])
    assert float(wrapped(y_true, y_pred)) == 5.0
    weights = tf.constant([[2.0], [0.0]])
    assert float(wrapped(y_true, y_pred, sample_weight=weights)) == 1.0


def test_no_gradient_is_an_error_or_zero():
    y_true, y_pred = tf.zeros([2]), tf.constant([1.0, 2.0])
    with pytest.raises(NoGradientError):
        gradient_of(lambda y, x: tf.round(y), y_true, y_pred)
    _, gradient = gradient_of(
        lambda y, x: tf.round(y), y_true, y_pred, zero_if_none=True
    )
    assert gradient.numpy().tolist() == [0.0, 0.0]


def test_a_gradient_of_slices_is_a_tensor():
    _, gradient = gradient_of(
        lambda y, x: tf.gather(x, [1]), tf.zeros([3]), tf.constant([1.0, 2.0, 3.0])
    )
    assert gradient.numpy().tolist() == [0.0, 1.0, 0.0]


def test_numbers_of_python_and_numpy_are_losses():
    assert as_losses(0.5).dtype == tf.float32
    assert as_losses(np.float64(0.5)).dtype == tf.float64
    with pytest.raises(NoNumbersError, match=r"^gave a tensor of int32, not of real"):
        as_losses(1)


# --- tasks -----------------------------------------------------------------------

SIZES = [
    (name, outputs)
    for name in TASKS
    for outputs in (None, 1, 2, 3, 4, 7, 12)
    if not (name in CLASSES and outputs == 1)
]


@pytest.mark.parametrize(("name", "outputs"), SIZES)
def test_a_batch_has_the_shapes_and_dtypes_of_its_task(name, outputs):
    task = task_named(name, outputs)
    assert task.outputs == outputs or EXPECTED_SHAPE.get(name, 3)
    if outputs is None:
        assert task.outputs == EXPECTED_SHAPE.get(name, 3)
    parts = [task.batch(5), task.batch(1), *task.extremes(), *task.kinks()]
    parts += [*task.perfect(), *task.out_of_range()]
    parts += list(itertools.chain(*task.wrong()))
    for y_true, y_pred in parts:
        assert y_pred.shape == (len(y_pred), task.outputs)
        assert y_pred.dtype == np.float64
        sparse = name.startswith("sparse")
        assert y_true.shape == ((len(y_pred),) if sparse else y_pred.shape)
        assert y_true.dtype == (np.int64 if sparse else np.float64)
        assert np.isfinite(y_pred).all()


@pytest.mark.parametrize(("name", "outputs"), SIZES)
@pytest.mark.parametrize("seed", range(5))
def test_a_batch_is_smooth_ground(name, outputs, seed):
    task = task_named(name, outputs)
    y_true, y_pred = task.batch(9, seed)
    assert len(np.unique(y_pred.round(9))) > 1
    if name in PROBABILITY_TASKS:
        assert ((y_pred > 0) & (y_pred < 1)).all()
        if name in CLASSES:
            np.testing.assert_allclose(y_pred.sum(1), 1.0, rtol=1e-12)
    else:
        assert (np.abs(y_pred) < 10).all()
        # Kinks of losses are at whole numbers, halves and quarters.
        assert (np.abs(y_pred * 4 - np.round(y_pred * 4)) > 0.01).all()
    if name in NUMBERS:
        # And so are those of errors.
        errors = 4 * (y_true - y_pred)
        assert (np.abs(errors - np.round(errors)) > 0.01).all()
    if name == "positive_regression":
        assert (y_true > 0).all()
        assert (y_pred > 0).all()
    if name.startswith("onehot"):
        assert (y_true.sum(1) == 1).all()
        assert set(y_true.ravel()) == {0.0, 1.0}
    if name.startswith(("binary", "multilabel")):
        assert set(y_true.ravel()) == {0.0, 1.0}


def test_another_seed_is_another_batch_and_the_same_seed_the_same():
    task = task_named("regression", 2)
    np.testing.assert_array_equal(task.batch(3).y_pred, task.batch(3, seed=0).y_pred)
    assert (task.batch(3).y_pred != task.batch(3, seed=1).y_pred).any()


def numpy_loss(name: str, example: Example) -> np.ndarray:
    """Return the loss of each example that every task knows, in float64."""
    y_true, y_pred = example
    if name in NUMBERS:
        return np.abs(y_true - y_pred).sum(1)
    if name.startswith("sparse"):
        y_true = np.eye(y_pred.shape[1])[y_true]
    if name in CLASSES:
        p = scipy.special.softmax(y_pred, -1) if name in LOGITS else y_pred
        return -np.log(p[y_true == 1]).reshape(len(p), -1).sum(1)
    if name in LOGITS:
        signed = np.where(y_true == 1, y_pred, -y_pred)
        return -scipy.special.log_expit(signed).sum(1)
    with np.errstate(divide="ignore"):
        return -np.log(np.where(y_true == 1, y_pred, 1 - y_pred)).sum(1)


@pytest.mark.parametrize(("name", "outputs"), SIZES)
def test_perfect_predictions_have_no_loss_and_wrong_ones_more_and_more(name, outputs):
    task = task_named(name, outputs)
    for example in task.perfect():
        assert numpy_loss(name, example) < 1e-12 * task.outputs
    pairs = list(task.wrong())
    assert pairs
    for lesser, worse in pairs:
        assert 1 < numpy_loss(name, lesser) < numpy_loss(name, worse)


@pytest.mark.parametrize("name", TASKS)
def test_extremes_are_as_far_as_they_say(name):
    found = np.concatenate(
        [e.y_pred.ravel() for e in task_named(name, None).extremes()]
    )
    expected = {0.0, 1.0} if name in PROBABILITY_TASKS else {1e4}
    if name in LOGITS or name in ("regression", "quantile"):
        expected |= {-1e4}
    assert expected <= set(found)
    if name == "positive_regression":
        assert (found > 0).all()


@pytest.mark.parametrize("name", TASKS)
def test_kinks_are_where_libraries_have_errors(name):
    examples = list(task_named(name, None).kinks())
    found = {float(x) for e in examples for x in e.y_pred.ravel()}
    if name in NUMBERS:
        errors = {float(e.y_pred[0, 0] - e.y_true[0, 0]) for e in examples}
        assert {0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0} == errors
    elif name in LOGITS:
        assert 0.0 in found
        labels = {tuple(e.y_true.ravel()) for e in examples}
        assert len(labels) == 2
    else:
        assert {1e-7, 1e-10} <= found


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("sparse_logits", [[3], [-7]]),
        ("binary_probabilities", [[2.0], [-1.0], [255.0]]),
        ("onehot_logits", [[-1.0, 2.0, 0.0]]),
        ("regression", []),
        ("quantile", []),
    ],
)
def test_labels_out_of_range_are_those_that_people_have(name, labels):
    examples = task_named(name, None).out_of_range()
    assert [example.y_true.ravel().tolist() for example in examples] == labels


# --- outcomes --------------------------------------------------------------------


def expected_loss(loss, outcome, point: np.ndarray) -> float:
    """Average a NumPy loss over the labels that may come."""
    return float(
        sum(
            p * loss(label, point)
            for p, label in zip(outcome.probabilities, outcome.labels, strict=True)
        )
    )


def points_around(outcome) -> list[np.ndarray]:
    points = []
    for output in range(outcome.target.size):
        for step in (*outcome.steps, 0.01, -0.01):
            point = outcome.target.copy()
            point[output] += step
            points.append(point)
    return points


def log_loss(label, logits):
    return -np.sum(label * scipy.special.log_softmax(logits))


def log_loss_of_index(index, logits):
    return -scipy.special.log_softmax(logits)[index]


def yes_or_no(label, logits):
    return np.sum(np.logaddexp(0, logits) - label * logits)


def pinball(*levels):
    def loss(label, point):
        error = label - point
        return np.sum(np.maximum(levels * error, (np.array(levels) - 1) * error))

    return loss


def squares(label, point):
    return np.sum((label - point) ** 2)


def absolutes(label, point):
    return np.sum(np.abs(label - point))


def weighted(label, logits):
    return np.sum(np.logaddexp(0, logits) * (1 + 2 * label) - 3 * label * logits)


# A task, a target, and the NumPy loss that is least there.
TARGETS = {
    "onehot_logits": ("onehot_logits", 3, "truth", log_loss),
    "onehot_probabilities-5": ("onehot_probabilities", 5, "truth", log_loss),
    "sparse_logits": ("sparse_logits", 4, "truth", log_loss_of_index),
    "binary_logits": ("binary_logits", 1, "truth", yes_or_no),
    "multilabel_probabilities": ("multilabel_probabilities", 3, "truth", yes_or_no),
    "weighted": ("binary_logits", 2, lambda p: 3 * p / (1 + 2 * p), weighted),
    "certain": ("regression", 2, "truth", squares),
    "certain-absolute": ("positive_regression", 1, "truth", absolutes),
    "mean": ("regression", 2, "mean", squares),
    "mean-positive": ("positive_regression", 1, "mean", squares),
    "median": ("regression", 1, "median", absolutes),
    "median-quantile": ("quantile", 2, "median", absolutes),
    "level": ("quantile", 1, 0.9, pinball(0.9)),
    "level-for_all": ("quantile", 2, 0.25, pinball(0.25, 0.25)),
    "levels": ("quantile", 3, [0.1, 0.5, 0.9], pinball(0.1, 0.5, 0.9)),
    "level-regression": ("regression", 1, 0.75, pinball(0.75)),
    "function": ("regression", 1, lambda values, p: values @ p, squares),
}


@pytest.mark.parametrize("name", TARGETS)
def test_the_expected_loss_is_least_at_the_target(name):
    task_name, outputs, target, loss = TARGETS[name]
    task = task_named(task_name, outputs)
    found = list(outcomes(task, checked_target(task, target)))
    assert found
    for outcome in found:
        assert outcome.target.shape == (task.outputs,)
        np.testing.assert_allclose(outcome.probabilities.sum(), 1.0, rtol=1e-12)
        least = expected_loss(loss, outcome, outcome.target)
        for point in points_around(outcome):
            assert least < expected_loss(loss, outcome, point)


@pytest.mark.parametrize(
    ("target", "other"),
    [("mean", absolutes), ("median", squares), (0.9, absolutes), (0.5, pinball(0.6))],
    ids=["mean", "median", "level", "near_level"],
)
def test_another_loss_is_less_elsewhere(target, other):
    task = task_named("regression", 1)
    *_, outcome = outcomes(task, checked_target(task, target))
    least = expected_loss(other, outcome, outcome.target)
    around = [expected_loss(other, outcome, point) for point in points_around(outcome)]
    assert min(around) < least


@pytest.mark.parametrize("level", np.linspace(0.01, 0.99, 99))
def test_every_round_level_is_one_number(level):
    cumulative = np.cumsum(PROBABILITIES)[:-1]
    assert np.abs(cumulative - level).min() > 1e-3
    task = task_named("quantile", 1)
    for outcome in outcomes(task, checked_target(task, level)):
        # the definition of a quantile
        assert outcome.probabilities[VALUES <= outcome.target[0]].sum() > level
        assert outcome.probabilities[VALUES < outcome.target[0]].sum() < level


@pytest.mark.parametrize("level", [0.01, 0.1, 0.5, 0.9, 0.975, 0.99])
@pytest.mark.parametrize("by", [-0.025, 0.025])
def test_a_quantile_is_told_from_that_of_a_level_nearby(level, by):
    if not 0 < level + by < 1:
        return
    task = task_named("quantile", 1)
    least = [
        expected_loss(pinball(level + by), outcome, outcome.target)
        - min(
            expected_loss(pinball(level + by), outcome, point)
            for point in points_around(outcome)
        )
        for outcome in outcomes(task, checked_target(task, level))
    ]
    assert max(least) > 1e-4


@pytest.mark.parametrize("other", np.linspace(0.01, 0.99, 99))
def test_the_levels_of_other_outputs_are_one_number_each(other):
    task = task_named("quantile", 2)
    for level in (0.1, 0.5, 0.9):
        for outcome in outcomes(task, checked_target(task, [level, other])):
            cumulative = np.cumsum(outcome.probabilities)[:-1]
            assert np.abs(cumulative - other).min() > 1e-4


def test_no_target_lies_on_the_way_to_a_negative_number_where_numbers_are_positive():
    task = task_named("positive_regression", 1)
    for target in ("truth", "mean", "median", 0.05):
        for outcome in outcomes(task, checked_target(task, target)):
            assert all((point > 0).all() for point in points_around(outcome))


def test_a_target_function_cannot_spoil_what_it_is_given():
    def spoiling(values, probabilities):
        values[:] = 0
        probabilities[:] = 0
        return 1.0

    list(outcomes(task_named("regression", 1), spoiling))
    assert VALUES.tolist() == [0.5, 1.0, 2.0, 4.0, 11.5]
    assert PROBABILITIES.sum() == pytest.approx(1.0)

    def spoiling_too(truth):
        truth[:] = 0.25
        return truth

    task = task_named("onehot_logits", 4)
    for outcome in outcomes(task, spoiling_too):
        assert len(set(outcome.probabilities)) == 4


# --- the table of checks ---------------------------------------------------------


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.name)
def test_a_check_asks_explains_and_names_a_chapter(check):
    assert check.question.endswith("?")
    assert len(check.reason) > 80
    assert check.mend.endswith(".")
    book = Path(__file__).parents[1] / "book"
    assert (book / f"{check.chapter}.ipynb").is_file()
