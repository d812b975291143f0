"""What the checks saw: a result for each check, and the report of all of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lossfn.testing import _report_html, _report_text

STATUSES = ("failed", "passed", "not applicable")


@dataclass(frozen=True, eq=False)
class Result:
    """What one check saw.

    Attributes:
        name: The name of the check.
        status: ``"passed"``, ``"failed"`` or ``"not applicable"``.
        seen: What was seen, or why the check is not applicable.
        y_true: The labels or targets of the first input tried that shows it, or None.
        y_pred: The predictions that go with them, or None.
        mend: How to mend the loss.
        chapter: The chapter that explains it, as the name of its notebook.
        question: What the check asks.

    Examples:
        >>> result = Result("finite", "failed", seen="The loss is NaN.")
        >>> print(result.name, result.status)
        finite failed
    """

    name: str
    status: str
    seen: str = ""
    y_true: np.ndarray | None = None
    y_pred: np.ndarray | None = None
    mend: str = ""
    chapter: str = ""
    question: str = ""

    def __post_init__(self) -> None:
        """Refuse a status that no report would count."""
        if self.status not in STATUSES:
            raise ValueError(f"status must be one of {STATUSES}, got {self.status!r}")


class LossCheckError(AssertionError):
    """A loss failed a check.

    Attributes:
        report: The :class:`Report` of all checks that were run.

    Examples:
        >>> result = Result("runs", "failed", seen="The loss is not a number.")
        >>> try:
        ...     raise LossCheckError(Report("my_loss", "regression", [result]))
        ... except LossCheckError as error:
        ...     print(error.report["runs"].seen)
        The loss is not a number.
    """

    def __init__(self, report: Report) -> None:
        """Keep the report, of which the message is the failed part."""
        # The report is the argument, so that the error can be pickled.
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        """Return the failed part of the report."""
        return _report_text.failed_part(self.report)


class Report:
    """The results of all checks of a loss, in the order of the checks.

    Printed, it is a text of at most 88 columns; a notebook shows it as a table. It has
    a length, can be iterated over, and ``report["finite"]`` is the result of one check.

    Attributes:
        loss: What the loss is called.
        task: The task that it was checked for.
        results: A :class:`Result` for each check that was run, a tuple.

    Examples:
        >>> wrong = Result(
        ...     "zero_at_perfect",
        ...     "failed",
        ...     seen="A perfect prediction has the loss -1.",
        ...     y_pred=np.array([[3.0]], np.float32),
        ... )
        >>> report = Report("my_loss", "regression", [Result("runs", "passed"), wrong])
        >>> report
        <Report: my_loss, checked as regression: 1 check failed, 1 passed>
        >>> print(report)
        my_loss, checked as regression: 1 check failed, 1 passed
        <BLANKLINE>
        FAILED zero_at_perfect
            seen    A perfect prediction has the loss -1.
            y_pred  np.array([[3]], dtype="float32")
        <BLANKLINE>
        passed
            runs
        >>> report["zero_at_perfect"].seen
        'A perfect prediction has the loss -1.'
    """

    def __init__(self, loss: str, task: str, results: Sequence[Result]) -> None:
        """Collect the results."""
        self.loss = loss
        self.task = task
        self.results = tuple(results)

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return not self.failures

    @property
    def failures(self) -> tuple[Result, ...]:
        """The results of the checks that failed."""
        return self.with_status("failed")

    def with_status(self, status: str) -> tuple[Result, ...]:
        """Return the results of one status, in the order of the checks."""
        return tuple(result for result in self.results if result.status == status)

    def raise_if_failed(self) -> None:
        """Raise :class:`LossCheckError` if a check failed; its message says which."""
        __tracebackhide__ = True  # pytest shows the test and the message
        if not self.passed:
            raise LossCheckError(self)

    def to_dict(self) -> dict[str, object]:
        """Return the report as dicts, lists, texts and numbers, ready for JSON.

        An array is a dict of ``dtype``, ``shape`` and ``values``, in which NaN and the
        infinities are texts, ``"nan"``, ``"inf"`` and ``"-inf"``: JSON has none.
        """
        return {
            "loss": self.loss,
            "task": self.task,
            "passed": self.passed,
            "results": [_result_as_dict(result) for result in self.results],
        }

    def __getitem__(self, name: str) -> Result:
        """Return the result of the check of this name."""
        for result in self.results:
            if result.name == name:
                return result
        raise KeyError(name)

    def __iter__(self) -> Iterator[Result]:
        """Go through the results in the order of the checks."""
        return iter(self.results)

    def __len__(self) -> int:
        """Count the results."""
        return len(self.results)

    def __str__(self) -> str:
        """Return the report as a text."""
        return _report_text.text(self)

    def __repr__(self) -> str:
        """Return one line: the loss, the task, and the counts."""
        return f"<Report: {_report_text.head(self)}>"

    def _repr_html_(self) -> str:
        return _report_html.html(self)


def _result_as_dict(result: Result) -> dict[str, object]:
    fields = {
        field.name: getattr(result, field.name) for field in dataclasses.fields(result)
    }
    return {
        name: _array_as_dict(value) if name in ("y_true", "y_pred") else value
        for name, value in fields.items()
    }


def _array_as_dict(array: np.ndarray | None) -> dict[str, object] | None:
    if array is None:
        return None
    # bfloat16 is a kind of its own, which float64 holds exactly.
    numbers = array if array.dtype.kind in "biu" else array.astype(np.float64)
    return {
        "dtype": str(array.dtype),
        "shape": list(array.shape),
        "values": _for_json(numbers.tolist()),
    }


def _for_json(values: object) -> object:
    if isinstance(values, list):
        return [_for_json(value) for value in values]
    if isinstance(values, float) and not math.isfinite(values):
        return str(values)
    return values
