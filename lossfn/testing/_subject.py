"""The loss that is checked, with what it is meant to be, and how it is measured."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from lossfn.testing._loss import (
    Loss,
    NoGradientError,
    NoNumbersError,
    as_losses,
    gradient_of,
    tensors,
)
from lossfn.testing._outcomes import FaultError
from lossfn.testing._tasks import Example, Task

# Where the library itself works in float64, differences of the loss have this step.
STEP = 1e-5
# A loss that is computed in float32 needs wider steps, and allows coarser comparisons.
COARSE_STEP = 1e-2
# Of a message of someone else's, as many characters as a report shows.
LONGEST = 160


class Measured(NamedTuple):
    """The losses of a batch and the gradient of their sum, as NumPy float64 arrays."""

    losses: np.ndarray
    gradient: np.ndarray


class Subject:
    """A loss under test."""

    def __init__(
        self,
        loss: Loss,
        task: Task,
        *,
        target: object,
        zero_at_perfect: bool,
        bounded: bool,
        reduction: str | None,
    ):
        """Hold the loss and what it is meant to be."""
        self.loss, self.task = loss, task
        self.target, self.zero_at_perfect = target, zero_at_perfect
        self.bounded, self.reduction = bounded, reduction
        # The last input, for the report when the loss raises.
        self.last: Example | None = None

    # --- calls -------------------------------------------------------------------

    def losses(self, example: Example, dtype: str = "float32") -> tf.Tensor:
        """Call the loss eagerly and return its result as a tensor."""
        return as_losses(self.loss(*self.as_tensors(example, dtype)))

    def measured(
        self,
        example: Example,
        dtype: str = "float32",
        function: Callable | None = None,
        *,
        zero_if_none: bool = False,
    ) -> Measured:
        """Call the loss, or a function made of it, and differentiate."""
        loss = self.loss if function is None else function
        losses, gradient = gradient_of(
            loss, *self.as_tensors(example, dtype), zero_if_none=zero_if_none
        )
        return Measured(in_float64(losses), in_float64(gradient))

    def as_tensors(
        self, example: Example, dtype: str = "float32"
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return labels and predictions in a dtype, and remember them."""
        y_true, y_pred = tensors(*example, dtype)
        self.last = Example(y_true.numpy(), y_pred.numpy())
        return y_true, y_pred

    def as_called(self, example: Example | None, dtype: str | None) -> Example:
        """Return an example in a dtype, or in that of the last call."""
        if example is None or self.last is None:
            return Example(None, None)
        dtype = self.last.y_pred.dtype.name if dtype is None else dtype
        return Example(*(tensor.numpy() for tensor in tensors(*example, dtype)))

    # --- one example, as exactly as the loss allows -------------------------------

    @functools.cached_property
    def dtype(self) -> str:
        """The dtype to measure in: float64, unless the loss does not take it."""
        try:
            self.losses(self.task.batch(4), "float64")
        except Exception:
            return "float32"
        return "float64"

    @functools.cached_property
    def exact(self) -> bool:
        """Whether float64 predictions are computed with in float64."""
        y_true, y_pred = self.task.batch(1)
        return self._sees_small_changes(lambda factor: (y_true, y_pred * factor))

    @functools.cached_property
    def exact_in_labels(self) -> bool:
        """Whether float64 labels are, where they may be any number."""
        y_true, y_pred = self.task.batch(1)
        return self.task.label != "number" or self._sees_small_changes(
            lambda factor: (y_true * factor, y_pred)
        )

    def _sees_small_changes(self, changed: Callable) -> bool:
        """Compare a difference quotient over a step that float32 can see and not."""
        if self.dtype != "float64":
            return False
        quotients = [
            (
                self.total(Example(*changed(1 + step)))
                - self.total(Example(*changed(1 - step)))
            )
            / (2 * step)
            for step in (1e-3, 1e-8)
        ]
        return bool(np.isclose(*quotients, rtol=1e-2, atol=1e-5))

    @property
    def step(self) -> float:
        """The step of differences."""
        return STEP if self.exact else COARSE_STEP

    @property
    def tolerance(self) -> float:
        """What a gradient may differ by from differences, relative to it or to 1."""
        return 1e-4 if self.exact else 3e-2

    def total(self, example: Example) -> float:
        """Return the loss of one example, summed over its outputs."""
        return float(in_float64(self.losses(example, self.dtype)).sum())

    def totals(self, examples: Example) -> np.ndarray:
        """Return the loss of each example of a batch, as if each were alone."""
        if self.separable:
            losses = rows(in_float64(self.losses(examples, self.dtype)))
            # A loss may have as many numbers whatever the batch is.
            if len(losses) == len(examples.y_pred):
                return losses
        return np.array([self.total(example) for example in singles(examples)])

    @functools.cached_property
    def separable(self) -> bool:
        """Whether a batch has the losses that its examples have alone."""
        batch = self.task.batch(4)
        try:
            losses = in_float64(self.losses(batch, self.dtype))
            if not self.one_for_each(losses.shape, 4):
                return False
            alone = [self.total(example) for example in singles(batch)]
        except Exception:
            return False
        return bool(np.allclose(rows(losses), alone, rtol=1e-6))

    def gradient(self, example: Example) -> np.ndarray:
        """Return the gradient of one example, in float64."""
        return self.measured(example, self.dtype).gradient

    def gradients(self, examples: Example) -> np.ndarray:
        """Return the gradient of each example of a batch, as if each were alone."""
        if self.separable:
            return self.gradient(examples)
        return np.concatenate([self.gradient(each) for each in singles(examples)])

    # --- what is known of the result ---------------------------------------------

    def one_for_each(self, shape: tuple[int, ...], count: int) -> bool:
        """Whether a result has one loss for each example, or for each output."""
        outputs = self.task.outputs
        return shape == (count,) or (
            self.task.elementwise and shape == (count, outputs)
        )


