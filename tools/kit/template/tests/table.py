"""The table of points."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

HEADER = ("exercise", "points", "of", "why")
Row = tuple[str, float, float, str]


def rows(stats: Mapping[str, Sequence], labels: Sequence[str]) -> list[Row]:
    """Make the rows of the table from pytest's reports, in the order of the labels."""
    reports = [
        *stats.get("passed", ()),
        *stats.get("failed", ()),
        *stats.get("error", ()),
    ]
    found = {}
    for report in reports:
        said = dict(report.user_properties)
        words = said.get("words") or str(report.longrepr or "")
        points = said["points"] if report.passed else 0.0
        found[said["label"]] = (said["label"], points, said["points"], words)
    return [found[label] for label in labels if label in found]


def total(rows: Sequence[Row]) -> str:
    """Say how many points there are."""
    return f"{sum(r[1] for r in rows):g} of {sum(r[2] for r in rows):g} points"


def as_text(rows: Sequence[Row]) -> str:
    """Write the table for a terminal; the words stand above it already."""
    width = max(len(row[0]) for row in rows)
    lines = [f"{label:{width}s}  {got:g} of {of:g}" for label, got, of, _ in rows]
    return "\n".join([*lines, total(rows)])


def as_markdown(rows: Sequence[Row]) -> str:
    """Write the table for a page of GitHub."""
    lines = [f"## {total(rows)}", "", "| exercise | points | why |", "|---|---|---|"]
    for label, got, of, words in rows:
        words = " ".join(words.replace("|", "\\|").split())
        lines.append(f"| `{label}` | {got:g} of {of:g} | {words} |")
    return "\n".join(lines) + "\n"


def add_to_job_summary(rows: Sequence[Row]) -> None:
    """Append the table to the job's summary, where there is one."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(as_markdown(rows))
