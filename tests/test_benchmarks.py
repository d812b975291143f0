"""The benchmarks refuse wrong peers, let all take turns, and report what they saw."""

import doctest
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import cases, floor, measure, peers, report, worker
from benchmarks.__main__ import main
from benchmarks.cases import LOSSES, Case
from benchmarks.measure import BenchmarkError, Measured, Peer

ROOT = Path(__file__).resolve().parent.parent
SPARSE = Case("sparse", (6, 4))

# A library of NumPy alone, whose worker starts at once.
LIBRARY = """
import os
import numpy as np
from lossfn import reference

kept = []

def right(inputs, gradient_of):
    arguments = {"labels": inputs["truth"], "logits": inputs["prediction"]}
    name = "sparse_softmax_cross_entropy_with_logits"
    loss = getattr(reference, name)(**arguments).mean()
    slopes = getattr(reference, name + "_gradient")(**arguments)
    return loss, [slopes / len(slopes)]

def summed(inputs, gradient_of):
    loss, (slopes,) = right(inputs, gradient_of)
    return loss * len(slopes), [slopes * len(slopes)]

def opposite(inputs, gradient_of):
    loss, (slopes,) = right(inputs, gradient_of)
    return loss, [-slopes]

def wrong_for_three(inputs, gradient_of):
    return (right if len(inputs["truth"]) != 3 else opposite)(inputs, gradient_of)

def rough(inputs, gradient_of):
    loss, (slopes,) = right(inputs, gradient_of)
    return loss * 1.001, [slopes * (1 + 5e-4)]

def hungry(inputs, gradient_of):
    np.ones(1 << 23 if len(inputs["truth"]) > 2 else 1 << 24)  # more before the start
    return right(inputs, gradient_of)

def fatal(inputs, gradient_of):
    os._exit(7)

def peers(loss):
    return {name: globals()[name] for name in PEERS}

def tensors(inputs):
    return inputs

def wait(outcome):
    pass

def about():
    return {"version": "1.0"}
"""


@pytest.fixture(name="library")
def _library(tmp_path, monkeypatch):
    """Return what puts a library with these peers in place of all the others."""
    monkeypatch.syspath_prepend(tmp_path)

    def library(*names: str) -> None:
        path = tmp_path / f"library_of_{'_'.join(names)}.py"
        path.write_text(f"{LIBRARY}\nPEERS = {names}\n", encoding="utf-8")
        only = {"Own": peers.Library("numpy", path.stem)}
        monkeypatch.setattr(measure, "LIBRARIES", only)
        monkeypatch.setattr(report, "LIBRARIES", {**only, "Other": None})

    return library


# --- the whole -------------------------------------------------------------------


