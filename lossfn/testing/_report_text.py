"""A report as a text that any terminal shows, the same on every run and machine."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from lossfn import _check

if TYPE_CHECKING:
    from lossfn.testing._report import Report, Result

WIDTH = 88
INDENT = "    "
# The columns of a field's name, its indent among them.
FIELD = 12
# An array with more numbers is shortened.
MOST_NUMBERS = 24
# Enough to tell numbers apart, and too few to show that processors round differently.
MOST_DIGITS = 8
MOST_WHOLE = 1e7


def head(report: Report) -> str:
    """Say what was checked, and for how many checks it came out how."""
    return f"{report.loss}, checked as {report.task}: {counts(report)}"


def counts(report: Report) -> str:
    """Count the results: ``2 checks failed, 19 passed, 3 are not applicable``."""
    parts = []
    for status, said in (("failed", "failed"), ("passed", "passed")):
        if number := len(report.with_status(status)):
            parts.append(f"{number if parts else checks(number)} {said}")
    if number := len(report.with_status("not applicable")):
        said = "is not applicable" if number == 1 else "are not applicable"
        parts.append(f"{number if parts else checks(number)} {said}")
    return ", ".join(parts) or "no check was run"


def checks(number: int) -> str:
    """Write ``1 check`` or ``2 checks``."""
    return f"{number} check" if number == 1 else f"{number} checks"


def text(report: Report) -> str:
    """Write the whole report, what failed first and at length."""
    return "\n\n".join([failed_part(report), *_other_parts(report)])


def failed_part(report: Report) -> str:
    """Write the head and what failed."""
    failures = (_failure(result) for result in report.failures)
    return "\n\n".join([_wrapped(head(report)), *failures])


def _other_parts(report: Report) -> Iterator[str]:
    if passed := report.with_status("passed"):
        names = ", ".join(result.name for result in passed)
        yield f"passed\n{_wrapped(names, INDENT)}"
    if groups := reasons(report):
        lines = [
            _wrapped(
                f"{', '.join(names)}: {reason}" if reason else ", ".join(names), INDENT
            )
            for reason, names in groups
        ]
        yield "\n".join(["not applicable", *lines])


def reasons(report: Report) -> list[tuple[str, list[str]]]:
    """Return each reason for not being applicable, with the checks that have it."""
    groups: dict[str, list[str]] = {}
    for result in report.with_status("not applicable"):
        groups.setdefault(result.seen, []).append(result.name)
    return list(groups.items())


def chapter(stem: str) -> str:
    """Name a chapter: ``chapter 12 (book/12-losses-in-keras.ipynb)``."""
    number = re.match(r"\d+(?=-)", stem)
    file = f"book/{stem}.ipynb"
    return f"chapter {int(number[0])} ({file})" if number else file


def inputs(result: Result) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the arrays that a result shows, with their names."""
    for name in ("y_true", "y_pred"):
        array = getattr(result, name)
        if array is not None:
            yield name, np.asarray(array)


def _failure(result: Result) -> str:
    title = f"{result.name}: {result.question}" if result.question else result.name
    return "\n".join([_wrapped(title, "FAILED "), *_fields(result)])


def _fields(result: Result) -> Iterator[str]:
    if result.seen:
        yield _wrapped(result.seen, _label("seen"))
    for name, array in inputs(result):
        yield _label(name) + literal(array, indent=FIELD)
    if result.mend:
        yield _wrapped(result.mend, _label("mend"))
    if result.chapter:
        yield _wrapped(chapter(result.chapter), _label("read"))


def _label(name: str) -> str:
    return f"{INDENT}{name}".ljust(FIELD)


def _wrapped(words: str, first: str = "", others: str | None = None) -> str:
    return textwrap.fill(
        " ".join(words.split()),
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first) if others is None else others,
        break_on_hyphens=False,
    )


def literal(array: np.ndarray, *, indent: int = 0, below: bool = False) -> str:
    """Write an array as it is typed: ``np.array([0.5, np.nan], dtype="float32")``.

    A long one is shortened, and has its shape in front instead.

    Args:
        array: Any array of numbers.
        indent: The columns to its left, for the lines after the first.
        below: Whether the numbers, if they take more than one line, start on a line of
            their own, for a narrow page.

    Returns:
        One or more lines.
    """
    if array.size == 0:
        return f'np.empty({array.shape}, dtype="{array.dtype}")'
    if array.size > MOST_NUMBERS:
        body = _body(array, " " * indent, "")
        return f"{array.dtype} of shape {array.shape}:\n{' ' * indent}{body}"
    start, end = "np.array(", f', dtype="{array.dtype}")'
    body = _body(array, " " * indent + start, end)
    if below and "\n" in body:
        start = f"{start}\n{' ' * indent}"
        body = _body(array, " " * indent, end)
    return start + body + end


def _body(array: np.ndarray, before: str, after: str) -> str:
    # Every option, so that the user's print options change nothing.
    return np.array2string(
        array,
        max_line_width=WIDTH,
        separator=", ",
        prefix=before,
        suffix=after,
        threshold=MOST_NUMBERS,
        edgeitems=2,
        formatter={"all": _number},
        legacy=False,
    )


def _number(value: np.generic) -> str:
    """Write a whole number whole, another one with the fewest digits that tell it."""
    kind = np.asarray(value).dtype
    if kind.kind in "biu":
        return str(value)
    number = float(value)
    if number.is_integer() and abs(number) < MOST_WHOLE:
        return "-0.0" if str(number) == "-0.0" else f"{number:.0f}"
    for digits in range(1, MOST_DIGITS + 1):
        written = f"{number:.{digits}g}"
        if _check.rounded(float(written), kind) == value:
            break
    return re.sub("nan|inf", r"np.\g<0>", written)
