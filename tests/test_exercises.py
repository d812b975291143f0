"""The checks of exercises: what a student is told, for answers that students give."""

import importlib
import inspect
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from lossfn import exercises
from lossfn.exercises import (
    Verdict,
    WrongAnswerError,
    check_answer,
    exercises_of,
)
from lossfn.exercises._answer import Answer
from tests.answers import empty, still_to_be_written
from tools import notebooks

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted((ROOT / "book").glob("[0-9][0-9]-*.ipynb"))
EXERCISES = {exercise.label: exercise for exercise in exercises_of()}
ANSWERS = [
    importlib.import_module(f"tests.answers.{path.stem}")
    for path in sorted((ROOT / "tests" / "answers").glob("chapter_*.py"))
]
WRONG = [answer for module in ANSWERS for answer in module.WRONG]
RIGHT = [answer for module in ANSWERS for answer in module.RIGHT]
CHECKED = re.compile(r'^check_answer\("(ex-[a-z0-9-]+)", ([a-z_0-9]+)\)$', re.MULTILINE)


def name_of(answer):
    return f"{answer.label}-{answer[1].replace(' ', '_')}"


@pytest.mark.parametrize("answer", WRONG, ids=name_of)
def test_a_wrong_answer_is_told_what_is_wrong(answer):
    verdict = check_answer(answer.label, answer.answer)
    assert (verdict.passed, verdict.message) == (False, answer.message)


@pytest.mark.parametrize("answer", RIGHT, ids=name_of)
def test_a_right_answer_passes_however_it_is_written(answer):
    verdict = check_answer(answer.label, answer.answer)
    assert verdict.passed, verdict


@pytest.mark.parametrize("label", EXERCISES)
def test_every_exercise_has_wrong_answers_and_a_right_one(label):
    assert sum(answer.label == label for answer in WRONG) >= 2
    assert any(answer.label == label for answer in RIGHT)


@pytest.mark.parametrize("label", EXERCISES)
def test_an_empty_answer_is_told_so(label):
    exercise = EXERCISES[label]
    messages = [check_answer(label, nothing).message for nothing in (None, empty)]
    assert messages[0] == (
        f"{exercise.name} is still None: put your answer in its place."
    )
    assert messages[1] == still_to_be_written(exercise.name) or re.fullmatch(
        rf"{exercise.name} must be .*, got a function\.", messages[1]
    )


@pytest.mark.parametrize("label", EXERCISES)
def test_what_is_asked_is_said_in_one_sentence(label):
    assert re.fullmatch(r"[A-Z].{15,160}\.", EXERCISES[label].asks)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_checks_the_exercises_that_can_be_checked(path):
    """Each once, in its own solution, under the name that the student is told."""
    found = {}
    label = None
    for cell in notebooks.read(path).cells:
        for marker in re.finditer(r"\{solution-(start|end)\}(?: (\S+))?", cell.source):
            label = marker[2] if marker[1] == "start" else None
        if cell.cell_type == "code":
            for asked, name in CHECKED.findall(cell.source):
                assert asked == label, f"{asked} is checked in the solution {label}"
                assert asked not in found, f"{asked} is checked twice"
                found[asked] = name
                assert cell.outputs, f"{asked} was not executed"
                (output,) = cell.outputs
                assert output.data["text/plain"].startswith(f"{asked} is right. ")
    expected = [(e.label, e.name) for e in exercises_of(path.name[:2])]
    assert list(found.items()) == expected
    assert found, "no exercise of this chapter checks itself"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_text_of_an_exercise_says_how_to_check_the_answer(path):
    text = "\n".join(c.source for c in notebooks.read(path).cells)
    asked = dict(re.findall(r"\{exercise\}[^`]*?:label: (\S+)\n(.*?)\n```", text, re.S))
    for exercise in exercises_of(path.name[:2]):
        call = f'`check_answer("{exercise.label}", {exercise.name})`'
        assert call in asked[exercise.label]


# --- the words for what any answer may get wrong ------------------------------


