"""A test of each answer. The grader executes each notebook once."""

import pytest


def test_answer(exercise, grade_of, record_property):
    """The answer to an exercise is right."""
    grade = grade_of(exercise)
    record_property("words", grade.words)
    if not grade.passed:
        pytest.fail(grade.words, pytrace=False)
