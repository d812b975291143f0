"""Bad input to lossfn.native: the errors of the twins, and those of a running graph."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from lossfn import native
from tests import test_losses_errors, test_nn_errors
from tests.cases import SIGMOID, SOFTMAX, SPARSE, WEIGHTED, as_tensors
from tests.native_cases import FIVE, AnyCase, form, ids, native_loss, tensors_of
from tests.test_nn_errors_graph import (
    UNKNOWN_SHAPES,
    VALUES_IN_GRAPHS,
    Z23,
    arguments_in_graphs,
)

Function = Callable[..., tf.Tensor]


def function_of(name: str, form: str) -> Function:
    return getattr(native, f"{'mean_' * (form == 'mean')}{name}")


# --- what is seen when a loss is called or traced: the tables of the twins ---------


def of_newsvendor(errors: list) -> list[tuple]:
    """Return the rows of a table of test_losses_errors that are of the newsvendor."""
    rows = []
    for function, y_true, y_pred, parameters, error, message in (
        each.values for each in errors if each.values[0] == "newsvendor"
    ):
        arguments = {"y_true": y_true, "y_pred": y_pred}
        arguments |= {"underage_cost": 1.0, "overage_cost": 1.0, **parameters}
        rows.append((function, arguments, error, message))
    return rows


def of_cross_entropies(errors: list[tuple]) -> list[tuple]:
    """Return a table of test_nn_errors with the weight that it leaves out."""
    return [
        (name, {**({"pos_weight": 2.0} if name == WEIGHTED else {}), **rest}, *more)
        for name, rest, *more in errors
    ]


STATIC = [
    *of_cross_entropies(test_nn_errors.SHAPE_ERRORS + test_nn_errors.DTYPE_ERRORS),
    *of_newsvendor(test_losses_errors.SHAPE_ERRORS + test_losses_errors.DTYPE_ERRORS),
    *of_newsvendor(test_losses_errors.STATIC_PARAMETER_ERRORS),
]
STATIC_IDS = {each.id for each in test_losses_errors.STATIC_PARAMETER_ERRORS}
OF_VALUES = [
    *of_cross_entropies(test_nn_errors.VALUE_ERRORS),
    *of_newsvendor(
        [
            each
            for each in test_losses_errors.PARAMETER_ERRORS
            if each.id not in STATIC_IDS
        ]
    ),
]


def rows_with_ids(rows: list[tuple]) -> list:
    return [pytest.param(*row, id=f"{row[0]}: {row[-1]}") for row in rows]


def test_the_tables_are_not_empty():
    """A filter of the newsvendor's rows that finds none would test nothing."""
    for rows in (STATIC, OF_VALUES):
        names = {row[0] for row in rows}
        assert names == {"newsvendor", SOFTMAX, SPARSE, SIGMOID, WEIGHTED}


@form
@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"), rows_with_ids(STATIC + OF_VALUES)
)
def test_eager(name, arguments, error, message, form):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        function_of(name, form)(**arguments)


@form
@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"), rows_with_ids(STATIC)
)
def test_tracing(name, arguments, error, message, form):
    """What is known when a function is traced is refused then, in the same words."""

    @tf.function(autograph=False)
    def traced() -> tf.Tensor:
        return function_of(name, form)(**arguments)

    with pytest.raises(error, match=f"(^|\n|: ){re.escape(message)}\n*$"):
        traced()


@form
@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_arguments_are_keyword_only(case, form):
    arguments = list(tensors_of(case, seed=1).values())
    most = 2 if case.of == "y_pred" else 0
    with pytest.raises(TypeError, match=f"takes {most} positional arguments but"):
        native_loss(case, form)(*arguments)


@form
def test_a_large_batch_is_refused_in_the_words_of_the_twin(form):
    """Beyond 65,536 logits a mean takes another way."""
    labels = np.zeros(3, np.int64)
    labels[2] = 30_000
    message = "labels must lie in [0, 30000), got 30000 at index (2,)"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        function_of(SPARSE, form)(labels=labels, logits=tf.zeros([3, 30_000]))


@form
def test_the_first_of_many_bad_labels_is_named(form):
    labels = np.zeros(100_000, np.int64)
    labels[[777, 99_999]] = [-5, 12]
    message = "labels must lie in [0, 3), got -5 at index (777,)"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        function_of(SPARSE, form)(labels=labels, logits=tf.zeros([100_000, 3]))


@form
def test_a_bad_parameter_of_an_empty_batch(form):
    nothing = tf.zeros([0, 3])
    with pytest.raises(ValueError, match="pos_weight must be positive and finite"):
        function_of(WEIGHTED, form)(labels=nothing, logits=nothing, pos_weight=-1.0)
    costs = {"underage_cost": np.nan, "overage_cost": 1.0}
    with pytest.raises(ValueError, match="underage_cost must be positive and finite"):
        function_of("newsvendor", form)(nothing, nothing, **costs)


# --- what only a running graph sees -------------------------------------------------


def refused(message: str):
    """Expect an error of an operation, with these words and no others."""
    match = f"(^|}}}} |\n){re.escape(message)}\n\t \\[\\[\\{{\\{{node Lossfn"
    return pytest.raises(tf.errors.InvalidArgumentError, match=match)


@form
@pytest.mark.parametrize("key", VALUES_IN_GRAPHS)
def test_values_in_a_graph(key, form):
    name, labels, rule, _ = VALUES_IN_GRAPHS[key]
    rule = rule.replace("3)", "the number of classes)")
    low, high = labels.min(), labels.max()
    with refused(f"labels must {rule}, got values from {low:g} to {high:g}"):
        tf.function(function_of(name, form))(**arguments_in_graphs(name, labels))


