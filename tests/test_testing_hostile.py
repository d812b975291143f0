"""check_loss survives whatever it is given as a loss, and says what is wrong."""

from __future__ import annotations

import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from lossfn.testing import check_loss
from lossfn.testing._subject import one_line


def squared(y_true, y_pred):
    tf.debugging.assert_equal(tf.rank(y_true), tf.rank(y_pred))
    tf.debugging.assert_equal(tf.shape(y_true), tf.shape(y_pred))
    return tf.square(y_true - y_pred)


class UnwritableError(Exception):
    def __str__(self):
        raise RuntimeError("not even that")


def raising(error):
    def loss(y_true, y_pred):
        raise error

    return loss


def endless(y_true, y_pred):
    return endless(y_true, y_pred)


async def waiting(y_true, y_pred):
    return squared(y_true, y_pred)


def one_by_one(y_true, y_pred):
    yield squared(y_true, y_pred)


def giving(convert):
    return lambda y_true, y_pred: convert(squared(y_true, y_pred))


# What runs says of a loss that does not run.
NOT_RUNNING = {
    "none": (giving(lambda x: None), "It gave None, not a tensor."),
    "dict": (giving(lambda x: {"loss": x}), "It gave a dict, not a tensor."),
    "object": (giving(lambda x: object()), "It gave an object, not a tensor."),
    "text": (
        giving(lambda x: "0.5"),
        "It gave a tensor of string, not of real numbers.",
    ),
    "generator": (one_by_one, "It gave a generator, not a tensor."),
    "ragged": (
        giving(tf.RaggedTensor.from_tensor),
        "It gave a RaggedTensor, not a tensor.",
    ),
    "sparse": (giving(tf.sparse.from_dense), "It gave a SparseTensor, not a tensor."),
    "keras_tensor": (
        giving(lambda x: keras.KerasTensor(x.shape)),
        "It gave a KerasTensor, not a tensor.",
    ),
    "uneven": (giving(lambda x: [x, x[:1]]), "It gave a list, not a tensor."),
    "integers": (
        giving(lambda x: tf.cast(x, tf.int32)),
        "It gave a tensor of int32, not of real numbers.",
    ),
    "booleans": (
        giving(lambda x: x > 1),
        "It gave a tensor of bool, not of real numbers.",
    ),
    "complex": (
        giving(lambda x: tf.cast(x, tf.complex64)),
        "It gave a tensor of complex64, not of real numbers.",
    ),
    "random": (
        giving(lambda x: x * tf.random.uniform([])),
        "Two calls with the same labels and predictions gave different losses.",
    ),
    "no_arguments": (
        lambda: 0.0,
        "It raises TypeError: <lambda>() takes 0 positional arguments but 2 were given",
    ),
    "weights_needed": (
        lambda y_true, y_pred, sample_weight: 0.0,
        "It raises TypeError: <lambda>() missing 1 required positional argument: "
        "'sample_weight'",
    ),
    "exit": (raising(SystemExit(3)), "It raises SystemExit: 3"),
    "unwritable": (raising(UnwritableError()), "It raises UnwritableError"),
    "long": (
        raising(ValueError("x" * 1000)),
        f"It raises ValueError: {'x' * (160 - len('ValueError: '))} ...",
    ),
    "recursion": (
        endless,
        "It raises RecursionError: maximum recursion depth exceeded",
    ),
    "base": (keras.losses.Loss(), "It raises NotImplementedError"),
}


@pytest.mark.parametrize("name", NOT_RUNNING)
def test_a_loss_that_does_not_run_is_told_why(name):
    loss, seen = NOT_RUNNING[name]
    report = check_loss(loss, task="regression")
    assert report["runs"].status == "failed"
    # Python says more of a recursion in some releases.
    assert report["runs"].seen.startswith(seen)
    assert {result.status for result in report if result.name != "runs"} == {
        "not applicable"
    }
    assert report["finite"].seen == "the loss does not run"


@pytest.mark.filterwarnings("ignore:coroutine")
def test_a_coroutine_is_no_tensor():
    report = check_loss(waiting, task="regression", checks=["runs"])
    assert report["runs"].seen == "It gave a coroutine, not a tensor."


def test_a_loss_that_does_not_run_is_told_so_whatever_is_asked():
    report = check_loss(raising(ValueError("no")), task="regression", checks=["finite"])
    assert [(result.name, result.status) for result in report] == [
        ("runs", "failed"),
        ("finite", "not applicable"),
    ]


def test_a_loss_that_gives_none_for_one_example_is_told_so():
    def sometimes(y_true, y_pred):
        return squared(y_true, y_pred) if len(y_pred) > 1 else None

    report = check_loss(sometimes, task="regression", checks=["gradient"])
    assert report["gradient"].seen == "It gave None, not a tensor"


def failures(loss, **options) -> set[str]:
    options = {"task": "regression", **options}
    return {result.name for result in check_loss(loss, **options).failures}


