"""The exercises of the class, as points.csv lists them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Exercise:
    """An exercise that is graded.

    Attributes:
        label: Its label in the chapter.
        notebook: The notebook's name, without its ending.
        answer: The name of the answer in the notebook.
        points: What a right answer is worth.
    """

    label: str
    notebook: str
    answer: str
    points: float


def asked_for(notebooks: Path) -> list[Exercise]:
    """List the exercises whose notebook was handed in.

    Args:
        notebooks: The folder of the notebooks.
    """
    with open(ROOT / "points.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    exercises = [
        Exercise(row["exercise"], row["notebook"], row["answer"], float(row["points"]))
        for row in rows
    ]
    return [e for e in exercises if (notebooks / f"{e.notebook}.ipynb").is_file()]
