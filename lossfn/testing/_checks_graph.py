"""Checks of how the loss runs: eagerly, in a graph, under XLA."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from lossfn.testing._loss import gradient_of, signature_of
from lossfn.testing._outcomes import FaultError, check, number
from lossfn.testing._subject import Measured, Subject, in_float64, joined, raises
from lossfn.testing._tasks import Example


@check(
    chapter="09-source-classifier",
    mend="Use tf.shape(y_pred)[0] for the batch size, tf.where or tf.cond for choices, "
    "and TensorFlow operations instead of NumPy and Python loops.",
)
def modes_agree(subject: Subject) -> None:
    """Do eager execution, a graph and XLA give the same?

    You try a loss eagerly; fit runs it in a graph that does not know the batch size,
    and jit_compile=True compiles that. NumPy, len() and .numpy() work in the first and
    not in the others, and simplifications of the graph can change numbers.
    """
    batch = _batch_with_mistakes(subject)
    # That there is a gradient has a check of its own.
    eager = subject.measured(batch, zero_if_none=True)
    for mode, function in _modes(subject, batch):
        try:
            losses, gradient = (in_float64(tensor) for tensor in function())
        except Exception as error:
            raise FaultError(f"{mode} it {raises(error)}", batch) from None
        _same(Measured(losses, gradient), eager, mode, batch)


def _batch_with_mistakes(subject: Subject) -> Example:
    """Return ordinary examples and two that are very wrong."""
    wrong = [worse for _, worse in subject.task.wrong()][:2]
    return joined([subject.task.batch(4), *wrong])


def _modes(
    subject: Subject, batch: Example
) -> Iterator[tuple[str, Callable[[], tuple[tf.Tensor, tf.Tensor]]]]:
    y_true, y_pred = subject.as_tensors(batch)
    unknown = [
        tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype)
        for tensor in (y_true, y_pred)
    ]

    def both(y_true: tf.Tensor, y_pred: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return gradient_of(subject.loss, y_true, y_pred, zero_if_none=True)

    def graph() -> tuple[tf.Tensor, tf.Tensor]:
        return tf.function(both).get_concrete_function(*unknown)(y_true, y_pred)

    def compiled() -> tuple[tf.Tensor, tf.Tensor]:
        traced = tf.function(both, jit_compile=True)
        return traced.get_concrete_function(y_true, y_pred)(y_true, y_pred)

    yield "In a tf.function that does not know the batch size,", graph
    yield "Under XLA", compiled


def _same(found: Measured, eager: Measured, mode: str, batch: Example) -> None:
    pairs = zip(("loss", "gradient"), found, eager, strict=True)
    for what, values, expected in pairs:
        if values.shape != expected.shape:
            raise FaultError(
                f"{mode} the {what} has another shape than eagerly.", batch
            )
        if np.allclose(values, expected, rtol=1e-4, atol=1e-6, equal_nan=True):
            continue
        differ = ~np.isclose(values, expected, rtol=1e-4, atol=1e-6, equal_nan=True)
        where = tuple(np.argwhere(differ)[0])
        example = Example(*(a[where[:1]][None] for a in batch)) if where else batch
        raise FaultError(
            f"{mode} the {what} is {number(values[where])}, and eagerly "
            f"{number(expected[where])}.",
            example,
        )


@check(
    chapter="17-pitfalls",
    mend="Leave tf.function to the training step. Where the loss is one, pass numbers "
    "that change as tensors, and make it once, outside.",
)
def no_retracing(subject: Subject) -> None:
    """Do new batches and new values of a parameter build no new graph?

    A tf.function traces again for every new Python number, and one that is made inside
    the loss traces at every call: each costs a thousand times the loss.
    """
    subject.losses(subject.task.batch(4))
    built = _graphs_built(lambda: subject.losses(subject.task.batch(4, seed=1)))
    if built:
        raise FaultError(
            "A second batch of the same shape builds a new graph.",
            subject.task.batch(4, seed=1),
        )
    y_true, y_pred = subject.as_tensors(subject.task.batch(4))
    for name, value in _numeric_parameters(subject):
        for changed in (value + 1e-3, value - 1e-3):
            parameters = {**subject.loss.parameters, name: changed}

            def call(parameters: dict[str, object] = parameters) -> None:
                try:
                    subject.loss.with_parameters(y_true, y_pred, **parameters)
                except Exception:
                    # The changed value may be one that it rightly refuses.
                    return

            if _graphs_built(call):
                raise FaultError(
                    f"The value {changed:g} of {name} instead of {value:g} builds a "
                    "new graph."
                )


def _numeric_parameters(subject: Subject) -> Iterator[tuple[str, float]]:
    if subject.loss.keras is not None:
        return
    defaults = {
        name: parameter.default
        for name, parameter in signature_of(subject.loss.function).items()
    }
    for name, value in {**defaults, **subject.loss.parameters}.items():
        if type(value) is float:
            yield name, value


def _graphs_built(call: Callable[[], object]) -> int:
    """Count the graphs that are made during a call.

    Every tf.function makes one for each trace, wherever in the loss it stands. The
    profiler sees each call of a Python function, the making of a graph among them.
    """
    made = tf.__internal__.FuncGraph.__init__.__code__
    count = 0

    def watch(frame: object, event: str, _: object) -> None:
        nonlocal count
        count += event == "call" and frame.f_code is made

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        call()
    finally:
        sys.setprofile(before)
    return count