# Strange, but a loss: what there is to say, and no more.
STRANGE = {
    "list": (
        giving(lambda x: [x]),
        {"one_value_per_example", "sample_weights"},
    ),
    "numpy": (
        lambda y_true, y_pred: np.square(y_true.numpy() - y_pred.numpy()),
        {"no_broadcast", "gradient", "modes_agree"},
    ),
    "variable": (giving(tf.Variable), {"gradient", "modes_agree"}),
    "transposed": (
        giving(tf.transpose),
        {"one_value_per_example", "sample_weights"},
    ),
    "py_function": (
        lambda y_true, y_pred: tf.py_function(squared, [y_true, y_pred], y_pred.dtype),
        {"second_derivative", "modes_agree"},
    ),
    "many_arguments": (lambda *both: squared(*both), set()),
    "frozen_in_float32": (
        tf.function(squared, input_signature=[tf.TensorSpec([None, 1])] * 2),
        {"finite_16_bits", "dtype_kept"},
    ),
    "seeding": (
        lambda *both: tf.random.set_seed(1) or squared(*both),
        set(),
    ),
    "attributes": (
        lambda y_true, y_pred: setattr(y_pred, "seen", True) or squared(y_true, y_pred),
        set(),
    ),
    "swallowing": (
        lambda y_true, y_pred: tf.square(tf.reshape(y_true, tf.shape(y_pred)) - y_pred),
        set(),
    ),
    "metric": (  # it goes on with what it has added up
        keras.metrics.MeanSquaredError(),
        {"runs"},
    ),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_loss_is_told_what_is_wrong_with_it(name):
    loss, expected = STRANGE[name]
    assert failures(loss) == expected


def test_a_loss_may_use_a_model():
    model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[2.0]])])

    def of_features(y_true, y_pred):
        return tf.square(model(y_true) - model(y_pred))

    # A model of float32 gives float32, and the loss takes shapes as the model does.
    assert failures(of_features) - {"no_broadcast", "no_broadcast_unknown_shapes"} == {
        "dtype_kept",
        "float64_precision",
    }


def test_a_loss_whose_size_is_that_of_a_batch_it_saw_once():
    def always_four(y_true, y_pred):
        return tf.zeros([4, 1]) * tf.reduce_sum(y_pred)

    report = check_loss(always_four, task="regression", checks=["least_at_target"])
    assert report["least_at_target"].seen.startswith("With a certain outcome 0.5, the")


# --- Keras classes ---------------------------------------------------------------


class Needing(keras.Loss):
    """Its parameters are not attributes of their names."""

    def __init__(self, low, *, high, **keywords):
        super().__init__(**keywords)
        self.bounds = low, high

    def call(self, y_true, y_pred):
        return tf.reduce_mean(squared(y_true, y_pred), axis=-1)


class Frozen(Needing):
    """What it is made with is lost, and cannot be set."""

    def __setattr__(self, name, value):
        if "bounds" in vars(self):
            raise RuntimeError("frozen")
        super().__setattr__(name, value)


class OtherCall(Needing):
    def __call__(self, y_true, y_pred):
        return tf.reduce_mean(self.call(y_true, y_pred))


class NotInitialised(Needing):
    def __init__(self):
        pass


class Counting(Needing):
    calls = 0

    def call(self, y_true, y_pred):
        self.calls += 1
        return self.calls * super().call(y_true, y_pred)


