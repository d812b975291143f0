"""Write the instructor's kit into _build/kit."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tools import notebooks
from tools.kit import build, round_trip
from tools.kit.chapter import KitError
from tools.wheel import WheelError

FOLDER = notebooks.ROOT / "_build" / "kit"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser("python -m tools.kit", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="write it here")
    parser.add_argument(
        "--round-trip",
        action="store_true",
        help="grade the solutions and the empty notebooks",
    )
    parser.add_argument("chapters", nargs="*", help="numbers of chapters, 03 for one")
    options = parser.parse_args(arguments)
    try:
        chapters = build.build(notebooks.BOOK, options.folder, options.chapters)
        build.add_wheel(options.folder / "repository")
    except (KitError, WheelError) as error:
        print(f"No kit: {error}", file=sys.stderr)
        return 1
    graded = sum(len(chapter.graded()) for chapter in chapters)
    where = os.path.relpath(options.folder)
    print(f"{where}: {len(chapters)} chapters, {graded} graded exercises")
    return _round_trip(options.folder) if options.round_trip else 0


def _round_trip(folder: Path) -> int:
    faults = list(round_trip.faults(folder, "-n", "2", "--dist", "loadgroup"))
    for fault in faults:
        print(fault)
    if not faults:
        print("Every solution passes, and no empty notebook does.")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
