"""What the page shows, as text: the results as they stand against today's files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tools.matrix import results, texts
from tools.matrix.rows import ALL, Environment, Row

NOT_RUN = "not run"
OLDER = ", older text"
# Of several settings' outcomes, the first of these is the environment's.
WORST_FIRST = ("fail", f"fail{OLDER}", "pass", f"pass{OLDER}", NOT_RUN)


class Difference(NamedTuple):
    """One failure, and the rows that have it."""

    name: str  # of the chapter, or "tests"
    where: str
    what: str
    rows: tuple[str, ...]


class Summary:
    """The results of one file, read against the files of one tree."""

    def __init__(self, root: Path, file: Path) -> None:
        """Read the results and hash what they are of."""
        found = json.loads(file.read_text("utf-8"))["rows"] if file.is_file() else {}
        self.found: dict[str, dict] = found
        package = texts.of_package(root)
        self.hashes: dict[str, Mapping[str, str]] = {
            path.stem: {"chapter": texts.of_chapter(path), "package": package}
            for path in texts.chapters(root)
        }
        self.chapters = list(self.hashes)
        tests = {"package": package, "tests": texts.of_tests(root)}
        self.hashes[results.TESTS] = tests

    def rows(self) -> list[Row]:
        """Return the rows that were tried, in the order of the list."""
        return [row for row in ALL if row.name in self.found]

    def outcome(self, row: Row, name: str) -> str:
        """Return a row's outcome for a chapter, or for the tests."""
        result = self.found.get(row.name, {}).get("results", {}).get(name)
        if result is None:
            return NOT_RUN
        is_older = result["hashes"] != self.hashes.get(name)
        return result["outcome"] + (OLDER if is_older else "")

    def of_environment(self, environment: Environment, name: str) -> str:
        """Return the worst outcome of the environment's settings."""
        rows = [row for row in ALL if row.environment == environment]
        outcomes = [self.outcome(row, name) for row in rows]
        return min(outcomes, key=WORST_FIRST.index)

    def dates(self, row: Row) -> list[str]:
        """Return the days on which a row's results were made, sorted."""
        done = self.found[row.name].get("results", {}).values()
        return sorted({result["date"] for result in done})

    def counts(self) -> dict[str, int]:
        """Count the outcomes of every row that was tried, by their words."""
        outcomes = [
            self.outcome(row, name) for row in self.rows() for name in self.hashes
        ]
        return {word: outcomes.count(word) for word in WORST_FIRST}

    def differences(self) -> list[Difference]:
        """Return every failure once, with the rows that have it."""
        having: dict[tuple[str, str, str], list[str]] = {}
        for row, name, failure in self._failures():
            key = (name, failure["where"], failure["what"])
            having.setdefault(key, []).append(row)
        return [Difference(*key, tuple(rows)) for key, rows in sorted(having.items())]

    def _failures(self) -> Iterator[tuple[str, str, Mapping[str, str]]]:
        for row in self.rows():
            done: Mapping[str, dict] = self.found[row.name].get("results", {})
            for name, result in done.items():
                for failure in result["failures"]:
                    yield row.name, name, failure
