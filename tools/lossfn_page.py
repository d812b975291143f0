"""What each page says about itself, and what a screen reader needs of its text.

At the foot of a page stand how long its notebook took to run, on what versions, and
what was changed last. The templates that show it, and that mend the theme where a
screen reader stumbles, are in book/_templates.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from tools import history, runs

LAST = 5
EMPTY_HEADER = re.compile(r"<th(\s[^>]*)?>\s*(?:<p>\s*</p>)?\s*</th>")
MENDS = {
    # A button that shows a hidden cell is named by the words on it.
    '<summary aria-label="Toggle hidden content">': "<summary>",
    # The works cited are in a list; their own role is no longer one.
    ' role="doc-biblioentry"': ' role="listitem"',
}


def words_of_day(day: date) -> str:
    """Write a date as people do.

    Examples:
        >>> words_of_day(date(2026, 11, 6))
        '6 November 2026'
    """
    return f"{day.day} {day:%B %Y}"


def words_of_run(run: dict) -> str:
    """Say how long a notebook took, when, and on what."""
    seconds = run["seconds"]
    time = f"{seconds} s" if seconds < 120 else f"{round(seconds / 60)} minutes"
    day = words_of_day(date.fromisoformat(run["date"]))
    return (
        f"Executed in {time} on {day} with Python {run['python']}, TensorFlow "
        f"{run['tensorflow']}, Keras {run['keras']} and NumPy {run['numpy']}."
    )


def described(change: history.Change, repository: str) -> dict[str, str]:
    """Prepare a change for the template."""
    return {
        "day": change.day.isoformat(),
        "words": words_of_day(change.day),
        "subject": change.subject,
        "address": f"{repository}/commit/{change.commit}" if repository else "",
    }


def read_history(app: Sphinx) -> None:
    """Ask git, once for all pages."""
    app.lossfn_history = history.read(Path(app.srcdir))


def add_about(
    app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """Give the template what it shows at the foot of a page."""
    if doctree is None:  # made by Sphinx, like the index
        return
    source = Path(app.env.doc2path(page))
    run = runs.read(source.parent).get(source.stem)
    if run and source.suffix == ".ipynb":
        context["page_run"] = words_of_run(run)
    name = source.relative_to(app.srcdir).as_posix()
    repository = getattr(app.config, "lossfn_repository", "")
    changes = app.lossfn_history.get(name, [])[:LAST]
    context["page_changes"] = [described(change, repository) for change in changes]


def mend_body(
    app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """Mend what a screen reader stumbles over in the text of a page.

    An empty header of a table becomes a plain cell: it would head a column unnamed.
    """
    if "body" not in context:
        return
    body = EMPTY_HEADER.sub(r"<td\1></td>", context["body"])
    for wrong, right in MENDS.items():
        body = body.replace(wrong, right)
    context["body"] = body


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("builder-inited", read_history)
    app.connect("html-page-context", add_about)
    app.connect("html-page-context", mend_body)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
