"""Asks lossfn about the answers in a notebook, and puts into words what it says."""

from __future__ import annotations

import ast
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cells
import kernel
from exercises import Exercise
from nbformat import NotebookNode
from needed import cells_needed

# How a verdict says that an answer was not begun; then no other cell can matter.
NOT_BEGUN = ("is still to be written", "is still None", "is still to be made")


@dataclass(frozen=True)
class Grade:
    """What is said of an answer.

    Attributes:
        passed: Whether it is right.
        words: What is wrong with it, or what it was compared with.
    """

    passed: bool
    words: str

    @property
    def is_sure(self) -> bool:
        """Whether more of the notebook could not change it."""
        return self.passed or any(words in self.words for words in NOT_BEGUN)


def grade(
    path: Path, exercises: Sequence[Exercise], *, whole: bool = False
) -> dict[str, Grade]:
    """Execute a notebook, and grade its exercises.

    Args:
        path: The notebook. The file is not changed.
        exercises: The exercises that are asked for.
        whole: Execute all cells, and not at first those alone that answers need.

    Returns:
        For each exercise's label, its grade.
    """
    try:
        code = cells.read(path)
    except ValueError as error:
        return {exercise.label: Grade(False, str(error)) for exercise in exercises}
    places = cells.places_of(code, exercises)
    answers = [(e.answer, places[e.label]) for e in exercises]
    needed = cells_needed([cell.source for cell in code], answers)
    if whole or len(needed) == len(code):
        return _run(code, exercises, path.parent)
    grades = _run([code[i] for i in sorted(needed)], exercises, path.parent)
    unsure = [e for e in exercises if not grades[e.label].is_sure]
    return grades | (_run(code, unsure, path.parent) if unsure else {})


def _run(
    code: Sequence[NotebookNode], exercises: Sequence[Exercise], folder: Path
) -> dict[str, Grade]:
    token = secrets.token_hex(16)
    places = cells.places_of(code, exercises)
    executed = cells.with_checks(code, exercises, places, token)
    stopped = kernel.execute(executed, folder)
    return {e.label: _grade(executed, e.label, token, stopped) for e in exercises}


def _grade(
    executed: Sequence[NotebookNode], label: str, token: str, stopped: str
) -> Grade:
    at = next(i for i, c in enumerate(executed) if c.metadata.get("check") == label)
    found = _verdict(executed[at], token)
    if found and found.passed:
        return found
    said = found.words if found else _why_none(executed[at], stopped)
    words = [f"{label} is not right yet.", said, *_what_raised(executed[:at])]
    return Grade(False, " ".join(words))


def _verdict(cell: NotebookNode, token: str) -> Grade | None:
    """Read a verdict, from the result of the check and from nothing else."""
    for output in cell.outputs:
        if output.output_type == "execute_result":
            try:
                said = json.loads(ast.literal_eval(output.data["text/plain"]))
                if said[0] == token:
                    return Grade(said[1] is True, said[2])
            except (ValueError, SyntaxError, LookupError, TypeError):
                continue
    return None


def _why_none(cell: NotebookNode, stopped: str) -> str:
    raised = _raised(cell)
    if raised and raised.ename == "KeyboardInterrupt":
        seconds = kernel.SECONDS_PER_CHECK
        return f"Checking it took longer than {seconds} s, and was stopped."
    if raised:
        return f"Checking it raised {raised.ename}: {raised.evalue}"
    if stopped:
        return f"{stopped} before it could be checked."
    return "Its check gave no verdict: the notebook changes what a cell shows."


def _what_raised(executed: Sequence[NotebookNode]) -> list[str]:
    """Say which cell raised first, for it may be why an answer is wrong."""
    failed = [c for c in executed if "number" in c.metadata and _raised(c)]
    if not failed:
        return []
    raised, number = _raised(failed[0]), failed[0].metadata["number"]
    what = f"raised {raised.ename}: {raised.evalue.strip() or 'no message'}"
    if raised.ename == "KeyboardInterrupt":
        what = f"took longer than {kernel.SECONDS_PER_CELL} s, and was stopped"
    first_line = failed[0].source.strip().splitlines()[0]
    more = f" So did {len(failed) - 1} more." if failed[1:] else ""
    return [f"(Before it, code cell {number}, `{first_line}`, {what}.{more})"]


def _raised(cell: NotebookNode) -> NotebookNode | None:
    return next((o for o in cell.outputs if o.output_type == "error"), None)
