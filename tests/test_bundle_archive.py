"""The bundle's archive, its data, and the downloads on the first page."""

import csv
import io
import zipfile
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest

from lossfn import data
from tests.bundle_sample import write_sample
from tools import browser, links, wheel
from tools.bundle import __main__ as command
from tools.bundle import archive, contents, datasets
from tools.bundle.downloads import Download, in_words, list_on, put_on_site
from tools.bundle.pages import BundleError

ROOT = browser.ROOT


@pytest.fixture(name="downloads")
def _downloads(tmp_path):
    names = {
        "pdf": "lossfn-1.2.3.pdf",
        "epub": "lossfn-1.2.3.epub",
        "notebooks": "lossfn-1.2.3-notebooks.zip",
        "wheel": "lossfn-1.2.3-py3-none-any.whl",
    }
    found = {}
    for kind, name in names.items():
        path = tmp_path / "made" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(kind.encode() * 1000)
        found[kind] = Download(path, f"The {kind}", "to take away")
    return found


@pytest.fixture(name="site")
def _site(tmp_path):
    (tmp_path / "sample").mkdir()
    site = write_sample(tmp_path / "sample")
    (site / "genindex.html").write_text("<p>Index</p>")
    return site


def packed(path: Path, files) -> bytes:
    archive.pack(path, "top", files)
    return path.read_bytes()


# --- zip files -----------------------------------------------------------------------


def test_an_archive_depends_on_its_content_alone(tmp_path):
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_text("one")
    one = packed(tmp_path / "1.zip", {"b": first, "a": b"two"})
    second.write_text("one")
    second.chmod(0o700)
    two = packed(tmp_path / "2.zip", {"a": b"two", "b": second})
    assert one == two
    assert packed(tmp_path / "3.zip", {"a": b"two", "b": b"other"}) != one


def test_an_archive_is_sorted_and_lies_in_one_folder(tmp_path):
    packed(tmp_path / "1.zip", {"b/c": b"", "a": b"", "B": b""})
    with zipfile.ZipFile(tmp_path / "1.zip") as opened:
        assert opened.namelist() == ["top/B", "top/a", "top/b/c"]
        assert {entry.date_time for entry in opened.infolist()} == {archive.LONG_AGO}