@pytest.fixture(name="run", scope="module")
def _run(tmp_path_factory) -> tuple[subprocess.CompletedProcess, Path]:
    """Run the command as a user does."""
    folder = tmp_path_factory.mktemp("bench") / "results"
    command = "-m benchmarks --quick --only sparse --shape 6x4 --repeats 2 --output"
    done = subprocess.run(
        [sys.executable, *command.split(), str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done, folder


def table_of(text: str) -> list[dict[str, str]]:
    """Read the rows of a Markdown table."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    head, _, *body = rows
    return [dict(zip(head, row, strict=True)) for row in body]


def in_seconds(text: str) -> float:
    number, unit = text.split()
    return float(number) * {"s": 1, "ms": 1e-3, "µs": 1e-6}[unit]


def test_the_table_is_printed_and_written(run):
    done, folder = run
    table = (folder / "table.md").read_text(encoding="utf-8")
    assert done.stdout.startswith(table)
    assert "## sparse, 6x4: softmax cross-entropy" in table
    names = [row["peer"] for row in table_of(table)]
    assert len(set(names)) == len(names)
    assert {"native mean eager", "nn graph", "tf XLA", "Keras eager"} <= set(names)


def test_the_numbers_are_those_of_the_table(run):
    _, folder = run
    numbers = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    (result,) = numbers["results"]
    assert (result["loss"], result["shape"]) == ("sparse", "6x4")
    rows = table_of((folder / "table.md").read_text(encoding="utf-8"))
    ours = next(it for it in result["peers"] if it["peer"] == result["ours"])
    for row, peer in zip(rows, result["peers"], strict=True):
        assert row["peer"] == peer["peer"]
        assert len(peer["seconds"]) == 2
        median = sum(peer["seconds"]) / 2
        assert in_seconds(row["median"]) == pytest.approx(median, rel=0.01)
        ratio = median / (sum(ours["seconds"]) / 2)
        assert float(row["x ours"]) == pytest.approx(ratio, rel=0.01, abs=0.006)
        assert float(row["loss off by"]) <= 1e-6
        assert (row["x floor"], row["memory"]) == ("–", "–")


def test_what_the_numbers_depend_on_is_said(run):
    done, folder = run
    machine = json.loads((folder / "results.json").read_text(encoding="utf-8"))[
        "machine"
    ]
    assert machine["threads"] == len(os.sched_getaffinity(0))
    about = machine["libraries"]["TensorFlow"]
    assert about["threads"] == machine["threads"]
    assert about["allocator"] in {"keeps freed memory", "returns freed memory"}
    assert about["TF_CPU_ALLOCATOR_USE_BFC"] in {"not set", "0", "1", "true", "false"}
    for name in ("CPU", "date", "load", "transparent huge pages", "not installed"):
        assert f"- {name}: " in done.stdout
        assert name in machine


def test_the_chart_is_there(run):
    _, folder = run
    assert (folder / "chart.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (folder / "chart.svg").read_text(encoding="utf-8")


# --- peers that are refused --------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "message"),
    [
        (
            "summed",
            r"sparse, 6x4: Own: ValueError: summed computes another loss: [\d.]+, "
            r"the reference [\d.]+",
        ),
        (
            "opposite",
            r"sparse, 6x4: Own: ValueError: opposite, gradient by prediction is wrong: "
            r"[-\d.]+ at \(\d, \d\), the reference [-\d.]+",
        ),
        ("fatal", r"sparse, 6x4: Own: the process ended, status 7, at check fatal"),
    ],
    ids=["loss", "gradient", "process"],
)
def test_a_peer_that_is_wrong_ends_the_case(peer, message, library):
    library("right", peer)
    with pytest.raises(BenchmarkError) as caught:
        measure.measure(SPARSE, rounds=1)
    assert re.fullmatch(message, str(caught.value))


def test_the_other_cases_are_reported_when_one_failed(library, tmp_path, capsys):
    library("wrong_for_three")
    options = "--quick --only sparse --shape 6x4 3x4 5x4 --output"
    assert main([*options.split(), str(tmp_path / "out")]) == 1
    printed = capsys.readouterr()
    titles = re.findall("^## (.*):", printed.out, flags=re.MULTILINE)
    assert titles == ["sparse, 6x4", "sparse, 5x4"]
    errors = [line for line in printed.err.splitlines() if line.startswith("error")]
    assert len(errors) == 1
    assert errors[0].startswith("error: sparse, 3x4: Own: ValueError: wrong_for_three,")


def test_nothing_is_written_when_every_case_failed(library, tmp_path, capsys):
    library("opposite")
    options = "--quick --only sparse --shape 6x4 --output"
    assert main([*options.split(), str(tmp_path / "out")]) == 1
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "out").exists()


# --- the measurements --------------------------------------------------------------


class Turns:
    """A worker that notes whose turn it was."""

    def __init__(self):
        self.played = []

    def ask(self, request, name, calls):
        self.played.append((request, name, calls))
        return float(len(self.played))


def test_in_every_round_every_peer_takes_one_turn_in_another_order():
    names = ["a", "b", "c", "d", "e"]
    taking = [Peer(name, "Own", number, [], 0, 0) for number, name in enumerate(names)]
    turns = Turns()
    measure._play(taking, dict.fromkeys(names, turns), 4, lambda text: None)
    rounds = [turns.played[start : start + 5] for start in range(0, 20, 5)]
    assert len(turns.played) == 20
    for played in rounds:
        assert sorted(played) == [("time", name, names.index(name)) for name in names]
    assert len({tuple(played) for played in rounds}) > 1
    for peer in taking:
        assert len(peer.seconds) == 4


@pytest.mark.parametrize(
    ("seconds", "rounds"),
    [(0.001, 25), (2.4, 25), (6.0, 10), (11.0, 5), (60.0, 5), (900.0, 5)],
)
def test_slow_cases_have_fewer_rounds_and_never_fewer_than_five(seconds, rounds):
    assert measure.rounds_in_a_minute(seconds) == rounds


def test_medians_quartiles_and_ratios_are_those_of_the_rounds():
    ours = Peer("native mean eager", "Own", 1, [0.1, 0.4, 0.2, 0.3, 0.2], 1e-8, 1e-7)
    slow = Peer("slow", "Own", 1, [2.0, 1.0, 9.0, 3.0, 4.0], 2e-3, 1e-7, 123_456_789)
    lowest = Peer("floor", "floor", 1, [0.05, 0.1, 0.1, 0.1, 0.3], None, None)
    measured = Measured(SPARSE, [ours, slow, lowest], (0.0, 0.5), {})
    assert report.row(measured, slow) == (
        "slow",
        "3.00 s",
        "2.00 s to 4.00 s",
        "15.0",
        "30.0",
        "123 MB",
        "2e-03",
    )
    assert report.row(measured, lowest) == (
        "floor",
        "100 ms",
        "100 ms to 100 ms",
        "0.50",
        "1.00",
        "–",
        "–",
    )


def test_a_time_is_that_of_one_call(library, tmp_path, monkeypatch):
    library("right")
    measure._write(SPARSE, tmp_path)
    bench = worker.Bench("library_of_right", SPARSE, tmp_path)
    clock = SimpleNamespace(perf_counter=iter([3.0, 13.0]).__next__)
    monkeypatch.setattr(worker, "time", clock)
    assert bench.time("right", 4) == 2.5


def test_what_a_peer_is_off_by_is_kept(library):
    library("right", "rough")
    right, rough = measure.measure(SPARSE, rounds=1).peers
    assert (right.loss_error, right.gradient_error) == pytest.approx((0, 0), abs=1e-7)
    assert rough.loss_error == pytest.approx(1e-3)
    assert rough.gradient_error == pytest.approx(5e-4, rel=1e-3)


def test_the_memory_is_the_peak_above_the_start(library):
    library("right", "hungry")
    measured = measure.measure(SPARSE, rounds=1, memory=True)
    right, hungry = (peer.memory for peer in measured.peers)
    array = 8 * (1 << 23)
    assert hungry == pytest.approx(array, rel=0.1)  # Linux counts in steps
    assert right < array / 4


def test_the_floor_reads_the_inputs_and_writes_an_array():
    rng = np.random.default_rng(5)
    first, second = rng.random((2, 7, 3))
    written = np.full((7, 3), np.nan)
    floor.traffic([first], written)
    np.testing.assert_array_equal(written, -first)
    floor.traffic([first, second], written)
    np.testing.assert_array_equal(written, first + second)


def test_the_floor_is_measured_where_the_memory_counts(library):
    library("right")
    large = measure.measure(Case("sparse", (1024, 1024)), rounds=1)
    small = measure.measure(SPARSE, rounds=1)
    assert [peer.name for peer in large.peers] == ["right", "floor"]
    assert large.floor.median > 0
    assert small.floor is None


def test_a_fast_peer_makes_many_calls_in_a_turn(library):
    library("right")
    (peer,) = measure.measure(SPARSE, rounds=3).peers
    assert 1 < peer.calls <= worker.MOST_CALLS
    assert len(peer.seconds) == 3
    assert max(peer.seconds) < 1


# --- the command line --------------------------------------------------------------


def error_of(capsys, *arguments: str) -> str:
    """Run a wrong command and return the one line that it says."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err.rpartition("python -m benchmarks: error: ")[2].rstrip("\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "--only sparse spares",
            "--only must be one of dense, sparse, sigmoid, weighted, newsvendor, "
            "linear, got spares",
        ),
        ("--shape 10", "argument --shape: must be like 128x10, got 10"),
        ("--shape 0x10", "argument --shape: must be like 128x10, got 0x10"),
        (
            "--only sparse dense --shape 2x3x4",
            "--shape must be examples x classes, got 2x3x4",
        ),
        (
            "--only linear --shape 2x3 4x5",
            "--shape must be tokens x features x classes, got 2x3, 4x5",
        ),
        ("--repeats 0", "argument --repeats: must be a positive number, got 0"),
    ],
)
def test_a_wrong_command_gives_one_clear_error(arguments, message, capsys):
    assert error_of(capsys, *arguments.split()) == message


