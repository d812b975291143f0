"""The page of the matrix: what its tables say, and that they say it in text."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests import matrix_sample as sample
from tools.matrix import results, rows
from tools.matrix.report import Failure
from tools.matrix.summary import Difference, Summary

ROOT = Path(__file__).resolve().parent.parent
CONF = """
extensions = ["myst_nb", "lossfn_matrix"]
html_theme = "basic"
root_doc = "index"
nb_execution_mode = "off"
exclude_patterns = ["tests"]
"""
INDEX = """# Contents

```{toctree}
book/01-threads
book/02-nothing
```

```{matrix}
```
"""
WRONG = Failure("01-threads-ab", "got:    1\nstored: 2")


def hashes(root: Path, name: str) -> dict[str, str]:
    if name == results.TESTS:
        return results.hashes_of_tests(root)
    return results.hashes_of_chapter(root, root / "book" / f"{name}.ipynb")


def record(root: Path, row: rows.Row, **outcomes: list[Failure]) -> None:
    """Write results of the files as they are now."""
    found = results.Results(root / "book" / "matrix.json")
    found.begin(row, sample.VERSIONS)
    for name, failures in outcomes.items():
        found.record(row, name, hashes(root, name), failures)


def summary(root: Path) -> Summary:
    return Summary(root, root / "book" / "matrix.json")


@pytest.fixture(name="root")
def _root(tmp_path) -> Path:
    return sample.small_project(tmp_path)


def test_without_results_nothing_was_run(root):
    assert summary(root).rows() == []
    assert summary(root).of_environment(sample.PAIR, "01-threads") == "not run"


@pytest.mark.parametrize(
    ("one", "two", "worst"),
    [
        ([], [], "pass"),
        ([], [WRONG], "fail"),
        ([WRONG], [], "fail"),
        ([], None, "pass"),
        (None, [WRONG], "fail"),
    ],
    ids=["both pass", "second fails", "first fails", "one not run", "other not run"],
)
def test_an_environment_is_as_good_as_its_worst_row(root, one, two, worst):
    for row, failures in ((sample.ONE_THREAD, one), (sample.TWO_THREADS, two)):
        if failures is not None:
            record(root, row, **{"01-threads": failures})
    assert summary(root).of_environment(sample.PAIR, "01-threads") == worst


def test_a_result_of_an_older_text_is_shown_as_such(root):
    outcomes = {"01-threads": [], "02-nothing": [WRONG], results.TESTS: []}
    record(root, sample.ONE_THREAD, **outcomes)

    def now() -> list[str]:
        return [summary(root).outcome(sample.ONE_THREAD, name) for name in outcomes]

    assert now() == ["pass", "fail", "pass"]
    sample.write_chapter(root, "01-threads", sample.THREADS, "threads 3\n")
    assert now() == ["pass, older text", "fail", "pass"]
    (root / "tests" / "test_nn.py").write_text("import lossfn.nn\n")
    assert now() == ["pass, older text", "fail", "pass, older text"]
    (root / "lossfn" / "nn.py").write_text("ONE = 2\n")
    assert now() == ["pass, older text", "fail, older text", "pass, older text"]


def test_one_difference_is_told_once_with_its_rows(root):
    for row in (sample.ONE_THREAD, sample.TWO_THREADS):
        record(root, row, **{"01-threads": [WRONG], "02-nothing": []})
    both = (sample.ONE_THREAD.name, sample.TWO_THREADS.name)
    assert summary(root).differences() == [Difference("01-threads", *WRONG, both)]


# --- the page ------------------------------------------------------------------------


class Tables(HTMLParser):
    """The cells of a page's tables, and which of them are headings."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.lines: list[list[str]] = []
        self.headings: list[str] = []
        self.inside = ""
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.lines.append([])
        elif tag in ("td", "th"):
            self.inside = tag
            self.lines[-1].append("")

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.lines[-1][-1] = " ".join(self.lines[-1][-1].split())
            self.headings += [self.lines[-1][-1]] * (tag == "th")
            self.inside = ""

    def handle_data(self, data):
        if self.inside:
            self.lines[-1][-1] += f" {data}"


@pytest.fixture(scope="module", name="page")
def _page(tmp_path_factory) -> Path:
    root = sample.small_project(tmp_path_factory.mktemp("page"))
    record(root, sample.ONE_THREAD, **{"01-threads": [], "02-nothing": []})
    record(root, sample.TWO_THREADS, **{"01-threads": [WRONG], results.TESTS: []})
    sample.write_chapter(root, "02-nothing", "print(2)", "2\n")
    missing = rows.Row(rows.Environment("3.13", "2.21"), False, 2)
    results.Results(root / "book" / "matrix.json").miss(missing, "no Python 3.13")
    (root / "conf.py").write_text(CONF)
    (root / "index.md").write_text(INDEX)
    # A process of its own: Sphinx registers what it loads for good.
    build = [sys.executable, "-m", "sphinx", "-Wqn", str(root), str(root / "html")]
    done = subprocess.run(
        build, cwd=ROOT / "tools", env={"PYTHONPATH": "."}, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    return root / "html" / "index.html"


def test_the_page_says_in_text_how_each_chapter_did(page):
    head, one, two, *_ = Tables(page).lines
    assert head == [
        "chapter",
        "TensorFlow 2.18 Python 3.10 to 3.12",
        "TensorFlow 2.19 Python 3.10 to 3.12",
        "TensorFlow 2.20 Python 3.10 to 3.13",
        "TensorFlow 2.21 Python 3.10 to 3.13",
        "TensorFlow 2.18 Python 3.11 older Keras and NumPy",
    ]
    others = "not run: 3.10, 3.11, 3.13"
    assert (one[0], one[1], one[3]) == ("01-threads", "not run", f"{others} fail: 3.12")
    assert (two[0], two[3]) == ("02-nothing", f"{others} pass, older text: 3.12")


def test_the_page_names_versions_settings_and_dates(page):
    *_, head, one, two, missing = Tables(page).lines
    assert head[:7] == [
        *("TensorFlow", "Python", "oneDNN", "threads"),
        *("tests", "date", "keras"),
    ]
    assert [one[:5], two[:5]] == [
        ["2.20.0", "3.12.9", "on", "1", "not run"],
        ["2.20.0", "3.12.9", "on", "2", "pass"],
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", one[5])
    assert one[6] == "3.12.0"
    assert missing[:6] == ["2.21", "3.13", "off", "2", "not run", "no Python 3.13"]


def test_rows_and_columns_have_headings(page):
    headings = Tables(page).headings
    assert {"chapter", "01-threads", "02-nothing", "oneDNN"} <= set(headings)


def test_the_page_says_what_differed(page):
    text = page.read_text("utf-8")
    assert f", 01-threads-ab, in {sample.TWO_THREADS.name}:" in text
    assert "got:    1\nstored: 2" in text
    assert "Chapters and tests, over all rows: fail 1, pass 2," in text
