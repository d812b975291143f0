"""What a page says about itself: its history, its run, and what is mended in it."""

import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from nbformat import v4

from tools import history, lossfn_page, notebooks, runs

ROOT = Path(__file__).resolve().parent.parent
ME = ("-c", "user.name=Me", "-c", "user.email=me@example.invalid")
RUN = {
    "code": "0123456789abcdef",
    "date": "2026-11-06",
    "keras": "3.15.1",
    "numpy": "2.4.6",
    "python": "3.11.7",
    "seconds": 35,
    "tensorflow": "2.21.0",
}


def git(folder: Path, *arguments: str) -> None:
    command = ["git", "-C", str(folder), *ME, *arguments]
    subprocess.run(command, check=True, capture_output=True)


def commit(folder: Path, subject: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", subject)


@pytest.fixture(name="repository")
def _repository(tmp_path, monkeypatch) -> Path:
    """Two pages, of which one had another name before, and a third came and went."""
    for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
        monkeypatch.setenv(name, "2026-11-06T12:00:00+00:00")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for name in ("one.md", "two.md", "gone.md"):
        (folder / name).write_text(f"The text of {name}\n" * 9, encoding="utf-8")
    commit(folder, "Three pages")
    git(folder, "rm", "--quiet", "gone.md")
    git(folder, "mv", "two.md", "zwei ü.md")
    commit(folder, "One goes, another is renamed")
    (folder / "one.md").write_text("Other text\n", encoding="utf-8")
    commit(folder, "A <b>change</b>\ttwice")
    return folder


def subjects(folder: Path) -> dict[str, list[str]]:
    files = history.read(folder)
    return {name: [change.subject for change in files[name]] for name in files}


# --- history -----------------------------------------------------------------


def test_a_page_has_its_changes_newest_first_and_keeps_them_when_renamed(repository):
    found = subjects(repository)
    assert found["one.md"] == ["A <b>change</b>\ttwice", "Three pages"]
    assert found["zwei ü.md"] == ["One goes, another is renamed", "Three pages"]
    assert "two.md" not in found
    change = history.read(repository)["one.md"][0]
    assert change.day == date(2026, 11, 6)
    assert re.fullmatch("[0-9a-f]{40}", change.commit)


def test_a_page_that_is_made_again_begins_again(repository):
    (repository / "gone.md").write_text("Another page\n", encoding="utf-8")
    commit(repository, "A page with an old name")
    assert subjects(repository)["gone.md"] == ["A page with an old name"]


def test_a_page_that_is_not_committed_as_it_is_has_no_history(repository):
    (repository / "one.md").write_text("Later text\n", encoding="utf-8")
    assert set(subjects(repository)) & {"one.md", "zwei ü.md"} == {"zwei ü.md"}


def test_a_shallow_clone_has_no_history(repository, tmp_path):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth", "1", repository.as_uri(), str(clone))
    assert history.read(clone) == {}


def test_a_whole_clone_has_the_same_history(repository, tmp_path):
    git(tmp_path, "clone", "--quiet", repository.as_uri(), str(tmp_path / "clone"))
    assert history.read(tmp_path / "clone") == history.read(repository)


def test_a_folder_of_another_repository_has_no_history(repository):
    (repository / "inside").mkdir()
    assert history.read(repository / "inside") == {}


def test_without_git_there_is_no_history(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert history.read(repository) == {}


# --- runs --------------------------------------------------------------------


def write_notebook(path: Path, *sources: str, text: str = "# Title") -> None:
    cells = [v4.new_markdown_cell(text), *map(v4.new_code_cell, sources)]
    notebook = notebooks.normalise(v4.new_notebook(cells=cells), path.stem)
    path.write_text(notebooks.to_text(notebook), encoding="utf-8")


def new_run(path: Path) -> dict:
    return runs.new_run(notebooks.read(path), 34.6)


@pytest.fixture(name="chapter")
def _chapter(tmp_path) -> Path:
    path = tmp_path / "book" / "01-one.ipynb"
    path.parent.mkdir()
    write_notebook(path, "1 + 1", "2 + 2")
    runs.record(path, new_run(path))
    return path


def test_a_run_says_how_long_when_and_on_what(chapter):
    run = new_run(chapter)
    assert run["seconds"] == 35
    assert run["date"] == date.today().isoformat()
    assert run["tensorflow"] == metadata.version("tensorflow")
    assert set(run) == set(RUN)


@pytest.mark.parametrize(
    ("sources", "text", "fault"),
    [
        (["1 + 1", "2 + 2"], "Other text", []),
        (["1 + 1", "", "2 + 2"], "# Title", []),
        (["1 + 1", "2 + 3"], "# Title", ["other code"]),
        (["1 + 12 + 2"], "# Title", ["other code"]),
        (["2 + 2", "1 + 1"], "# Title", ["other code"]),
    ],
    ids=["text", "an empty cell", "code", "one cell", "another order"],
)
def test_a_chapter_changed_since_its_run_is_found(chapter, sources, text, fault):
    write_notebook(chapter, *sources, text=text)
    expected = (
        "01-one.ipynb has {} than what was executed: "
        "run `python -m tools.notebooks book/01-one.ipynb`"
    )
    found = runs.faults(chapter.parent, notebooks.read)
    assert found == [expected.format(each) for each in fault]


def test_a_chapter_without_a_run_and_a_run_without_a_chapter_are_found(chapter):
    chapter.rename(chapter.with_name("02-two.ipynb"))
    assert runs.faults(chapter.parent, notebooks.read) == [
        "02-two.ipynb has no run in runs.json: "
        "run `python -m tools.notebooks book/02-two.ipynb`",
        "runs.json has a run of 01-one.ipynb, which does not exist: run `make outputs`",
    ]
    runs.forget_missing(chapter.parent)
    assert runs.read(chapter.parent) == {}


def test_each_run_is_kept_when_many_end_at_once(tmp_path):
    names = [f"{i:02}" for i in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: runs.record(tmp_path / f"{n}.ipynb", RUN), names))
    assert runs.read(tmp_path) == dict.fromkeys(names, RUN)
    assert [path.name for path in tmp_path.iterdir()] == [runs.NAME]


def test_the_file_of_runs_is_in_normal_form(chapter):
    text = (chapter.parent / runs.NAME).read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n"


def test_executing_a_chapter_records_its_run_alone(chapter, monkeypatch):
    monkeypatch.setattr(notebooks, "BOOK", chapter.parent)
    monkeypatch.setattr(notebooks, "execute", lambda notebook, path: None)
    other = chapter.with_name("02-two.ipynb")
    write_notebook(other, "3 + 3")
    before = runs.read(chapter.parent)["01-one"]
    assert notebooks.refresh(other) is None
    assert runs.read(chapter.parent) == {"01-one": before, "02-two": new_run_of(other)}


def new_run_of(path: Path) -> dict:
    return {**new_run(path), "seconds": 1}


def test_a_chapter_that_fails_keeps_its_run(chapter, monkeypatch):
    def fail(notebook, path):
        raise notebooks.NotebookError("no")

    monkeypatch.setattr(notebooks, "BOOK", chapter.parent)
    monkeypatch.setattr(notebooks, "execute", fail)
    before = runs.read(chapter.parent)
    assert notebooks.refresh(chapter) == "no"
    assert runs.read(chapter.parent) == before


def test_each_chapter_of_the_book_was_executed_as_it_is():
    faults = runs.faults(ROOT / "book", notebooks.read)
    assert not faults, "\n".join(faults)


# --- the page ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "1 s"), (119, "119 s"), (312, "5 minutes")]
)
def test_a_page_says_how_it_was_run(seconds, words):
    assert lossfn_page.words_of_run({**RUN, "seconds": seconds}) == (
        f"Executed in {words} on 6 November 2026 with Python 3.11.7, TensorFlow "
        "2.21.0, Keras 3.15.1 and NumPy 2.4.6."
    )


