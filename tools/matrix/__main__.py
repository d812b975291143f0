"""Run the chapters and the package's tests on other releases."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tools import notebooks
from tools.matrix import rows, texts, work
from tools.matrix.results import Results

RESULTS = notebooks.BOOK / "matrix.json"
FOLDER = notebooks.ROOT / ".matrix"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        chosen = _rows(options)
        chapters = _chapters(options.chapters)
    except ValueError as error:
        parser.error(str(error))
    if options.list:
        print(*(row.name for row in chosen), sep="\n")
        return 0
    return _run(_plan(options, chosen, chapters), chosen, Results(options.results))


def _plan(
    options: argparse.Namespace, chosen: Sequence[rows.Row], chapters: Sequence[Path]
) -> work.Plan:
    return work.Plan(
        root=notebooks.ROOT,
        folder=options.folder,
        chapters=chapters,
        tests_in=_tests_in(options, chosen),
        jobs=options.jobs,
        again=options.again,
        fresh=options.fresh,
    )


def _run(plan: work.Plan, chosen: Sequence[rows.Row], found: Results) -> int:
    # Ended by another program, it stops what it runs, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return int(work.go(plan, chosen, found) > 0)
    except KeyboardInterrupt:
        print("Interrupted; the next run goes on from here.", file=sys.stderr)
        return 130


def _rows(options: argparse.Namespace) -> list[rows.Row]:
    every = rows.FEW if options.few else rows.ALL if options.all else rows.COVERING
    return rows.chosen(options.only, every)


def _chapters(names: Sequence[str] | None) -> list[Path]:
    """Return the notebooks whose names begin so; all if None, none if empty."""
    paths = texts.chapters(notebooks.ROOT)
    if names is None:
        return paths
    for name in names:
        if not any(path.stem.startswith(name) for path in paths):
            raise ValueError(
                f"--chapters must begin the name of a notebook, got {name!r}"
            )
    return [path for path in paths if path.stem.startswith(tuple(names))]


def _tests_in(
    options: argparse.Namespace, chosen: Sequence[rows.Row]
) -> Sequence[rows.Row]:
    if options.tests is None:
        return rows.ENDS
    return chosen if options.tests else []


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tools.matrix", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--few", action="store_true", help="every value once, 5 rows")
    which.add_argument("--all", action="store_true", help="every combination")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="ROW", help="rows that begin so"
    )
    parser.add_argument(
        "--chapters", nargs="*", metavar="NAME", help="chapters that begin so; or none"
    )
    parser.add_argument(
        "--tests",
        action=argparse.BooleanOptionalAction,
        help="the package's tests in every row, or nowhere (default: first and last)",
    )
    parser.add_argument("--list", action="store_true", help="name the rows, run none")
    parser.add_argument("--again", action="store_true", help="run what has a result")
    parser.add_argument("--fresh", action="store_true", help="make environments anew")
    parser.add_argument("--jobs", type=int, choices=[1, 2], default=2)
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FILE")
    parser.add_argument("--folder", type=Path, default=FOLDER, metavar="FOLDER")
    return parser


if __name__ == "__main__":
    sys.exit(main())
