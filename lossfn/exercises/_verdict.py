"""The verdict on an answer to an exercise."""

from __future__ import annotations

import html
import importlib
import pkgutil
import re
from dataclasses import dataclass
from pathlib import Path

from lossfn.exercises._answer import Answer, WrongAnswerError
from lossfn.exercises._exercise import LABEL, Exercise

_MODULE = re.compile(r"_chapter_(\d\d)")


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, in words. It prints as its words.

    Attributes:
        label: The exercise's label.
        passed: Whether the answer is right.
        message: What is wrong with it, or what it was compared with.

    Examples:
        >>> verdict = Verdict("ex-02-uniform", False, "Your logarithm has base 2.")
        >>> verdict
        ex-02-uniform is not right yet. Your logarithm has base 2.
        >>> verdict.passed
        False
    """

    label: str
    passed: bool
    message: str

    def raise_if_wrong(self) -> None:
        """Raise :class:`WrongAnswerError`, with the words, if the answer is wrong."""
        __tracebackhide__ = True  # pytest shows the test and the message
        if not self.passed:
            raise WrongAnswerError(str(self))

    def __str__(self) -> str:
        """Return the verdict in words."""
        return f"{self._judgement} {self.message}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return a paragraph for notebooks, whose lines break where the page ends."""
        begins, words = html.escape(self._judgement), html.escape(self.message)
        return f"<p><strong>{begins}</strong> {words}</p>"

    @property
    def _judgement(self) -> str:
        said = "is right" if self.passed else "is not right yet"
        return f"{self.label} {said}."


def exercises_of(chapter: int | str | None = None) -> tuple[Exercise, ...]:
    """List the exercises that can be checked.

    Args:
        chapter: The number of a chapter, 8 or ``"08"``; all chapters if None.

    Returns:
        The exercises, in the order of the book.

    Raises:
        ValueError: If no chapter with this number has one.

    Examples:
        >>> from lossfn.exercises import exercises_of
        >>> for exercise in exercises_of(2):
        ...     print(exercise.label)
        ex-02-uniform
        ex-02-clip
    """
    numbers = _chapters()
    if chapter is not None:
        wanted = f"{chapter:02d}" if isinstance(chapter, int) else str(chapter)
        if wanted not in numbers:
            raise ValueError(
                f"chapter must be one of {', '.join(numbers)}, got {chapter!r}"
            )
        numbers = [wanted]
    modules = (
        importlib.import_module(f"lossfn.exercises._chapter_{number}")
        for number in numbers
    )
    return tuple(
        found
        for module in modules
        for found in vars(module).values()
        if isinstance(found, Exercise)
    )


def check_answer(label: str, answer: object) -> Verdict:
    """Say whether an answer to an exercise is right, and if not, what is wrong.

    Args:
        label: The exercise's label, as the chapter gives it.
        answer: A function or a value, whatever the exercise asks for.

    Returns:
        The verdict. A notebook shows its words.

    Raises:
        ValueError: If no exercise with this label can be checked.

    Examples:
        >>> import numpy as np
        >>> from lossfn.exercises import check_answer
        >>> check_answer("ex-02-uniform", lambda classes: np.log2(classes))
        ex-02-uniform is not right yet. For classes = 10 your function gives 3.322, and 2.303 is right. Your logarithm has base 2: the chapter's losses are in nats.
    """  # noqa: E501
    exercise = _named(label)
    try:
        compared = exercise.check(Answer(exercise.name, answer))
    except WrongAnswerError as wrong:
        return Verdict(label, False, str(wrong))
    return Verdict(label, True, compared)


def _named(label: str) -> Exercise:
    number = LABEL.fullmatch(label) if isinstance(label, str) else None
    known = exercises_of(number[1]) if number and number[1] in _chapters() else ()
    for exercise in known:
        if exercise.label == label:
            return exercise
    labels = ", ".join(exercise.label for exercise in known or exercises_of())
    raise ValueError(f"label must be one of {labels}, got {label!r}")


def _chapters() -> list[str]:
    """Return the numbers of the chapters that have checks."""
    folder = str(Path(__file__).parent)
    names = (module.name for module in pkgutil.iter_modules([folder]))
    return sorted(found[1] for name in names if (found := _MODULE.fullmatch(name)))
