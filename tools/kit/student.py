"""A student's notebook: the chapter without outputs, with stubs for its solutions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode, v4

from tools import notebooks
from tools.kit.cells import cells_of, code_cell, text_cell
from tools.kit.chapter import Chapter
from tools.kit.lost import imports_needed
from tools.kit.markdown import Markdown
from tools.kit.stubs import stub

HOW_TO = """\
> **This is your copy of chapter {number}.** Run the cells from top to bottom
> (Shift+Enter). The exercises stand at the end. Those that say *checked* have a cell
> with your task, and a cell after it that says whether your answer is right, and if
> not, what is wrong: change the first, run both, as often as you like. Add cells
> wherever you want to try something. Keep the names of the answers, for they are
> looked up by them.
>
> To hand in, restart the kernel, run all cells, save, commit and push this file, or
> do as your teacher says. Only what your code computes counts: the outputs that are
> stored in the file are not read."""


@dataclass(frozen=True)
class Item:
    """A cell to be, and the part of the chapter that it is made from.

    Attributes:
        cell: The cell.
        at: The part's position.
        label: The exercise's label, if the cell is its stub or its check.
    """

    cell: NotebookNode
    at: int
    label: str = ""

    @property
    def is_code(self) -> bool:
        """Whether the cell is run."""
        return self.cell.cell_type == "code"


def notebook(chapter: Chapter, markdown: Markdown) -> NotebookNode:
    """Make the student's notebook of a chapter.

    Raises:
        KitError: If what is left needs something that only a solution defines.
    """
    items = list(_items(chapter, markdown))
    sources = [(i.at, i.label, i.cell.source) for i in items if i.is_code]
    needed = imports_needed(chapter, sources)
    how_to = HOW_TO.format(number=int(chapter.number))
    cells = [text_cell(how_to)]
    imported: set[str] = set()
    for item in items:
        new = [line for line in needed.get(item.at, ()) if line not in imported]
        if new:
            cells.append(code_cell("\n".join(new)))
        imported.update(new)
        cells.append(item.cell)
    made = notebooks.normalise(v4.new_notebook(cells=cells), chapter.stem)
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return made


def _items(chapter: Chapter, markdown: Markdown) -> Iterator[Item]:
    graded = chapter.graded()
    for at, part in enumerate(chapter.parts):
        if part.kind == "start":
            for cell in _places(chapter, part.label, graded.get(part.label)):
                yield Item(cell, at, part.label)
        elif not part.is_withheld:
            for cell in cells_of(part, markdown, checked=part.label in graded):
                yield Item(cell, at)


def _places(chapter: Chapter, label: str, name: str | None) -> Iterator[NotebookNode]:
    """Make the cells for an answer."""
    if name is None:
        yield text_cell("**Your answer:**")
        return
    yield code_cell(stub(chapter, label, name))
    yield code_cell(f'check_answer("{label}", {name})')
