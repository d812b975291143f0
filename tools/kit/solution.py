"""A teacher's notebook: the chapter with its outputs, and the solutions in sight."""

from __future__ import annotations

from collections.abc import Iterator

from nbformat import NotebookNode, v4

from tools import notebooks
from tools.kit.cells import code_cell, exercise_text, figure_text, text_cell
from tools.kit.chapter import Chapter
from tools.kit.markdown import Markdown

FOR_TEACHERS = """\
> **Chapter {number} with its solutions, for teachers.** Your students have the same
> notebook without what stands under *Solution*, and without outputs."""


def notebook(chapter: Chapter, markdown: Markdown) -> NotebookNode:
    """Make the teacher's notebook of a chapter."""
    cells = [text_cell(FOR_TEACHERS.format(number=int(chapter.number)))]
    cells += _cells(chapter, markdown)
    return notebooks.normalise(v4.new_notebook(cells=cells), chapter.stem)


def _cells(chapter: Chapter, markdown: Markdown) -> Iterator[NotebookNode]:
    graded = chapter.graded()
    for part in chapter.parts:
        if part.kind == "code":
            yield code_cell(part.source, part.cell)
            caption = figure_text(part.cell, markdown)
            if caption:
                yield text_cell(caption)
        elif part.kind == "exercise":
            checked = part.label in graded
            yield text_cell(exercise_text(part, markdown, checked=checked))
        elif part.kind == "start":
            yield text_cell("#### Solution")
        elif part.kind == "end":
            yield text_cell("*End of the solution.*")
        else:
            yield text_cell(markdown.plain(part.source))