def test_only_the_named_losses_are_measured(library, tmp_path, capsys):
    library("right")
    out = tmp_path / "out"
    options = "--repeats 1 --quick --only sparse --shape 6x4 3x2 2x3x4 --output"
    assert main([*options.split(), str(out)]) == 0
    printed = capsys.readouterr()
    titles = re.findall("^## (.*):", printed.out, flags=re.MULTILINE)
    assert titles == ["sparse, 6x4", "sparse, 3x2"]
    assert "- not installed: Other\n" in printed.out
    assert "- Own: version 1.0\n" in printed.out
    files = ("table.md", "results.json", "chart.svg", "chart.png")
    assert printed.out.endswith(f"Written: {' '.join(str(out / it) for it in files)}\n")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", [(None, False), (None, True)]),
        ("--repeats 3", [(3, False), (3, True)]),
        ("--no-memory", [(None, False), (None, False)]),
        ("--quick", [(5, False), (5, False)]),
        ("--quick --repeats 3", [(3, False), (3, False)]),
    ],
)
def test_memory_is_measured_at_the_largest_shape(options, expected, monkeypatch):
    asked = []

    def refuse(case, *, rounds, memory, say):
        asked.append((rounds, memory))
        raise BenchmarkError("enough")

    monkeypatch.setattr(command, "measure", refuse)
    assert main(["--only", "sparse", "--shape", "3x2", "6x4", *options.split()]) == 1
    assert asked == expected


def test_without_a_choice_every_loss_and_shape_is_measured():
    every = [Case(name, shape) for name, it in LOSSES.items() for shape in it.shapes]
    assert command.cases(list(LOSSES), [], quick=False) == every
    first = [Case(name, it.shapes[0]) for name, it in LOSSES.items()]
    assert command.cases(list(LOSSES), [], quick=True) == first


def test_the_list_names_losses_shapes_and_libraries(capsys):
    assert main(["--list"]) == 0
    printed = capsys.readouterr().out
    for name, loss in LOSSES.items():
        assert f"\n    {name:<12}{loss.title}\n" in printed
        assert ", ".join(map(cases.shape_text, loss.shapes)) in printed
    assert "\n    TensorFlow  installed\n" in printed


@pytest.mark.parametrize("module", ["benchmarks.__main__", "benchmarks.worker"])
def test_who_only_asks_and_reports_does_not_load_the_libraries(module):
    program = f"import {module}, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert {"tensorflow", "torch", "jax"}.isdisjoint(done.stdout.split())


@pytest.mark.parametrize("module", [cases, report], ids=lambda it: it.__name__)
def test_the_examples_in_docstrings(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
