"""An exercise whose answers can be checked."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass

from lossfn.exercises._answer import Answer

LABEL = re.compile(r"ex-(\d\d)-[a-z0-9-]+")


@dataclass(frozen=True)
class Exercise:
    """An exercise whose answers can be checked.

    Attributes:
        label: Its label in the chapter, ``"ex-08-linex"``.
        name: What its answer is called: the name of the function or of the value.
        asks: What the answer has to be, one sentence.
        check: Takes an answer; returns what it was compared with, in a sentence, or
            raises :class:`WrongAnswerError`.

    Examples:
        >>> def check(answer):
        ...     return "Compared with nothing."
        >>> Exercise("ex-08-linex", "linex", "A function of two.", check).chapter
        '08'
    """

    label: str
    name: str
    asks: str
    check: Callable[[Answer], str]

    @property
    def chapter(self) -> str:
        """The number of its chapter, two digits."""
        return LABEL.fullmatch(self.label)[1]


def exercise(label: str, name: str) -> Callable[[Callable[[Answer], str]], Exercise]:
    """Make a function of an answer into the check of an exercise.

    The first paragraph of its docstring says what the answer has to be.
    """
    if not LABEL.fullmatch(label):
        raise ValueError(f"label must be like 'ex-08-linex', got {label!r}")

    def make(check: Callable[[Answer], str]) -> Exercise:
        asks = " ".join(inspect.getdoc(check).split("\n\n")[0].split())
        return Exercise(label, name, asks, check)

    return make
