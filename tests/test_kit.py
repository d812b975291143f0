"""The instructor's kit: students' and teachers' notebooks, and nothing that leaks.

It is the kit of a small chapter. tests/test_kit_chapters.py looks at those of the book,
and tests/test_kit_grader.py grades.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import nbformat
import pytest

from tests.kit_sample import MYST, SAMPLE, STEM, make_kit, write_book
from tools import notebooks
from tools.kit import __main__ as command
from tools.kit import build, solution, student
from tools.kit.chapter import KitError


@pytest.fixture(name="kit", scope="module")
def _kit(tmp_path_factory) -> Path:
    return make_kit(tmp_path_factory.mktemp("kit"))


def sources(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


def made(folder: Path, sample: list) -> list[str]:
    return sources(make_kit(folder, sample) / "student" / f"{STEM}.ipynb")


def replaced(old: str, new: str) -> list:
    """Return the sample with a piece of it changed."""
    changed = [
        (part[0].replace(old, new), *part[1:])
        if isinstance(part, tuple)
        else part.replace(old, new)
        for part in SAMPLE
    ]
    assert changed != SAMPLE
    return changed


def test_the_notebook_of_a_student(kit):
    assert sources(kit / "student" / f"{STEM}.ipynb") == [
        student.HOW_TO.format(number=2),
        """# A sample chapter

<a id="here"></a>

## A section

Code `{term}` stays, `loss` is short, chapter 3.

$$
x = 1
\\tag{2.1}
$$

