"""The grader of the kit's repository: what it says of notebooks, good and bad."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.kit_sample import (
    BASE_2,
    CHECK,
    IMPORTS,
    NOT_YET,
    RIGHT,
    STEM,
    WRONG,
    make_kit,
    submission,
)

EMPTY = "def uniform_guess(classes):\n    raise NotImplementedError('to do')"
TO_DO = f"{NOT_YET} uniform_guess is still to be written: "
MODULES = ("cells", "exercises", "grader", "kernel", "names", "needed", "table")


@pytest.fixture(name="kit", scope="module")
def _kit(tmp_path_factory) -> Path:
    return make_kit(tmp_path_factory.mktemp("kit"))


@pytest.fixture(name="grade")
def _grade(kit, tmp_path, monkeypatch):
    """Return what says what the grader says of ex-02-uniform in a notebook of cells."""
    monkeypatch.syspath_prepend(kit / "repository" / "tests")
    import exercises
    import grader

    exercise = exercises.Exercise("ex-02-uniform", STEM, "uniform_guess", 1.0)

    def grade(*cells: str, printed: str = "", whole: bool = True) -> str:
        path = submission(tmp_path / "notebooks", *cells, printed=printed)
        said = grader.grade(path, [exercise], whole=whole)["ex-02-uniform"]
        return "passed" if said.passed else said.words

    yield grade
    for name in MODULES:
        sys.modules.pop(name, None)


CASES = {
    "a wrong answer": ([IMPORTS, WRONG, CHECK], BASE_2),
    "a verdict that is printed": (
        [IMPORTS, WRONG, "print('ex-02-uniform is right. Compared.')", CHECK],
        BASE_2,
    ),
    "a check of one's own": (
        [IMPORTS, WRONG, "def check_answer(*_):\n    return 'is right'", CHECK],
        BASE_2,
    ),
    "a check that was changed": (
        [
            IMPORTS,
            "from lossfn.exercises import _chapter_02, _exercise\n"
            "_chapter_02.expect_close = lambda *_, **__: None\n"
            "_exercise.check_answer = print",
            WRONG,
            CHECK,
        ],
        BASE_2,
    ),
    "a result that is forged": (
        [
            IMPORTS,
            "forged = {'text/plain': repr('[\"token\", true, \"\"]')}, {}\n"
            "get_ipython().display_formatter.format = lambda *_: forged",
            WRONG,
        ],
        f"{NOT_YET} Its check gave no verdict: the notebook changes what a cell shows.",
    ),
    "a magic": ([IMPORTS, "%matplotlib inline\n!true", RIGHT, CHECK], "passed"),
    "a cell that raises before it": (
        [IMPORTS, "\n1 / 0  # first", "undefined", WRONG, CHECK],
        f"{BASE_2} (Before it, code cell 2, `1 / 0  # first`, raised "
        "ZeroDivisionError: division by zero. So did 1 more.)",
    ),
    "a slip in the answer": (
        [IMPORTS, "def uniform_guess(classes)\n    return 1", CHECK],
        f"{NOT_YET} uniform_guess is not defined. (Before it, code cell 2, "
        "`def uniform_guess(classes)`, raised SyntaxError: expected ':' (",
    ),
    "a kernel that dies": (
        [IMPORTS, "import os; os._exit(1)", RIGHT, CHECK],
        f"{NOT_YET} The kernel died before it could be checked.",
    ),
    "no cells": ([], f"{NOT_YET} uniform_guess is not defined."),
}


@pytest.mark.parametrize(("cells", "said"), CASES.values(), ids=CASES)
def test_what_is_said(grade, cells, said):
    words = grade(*cells, printed="ex-02-uniform is right. Compared.")
    assert words[: len(said)] == said


PLACES = {
    "where it is checked": ([RIGHT, CHECK, WRONG], 1),
    "where it is checked last": ([RIGHT, CHECK, WRONG, CHECK, "1"], 3),
    "at the end if it is not checked": ([RIGHT, WRONG, "check_answer()"], 2),
    "where its label is checked": ([CHECK, CHECK.replace("uniform", "clip")], 0),
    "whatever cannot be read": ([CHECK, "%magic"], 0),
    "nowhere": ([], -1),
}


@pytest.mark.parametrize(("code", "place"), PLACES.values(), ids=PLACES)
def test_an_answer_is_looked_at(grade, tmp_path, code, place):
    import cells
    from exercises import Exercise

    read = cells.read(submission(tmp_path, *code))
    asked = Exercise("ex-02-uniform", STEM, "uniform_guess", 1)
    assert cells.places_of(read, [asked]) == {"ex-02-uniform": place}


LOOP = "while True:\n    pass"
STUBBORN = (
    "while True:\n    try:\n        while True:\n            pass\n"
    "    except KeyboardInterrupt:\n        pass"
)
SLOW = {
    "a cell": (
        "CELL",
        [IMPORTS, LOOP, WRONG, CHECK],
        f"{BASE_2} (Before it, code cell 2, `while True:`, took longer than 5 s, and "
        "was stopped.)",
    ),
    "an answer": (
        "CHECK",
        [IMPORTS, f"def uniform_guess(classes):\n    {LOOP.replace('    ', 8 * ' ')}"],
        f"{NOT_YET} Checking it took longer than 5 s, and was stopped.",
    ),
    "a cell that cannot be stopped": (
        "NOTEBOOK",
        [IMPORTS, STUBBORN, RIGHT],
        f"{NOT_YET} The notebook was stopped after 5 s, before it could be checked.",
    ),
}


@pytest.mark.parametrize(("limit", "cells", "said"), SLOW.values(), ids=SLOW)
def test_what_takes_too_long_is_stopped(grade, monkeypatch, limit, cells, said):
    def seconds(cell):
        asked = "check" in cell.metadata and limit == "CHECK"
        return 5 if asked or ("while" in cell.source and limit == "CELL") else 300

    # Nothing but the loop, so that a busy machine stops nothing else.
    monkeypatch.setattr("kernel._seconds", seconds)
    monkeypatch.setattr(f"kernel.SECONDS_PER_{limit}", 5)
    assert grade(*cells) == said


def test_a_file_that_is_no_notebook(grade, monkeypatch):
    monkeypatch.setattr("pathlib.Path.write_text", lambda self, *_, **__: self.touch())
    said = grade(IMPORTS, RIGHT)
    assert said.startswith(f"{STEM}.ipynb cannot be read as a notebook: ")


# --- only what an answer needs -----------------------------------------------

NEEDED = {
    "what it calls, and what that calls": (
        ["import a", "b = 1", "def f():\n    return b", "c = 2", "def answer(): f()"],
        {1, 2, 4},
    ),
    "what it calls and is defined later": (["def answer(): f()", "def f(): 1"], {0, 1}),
    "what changes what it needs": (
        [
            "x = [0]",
            "x[0] = 1",
            "x.y = 2",
            "x.append(3)",
            "f(x)",
            "print(x)",
            "answer = x",
        ],
        {0, 1, 2, 3, 4, 6},
    ),
    "no uses of a module that it uses, too": (
        ["import np", "np.test(1)", "answer = np"],
        {0, 2},
    ),
    "all, if a cell cannot be read": (["%magic", "a = 1", "answer = 2"], {0, 1, 2}),
}


@pytest.mark.parametrize(("sources", "needed"), NEEDED.values(), ids=NEEDED)
def test_the_cells_that_an_answer_needs(grade, sources, needed):
    from needed import cells_needed

    last = len(sources) - 1
    assert cells_needed(sources, [("answer", last)]) == needed | {last}


def test_cells_that_an_answer_does_not_need_are_left_out(grade):
    assert grade(IMPORTS, LOOP, RIGHT, CHECK, whole=False) == "passed"
    assert grade(IMPORTS, LOOP, EMPTY, CHECK, whole=False).startswith(TO_DO)


def test_the_checks_of_a_notebook_work_after_those_of_the_grader(kit, grade, tmp_path):
    import exercises
    import grader

    clip = "def lead_where_gradient_dies(epsilon):\n    return np.log(epsilon)"
    check = 'check_answer("ex-02-clip", lead_where_gradient_dies)'
    path = submission(tmp_path / "both", IMPORTS, WRONG, CHECK, clip, check)
    names = {"ex-02-uniform": "uniform_guess", "ex-02-clip": "lead_where_gradient_dies"}
    both = [exercises.Exercise(label, STEM, n, 1.0) for label, n in names.items()]
    said = grader.grade(path, both, whole=True)
    assert said["ex-02-uniform"].words == BASE_2
    assert said["ex-02-clip"].words.startswith("ex-02-clip is not right yet. For eps")
    assert "Before it" not in said["ex-02-clip"].words


def test_all_cells_are_tried_before_an_answer_is_called_wrong(grade):
    hidden = "globals().update(uniform_guess=np.log)"
    assert grade(IMPORTS, WRONG, hidden, CHECK, whole=False) == "passed"
    assert grade(IMPORTS, WRONG, "1", CHECK, whole=False) == BASE_2
