"""The operations of lossfn.native, called as nobody should: an error, never a crash.

The functions of lossfn.native check their arguments before; a graph that was edited or
loaded, or a gradient from elsewhere, need not have gone through them.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from lossfn.native import _gradients

LOSSES = {"Softmax": 0, "SparseSoftmax": 0, "Sigmoid": 1, "Newsvendor": 2}
TASKS = ["", "Gradient", "Mean", "MeanGradient"]
OPERATIONS = [loss + task for loss in LOSSES for task in TASKS]
FIRST = {"Newsvendor": "y_true"}  # what the operations call the labels
# What an operation may refuse its arguments with; anything else is a fault.
REFUSED = (tf.errors.OpError, TypeError, ValueError)


def loss_of(name: str) -> str:
    return next(loss for loss in sorted(LOSSES, key=len)[::-1] if name.startswith(loss))


def shapes_of(name: str, shape: tuple[int, ...] = (2, 3)) -> list[tuple[int, ...]]:
    """Return shapes that fit: labels, logits, parameters, upstream, and slopes."""
    loss = loss_of(name)
    each = shape[:-1] if "Softmax" in loss else shape
    shapes = [each if loss == "SparseSoftmax" else shape, shape]
    shapes += [()] * LOSSES[loss]
    if name.endswith("MeanGradient"):
        return [*shapes, (), shape]
    return [*shapes, each] if name.endswith("Gradient") else shapes


def call(name: str, shapes: list[tuple[int, ...]], **changes: object) -> list:
    """Call an operation with ones (classes: zeros), and return a list of results."""
    first = tf.int64 if loss_of(name) == "SparseSoftmax" else tf.float32
    tensors = [tf.zeros(shapes[0], first), *(tf.ones(shape) for shape in shapes[1:])]
    for position, value in changes.items():
        tensors[int(position[1:])] = value
    return tf.nest.flatten(_gradients.operation(name)(*tensors))


def assert_finite(results: list[tf.Tensor]) -> None:
    for tensor in results:  # NumPy has fewer axes
        assert np.isfinite(tf.reshape(tensor, [-1])).all()


@pytest.mark.parametrize("name", OPERATIONS)
def test_shapes_that_fit(name):
    """The other tests would pass, if nothing was ever computed."""
    assert_finite(call(name, shapes_of(name)))


OTHER_SHAPES = [(0,), (1,), (2,), (3,), (6,), (3, 2), (2, 0), (0, 3), (1, 3), (2, 1)]
OTHER_SHAPES += [(2, 3, 1), (1, 2, 3), (1, 1, 1, 1, 1, 1)]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_input_of_every_other_shape(name):
    fitting = shapes_of(name)
    for position, shape in itertools.product(range(len(fitting)), OTHER_SHAPES):
        one_class = (position, shape) == (1, (2, 1)) and "Sparse" in name
        if shape == fitting[position] or one_class:
            continue  # class indices of shape (2,) fit one class too
        changed = [*fitting]
        changed[position] = shape
        with pytest.raises(tf.errors.InvalidArgumentError, match="must"):
            call(name, changed)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_input_a_scalar(name):
    """Parameters, and what comes from above a mean, may be one; nothing else may."""
    fitting = shapes_of(name)
    for position, shape in enumerate(fitting):
        changed = [*fitting]
        changed[position] = ()
        if shape == ():
            call(name, changed)
        else:
            with pytest.raises(tf.errors.InvalidArgumentError, match="must"):
                call(name, changed)


def some_shape(rng: np.random.Generator) -> tuple[int, ...]:
    return tuple(int(size) for size in rng.integers(0, 4, size=rng.integers(0, 4)))


@pytest.mark.parametrize("name", OPERATIONS)
def test_any_shapes(name):
    """Results have the shape of what was given, or there are none."""
    rng = np.random.default_rng(OPERATIONS.index(name))
    for _ in range(150):
        shapes = shapes_of(name, some_shape(rng) or (1,))
        for position in range(len(shapes)):
            if rng.uniform() < 0.2:
                shapes[position] = some_shape(rng)
        try:
            results = call(name, shapes)
        except tf.errors.InvalidArgumentError as error:
            assert "must" in str(error)
            continue
        if not name.endswith("Gradient"):
            continue
        assert [tensor.shape for tensor in results] == [shapes[1]]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_gradient_that_is_handed_on_has_the_right_shape(loss):
    """With an upstream gradient of 1 nothing is computed, and all is still checked."""
    name = f"{loss}MeanGradient"
    shapes = shapes_of(name)
    for wrong in ((3, 2), (6,), (2, 3, 1), ()):
        with pytest.raises(tf.errors.InvalidArgumentError, match="must fit"):
            call(name, [*shapes[:-1], wrong])


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    "label", [-1, 3, 2**31, 2**32, -(2**32), 2**62, 2**63 - 1, -(2**63)]
)
def test_class_indices_out_of_range(label, task):
    name = f"SparseSoftmax{task}"
    changes = {"_0": tf.constant([0, label], tf.int64)}
    if task == "MeanGradient":
        changes["_2"] = tf.constant(2.0)  # 1 hands on what was computed before
    rule = r"labels must lie in \[0, the number of classes\), got values from"
    with pytest.raises(tf.errors.InvalidArgumentError, match=rule):
        call(name, shapes_of(name), **changes)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1.0, 1e38, 1e-45])
def test_any_number_in_any_input(name, value):
    for position, shape in enumerate(shapes_of(name)):
        if position == 0 and loss_of(name) == "SparseSoftmax":
            continue  # of integers
        try:
            call(name, shapes_of(name), **{f"_{position}": tf.fill(shape, value)})
        except tf.errors.InvalidArgumentError as error:
            assert "must" in str(error)
            assert position != 1


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "bool", "string"])
def test_dtypes_that_do_not_fit(name, dtype):
    """Of one input alone; class indices are of int64, and the rest of float32."""
    for position, shape in enumerate(shapes_of(name)):
        alone = (name, position) in [("SparseSoftmax", 1), ("SparseSoftmaxMean", 1)]
        if alone and dtype == "float64":
            continue  # nothing else has to be of the dtype of the logits
        value = (
            tf.fill(shape, "a") if dtype == "string" else tf.cast(tf.ones(shape), dtype)
        )
        with pytest.raises(REFUSED):
            call(name, shapes_of(name), **{f"_{position}": value})


@pytest.mark.parametrize("rank", [5, 8, 100, 254])
@pytest.mark.parametrize("name", OPERATIONS)
def test_many_axes(name, rank):
    """254 are the most that a tensor can have."""
    shapes = shapes_of(name, (*[1] * (rank - 2), 2, 3))
    assert_finite(call(name, shapes))
    shapes[0] = shapes[0][:-1]
    with pytest.raises(tf.errors.InvalidArgumentError, match="must fit"):
        call(name, shapes)


@pytest.mark.parametrize("size", [2**31, 2**40])
@pytest.mark.parametrize("loss", LOSSES)
def test_no_rows_of_a_huge_size(loss, size):
    """There is nothing to read or to write; memory for one row may be asked for."""
    for name in (loss, f"{loss}Mean"):
        try:
            *_, last = call(name, shapes_of(name, (0, size)))
        except tf.errors.ResourceExhaustedError as error:
            assert "no memory for" in str(error)
            continue
        assert tf.size(last) == 0


@pytest.mark.parametrize("name", OPERATIONS)
def test_symbolic_shapes(name):
    """Traced without any shape, or with one that is wrong in its rank."""
    first = tf.int64 if loss_of(name) == "SparseSoftmax" else tf.float32
    shapes = shapes_of(name)
    for of_logits in (None, [None, None], [None, 3], [2, None], []):
        signature = [tf.TensorSpec(None, first), tf.TensorSpec(of_logits, tf.float32)]
        signature += [tf.TensorSpec(None, tf.float32) for _ in shapes[2:]]
        operation = _gradients.operation(name)
        traced = tf.function(lambda *inputs, op=operation: op(*inputs))
        try:
            concrete = traced.get_concrete_function(*signature)
        except ValueError as error:
            assert of_logits == []
            assert "Shape must be at least rank 1" in str(error)
            continue
        results = tf.nest.flatten(concrete.structured_outputs)
        for got, eager in zip(results, call(name, shapes), strict=True):
            assert got.shape.is_compatible_with(eager.shape) or of_logits == []