def raises(*_):
    raise KeyError("weight")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (3, "f must be a function, got the number 3."),
        ("text", "f must be a function, got the text 'text'."),
        ([1], "f must be a function, got a list."),
        (..., "f is still Ellipsis: put your answer in its place."),
        (
            lambda: 1,
            "f is called as f(x), and cannot be: too many positional arguments.",
        ),
        (empty, still_to_be_written("f")),
        (lambda x: None, "Your function returns None: does it end without a return?"),
        (raises, "Your function raised KeyError when it was called with 3: 'weight'."),
        (lambda x: "a", "Your function returns the text 'a', not numbers."),
        (lambda x: object, "Your function returns a function, not numbers."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_function_that_does_not_work_is_told_why(answer, message):
    with pytest.raises(WrongAnswerError) as raised:
        Answer("f", answer).function("x").array(3)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.log, "n must be a number, got a function."),
        ([1, 2], "n must be one number, got shape (2,)."),
        ({}, "n is a dict, not numbers."),
    ],
    ids=["function", "list", "dict"],
)
def test_a_number_that_is_none_is_told_so(answer, message):
    with pytest.raises(WrongAnswerError) as raised:
        Answer("n", answer).numbers()
    assert str(raised.value) == message


# What a student may hand in by mistake: no check may stop with a traceback of its own.
def hand_out(value):
    return lambda *_, **__: value


NONSENSE = {
    "a number": 0.0,
    "no number": float("nan"),
    "a number too large": 10**400,
    "a text": "text",
    "an empty list": [],
    "rows of two lengths": [[1], [1, 2]],
    "a class": dict,
    "a loss of Keras": keras.losses.MeanSquaredError(),
    "a function that raises": raises,
    "a function that returns nothing": hand_out(None),
    "a function of one number": hand_out(0.0),
    "a function of no number": hand_out(np.nan),
    "a function of a complex number": hand_out(1j),
    "a function of a text": hand_out("text"),
    "a function of an empty list": hand_out([]),
    "a function of rows of two lengths": hand_out([[1], [1, 2]]),
    "a function of another shape": hand_out(np.zeros((7, 5, 3))),
    "a function of integers": hand_out(np.zeros(4, int)),
    "a function of a tensor": hand_out(tf.zeros(3)),
    "a function of a tensor of text": hand_out(tf.constant("text")),
    "a function of a sparse tensor": hand_out(tf.sparse.eye(3)),
    "a function of a function": hand_out(hand_out(None)),
    "a function that returns its argument": lambda *arguments, **_: arguments[:1],
}


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_gets_words(answer):
    for label in EXERCISES:
        verdict = check_answer(label, answer)
        assert not verdict.passed, label
        assert re.fullmatch(r".{15,400}", verdict.message), label


def test_an_unknown_exercise_names_those_of_its_chapter():
    with pytest.raises(
        ValueError,
        match=r"^label must be one of ex-02-uniform, ex-02-clip, got 'ex-02-unifrom'$",
    ):
        check_answer("ex-02-unifrom", 1)


@pytest.mark.parametrize("chapter", [99, "2", "x"])
def test_an_unknown_chapter_is_refused(chapter):
    with pytest.raises(ValueError, match=r"^chapter must be one of 0?.*, got "):
        exercises_of(chapter)


def test_every_label_is_used_once():
    labels = [exercise.label for exercise in exercises_of()]
    assert len(labels) == len(set(labels))


def test_a_verdict_raises_its_words():
    verdict = check_answer("ex-02-uniform", 1)
    with pytest.raises(WrongAnswerError, match=re.escape(str(verdict))):
        verdict.raise_if_wrong()
    check_answer("ex-02-uniform", np.log).raise_if_wrong()


def test_a_notebook_shows_a_verdict_as_a_paragraph():
    verdict = Verdict("ex-02-uniform", False, "Your loss is < 0 & wrong.")
    assert verdict._repr_html_() == (
        "<p><strong>ex-02-uniform is not right yet.</strong> "
        "Your loss is &lt; 0 &amp; wrong.</p>"
    )


def test_every_public_name_is_documented():
    for name in exercises.__all__:
        assert inspect.getdoc(getattr(exercises, name))
