"""The cells of a notebook that was handed in, and where its answers are looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import names
import nbformat
from exercises import Exercise
from nbformat import NotebookNode

IN_KERNEL = Path(__file__).with_name("in_kernel.py")


def read(path: Path) -> list[NotebookNode]:
    """Read a notebook's code cells, without outputs, numbered as Jupyter does.

    Raises:
        ValueError: If the file is no notebook.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # whatever the file may hold
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise ValueError(f"{path.name} cannot be read as a notebook: {first}") from None
    cells = [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]
    sources = enumerate((cell.source for cell in cells), start=1)
    return [_cell(source, number=number) for number, source in sources]


def _cell(source: str, **metadata: object) -> NotebookNode:
    return nbformat.v4.new_code_cell(source, metadata=metadata)


def places_of(
    cells: Sequence[NotebookNode], exercises: Sequence[Exercise]
) -> dict[str, int]:
    """Map each label to the last cell that checks it, or else to the last cell."""
    places = {exercise.label: len(cells) - 1 for exercise in exercises}
    for position, cell in enumerate(cells):
        for label in _labels_checked(cell.source) & set(places):
            places[label] = position
    return places


def _labels_checked(source: str) -> set[str | None]:
    try:
        return {label for label, _ in names.checks(source)}
    except SyntaxError:  # a magic, or a slip
        return set()


def with_checks(
    cells: Sequence[NotebookNode],
    exercises: Sequence[Exercise],
    places: Mapping[str, int],
    token: str,
) -> list[NotebookNode]:
    """Put a check of our own after the place of each exercise.

    Args:
        cells: The code cells.
        exercises: What is checked.
        places: The position for each label, -1 for the beginning.
        token: Comes back with each verdict.
    """
    run_path = f"__import__('runpy').run_path({str(IN_KERNEL)!r})['verdict']"
    found = []
    for position, cell in enumerate([None, *cells], start=-1):
        found += [cell] if cell else []
        for e in exercises:
            if places[e.label] == position:
                asked = f"{run_path}({e.label!r}, {e.answer!r}, globals(), {token!r})"
                found.append(_cell(asked, check=e.label))
    return found