@form
@pytest.mark.parametrize("value", [0.0, -1.0, np.inf])
@pytest.mark.parametrize("name", ["pos_weight", "underage_cost", "overage_cost"])
def test_parameters_in_a_graph(name, value, form):
    """A scalar, and one for each column."""
    function, arguments = WEIGHTED, arguments_in_graphs(WEIGHTED, Z23)
    if name != "pos_weight":
        function, arguments = "newsvendor", {"y_true": Z23, "y_pred": Z23}
        arguments |= {"underage_cost": 1.0, "overage_cost": 1.0}
    loss = function_of(function, form)
    run = tf.function(lambda arguments: loss(**arguments))
    message = f"{name} must be positive and finite, got values from"
    with refused(f"{message} {value:g} to {value:g}"):
        run({**arguments, name: tf.constant(value)})
    low, high = min(1, value), max(1, value)
    with refused(f"{message} {low:g} to {high:g}"):
        run({**arguments, name: tf.constant([1.0, value, 1.0])})


@form
def test_a_parameter_that_is_nan_in_a_graph(form):
    run = tf.function(function_of(WEIGHTED, form))
    arguments = arguments_in_graphs(WEIGHTED, Z23)
    with refused("pos_weight must be positive and finite, got values from nan to nan"):
        run(**{**arguments, "pos_weight": tf.constant(np.nan)})


@form
@pytest.mark.parametrize("at", [0, 40_000, 299_999])
def test_a_bad_value_is_found_by_whichever_thread(at, form):
    labels = np.zeros(300_000, np.float32)
    labels[at] = 1.5
    with refused("labels must lie in [0, 1], got values from 0 to 1.5"):
        tf.function(function_of(SIGMOID, form))(labels=labels, logits=labels)


def unknown(name: str, form: str, **options: object) -> Function:
    """Return a loss that knows no shape when it is traced."""
    floats = tf.TensorSpec(None, tf.float32)
    signature = {
        "labels": tf.TensorSpec(None, tf.int64) if name == SPARSE else floats,
        "logits": floats,
    }
    if name == WEIGHTED:
        signature["pos_weight"] = floats
    if name == "newsvendor":
        names = ("y_true", "y_pred", "underage_cost", "overage_cost")
        signature = dict.fromkeys(names, floats)
    loss = function_of(name, form)
    return tf.function(
        lambda arguments: loss(**arguments, **options), input_signature=[signature]
    )


@form
@pytest.mark.parametrize(("name", "labels", "logits"), UNKNOWN_SHAPES)
def test_unknown_shapes_that_differ(name, labels, logits, form):
    if (name, labels) == (SOFTMAX, ()):
        return  # its classes are looked for first: see the next test but one
    arguments = {
        "labels": np.zeros(labels, np.int64 if name == SPARSE else np.float32),
        "logits": np.zeros(logits, np.float32),
    }
    if name == WEIGHTED:
        arguments["pos_weight"] = np.float32(2)
    with refused(f"labels must fit logits, got shapes {labels} and {logits}"):
        unknown(name, form)(as_tensors(arguments, "float32"))


@form
def test_unknown_shapes_of_a_demand_and_an_order(form):
    arguments = {"y_true": tf.zeros([4, 1]), "y_pred": tf.zeros([4, 4])}
    arguments |= {"underage_cost": tf.constant(1.0), "overage_cost": tf.constant(1.0)}
    with refused("y_true must fit y_pred, got shapes (4, 1) and (4, 4)"):
        unknown("newsvendor", form)(arguments)


def asserted(message: str):
    """Expect an error of an assertion that stands before the operation."""
    return pytest.raises(
        tf.errors.InvalidArgumentError,
        match=re.escape(f"assertion failed: [{message}"),
    )


@form
@pytest.mark.parametrize("shape", [(4,), (4, 4), (1, 4, 1)], ids=str)
def test_unknown_shape_of_pos_weight(shape, form):
    arguments = {"labels": tf.zeros([4, 1]), "logits": tf.zeros([4, 1])}
    arguments["pos_weight"] = tf.ones(shape)
    rule = "pos_weight must be a scalar or broadcast to the shape of logits,"
    received = f"[{' '.join(map(str, shape))}]"
    with asserted(f"{rule}] [4 1] [got shape] {received}"):
        unknown(WEIGHTED, form)(arguments)


@form
@pytest.mark.parametrize("name", [SOFTMAX, SPARSE])
def test_unknown_classes_and_axes(name, form):
    def run(shape: tuple[int, ...], **options: int) -> None:
        labels = shape[:-1] if name == SPARSE else shape
        dtype = tf.int64 if name == SPARSE else tf.float32
        arguments = {"labels": tf.zeros(labels, dtype), "logits": tf.zeros(shape)}
        unknown(name, form, **options)(arguments)

    with refused("logits must have at least one class, got shape (2, 0)"):
        run((2, 0))
    rule = "axis must name an axis of logits, got"
    with asserted(f"{rule} -1 for rank] [0]"):
        run(())
    with asserted(f"{rule} 2 for rank] [2]"):
        run((2, 3), axis=2)
    with asserted(f"{rule} -3 for rank] [2]"):
        run((2, 3), axis=-3)


@form
@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_xla_has_no_such_operation(case, form):
    """The function does not compile; the error names the operation."""

    def run(arguments: dict[str, tf.Tensor]) -> tf.Tensor:
        return native_loss(case, form)(**arguments)

    arguments = tensors_of(case, seed=1, dtype="float32")
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=f"No registered '{operation_of(case)}"
    ):
        tf.function(run, jit_compile=True)(arguments)


def operation_of(case: AnyCase) -> str:
    words = {SOFTMAX: "Softmax", SPARSE: "SparseSoftmax", "newsvendor": "Newsvendor"}
    return f"Lossfn{words.get(case.function, 'Sigmoid')}"
