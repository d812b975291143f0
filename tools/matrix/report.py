"""What failed, read from pytest's report in JUnit's form, in few words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

KEPT_FAILURES = 10
KEPT_CHARACTERS = 400

_COLOUR = re.compile(r"(?:\x1b|#x1B)\[[0-9;]*m")
# nbval compares "stored == got", and pytest marks the right side with a minus.
_SIDES = {"+": "stored: ", "-": "got:    "}
_SIDE = re.compile(r"  ([-+]) (.*)")
_FIELDS = re.compile(r"(Unexpected|Missing) output fields")
_RAISED = re.compile(r"(?:E\s+)?([\w.]*(?:Error|Warning|Exception)\b.*)")
_ASSERTED = re.compile(r"E\s+(.*)")


class Failure(NamedTuple):
    """What failed, and how: for a cell, what is stored and what it printed now."""

    where: str
    what: str


def failures_in(report: Path) -> Iterator[Failure]:
    """Yield the failures and errors of a report, the first few in full."""
    cases = ElementTree.parse(report).iter("testcase")
    failed = [
        (c, part) for c in cases for part in c if part.tag in ("failure", "error")
    ]
    for case, part in failed[:KEPT_FAILURES]:
        where = f"{case.get('classname', '')}::{case.get('name', '')}"
        yield Failure(where, short(part.text or part.get("message") or ""))
    if len(failed) > KEPT_FAILURES:
        yield Failure("", f"and {len(failed) - KEPT_FAILURES} more")


def short(text: str) -> str:
    """Return the lines that say what is wrong: those that differ, or the error."""
    text = _COLOUR.sub("", text)
    lines = [line.rstrip() for line in text.rpartition("Traceback:\n")[2].splitlines()]
    told = (
        [line for line in lines if _FIELDS.match(line)]
        or [_SIDES[m[1]] + m[2] for line in lines if (m := _SIDE.fullmatch(line))]
        or [m[1] for line in lines if (m := _RAISED.match(line))][-1:]
        or [m[1] for line in lines if (m := _ASSERTED.match(line))]
        or [line for line in lines if line][-3:]
    )
    kept = "\n".join(told)
    return kept if len(kept) <= KEPT_CHARACTERS else kept[:KEPT_CHARACTERS] + "…"
