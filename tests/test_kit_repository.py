"""The kit's repository, as students and CI run it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit_sample import BASE_2, IMPORTS, RIGHT, WRONG, make_kit, submission
from tools.kit import round_trip


@pytest.fixture(name="kit", scope="module")
def _kit(tmp_path_factory) -> Path:
    return make_kit(tmp_path_factory.mktemp("kit"))


def graded(kit: Path, folder: Path, *options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    return subprocess.run(
        [*command, f"--notebooks={folder}", f"--csv={folder / 'points.csv'}"],
        cwd=kit / "repository",
        env=os.environ | {"GITHUB_STEP_SUMMARY": str(folder / "summary.md")},
        capture_output=True,
        text=True,
    )


def test_the_round_trip(kit):
    assert list(round_trip.faults(kit)) == []


def test_what_the_round_trip_finds(kit, monkeypatch):
    told = "x is still to be written: put your code in its place."
    tables = {
        "solution": [("ex-a", "1.0", ""), ("ex-b", "0.0", "It is wrong.")],
        "student": [("ex-a", "1.0", ""), ("ex-b", "0.0", "No."), ("ex-c", "0.0", told)],
    }

    def of(kit, folder):
        rows = tables[folder]
        return [{"exercise": e, "points": p, "of": "1.0", "why": w} for e, p, w in rows]

    monkeypatch.setattr(round_trip, "graded", of)
    assert list(round_trip.faults(kit)) == [
        "the solution of ex-b fails: It is wrong.",
        "ex-a passes without an answer",
        "ex-b is empty, and its words do not help: No.",
    ]


def test_the_table_of_points(kit, tmp_path):
    clip = "def lead_where_gradient_dies(epsilon):\n    return np.log(1 / epsilon - 1)"
    submission(tmp_path, IMPORTS, WRONG, clip)
    run = graded(kit, tmp_path)
    assert run.returncode == 1
    assert f"\n{BASE_2}\n" in run.stdout
    right = "Compared with log((1 - epsilon) / epsilon) for three clips."
    assert (tmp_path / "summary.md").read_text("utf-8") == (
        "## 1 of 2 points\n\n| exercise | points | why |\n|---|---|---|\n"
        f"| `ex-02-uniform` | 0 of 1 | {BASE_2} |\n"
        f"| `ex-02-clip` | 1 of 1 | {right} |\n"
    )
    with open(tmp_path / "points.csv", encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["exercise", "points", "of", "why"],
            ["ex-02-uniform", "0.0", "1.0", BASE_2],
            ["ex-02-clip", "1.0", "1.0", right],
        ]


def test_one_exercise_can_be_asked_for(kit, tmp_path):
    submission(tmp_path, IMPORTS, RIGHT)
    run = graded(kit, tmp_path, "-k", "ex-02-uniform")
    assert run.returncode == 0
    assert "ex-02-uniform  1 of 1\n1 of 1 points\n" in run.stdout


def test_nothing_was_handed_in(kit, tmp_path):
    run = graded(kit, tmp_path)
    words = f"{tmp_path} has no notebook with an exercise in points.csv"
    assert (run.returncode, words in run.stderr + run.stdout) == (4, True)