def test_caches_and_hidden_files_stay_out(tmp_path):
    for name in ("a.txt", ".hidden", "__pycache__/b.pyc", "c/.d/e", "c/f"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert sorted(archive.tree(tmp_path, "x")) == ["x/a.txt", "x/c/f"]


# --- what is in it -------------------------------------------------------------------


def test_the_archive_holds_everything(tmp_path, site, downloads):
    (site / "downloads").mkdir()
    (site / "downloads" / "old.pdf").write_text("not twice")
    files = contents.everything(ROOT, site, downloads, "A title", "1.2.3")
    names = set(files)
    assert names >= {it.path.name for it in downloads.values()}
    assert names >= {"README.txt", "LICENSE", "site/index.html", "site/genindex.html"}
    assert names >= {"notebooks/README.txt", "notebooks/scripts/two_workers.py"}
    chapters = {path.name for path in (ROOT / "book").glob("*.ipynb")}
    assert names >= {f"notebooks/{name}" for name in chapters}
    assert names >= {f"data/{n}.csv" for n in ("digits", "breast_cancer", "engel")}
    assert "site/downloads/old.pdf" not in names
    readme = files["README.txt"].decode()
    left_out = {name for name in names if "/" not in name and name not in readme}
    # Of the notebooks the folder is named instead.
    assert left_out == {downloads["notebooks"].path.name}


def test_every_link_of_the_site_in_the_archive_works(tmp_path, site, downloads):
    archive.pack(
        tmp_path / "whole.zip",
        "top",
        contents.everything(ROOT, site, downloads, "A title", "1.2.3"),
    )
    with zipfile.ZipFile(tmp_path / "whole.zip") as opened:
        opened.extractall(tmp_path)
    unpacked = tmp_path / "top" / "site"
    assert list(links.faults(unpacked, browser.pages(unpacked))) == []
    assert "../lossfn-1.2.3.pdf" in (unpacked / "index.html").read_text()


def test_no_text_of_the_bundle_names_this_machine(site, downloads):
    files = contents.everything(ROOT, site, downloads, "A title", "1.2.3")
    texts = [text for text in files.values() if isinstance(text, bytes)]
    assert len(texts) >= 6
    assert not any(str(ROOT).encode() in text for text in texts)


def test_the_wheel_is_the_same_each_time(tmp_path):
    date = datetime(2026, 11, 28, tzinfo=timezone.utc)
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    one, two = (wheel.build(ROOT, tmp_path / name, date) for name in ("1", "2"))
    assert one.name == f"lossfn-{command.version_of(ROOT)}-py3-none-any.whl"
    assert one.read_bytes() == two.read_bytes()


def test_a_wheel_that_cannot_be_built_says_why(tmp_path):
    for name in wheel.SOURCES:
        (tmp_path / name).write_text("[build-system]\nrequires = 3\n")
    (tmp_path / "lossfn").mkdir()
    words = r"^the wheel cannot be built:\n(.|\n)*requires"
    with pytest.raises(wheel.WheelError, match=words):
        wheel.build(tmp_path, tmp_path, datetime.now(timezone.utc))


def test_the_date_is_the_one_that_is_set(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert command.date_of(ROOT) == datetime(1970, 1, 1, tzinfo=timezone.utc)


def test_a_tree_without_git_has_the_earliest_date_of_a_zip_file(monkeypatch, tmp_path):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert command.date_of(tmp_path) == datetime(1980, 1, 1, tzinfo=timezone.utc)


# --- the data ------------------------------------------------------------------------


@pytest.fixture(scope="module", name="rows_of")
def _rows_of():
    files = datasets.files()

    def rows_of(name):
        header, *rows = csv.reader(io.StringIO(files[name].decode()))
        return header, np.array(rows, dtype=float)

    return rows_of


def sorted_rows(array: np.ndarray) -> np.ndarray:
    return array[np.lexsort(array.T)]


def test_the_digits_are_those_of_the_package(rows_of):
    header, rows = rows_of("digits.csv")
    split = data.load_digits(seed=0)
    inks = np.concatenate([split.x_train, split.x_test]) * 16
    digits = np.concatenate([split.y_train, split.y_test])
    assert header[0] == "pixel_0_0" and header[-1] == "digit"
    np.testing.assert_array_equal(
        sorted_rows(rows), sorted_rows(np.column_stack([inks, digits]))
    )


def test_the_masses_have_the_labels_of_the_package(rows_of):
    header, rows = rows_of("breast_cancer.csv")
    split = data.load_breast_cancer(seed=0)
    assert (len(header), header[-1]) == (31, "malignant")
    assert rows.shape == (569, 31)
    assert rows[:, -1].sum() == split.y_train.sum() + split.y_test.sum()
    # The measurements, put into the training part's units, are the package's.
    standard = (rows[:, 0] - rows[:, 0].mean()) / rows[:, 0].std()
    theirs = np.concatenate([split.x_train, split.x_test])[:, 0]
    theirs = (theirs - theirs.mean()) / theirs.std()
    np.testing.assert_allclose(np.sort(standard), np.sort(theirs), atol=1e-9)


def test_the_households_are_those_of_the_package(rows_of):
    header, rows = rows_of("engel.csv")
    households = data.load_engel()
    assert header == ["income", "food"]
    np.testing.assert_array_equal(rows, np.column_stack(households))


def test_the_words_with_the_data_name_every_file():
    files = datasets.files()
    readme = files["README.txt"].decode()
    assert [name for name in files if name not in readme] == ["README.txt"]
    about = {text.split()[0]: text for text in readme.split("\n\n") if ".csv" in text}
    assert sorted(about) == ["breast_cancer.csv", "digits.csv", "engel.csv"]
    assert [name for name, text in about.items() if "(licence " not in text] == []


# --- the first page ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "words"),
    [(1, "1 kB"), (12_345, "12 kB"), (99_999, "100 kB"), (3_449_000, "3.4 MB")],
)
def test_a_size_in_words(size, words):
    assert in_words(size) == words


def test_the_downloads_are_on_the_first_page(site, downloads):
    put_on_site(site, list(downloads.values()))
    put_on_site(site, list(downloads.values()))  # making it again changes nothing
    text = (site / "index.html").read_text()
    assert text.count("lossfn-1.2.3.pdf") == 1
    assert "Run make bundle." not in text
    assert "The pdf</a>: to take away, 3 kB" in text
    assert list(links.faults(site, browser.pages(site))) == []


def test_a_first_page_without_a_section_for_downloads_is_named():
    with pytest.raises(
        BundleError, match=r"^the first page has 0 sections for downloads, not 1$"
    ):
        list_on("<p>Nothing</p>", {})


def test_the_first_page_of_the_book_has_the_section():
    text = (ROOT / "index.md").read_text(encoding="utf-8")
    assert text.count("\n## Downloads\n") == 1
