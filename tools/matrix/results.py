"""The results, in one sorted file that is whole after every run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from tools.files import write_whole
from tools.matrix import texts
from tools.matrix.report import Failure
from tools.matrix.rows import Row

TESTS = "tests"  # beside the chapters' names


class Results:
    """What ran, on which versions, on which day, and what failed."""

    def __init__(self, path: Path) -> None:
        """Read the file, if there is one."""
        self.path = path
        self.rows: dict[str, dict] = {}
        if path.is_file():
            self.rows = json.loads(path.read_text("utf-8"))["rows"]

    def begin(self, row: Row, versions: Mapping[str, str]) -> None:
        """Keep the row's results if they are of the same versions, and no others."""
        before = self.rows.get(row.name, {})
        same = before.get("versions") == dict(versions)
        self.rows[row.name] = {
            **_about(row),
            "versions": dict(versions),
            "results": before["results"] if same else {},
        }
        self.write()

    def miss(self, row: Row, reason: str) -> None:
        """Say why a row has no results; results from a machine that had it stay."""
        if not self.rows.get(row.name, {}).get("results"):
            self.rows[row.name] = {**_about(row), "missing": reason}
            self.write()

    def has(self, row: Row, name: str, hashes: Mapping[str, str]) -> bool:
        """Whether there is a result for these texts."""
        result = self.rows[row.name]["results"].get(name)
        return result is not None and result["hashes"] == dict(hashes)

    def record(
        self,
        row: Row,
        name: str,
        hashes: Mapping[str, str],
        failures: Sequence[Failure],
    ) -> None:
        """Write one result."""
        self.rows[row.name]["results"][name] = {
            "date": datetime.now(timezone.utc).date().isoformat(),
            "failures": [failure._asdict() for failure in failures],
            "hashes": dict(hashes),
            "outcome": "fail" if failures else "pass",
        }
        self.write()

    def write(self) -> None:
        """Write the file in its normal form."""
        write_whole(self.path, to_text(self.rows))


def to_text(rows: Mapping[str, object]) -> str:
    """Return the file's text: sorted keys, indent 1, one newline at the end."""
    text = json.dumps({"rows": rows}, sort_keys=True, indent=1, ensure_ascii=False)
    return text + "\n"


def hashes_of_chapter(root: Path, path: Path) -> dict[str, str]:
    """Return the hashes of what a chapter's result depends on."""
    return {"chapter": texts.of_chapter(path), "package": texts.of_package(root)}


def hashes_of_tests(root: Path) -> dict[str, str]:
    """Return the hashes of what the tests' result depends on."""
    return {"package": texts.of_package(root), "tests": texts.of_tests(root)}


def _about(row: Row) -> dict[str, object]:
    return {
        "older": list(row.environment.older),
        "onednn": row.onednn,
        "python": row.environment.python,
        "tensorflow": row.environment.tensorflow,
        "threads": row.threads,
    }
