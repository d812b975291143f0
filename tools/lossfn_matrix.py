"""The directive ``matrix``: on which releases the results hold, as tables.

They are made from ``book/matrix.json`` when the site is built, and hold text, not
colour alone: "pass", "fail", "not run", and "older text" for a result whose chapter or
package has changed since.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from tools.matrix.rows import Environment, Row
    from tools.matrix.summary import Difference, Summary

ROOT = Path(__file__).resolve().parent.parent
RESULTS = "book/matrix.json"
PACKAGES = ("keras", "numpy", "scipy", "scikit-learn", "pandas", "matplotlib")
COLUMNS = ("TensorFlow", "Python", "oneDNN", "threads", "tests", "date")


class Matrix(SphinxDirective):
    """All the tables, one below the other."""

    def run(self) -> list[nodes.Node]:
        """Return the tables."""
        from tools.matrix.summary import Summary

        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / RESULTS))
        summary = Summary(root, root / RESULTS)
        return [
            _counts(summary),
            self._chapters(summary),
            _rows(summary),
            *self._differences(summary),
        ]

    def _chapters(self, summary: Summary) -> nodes.table:
        columns = _columns()
        lines: list[list[Cell]] = [["chapter", *map(_heading, columns)]]
        for name in summary.chapters:
            outcomes = [_outcomes(summary, column, name) for column in columns]
            lines.append([self._link(name), *outcomes])
        return _table("Chapters by releases", lines)

    def _link(self, chapter: str) -> nodes.Node:
        link = addnodes.pending_xref(
            "",
            nodes.inline("", chapter),
            refdoc=self.env.docname,
            refdomain="std",
            reftype="doc",
            reftarget=f"/book/{chapter}",
            refexplicit=False,
            refwarn=True,
        )
        return nodes.paragraph("", "", link)

    def _differences(self, summary: Summary) -> Iterator[nodes.Node]:
        for difference in summary.differences():
            is_chapter = difference.name in summary.chapters
            name = difference.name
            about = self._link(name) if is_chapter else nodes.paragraph("", name)
            about += nodes.Text(_where(difference))
            yield about
            yield nodes.literal_block("", difference.what, language="none")


Cell = str | Sequence[str] | nodes.Node


def _where(difference: Difference) -> str:
    where = f", {difference.where}" if difference.where else ""
    return f"{where}, in {', '.join(difference.rows)}:"


def _columns() -> list[list[Environment]]:
    """Return the environments of one TensorFlow each; the old one is by itself."""
    from tools.matrix.rows import ENVIRONMENTS, OLD, TENSORFLOWS

    columns = [[e for e in ENVIRONMENTS if e.tensorflow == t] for t in TENSORFLOWS]
    return [*columns, [OLD]]


def _heading(column: Sequence[Environment]) -> list[str]:
    first, last = column[0], column[-1]
    pythons = first.python if first is last else f"{first.python} to {last.python}"
    heading = [f"TensorFlow {first.tensorflow}", f"Python {pythons}"]
    return heading + ["older Keras and NumPy"] * bool(first.older)


def _outcomes(
    summary: Summary, column: Sequence[Environment], name: str
) -> Sequence[str]:
    """Return the one outcome of all Pythons, or each with the Pythons that have it."""
    having: dict[str, list[str]] = {}
    for environment in column:
        outcome = summary.of_environment(environment, name)
        having.setdefault(outcome, []).append(environment.python)
    if len(having) == 1:
        return list(having)
    return [f"{outcome}: {', '.join(pythons)}" for outcome, pythons in having.items()]


def _counts(summary: Summary) -> nodes.paragraph:
    counts = summary.counts()
    told = ", ".join(f"{word} {count}" for word, count in counts.items() if count)
    return nodes.paragraph("", f"Chapters and tests, over all rows: {told or 'none'}.")


def _rows(summary: Summary) -> nodes.table:
    lines: list[list[Cell]] = [[*COLUMNS, *PACKAGES]]
    lines += [_row(summary, row) for row in summary.rows()]
    return _table("What each row is made of", lines)


def _row(summary: Summary, row: Row) -> list[Cell]:
    from tools.matrix.results import TESTS

    found = summary.found[row.name]
    versions = found.get("versions", {})
    dates = summary.dates(row)
    return [
        versions.get("tensorflow", row.environment.tensorflow),
        versions.get("python", row.environment.python),
        "on" if row.onednn else "off",
        str(row.threads),
        summary.outcome(row, TESTS),
        found.get("missing") or " to ".join(dict.fromkeys([*dates[:1], *dates[-1:]])),
        *(versions.get(package, "") for package in PACKAGES),
    ]


def _table(title: str, lines: Sequence[Sequence[Cell]]) -> nodes.table:
    group = nodes.tgroup(cols=len(lines[0]))
    group += [
        # The first column heads its row, for a screen reader too.
        nodes.colspec(colwidth=1, **({"stub": 1} if number == 0 else {}))
        for number in range(len(lines[0]))
    ]
    head, *body = (nodes.row("", *map(_entry, line)) for line in lines)
    group += nodes.thead("", head)
    group += nodes.tbody("", *body)
    return nodes.table("", nodes.title(title, title), group, classes=["matrix"])


def _entry(cell: Cell) -> nodes.entry:
    if isinstance(cell, nodes.Node):
        return nodes.entry("", cell)
    return nodes.entry("", *_paragraphs([cell] if isinstance(cell, str) else cell))


def _paragraphs(texts: Iterable[str]) -> Iterator[nodes.paragraph]:
    for text in texts:
        word = nodes.strong if text.startswith("fail") else nodes.inline
        yield nodes.paragraph("", "", word("", text))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    # Sphinx finds this file; the rest of the tool is found from above it.
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    app.add_directive("matrix", Matrix)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
