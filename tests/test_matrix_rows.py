"""tools/matrix: which rows there are, how they are chosen, and their environments."""

import itertools
import signal
import sys
from pathlib import Path

import pytest

from tests import matrix_sample as sample
from tools.matrix import __main__ as command
from tools.matrix import environments, rows, work


def settings(row: rows.Row) -> tuple:
    return row.environment.python, row.environment.tensorflow, row.onednn, row.threads


def test_every_pair_of_settings_occurs():
    possible = {settings(row) for row in rows.ALL}
    covering = {settings(row) for row in rows.COVERING}
    for one, other in itertools.combinations(range(4), 2):
        pairs = {(values[one], values[other]) for values in possible}
        assert {(values[one], values[other]) for values in covering} == pairs


def test_few_rows_have_every_value_and_the_ends():
    for values, few in zip(
        zip(*map(settings, rows.ALL), strict=True),
        zip(*map(settings, rows.FEW), strict=True),
        strict=True,
    ):
        assert set(values) == set(few)
    combinations = {(row.onednn, row.threads) for row in rows.FEW}
    assert combinations == {(True, 1), (True, 2), (False, 1), (False, 2)}
    assert [settings(row)[:2] for row in rows.ENDS] == [
        ("3.10", "2.18"),
        ("3.13", "2.21"),
    ]


def test_rows_have_names_of_their_own_and_exist_once():
    names = [row.name for row in rows.ALL]
    assert len(set(names)) == len(names) == 60
    assert set(rows.COVERING) <= set(rows.ALL)
    assert "py3.13-tf2.18-onednn-on-threads-1" not in names


def test_a_row_is_chosen_by_the_beginning_of_its_name():
    chosen = rows.chosen(["py3.13", "py3.11-tf2.18-old"], rows.COVERING)
    assert [row.environment.name for row in chosen] == [
        "py3.13-tf2.20",
        "py3.13-tf2.21",
        "py3.11-tf2.18-old",
    ]
    assert rows.chosen([], rows.FEW) == rows.FEW


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--only", "py2.7"],
            "--only must begin the name of a row (--list shows them), got 'py2.7'",
        ),
        (
            ["--chapters", "99"],
            "--chapters must begin the name of a notebook, got '99'",
        ),
    ],
    ids=["row", "chapter"],
)
def test_what_is_unknown_is_refused(arguments, message, capsys):
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"python -m tools.matrix: error: {message}"
    )


def test_the_list_runs_nothing(capsys):
    assert command.main(["--list", "--few"]) == 0
    assert capsys.readouterr().out.split() == [row.name for row in rows.FEW]


def test_an_interrupted_command_says_that_it_goes_on(monkeypatch, capsys, tmp_path):
    def go(*arguments) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(work, "go", go)
    before = signal.getsignal(signal.SIGTERM)
    try:
        status = command.main(["--results", str(tmp_path / "none.json")])
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, before)
    assert status == 130
    assert capsys.readouterr().err == "Interrupted; the next run goes on from here.\n"


# --- environments --------------------------------------------------------------------


def test_the_interpreter_is_asked_for_its_version(tmp_path, monkeypatch):
    stand_in = tmp_path / "bin" / "python3.11"
    stand_in.parent.mkdir()
    stand_in.write_text("#!/bin/sh\necho 3.9\n")
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", str(stand_in.parent))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "none"))
    assert environments.find_python("3.11") is None
    stand_in.write_text("#!/bin/sh\necho 3.11\n")
    assert environments.find_python("3.11") == str(stand_in)


def test_versions_are_asked_of_the_environment():
    found = environments.versions(Path(sys.executable))
    assert found["python"].startswith(f"{sys.version_info[0]}.{sys.version_info[1]}.")
    assert found["pytest"] == pytest.__version__


def test_an_environment_is_made_once(tmp_path, monkeypatch):
    root = sample.small_project(tmp_path)
    asked: list[str] = []

    def uv(*arguments: str) -> None:
        asked.append(arguments[0])
        (root / ".matrix" / sample.PAIR.name).mkdir(parents=True, exist_ok=True)

    monkeypatch.setattr(environments, "_uv", uv)
    monkeypatch.setattr(environments, "find_python", lambda version: sys.executable)

    def make(**options) -> Path:
        fresh = {"fresh": False, **options}
        return environments.make(sample.PAIR, root / ".matrix", root, **fresh)

    python = make()
    assert python == root / ".matrix" / "py3.12-tf2.20" / "bin" / "python"
    make()
    assert asked == ["venv", "pip"]
    make(fresh=True)
    assert asked == ["venv", "pip"] * 2
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["a"]\n')
    make()
    assert asked == ["venv", "pip"] * 3