By (2.1), Figure 2.1, “A section”, Exercise 2.3, Ann (2000)
and others (Ann, 2000; Bob et al., 2001).""",
        "import numpy as np",
        "scale, rate = 1.0, 2.0\nprint('chapter output')",
        "*Figure 2.1:* A caption with terms.",
        "## Exercises",
        "### Exercise 2.1: The uniform guess\n\n(`ex-02-uniform`, checked)\n\n"
        "Write `uniform_guess`. Remember (2.1).",
        "from lossfn.exercises import check_answer",
        "def uniform_guess(classes, scale=scale):\n"
        '    raise NotImplementedError("ex-02-uniform is still to be written")',
        'check_answer("ex-02-uniform", uniform_guess)',
        "### Exercise 2.2: By hand\n\n(`ex-02-by-hand`)\n\nDerive it.",
        "given = 2",
        "**Your answer:**",
        "### Exercise 2.3: The clip\n\n(`ex-02-clip`, checked)\n\n"
        "Write `lead_where_gradient_dies`.",
        "def lead_where_gradient_dies(epsilon):\n"
        '    raise NotImplementedError("ex-02-clip is still to be written")',
        'check_answer("ex-02-clip", lead_where_gradient_dies)',
        "## References\n\nNone.",
    ]


def test_the_notebook_of_a_teacher(kit):
    notebook = nbformat.read(kit / "solution" / f"{STEM}.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells)
    outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    assert notebook.cells[0].source == solution.FOR_TEACHERS.format(number=2)
    assert text.count("#### Solution") == text.count("*End of the solution.*") == 3
    assert not MYST.search(text.replace("`{term}`", ""))
    assert [o[0].text for o in outputs if o] == [
        "chapter output\n",
        "secret answer\n",
        "secret output",
        "secret output",
    ]
    assert all(part[0] in text for part in SAMPLE if isinstance(part, tuple))


@pytest.mark.parametrize("folder", ["student", "repository"])
def test_nothing_of_a_solution_or_an_output_leaks(kit, folder):
    texts = [p.read_text(encoding="utf-8") for p in (kit / folder).rglob("*.ipynb")]
    assert len(texts) == 1
    assert not re.search(r"[Ss]ecret|np\.log|chapter output\\n\"", texts[0])


def test_the_repository_is_complete(kit):
    repository = kit / "repository"
    files = {p.relative_to(repository).as_posix() for p in repository.rglob("*")}
    assert files >= {
        ".github/workflows/grade.yml",
        "LICENSE",
        "README.md",
        f"notebooks/{STEM}.ipynb",
        "points.csv",
        "pyproject.toml",
        "tests/names.py",
        "tests/test_answers.py",
    }
    assert (kit / "repository" / "points.csv").read_text(encoding="utf-8") == (
        "exercise,notebook,answer,points\n"
        f"ex-02-uniform,{STEM},uniform_guess,1\n"
        f"ex-02-clip,{STEM},lead_where_gradient_dies,1\n"
    )


def test_the_wheel_holds_the_package(tmp_path):
    wheel = build.add_wheel(tmp_path)
    first, *rest = (tmp_path / "requirements.txt").read_text("utf-8").split()
    assert (first, rest) == (f"./wheels/{wheel.name}[data]", [*build.REQUIREMENTS])
    held = set(zipfile.ZipFile(wheel).namelist())
    package = notebooks.ROOT / "lossfn"
    assert held >= {
        path.relative_to(notebooks.ROOT).as_posix()
        for kind in ("py", "cc", "h")
        for path in package.rglob(f"*.{kind}")
    }


STUBS = {
    "a function keeps its signature": (
        "@decorated\ndef answer(\n    a: int = (1),\n    *, b='a:b',\n) -> dict: pass",
        "def answer(\n    a: int = (1),\n    *, b='a:b',\n) -> dict:\n    raise TODO",
    ),
    "a lambda becomes a function": (
        "answer = lambda a, b=2: a + b",
        "def answer(a, b=2):\n    raise TODO",
    ),
    "a class keeps its methods": (
        "class answer(Base):\n    size = 3\n    def __init__(self, a):\n"
        "        self.a = a\n    def call(self):\n        return 1",
        "class answer(Base):\n    def __init__(self, a):\n        raise TODO\n\n"
        "    def call(self):\n        raise TODO",
    ),
    "a value becomes None": ("answer = 3 + 4", "answer = None  # your answer"),
    "so does one of two values": ("answer, b = 3, 4", "answer = None  # your answer"),
    "choices keep their keys": (
        'answer = {"a": "mean", "b": "mode"}',
        'answer = {\n    "a": None,  # your answer\n    "b": None,  # your answer\n}',
    ),
    "the last definition counts": (
        "answer = 1\ndef answer(x):\n    return x",
        "def answer(x):\n    raise TODO",
    ),
}


@pytest.mark.parametrize(("code", "expected"), STUBS.values(), ids=STUBS)
def test_a_stub(tmp_path, code, expected):
    head, tail = SAMPLE[:-2], SAMPLE[-1]
    checked = f'{code}\n\ncheck_answer("ex-02-clip", answer)'
    imported = (
        "from lossfn.exercises import check_answer\nBase = decorated = object",
        "",
    )
    cells = made(tmp_path, [head[0], imported, *head[1:], (checked, ""), tail])
    todo = 'NotImplementedError("ex-02-clip is still to be written")'
    assert expected.replace("TODO", todo) in cells


def test_an_import_of_a_solution_is_kept_for_the_cells_after_it(tmp_path):
    sample = replaced("given = 2", "given = check_answer")
    sample = [*sample[:2], ("import math", ""), *sample[2:]]
    cells = made(tmp_path, sample)
    assert cells.count("from lossfn.exercises import check_answer") == 1
    assert "import math" in cells


# A name that the solution of ex-02-uniform defines, and how it gets needed elsewhere.
NAMES_LOST = {
    "a helper that a later cell needs": ("given = helper(2)", "helper", 0),
    "a value that a later function needs": (
        "def given():\n    return limit",
        "limit",
        0,
    ),
    "a value that a solution changes": ("given = rate", "rate", 0),
    "a helper that another solution calls": ("helper(epsilon)", "helper", "ex-02-clip"),
    "a value in a stub's signature": ("base=limit", "limit", "ex-02-uniform"),
}
BY_ANSWERS = {
    "in an exercise": ("given = 2", "given = nats", "given = nats"),
    "in a solution": ("np.log(1 / epsilon - 1)", "ask(epsilon)", "ex-02-clip"),
}


@pytest.mark.parametrize(("needs", "name", "by"), NAMES_LOST.values(), ids=NAMES_LOST)
def test_a_name_that_students_would_lack(tmp_path, needs, name, by):
    place = {0: "given = 2", "ex-02-clip": "np.log(1 / epsilon - 1)"}
    sample = replaced(place.get(by, "scale=scale"), needs)
    defined = "\n\n\ndef helper(x):\n    return x\n\n\nlimit = rate = 1"
    at = next(i for i, part in enumerate(sample) if "def uniform_guess" in part[0])
    sample[at] = (sample[at][0] + defined, "")
    words = (
        f"{STEM}: {by or needs.splitlines()[0]} needs {name} of the solution of "
        "ex-02-uniform, which students do not get: define it before the exercise"
    )
    with pytest.raises(KitError, match=f"^{re.escape(words)}$"):
        made(tmp_path, sample)


@pytest.mark.parametrize(("old", "new", "by"), BY_ANSWERS.values(), ids=BY_ANSWERS)
def test_a_name_of_the_answers_to_questions(tmp_path, old, new, by):
    sample = replaced(old, new)
    at = next(i for i, part in enumerate(sample) if part[-1] == "hide-cell")
    sample[at] = (f"{sample[at][0]}\n\n\ndef ask(x):\n    return x", *sample[at][1:])
    name = re.search(r"nats|ask", new)[0]
    words = (
        f"{STEM}: {by} needs {name} of the answers to the questions, which students do "
        "not get: define it before the exercise"
    )
    with pytest.raises(KitError, match=f"^{re.escape(words)}$"):
        made(tmp_path, sample)


PLAIN = (
    "the solution of ex-02-clip must call "
    'check_answer("ex-02-clip", NAME) with a plain name'
)
ANSWERS_REFUSED = {
    "without a name": ('-clip", lead_where_gradient_dies)', '-clip", 1)', PLAIN),
    "to another exercise": ('answer("ex-02-clip', 'answer("ex-02-uniform', PLAIN),
    "that is not defined": (
        "lead_where_gradient_dies = ",
        "another_name = ",
        "the solution of ex-02-clip does not define lead_where_gradient_dies",
    ),
}


@pytest.mark.parametrize(
    ("old", "new", "words"), ANSWERS_REFUSED.values(), ids=ANSWERS_REFUSED
)
def test_an_answer(tmp_path, old, new, words):
    with pytest.raises(KitError, match=f"^{re.escape(f'{STEM}: {words}')}$"):
        made(tmp_path, replaced(old, new))


def test_a_solution_that_is_opened_twice(tmp_path):
    sample = replaced("Secret derivation.", "```{solution-start} ex-02-uniform\n```")
    words = f"{STEM}.ipynb: solution-start ex-02-uniform is out of turn"
    with pytest.raises(KitError, match=f"^{words}$"):
        made(tmp_path, sample)


def test_a_solution_without_an_exercise(tmp_path):
    sample = replaced(":label: ex-02-clip", ":label: ex-02-other")
    with pytest.raises(KitError, match=f"^{STEM}.ipynb: no exercise ex-02-clip$"):
        made(tmp_path, sample)


def test_a_new_kit_takes_the_place_of_an_older_one(tmp_path):
    book = write_book(tmp_path)
    for _ in range(2):
        build.build(book, tmp_path / "kit")
    (tmp_path / "kit" / "student" / "old.ipynb").touch()
    build.build(book, tmp_path / "kit")
    assert {path.name for path in (tmp_path / "kit").iterdir()} == set(build.PARTS)
    assert not (tmp_path / "kit" / "student" / "old.ipynb").exists()


KEPT = {
    "a folder of something else": (
        "notes.txt",
        "{kit} holds what is no kit, and would be deleted",
    ),
    "a folder that is called like a part": (
        "student/marks.csv",
        "{kit} holds what is no kit, and would be deleted",
    ),
    "a kit with a file of one's own": (
        "README.md notes.txt",
        "{kit} holds what is no kit, and would be deleted",
    ),
    "a class's repository": (
        "README.md repository/.git/HEAD",
        "{kit}/repository is a git repository, and would be deleted: move it away",
    ),
}


@pytest.mark.parametrize(("files", "words"), KEPT.values(), ids=KEPT)
def test_a_folder_that_is_not_deleted(tmp_path, files, words):
    kit = tmp_path / "kit"
    kept = [kit / name for name in files.split()]
    for path in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    said = re.escape(words.format(kit=kit))
    with pytest.raises(KitError, match=f"^{said}$"):
        build.build(write_book(tmp_path), kit)
    assert all(path.exists() for path in kept)


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    assert command.main(["--folder", str(tmp_path / "kit"), "97"]) == 1
    assert capsys.readouterr().err == "No kit: there is no chapter 97 in book/\n"
    assert not (tmp_path / "kit").exists()