def about(folder: Path, page: str, repository: str = "") -> dict:
    files = {p.stem: str(p) for p in folder.iterdir() if p.suffix in (".md", ".ipynb")}
    app = SimpleNamespace(
        srcdir=str(folder),
        env=SimpleNamespace(doc2path=files.__getitem__),
        config=SimpleNamespace(lossfn_repository=repository),
    )
    lossfn_page.read_history(app)
    context: dict = {}
    lossfn_page.add_about(app, page, "page.html", context, object())
    return context


@pytest.mark.parametrize("repository", ["", "https://github.com/me/it"])
def test_a_page_gets_its_last_five_changes(repository):
    change = history.Change("abc", date(2026, 11, 6), "A <b>change</b>")
    assert lossfn_page.described(change, repository) == {
        "day": "2026-11-06",
        "words": "6 November 2026",
        "subject": "A <b>change</b>",
        "address": f"{repository}/commit/abc" if repository else "",
    }


def test_a_page_gets_no_more_than_five_changes(repository):
    for i in range(6):
        (repository / "one.md").write_text(f"Text {i}\n", encoding="utf-8")
        commit(repository, f"Change {i}")
    changes = about(repository, "one")["page_changes"]
    expected = [f"Change {i}" for i in (5, 4, 3, 2, 1)]
    assert [change["subject"] for change in changes] == expected


def test_a_page_gets_its_run_and_another_page_does_not(chapter):
    chapter.with_name("text.md").write_text("# Text\n", encoding="utf-8")
    run = lossfn_page.words_of_run(new_run(chapter))
    assert about(chapter.parent, "01-one") == {"page_run": run, "page_changes": []}
    assert about(chapter.parent, "text") == {"page_changes": []}


@pytest.mark.parametrize(
    ("body", "mended"),
    [
        ("<th></th>", "<td></td>"),
        ('<th class="head"><p></p></th>', '<td class="head"></td>'),
        ("<th>loss</th><thead></thead>", "<th>loss</th><thead></thead>"),
        ("<th>a</th><th> </th>", "<th>a</th><td></td>"),
        ('<summary aria-label="Toggle hidden content">', "<summary>"),
        ('<div role="doc-biblioentry">', '<div role="listitem">'),
    ],
    ids=["empty", "of markdown", "not empty", "one of two", "a button", "a citation"],
)
def test_what_a_screen_reader_stumbles_over_is_mended(body, mended):
    context = {"body": body}
    lossfn_page.mend_body(None, "page", "page.html", context, None)
    assert context == {"body": mended}
