"""What the book's labels lead to: the numbers of equations, figures and exercises.

They are the numbers of the site: 2.6 is the sixth equation of chapter 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from nbformat import NotebookNode
from pybtex.database import Entry, parse_file

from tools import notebooks

_EQUATION = re.compile(r"^\$\$[ \t]*\(([\w-]+)\)[ \t]*$", re.MULTILINE)
_EXERCISE = re.compile(r"^`{3,}\{exercise\}.*\n:label:[ \t]*(\S+)", re.MULTILINE)
_TARGET = re.compile(r"^\(([\w-]+)\)=\s*\n+#+[ \t]+(.+)$", re.MULTILINE)


class Labels:
    """What a label is called where it is referred to.

    Attributes:
        equations: ``"eq-02-jacobian"`` to ``"2.6"``.
        figures: ``"fig-02-binary"`` to ``"2.1"``.
        exercises: ``"ex-02-clip"`` to ``"2.3"``.
        headings: ``"pit-nan"`` to the title of its section.
        papers: ``"guo2017"`` to its authors and its year.
    """

    def __init__(self, book: Path):
        """Read all chapters, and the bibliography."""
        self.equations: dict[str, str] = {}
        self.figures: dict[str, str] = {}
        self.exercises: dict[str, str] = {}
        self.headings: dict[str, str] = {}
        for path in sorted(book.glob("[0-9][0-9]-*.ipynb")):
            self._add(int(path.stem[:2]), notebooks.read(path).cells)
        bibliography = parse_file(str(book / "references.bib"), bib_format="bibtex")
        self.papers = {key: _paper(e) for key, e in bibliography.entries.items()}

    def _add(self, chapter: int, cells: list[NotebookNode]) -> None:
        text = "\n\n".join(c.source for c in cells if c.cell_type == "markdown")
        figures = (figure_of(c).get("name") for c in cells)
        self.equations |= _numbered(chapter, _EQUATION.findall(text))
        self.exercises |= _numbered(chapter, _EXERCISE.findall(text))
        self.figures |= _numbered(chapter, filter(None, figures))
        self.headings |= dict(_TARGET.findall(text))


def _numbered(chapter: int, labels: Iterable[str]) -> dict[str, str]:
    return {label: f"{chapter}.{n}" for n, label in enumerate(labels, start=1)}


def figure_of(cell: NotebookNode) -> dict[str, str]:
    """Return the name and the caption of the figure that a cell draws, if it does."""
    return cell.metadata.get("mystnb", {}).get("figure", {})


def _paper(entry: Entry) -> tuple[str, str]:
    people = entry.persons.get("author") or entry.persons.get("editor", [])
    names = [" ".join(person.prelast_names + person.last_names) for person in people]
    if len(names) > 2 or names[1:] == ["others"]:
        names = [f"{names[0]} et al."]
    authors = " and ".join(names) or entry.fields.get("title", entry.key)
    return authors.replace("{", "").replace("}", ""), entry.fields.get("year", "n.d.")
