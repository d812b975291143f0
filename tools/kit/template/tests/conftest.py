"""The options of the grader, which exercises it asks for, and the table of points."""

from __future__ import annotations

import csv
from pathlib import Path

import grader
import pytest
import table
from exercises import ROOT, Exercise, asked_for


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("grader")
    group.addoption(
        "--notebooks",
        default=str(ROOT / "notebooks"),
        help="the folder of the notebooks, if they are somewhere else",
    )
    group.addoption(
        "--whole",
        action="store_true",
        help="execute every cell, and not at first those alone that an answer needs",
    )
    group.addoption("--csv", help="write the table of points to this file, too")


def _notebooks(config: pytest.Config) -> Path:
    return Path(config.getoption("notebooks")).resolve()


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a folder without a notebook: to grade nothing is no pass."""
    folder = _notebooks(config)
    if not asked_for(folder):
        raise pytest.UsageError(
            f"{folder} has no notebook with an exercise in points.csv"
        )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each exercise whose notebook was handed in."""
    folder = _notebooks(metafunc.config)
    tests = [
        pytest.param(e, id=e.label, marks=pytest.mark.xdist_group(e.notebook))
        for e in asked_for(folder)
    ]
    metafunc.parametrize("exercise", tests)


@pytest.fixture(name="grade_of", scope="session")
def _grade_of(request: pytest.FixtureRequest):
    folder = _notebooks(request.config)
    whole = request.config.getoption("whole")
    selected = [
        item.callspec.params["exercise"]
        for item in request.session.items
        if hasattr(item, "callspec")
    ]
    grades: dict[str, grader.Grade] = {}

    def grade_of(exercise: Exercise) -> grader.Grade:
        if exercise.label not in grades:
            together = [e for e in selected if e.notebook == exercise.notebook]
            path = folder / f"{exercise.notebook}.ipynb"
            grades.update(grader.grade(path, together, whole=whole))
        return grades[exercise.label]

    return grade_of


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """Keep with each report which exercise it is about."""
    report = (yield).get_result()
    exercise = item.callspec.params["exercise"]
    report.user_properties.append(("label", exercise.label))
    report.user_properties.append(("points", exercise.points))


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Write the table of points."""
    labels = [exercise.label for exercise in asked_for(_notebooks(config))]
    rows = table.rows(terminalreporter.stats, labels)
    if not rows:
        return
    terminalreporter.section("points")
    terminalreporter.write_line(table.as_text(rows))
    table.add_to_job_summary(rows)
    if config.getoption("csv"):
        with open(config.getoption("csv"), "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([table.HEADER, *rows])