def with_reduction(loss, reduction):
    loss.reduction = reduction
    return loss


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (Needing(1, high=2), {"save_and_load"}),
        (Frozen(1, high=2), {"save_and_load"}),
        (
            OtherCall(1, high=2),
            {"save_and_load", "sample_weights", "one_value_per_example"},
        ),
        (Counting(1, high=2), {"runs"}),
        (NotInitialised(), {"runs"}),
        (
            with_reduction(Needing(1, high=2), "strange"),
            {"save_and_load", "sample_weights", "replicas_add_up"},
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_strange_class_is_told_what_is_wrong_with_it(loss, expected):
    assert failures(loss) == expected


def test_a_class_is_not_changed_by_the_checks():
    loss = Needing(1, high=2, reduction="sum", name="mine")
    before = dict(vars(loss))
    check_loss(loss, task="regression")
    assert vars(loss) == before


# --- time ------------------------------------------------------------------------


def test_a_loss_that_never_ends_is_given_up():
    def forever(y_true, y_pred):
        while True:
            pass

    report = check_loss(forever, task="regression", time_limit=0.2)
    assert report["runs"].status == "failed"
    assert report["runs"].seen == "It was not done after 0.2 s."
    assert report["runs"].y_pred.shape == (4, 1)
    assert "time_limit" in report["runs"].mend
    assert report["finite"].status == "not applicable"
    assert report["finite"].seen == "the time was up"
    assert len(report) == 24


def test_a_loss_that_never_ends_for_one_example_keeps_the_results_before():
    def sometimes(y_true, y_pred):
        while len(y_pred) == 1:
            pass
        return squared(y_true, y_pred)

    asked = ["runs", "one_value_per_example", "finite", "gradient"]
    check_loss(squared, task="regression", checks=asked)  # TensorFlow has started
    report = check_loss(sometimes, task="regression", checks=asked, time_limit=1.0)
    statuses = [result.status for result in report]
    assert statuses == ["passed", "passed", "failed", "not applicable"]
    assert report["finite"].seen == "It was not done after 1 s."
    assert report["finite"].y_pred.shape == (1, 1)


def test_a_bare_except_does_not_swallow_the_end_of_time():
    swallowed = []

    def stubborn(y_true, y_pred):
        try:
            while True:
                pass
        except BaseException:
            swallowed.append(True)
        while True:
            pass

    report = check_loss(stubborn, task="regression", checks=["runs"], time_limit=0.1)
    assert swallowed
    assert report["runs"].seen == "It was not done after 0.1 s."


# --- many outputs ----------------------------------------------------------------


@pytest.mark.parametrize("task", ["sparse_logits", "onehot_probabilities"])
def test_a_thousand_classes_take_as_few_calls_as_twelve(task):
    calls = []

    def loss(y_true, y_pred):
        calls.append(True)
        log = tf.nn.log_softmax(y_pred) if "logits" in task else tf.math.log(y_pred)
        if task.startswith("sparse"):
            return -tf.gather(log, y_true, batch_dims=1)
        return -tf.reduce_sum(tf.math.multiply_no_nan(log, y_true), axis=-1)

    asked = ["gradient", "gradient_at_kinks", "zero_at_perfect"]
    asked += ["least_at_target"] if task.startswith("sparse") else []
    counts = []
    for outputs in (12, 1000):
        report = check_loss(loss, task=task, outputs=outputs, checks=asked)
        assert report.passed, str(report)
        counts.append(len(calls))
        calls.clear()
    assert counts[0] == counts[1]


# --- what an error says ----------------------------------------------------------


def error_of(call) -> Exception:
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("it did not raise")


def assert_negative(x):
    tf.debugging.assert_less(x, 0.0, message="must be negative")
    return x


def of_another_shape(x):
    return x + tf.ones([3, 3])


def two_lines(x):
    raise ValueError("the first line\nthe second")


def numpy_error(x):
    return tf.numpy_function(lambda array: 1 // 0, [x], tf.float32)


def traced(function):
    spec = tf.TensorSpec([None, 1])
    return tf.function(function).get_concrete_function(spec)(tf.ones([2, 1]))


ERRORS = {
    "plain": (lambda: {}["key"], "KeyError: 'key'"),
    "empty": (lambda: next(iter(())), "StopIteration"),
    "address": (
        lambda: object() + 1,
        "TypeError: unsupported operand type(s) for +: 'object' and 'int'",
    ),
    "eager": (
        lambda: of_another_shape(tf.ones([2, 2])),
        "InvalidArgumentError: Incompatible shapes: [2,2] vs. [3,3]",
    ),
    "tracing": (
        lambda: traced(
            lambda x: of_another_shape(tf.ensure_shape(x, [2, 1]) @ [[1.0, 2.0]])
        ),
        "ValueError: Dimensions must be equal, but are 2 and 3 with input shapes: "
        "[2,2], [3,3].",
    ),
    "tracing-two_lines": (lambda: traced(two_lines), "ValueError: the first line"),
    "running": (
        lambda: traced(assert_negative),
        "InvalidArgumentError: assertion failed: [must be negative]",
    ),
    "running-numpy": (
        lambda: traced(numpy_error),
        "UnknownError: ZeroDivisionError: integer division or modulo by zero",
    ),
    "xla": (
        lambda: tf.function(numpy_error, jit_compile=True)(tf.ones([2, 1])),
        "InvalidArgumentError: Detected unsupported operations when trying to compile: "
        "PyFunc (No registered 'PyFunc' OpKernel",
    ),
    "keras": (
        lambda: keras.losses.get("nothing"),
        "ValueError: Could not interpret loss identifier: nothing",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_told_in_one_line(name):
    call, expected = ERRORS[name]
    line = one_line(error_of(call))
    assert line.startswith(expected)
    assert len(line) <= 164
    for machine in ("0x", 'File "', "__inference", "{{", "[Op:", "\n"):
        assert machine not in line


def test_an_object_is_told_without_its_address():
    error = ValueError(f"cannot use {object()!r} here [Op:Add]")
    assert one_line(error) == "ValueError: cannot use  here"


def test_the_recursion_limit_stays():
    limit = sys.getrecursionlimit()
    check_loss(endless, task="regression", checks=["runs"])
    assert sys.getrecursionlimit() == limit
