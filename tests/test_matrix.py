"""tools/matrix: what is run, what is told of it, what is kept and run again.

Few tests start a process; the others count calls.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import matrix_sample as sample
from tools import notebooks
from tools.matrix import environments, report, results, rows, run, texts, work
from tools.matrix.report import Failure

FILE = "matrix.json"


@pytest.fixture(name="root")
def _root(tmp_path, monkeypatch) -> Path:
    sample.use_this_interpreter(monkeypatch)
    return sample.small_project(tmp_path)


@pytest.fixture(name="calls")
def _calls(monkeypatch) -> list[str]:
    """Count the chapters that are run, and let them pass."""
    calls: list[str] = []

    def chapter(python, root, path, variables) -> list[Failure]:
        calls.append(path.stem)
        return []

    monkeypatch.setattr(run, "chapter", chapter)
    return calls


def go(root: Path, **changes) -> results.Results:
    """Run one row, one thread, and return what is in the file then."""
    found = results.Results(root / FILE)
    work.go(sample.plan(root, **changes), [sample.ONE_THREAD], found)
    return results.Results(root / FILE)


# --- running -------------------------------------------------------------------------


def test_a_chapter_passes_in_one_row_and_fails_in_another(root):
    found = results.Results(root / FILE)
    both = [sample.ONE_THREAD, sample.TWO_THREADS]
    chapters = [root / "book" / "01-threads.ipynb"]

    assert work.go(sample.plan(root, chapters=chapters), both, found) == 1

    one, two = (found.rows[row.name]["results"]["01-threads"] for row in both)
    assert (one["outcome"], one["failures"]) == ("pass", [])
    assert two["outcome"] == "fail"
    where = notebooks.read(chapters[0]).cells[1].id
    what = "got:    threads 2\nstored: threads 1"
    assert two["failures"] == [{"where": where, "what": what}]


def test_a_run_that_takes_too_long_is_a_failure(root, monkeypatch):
    monkeypatch.setattr(run, "CHAPTER_SECONDS", 0.2)
    path = root / "book" / "01-threads.ipynb"
    failures = run.chapter(Path(sys.executable), root, path, {})
    assert failures == [Failure("", "not done after 0.2 seconds")]


def test_a_process_that_stops_is_a_failure_without_this_machine_s_folder(root):
    (root / "conftest.py").write_text("raise SystemExit(f'gone: {__file__}')\n")
    failures = run.chapter(
        Path(sys.executable), root, root / "book" / "02-nothing.ipynb", {}
    )
    assert [failure.where for failure in failures] == [""]
    assert failures[0].what.endswith("gone: conftest.py")


def test_what_runs_is_stopped(root):
    path = sample.write_chapter(root, "03-long", "import time\ntime.sleep(99)", "")
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(run.chapter, Path(sys.executable), root, path, {})
        while not run._running:
            time.sleep(0.01)
        run.stop_all()
        assert [failure.where for failure in result.result(timeout=30)] == [""]


def test_the_first_failures_are_told_in_few_words(tmp_path):
    cases = "".join(
        f'<testcase classname="tests.test_nn" name="test_{n}"><failure message="m">'
        f"def test():\n&gt;   f()\nE   ValueError: no {n}\n"
        "tests/test_nn.py:3: ValueError</failure></testcase>"
        for n in range(12)
    )
    file = tmp_path / "report.xml"
    file.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    failures = list(report.failures_in(file))
    assert failures[0] == Failure("tests.test_nn::test_0", "ValueError: no 0")
    assert len(failures) == 11
    assert failures[-1] == Failure("", "and 2 more")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Input:\n  + x\nTraceback:\n  - 1\n  + 2\n", "got:    1\nstored: 2"),
        (
            "Traceback:\n\x1b[91mUnexpected output fields from running code: {'a'}",
            "Unexpected output fields from running code: {'a'}",
        ),
        ("Traceback:\nCell, line 1\nKeyError: 'a'\n", "KeyError: 'a'"),
        ("E   assert 1 == 2\nE    +  where 1 = f()\n", None),
        ("x" * 1000, "x" * 400 + "…"),
    ],
    ids=["output", "field", "error", "assert", "long"],
)
def test_what_is_wrong_in_few_words(text, told):
    assert report.short(text) == (told or "assert 1 == 2\n+  where 1 = f()")


def test_the_package_s_tests_are_those_that_need_nothing_else(root):
    (root / "tests" / "test_layers.py").write_text("from tools import notebooks\n")
    names = [path.name for path in texts.package_tests(root)]
    assert names == ["test_layers.py", "test_nn.py"]


def test_the_tests_run_where_they_are_asked_for(root, calls, monkeypatch):
    monkeypatch.setattr(run, "tests", lambda **_: [Failure("tests::test_a", "no")])
    found = go(root, tests_in=[sample.ONE_THREAD])
    done = found.rows[sample.ONE_THREAD.name]["results"]
    assert {name: result["outcome"] for name, result in done.items()} == {
        "01-threads": "pass",
        "02-nothing": "pass",
        "tests": "fail",
    }


# --- what is kept --------------------------------------------------------------------


def test_what_has_a_result_is_not_run_again(root, calls):
    go(root)
    go(root)
    assert calls == ["01-threads", "02-nothing"]
    go(root, again=True)
    assert calls == ["01-threads", "02-nothing"] * 2


def change_code(root: Path) -> None:
    sample.write_chapter(root, "02-nothing", "print(2)", "1\n")


def change_output(root: Path) -> None:
    sample.write_chapter(root, "02-nothing", "print(1)", "2\n")


def change_prose(root: Path) -> None:
    sample.write_chapter(root, "02-nothing", "print(1)", "1\n", text="A word.")


def change_package(root: Path) -> None:
    (root / "lossfn" / "nn.py").write_text("ONE = 2\n")


def change_tests(root: Path) -> None:
    (root / "tests" / "test_nn.py").write_text("import lossfn.nn\n")


@pytest.mark.parametrize(
    ("change", "run_again"),
    [
        (change_code, ["02-nothing"]),
        (change_output, ["02-nothing"]),
        (change_prose, []),
        (change_package, ["01-threads", "02-nothing"]),
        (change_tests, []),
    ],
    ids=["code", "output", "prose", "package", "tests"],
)
def test_what_a_change_runs_again(root, calls, change, run_again):
    go(root)
    calls.clear()
    change(root)
    go(root)
    assert calls == run_again


def test_other_versions_are_other_results(root, calls, monkeypatch):
    go(root)
    newer = sample.VERSIONS | {"keras": "3.13.0"}
    monkeypatch.setattr(environments, "versions", lambda _: newer)
    found = go(root, chapters=[root / "book" / "02-nothing.ipynb"])
    row = found.rows[sample.ONE_THREAD.name]
    assert row["versions"] == newer
    assert list(row["results"]) == ["02-nothing"]


def test_an_interrupted_run_keeps_what_was_done(root, monkeypatch):
    def interrupted(python, root, path, variables) -> list[Failure]:
        if path.stem == "02-nothing":
            raise KeyboardInterrupt
        return []

    monkeypatch.setattr(run, "chapter", interrupted)
    with pytest.raises(KeyboardInterrupt):
        go(root)
    kept = results.Results(root / FILE).rows[sample.ONE_THREAD.name]["results"]
    assert list(kept) == ["01-threads"]


def test_the_file_has_a_normal_form(root, calls):
    work.go(
        sample.plan(root),
        [sample.TWO_THREADS, sample.ONE_THREAD],
        results.Results(root / FILE),
    )
    text = (root / FILE).read_text("utf-8")
    found = json.loads(text)
    assert list(found["rows"]) == [sample.ONE_THREAD.name, sample.TWO_THREADS.name]
    assert text == json.dumps(found, sort_keys=True, indent=1) + "\n"
    assert results.to_text(found["rows"]) == text
    assert not (root / (FILE + ".part")).exists()


def test_a_python_that_is_not_there_is_said_so(tmp_path, calls, capsys):
    root = sample.small_project(tmp_path)
    row = rows.Row(rows.Environment("9.9", "2.20"), True, 1)
    found = results.Results(root / FILE)

    assert work.go(sample.plan(root), [row], found) == 0

    assert calls == []
    assert found.rows[row.name]["missing"] == "no Python 9.9 on this machine"
    assert capsys.readouterr().out == (
        f"{row.name}: not run: no Python 9.9 on this machine\n"
    )
