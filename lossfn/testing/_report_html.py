"""A report as a table that a notebook shows.

It has no colours of its own: the text is legible wherever the page's own text is. Every
style is on its element, because some pages leave style sheets out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING

from lossfn.testing import _report_text

if TYPE_CHECKING:
    from lossfn.testing._report import Report, Result

# A page's own style would centre a table, and set its numbers to the right.
_TABLE = (
    'class="dataframe" style="width:100%;margin:0.5em 0;'
    'table-layout:fixed;border-collapse:collapse"'
)
_CAPTION = "caption-side:top;text-align:left;color:inherit"
_CELL = (
    "padding:0.35em 0.5em;text-align:left;vertical-align:top;"
    "white-space:normal;overflow-wrap:anywhere"
)
_FIRST = f"width:34%;{_CELL}"
_CODE = "margin:0.25em 0;padding:0;white-space:pre-wrap;background:none;color:inherit"

Row = tuple[str, str]  # the two cells of a row, as HTML


def html(report: Report) -> str:
    """Write a table of what failed; what passed or does not apply can be opened."""
    return f"<div>{''.join(_parts(report))}</div>"


def _parts(report: Report) -> Iterator[str]:
    head = f"<strong>{escape(_report_text.head(report))}</strong>"
    if failures := report.failures:
        rows = ((_name(result), _failure(result)) for result in failures)
        columns = ("failed check", "what was seen, how to mend it")
        caption = f'<caption style="{_CAPTION}">{head}</caption>'
        yield f"<table {_TABLE}>{caption}{_columns_and_rows(columns, rows)}</table>"
    else:
        yield f"<p>{head}</p>"
    if passed := report.with_status("passed"):
        rows = ((_code(result.name), escape(result.question)) for result in passed)
        summary = f"{_report_text.checks(len(passed))} passed"
        yield _closed(summary, ("passed check", "what it asks"), rows)
    if others := report.with_status("not applicable"):
        rows = (
            (", ".join(map(_code, names)), escape(reason))
            for reason, names in _report_text.reasons(report)
        )
        summary = f"{_report_text.checks(len(others))} not applicable"
        yield _closed(summary, ("check not applicable", "why"), rows)


def _closed(summary: str, columns: Row, rows: Iterable[Row]) -> str:
    # The summary stands above the table already; a caption would say it twice.
    table = f'<table aria-label="{summary}" {_TABLE}>'
    content = f"{table}{_columns_and_rows(columns, rows)}</table>"
    return f"<details><summary>{summary}</summary>{content}</details>"


def _columns_and_rows(columns: Row, rows: Iterable[Row]) -> str:
    first, second = columns
    head = (
        f'<th scope="col" style="{_FIRST}">{first}</th>'
        f'<th scope="col" style="{_CELL}">{second}</th>'
    )
    body = "".join(
        f'<tr><th scope="row" style="{_CELL}">{name}</th>'
        f'<td style="{_CELL}">{content}</td></tr>'
        for name, content in rows
    )
    return f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"


def _name(result: Result) -> str:
    if not result.question:
        return _code(result.name)
    question = f'<div style="font-weight:normal">{escape(result.question)}</div>'
    return _code(result.name) + question


def _code(name: str) -> str:
    """Write a name that may break after an underscore."""
    return f"<code>{escape(name).replace('_', '_<wbr>')}</code>"


def _failure(result: Result) -> str:
    parts = [f"<div>{escape(result.seen)}</div>"] if result.seen else []
    for name, array in _report_text.inputs(result):
        written = f"{name} = {_report_text.literal(array, indent=2, below=True)}"
        parts.append(f'<pre style="{_CODE}">{escape(written)}</pre>')
    if result.mend:
        parts.append(f"<div><strong>mend:</strong> {escape(result.mend)}</div>")
    if result.chapter:
        chapter = escape(_report_text.chapter(result.chapter))
        parts.append(f"<div><strong>read:</strong> {chapter}</div>")
    return "".join(parts)
