"""Students' and teachers' notebooks of every chapter, made and not executed."""

from __future__ import annotations

import re

import pytest
from nbformat import NotebookNode

from lossfn.exercises import exercises_of
from tests.kit_sample import MYST
from tools import notebooks
from tools.kit import build, chapter, names, solution, student
from tools.kit.chapter import Chapter
from tools.kit.labels import Labels
from tools.kit.markdown import Markdown

CHAPTERS = {path.stem: path for path in build.choose(notebooks.BOOK, [])}


@pytest.fixture(name="markdown", scope="module")
def _markdown() -> Markdown:
    return Markdown(Labels(notebooks.BOOK), CHAPTERS)


@pytest.fixture(name="pair", params=CHAPTERS, scope="module")
def _pair(request, markdown) -> tuple[Chapter, NotebookNode]:
    one = chapter.read(CHAPTERS[request.param])
    return one, student.notebook(one, markdown)


def lines_of(text: str) -> set[str]:
    """Return the lines that say something; short ones may stand anywhere."""
    return {line.strip() for line in text.splitlines() if len(line.strip()) >= 20}


def test_no_line_of_a_solution_leaks(pair):
    one, notebook = pair
    hidden = [part for part in one.parts if part.of_solution]
    shown = [part for part in one.parts if not part.of_solution]
    secret = lines_of("\n".join(part.source for part in hidden))
    secret -= lines_of("\n".join(part.source for part in shown))
    seen = lines_of("\n".join(cell.source for cell in notebook.cells))
    # What a student is given: the signature, the imports, the check.
    given = re.compile(
        r"(async def|def|class|import|from|check_answer\()\b|check_answer"
    )
    assert secret
    assert [line for line in secret & seen if not given.match(line)] == []


def test_no_output_leaks(pair):
    code = [cell for cell in pair[1].cells if cell.cell_type == "code"]
    assert [(c.outputs, c.execution_count) for c in code] == [([], None)] * len(code)


def test_jupyter_shows_all_of_the_text(pair, markdown):
    both = [*pair[1].cells, *solution.notebook(pair[0], markdown).cells]
    texts = [cell.source for cell in both if cell.cell_type == "markdown"]
    assert [found[0] for text in texts if (found := MYST.search(text))] == []


def test_every_exercise_has_a_place_for_an_answer(pair):
    one, notebook = pair
    cells = [cell.source for cell in notebook.cells]
    graded = one.graded()
    assert cells.count("**Your answer:**") == len(one.labels) - len(graded)
    for label, name in graded.items():
        at = cells.index(f'check_answer("{label}", {name})')
        assert name in names.bound_in(cells[at - 1])
        assert re.search("is still to be written|# your answer", cells[at - 1])


def test_answers_are_called_what_their_checks_call_them(pair):
    one = pair[0]
    known = [e for e in exercises_of() if e.chapter == one.number]
    assert one.graded() == {exercise.label: exercise.name for exercise in known}
