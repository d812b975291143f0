"""The table, the chart and the numbers of a run."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from benchmarks import floor
from benchmarks.cases import shape_text
from benchmarks.measure import Measured, Peer
from benchmarks.peers import LIBRARIES, threads
from lossfn import plot

HEAD = ("peer", "median", "quartiles", "x ours", "x floor", "memory", "loss off by")
NOTHING = "–"
HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def write(measured: Sequence[Measured], folder: Path) -> list[Path]:
    """Write table, numbers and chart into the folder, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    table, numbers = folder / "table.md", folder / "results.json"
    table.write_text(text(measured) + "\n", encoding="utf-8")
    values = json.dumps(as_json(measured), indent=1, ensure_ascii=False)
    numbers.write_text(values + "\n", encoding="utf-8")
    charts = [folder / "chart.svg", folder / "chart.png"]
    figure = chart(measured)
    for file in charts:
        figure.savefig(file)
    plt.close(figure)
    return [table, numbers, *charts]


# --- the machine -----------------------------------------------------------------


def machine(measured: Sequence[Measured]) -> dict[str, object]:
    """Return what the numbers depend on: machine, versions, threads, allocator."""
    about = {name: it for case in measured for name, it in case.about.items()}
    missing = [name for name in LIBRARIES if name not in about]
    loads = [load for case in measured for load in case.load]
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="minutes"),
        "CPU": _cpu(),
        "threads": threads(),
        "load": f"{min(loads):.1f} to {max(loads):.1f}",
        "system": f"{platform.system()} {platform.release()}",
        "transparent huge pages": _huge_pages(),
        "Python": platform.python_version(),
        "not installed": missing,
        "libraries": about,
    }


def _cpu() -> str:
    try:
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return f"{found[1] if found else platform.machine()}, {os.cpu_count()} CPUs"


def _huge_pages() -> str:
    try:
        return re.search(r"\[(\w+)\]", HUGE_PAGES.read_text(encoding="ascii"))[1]
    except (OSError, TypeError):
        return "unknown"


def _machine_text(measured: Sequence[Measured]) -> str:
    lines = machine(measured)
    for name, about in lines.pop("libraries").items():
        lines[name] = ", ".join(f"{of} {value}" for of, value in about.items())
    lines["not installed"] = ", ".join(lines["not installed"]) or "none"
    return "\n".join(f"- {name}: {value}" for name, value in lines.items())


# --- the table -------------------------------------------------------------------


def text(measured: Sequence[Measured]) -> str:
    """Return the whole report, in Markdown that reads as it is."""
    return "\n\n".join([_machine_text(measured), *map(_table, measured)])


def _table(measured: Measured) -> str:
    case, peers = measured.case, measured.peers
    title = f"## {case}: {case.loss.title}"
    rounds = f"{len(peers[0].seconds)} rounds, load {measured.load[0]:.1f} before and "
    rounds += f"{measured.load[1]:.1f} after; ours is {case.loss.ours}."
    rows = [HEAD, *(row(measured, peer) for peer in peers)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_cells(cells, widths) for cells in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 1) + ":" for width in widths) + "|")
    lines[1] = lines[1].replace("-:", "--", 1)  # the names stand on the left
    return "\n".join([title, "", rounds, "", *lines])


def _cells(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers = cells
    aligned = [name.ljust(widths[0])]
    aligned += [it.rjust(width) for it, width in zip(numbers, widths[1:], strict=True)]
    return "| " + " | ".join(aligned) + " |"


def row(measured: Measured, peer: Peer) -> tuple[str, ...]:
    """Return what the table says of a peer."""
    numbers = numbers_of(measured, peer)
    first, third = peer.quartiles
    memory, error = peer.memory, peer.loss_error
    return (
        peer.name,
        time_text(peer.median),
        f"{time_text(first)} to {time_text(third)}",
        _ratio(numbers["times ours"]),
        _ratio(numbers["times floor"]),
        NOTHING if memory is None else f"{memory / 1e6:,.0f} MB",
        NOTHING if error is None else f"{error:.0e}",
    )


def time_text(seconds: float) -> str:
    """Write a time with three digits.

    Examples:
        >>> time_text(0.0123456), time_text(0.000278), time_text(1.7181)
        ('12.3 ms', '278 µs', '1.72 s')
    """
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1 or unit == "µs":
            break
    number = seconds * factor
    return f"{number:.{2 if number < 10 else 1 if number < 100 else 0}f} {unit}"


def _ratio(value: float | None) -> str:
    if value is None:
        return NOTHING
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


# --- the numbers -----------------------------------------------------------------


def as_json(measured: Sequence[Measured]) -> dict[str, object]:
    """Return everything that was measured, times in seconds and memory in bytes."""
    return {
        "machine": machine(measured),
        "results": [
            {
                "loss": case.case.name,
                "shape": shape_text(case.case.shape),
                "load": case.load,
                "ours": case.case.loss.ours,
                "peers": [numbers_of(case, peer) for peer in case.peers],
            }
            for case in measured
        ],
    }


def numbers_of(measured: Measured, peer: Peer) -> dict[str, object]:
    """Return what was measured of one peer; a ratio is one of medians."""
    return {
        "peer": peer.name,
        "library": peer.library,
        "median": peer.median,
        "quartiles": peer.quartiles,
        "times ours": _times(peer, measured.ours),
        "times floor": _times(peer, measured.floor),
        "memory": peer.memory,
        "loss error": peer.loss_error,
        "gradient error": peer.gradient_error,
        "calls in a turn": peer.calls,
        "seconds": peer.seconds,
    }


def _times(peer: Peer, other: Peer | None) -> float | None:
    return None if other is None else peer.median / other.median


# --- the chart -------------------------------------------------------------------


def chart(measured: Sequence[Measured]) -> Figure:
    """Draw the medians of each loss at its largest shape, on logarithmic axes."""
    largest = {
        it.case.name: it for it in sorted(measured, key=lambda it: it.case.logits)
    }
    chosen = [it for it in measured if it is largest[it.case.name]]
    plot.use_style()
    bars = [len(it.peers) for it in chosen]
    figure, columns = plt.subplots(
        len(chosen),
        squeeze=False,
        figsize=(7.0, sum(0.26 * count + 1.0 for count in bars)),
        height_ratios=bars,
    )
    for ax, it in zip(columns[:, 0], chosen, strict=True):
        _draw(ax, it)
    return figure


def _draw(ax: Axes, measured: Measured) -> None:
    peers = [peer for peer in measured.peers if peer.name != floor.NAME]
    peers.sort(key=lambda peer: peer.median)
    times = [1e3 * peer.median for peer in peers]
    colors = [_color(peer.name) for peer in peers]
    bars = ax.barh([peer.name for peer in peers], times, color=colors, height=0.7)
    ax.bar_label(bars, [time_text(peer.median) for peer in peers], padding=3)
    if measured.floor is not None:
        ax.axvline(1e3 * measured.floor.median, color=plot.BLACK, linestyle="--")
    ax.invert_yaxis()
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.margins(x=0.15)
    ax.grid(visible=False, axis="y")
    ax.set_title(f"{measured.case}", loc="left")
    ax.set_xlabel("loss and gradient (ms); dashed: the floor")


def _color(name: str) -> str:
    ours = ("native", "nn", "losses")
    return plot.BLUE if name.startswith(ours) else plot.ORANGE
