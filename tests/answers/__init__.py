"""Answers that students give to the book's exercises, a file for each chapter."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Wrong(NamedTuple):
    """A wrong answer, and the words that it must be given.

    Attributes:
        label: The exercise.
        mistake: What is wrong, for the test's name.
        answer: The answer.
        message: The whole message.
    """

    label: str
    mistake: str
    answer: object
    message: str


class Right(NamedTuple):
    """A right answer that is written otherwise than the chapter's solution."""

    label: str
    way: str
    answer: object


def still_to_be_written(name: str) -> str:
    """Return what an empty function is told."""
    return (
        f"{name} is still to be written: put your code in the place of the line that "
        "raises NotImplementedError."
    )


def empty(*_: object, **__: object) -> Callable:
    """Stand for a function that nobody has written yet."""
    raise NotImplementedError
