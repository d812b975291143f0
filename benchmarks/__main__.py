"""Measure and report: ``python -m benchmarks``, or ``make bench``."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import report
from benchmarks.cases import LOSSES, Case, Shape, shape_text
from benchmarks.measure import BenchmarkError, Measured, measure
from benchmarks.peers import LIBRARIES

OUTPUT = Path("_build/bench")
QUICK_ROUNDS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.list:
        print(_listed())
        return 0
    try:
        chosen = cases(options.only or list(LOSSES), options.shape, options.quick)
    except ValueError as error:
        parser.error(str(error))
    rounds = options.repeats or (QUICK_ROUNDS if options.quick else None)
    memory = not (options.quick or options.no_memory)
    measured, failures = _measure_all(chosen, rounds, memory)
    if measured:
        files = report.write(measured, options.output)
        print(report.text(measured))
        print("\nWritten:", *files)
    for failure in failures:
        print(f"error: {failure}", file=sys.stderr)
    return int(bool(failures))


def cases(names: Sequence[str], shapes: Sequence[Shape], quick: bool) -> list[Case]:
    """Return the losses at those of the shapes that they take.

    Args:
        names: The names of losses.
        shapes: The shapes that were asked for; the losses' own, if there are none.
        quick: Whether the first of a loss' own shapes is enough.

    Returns:
        The cases, at least one.

    Raises:
        ValueError: If a name is unknown, or no shape fits.
    """
    for name in names:
        if name not in LOSSES:
            raise ValueError(f"--only must be one of {', '.join(LOSSES)}, got {name}")
    found = []
    for name in dict.fromkeys(names):
        own = LOSSES[name].shapes[: 1 if quick else None]
        fitting = [shape for shape in shapes if len(shape) == len(own[0])]
        found += [Case(name, shape) for shape in (fitting if shapes else own)]
    if not found:
        asked = ", ".join(map(shape_text, shapes))
        axes = dict.fromkeys(LOSSES[name].axes for name in names)
        raise ValueError(f"--shape must be {' or '.join(axes)}, got {asked}")
    return found


def _measure_all(
    chosen: Sequence[Case], rounds: int | None, memory: bool
) -> tuple[list[Measured], list[BenchmarkError]]:
    """Measure what can be measured; the memory at the largest shape of a loss."""
    largest = {case.name: case for case in sorted(chosen, key=lambda it: it.logits)}
    measured, failures = [], []
    for number, case in enumerate(chosen, 1):

        def say(text: str, about: str = f"{number}/{len(chosen)} {case}") -> None:
            print(f"{about}: {text}", file=sys.stderr, flush=True)

        too = memory and case is largest[case.name]
        try:
            measured.append(measure(case, rounds=rounds, memory=too, say=say))
        except BenchmarkError as failure:
            failures.append(failure)
    return measured, failures


def _shape(text: str) -> Shape:
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*){1,2}", text):
        raise argparse.ArgumentTypeError(f"must be like 128x10, got {text}")
    return tuple(map(int, text.split("x")))


def _rounds(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"must be a positive number, got {text}")
    return int(text)


def _listed() -> str:
    lines = ["losses:"]
    for name, loss in LOSSES.items():
        lines += [
            f"    {name:<12}{loss.title}",
            f"    {'':<12}{', '.join(map(shape_text, loss.shapes))} ({loss.axes})",
        ]
    lines.append("libraries:")
    for name, library in LIBRARIES.items():
        lines.append(
            f"    {name:<12}{'installed' if library.is_installed else 'not installed'}"
        )
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Compare the time and the memory of every loss and its gradient "
        "with those of other libraries.",
    )
    add = parser.add_argument
    add("--only", nargs="+", metavar="NAME", help="these losses (see --list)")
    add(
        "--shape",
        nargs="+",
        type=_shape,
        default=[],
        metavar="NxK",
        help="these shapes, like 4096x1000 (linear: 2048x512x32000)",
    )
    add(
        "--repeats",
        type=_rounds,
        metavar="N",
        help="turns of each peer; otherwise as many as fit into a minute, 5 to 25",
    )
    add(
        "--output",
        type=Path,
        default=OUTPUT,
        metavar="FOLDER",
        help="where table, chart and numbers go (%(default)s)",
    )
    add(
        "--quick",
        action="store_true",
        help="the smallest shape, 5 turns, and no memory",
    )
    add("--no-memory", action="store_true", help="time only")
    add("--list", action="store_true", help="list losses and libraries")
    return parser


if __name__ == "__main__":
    sys.exit(main())
