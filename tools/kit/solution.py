"""A teacher's notebook: the chapter with its outputs, and the solutions in sight."""

from __future__ import annotations

from collections.abc import Iterator

from nbformat import NotebookNode, v4

from tools import notebooks
from tools.kit.cells import cells_of, text_cell
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
        if part.kind == "start":
            yield text_cell("#### Solution")
        elif part.kind == "end":
            yield text_cell("*End of the solution.*")
        else:
            yield from cells_of(part, markdown, checked=part.label in graded)