def in_float64(tensor: tf.Tensor) -> np.ndarray:
    """Return a tensor as NumPy float64, bfloat16 too."""
    return tf.cast(tensor, tf.float64).numpy()


def rows(losses: np.ndarray) -> np.ndarray:
    """Return one number for each example: the sum over its outputs."""
    return losses.reshape(losses.shape[0], -1).sum(1)


def part(examples: Example, rows: list[int]) -> Example:
    """Return the batch of some of the examples, in this order."""
    return Example(examples.y_true[rows], examples.y_pred[rows])


def singles(examples: Example) -> list[Example]:
    """Return each example as a batch of one."""
    return [part(examples, [row]) for row in range(len(examples.y_pred))]


def joined(examples: list[Example]) -> Example:
    """Return one batch of several."""
    return Example(*(np.concatenate(parts) for parts in zip(*examples, strict=True)))


def raises(error: BaseException) -> str:
    """Say what the loss did: it raises an error, or gives no numbers."""
    if isinstance(error, NoNumbersError):
        return str(error)
    return f"raises {one_line(error)}"


def one_line(error: BaseException) -> str:
    """Write an exception in one line, without what differs between machines."""
    if isinstance(error, NoGradientError | FaultError):
        return str(error)
    name = type(error).__name__
    line = _telling_line(_message(error), name)
    line = re.sub(r" for '\{\{node [^']*'", "", line)
    line = re.sub(r"\{\{.*?\}\} ?|\[Op:.*|<[^>]* at 0x[^>]*>", "", line).strip()
    # TensorFlow numbers its graphs, and XLA those that it was given.
    line = re.sub(r" graph __inference_[^\s\[]+\[.*?\] on \w+", "", line)
    line = re.sub(r"__(?:inference|forward|backward)_([^\s\[]+?)_\d+\b", r"\1", line)
    line = line.removeprefix(f"{name}: ")
    text = f"{name}: {line}" if line else name
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()} ..."


def _telling_line(message: str, name: str) -> str:
    """Return the line that says what happened; others say where."""
    lines = [line.strip() for line in message.splitlines() if line.strip()] or [""]
    encountered = "Exception encountered: "
    if lines[0] == "in user code:":
        # AutoGraph puts the user's frames first, and then the error.
        return ([line for line in lines if line.startswith(f"{name}: ")] or lines)[-1]
    if lines[0] == "Graph execution error:":
        where = ("Detected at node", 'File "', "<stack traces unavailable>")
        return next((line for line in lines[1:] if not line.startswith(where)), "")
    if lines[-1].startswith(encountered):
        # Keras puts the config first.
        return lines[-1].removeprefix(encountered)
    return lines[0]


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        # An error that cannot be written is known by its name.
        return ""
