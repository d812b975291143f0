"""The cases of the losses that lossfn.native has, from both tables of cases.

The functions are found in lossfn.native by name: one loss each, or the mean of them.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import tensorflow as tf

from lossfn import native
from lossfn.native import _library
from tests import cases, loss_cases
from tests.cases import Arguments, Case, as_arrays, compiled, label_total, ulp
from tests.loss_cases import LossCase

AnyCase = Case | LossCase
Results = tuple[tf.Tensor, tf.Tensor]

MODES = ["eager", "function", "unknown_batch", "unknown_shape"]  # there is no XLA
NEWSVENDOR = [
    loss_cases.BY_NAME[name] for name in ("newsvendor-scalar", "newsvendor-mixed")
]
CASES: list[AnyCase] = [*cases.CASES, *NEWSVENDOR]
BY_NAME = {case.name: case for case in CASES}
FIVE: list[AnyCase] = [*cases.FOUR, BY_NAME["newsvendor-mixed"]]
WITH_CLASSES = [case for case in CASES if case.has_classes]
OF_SINGLE_LOGITS = [case for case in CASES if not case.has_classes]

FORMS = ["each", "mean"]
form = pytest.mark.parametrize("form", FORMS)


def ids(case: AnyCase) -> str:
    return case.name


def native_loss(case: AnyCase, form: str = "each") -> Callable[..., tf.Tensor]:
    """Return the loss of each example or label, or the mean."""
    return getattr(native, f"{'mean_' * (form == 'mean')}{case.function}")


@functools.cache
def in_mode(
    name: str, mode: str, form: str = "each", *, axis: int | None = None
) -> Callable[[dict[str, tf.Tensor]], Results]:
    """Return a function of arguments that gives value and gradient, in a mode."""
    case = BY_NAME[name]
    options = {} if axis is None else {"axis": axis}

    def run(arguments: dict[str, tf.Tensor]) -> Results:
        loss = native_loss(case, form)
        return cases.value_and_gradient(loss, arguments, of=case.of, **options)

    return compiled(run, mode)


def twin_in_form(
    case: AnyCase, arguments: dict[str, tf.Tensor], form: str = "each"
) -> Results:
    """Return value and gradient of the same loss from TensorFlow primitives."""

    def loss(**arguments: tf.Tensor) -> tf.Tensor:
        losses = case.loss(**arguments)
        return losses if form == "each" else tf.reduce_mean(losses)

    return cases.value_and_gradient(loss, arguments, of=case.of)


def tensors_of(
    case: AnyCase, *, dtype: str = "float64", **options: object
) -> dict[str, tf.Tensor]:
    """Draw arguments as tensors."""
    return cases.as_tensors(case.arguments(dtype=dtype, **options), dtype)


# In ulp of the dtype that the loss is computed in. In float64 the reference is worse:
# it rounds a difference of logits of 100, and exp makes of half an ulp of that 64 ulp.
BUDGET = {"float32": 6, "float64": 128}


def assert_is_right(
    case: AnyCase,
    got: Results,
    arguments: Arguments,
    dtype: str,
    form: str = "each",
    **options: int,
) -> None:
    """Compare with the reference, where a 16-bit result may be rounded only once."""
    is_16_bit = dtype in ("float16", "bfloat16")
    computed_in = "float32" if is_16_bit else dtype
    value, gradient = case.expected(arguments, **options)
    # The ulp of a gradient that is a difference are those of its terms.
    scales = [np.abs(value), largest_term(case, arguments, **options)]
    wanted = [value, gradient]
    if form == "mean":
        count = max(1, value.size)
        wanted = [value.sum() / count, gradient / count]
        scales = [np.abs(wanted[0]), scales[1] / count]
    for array, expected, scale in zip(as_arrays(got), wanted, scales, strict=True):
        assert array.shape == np.shape(expected)
        size = np.maximum(np.abs(expected), scale)
        budget = BUDGET[computed_in] * ulp(size, computed_in)
        budget += (0.5 if is_16_bit else 0.0) * ulp(expected, dtype)
        assert (np.abs(array - expected) <= budget).all(), (array, expected)


def largest_term(case: AnyCase, arguments: Arguments, axis: int = -1) -> np.ndarray:
    """Return what the two terms that a gradient subtracts add up to, at most."""
    if isinstance(case, LossCase):
        return np.float64(0)  # the price of a unit alone
    if case.has_classes and not case.is_sparse:
        return arguments["labels"].sum(axis, keepdims=True)
    return label_total(case, arguments)


def assert_same_bits(one: Results, other: Results) -> None:
    """Compare every bit, and so -0.0 and NaN too."""
    for a, b in zip(one, other, strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert a.numpy().tobytes() == b.numpy().tobytes()


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Let a loss use so many threads."""
    use_threads = _library.loaded().functions.lossfn_use_threads
    use_threads(count)
    try:
        yield
    finally:
        use_threads(_library.threads())
