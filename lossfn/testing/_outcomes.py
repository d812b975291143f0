"""How a check ends, and the table of all checks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lossfn.testing._tasks import Example


class FaultError(Exception):
    """The loss does not do what the check demands."""

    def __init__(
        self,
        seen: str,
        example: Example | None = None,
        *,
        dtype: str | None = None,
        mend: str | None = None,
    ):
        """Say what was seen, on which example, and how to mend it.

        Args:
            seen: One or two short sentences.
            example: The input that shows it, as small as can be.
            dtype: The dtype it shows in, that of the last call if None.
            mend: How to mend it, if that is not the usual way of the check.
        """
        super().__init__(seen)
        self.seen, self.example = seen, example
        self.dtype, self.mend = dtype, mend


class NotApplicableError(Exception):
    """The check makes no sense for this loss; the message says why."""


class Check(NamedTuple):
    """One of the checks.

    Attributes:
        name: Its name in reports.
        question: What it asks, the first line of its docstring.
        reason: Why it matters, the rest of its docstring.
        chapter: The notebook that explains it.
        mend: How to mend a loss that fails it.
        run: The check itself: returns, or raises one of the above.

    Examples:
        >>> from lossfn.testing import CHECKS
        >>> print(CHECKS["gradient"].question)
        Is the gradient that of the value?
    """

    name: str
    question: str
    reason: str
    chapter: str
    mend: str
    run: Callable[[object], None]


def check(*, chapter: str, mend: str) -> Callable[[Callable[[object], None]], Check]:
    """Make a function into a check named after it."""

    def make(function: Callable[[object], None]) -> Check:
        question, _, reason = inspect.getdoc(function).partition("\n\n")
        return Check(function.__name__, question, reason, chapter, mend, function)

    return make


def number(value: float) -> str:
    """Write a number to the digits that a reader needs."""
    return f"{float(value) + 0.0:.4g}"  # -0.0 + 0.0 is 0.0


def numbers(values: object) -> str:
    """Write a few numbers."""
    values = np.asarray(values, np.float64).ravel()
    shown = ", ".join(number(value) for value in values[:6])
    return f"[{shown}{', ...' if values.size > 6 else ''}]"
