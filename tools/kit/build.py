"""Writes the kit: students' and teachers' notebooks, and the repository to fork."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from tools import notebooks, wheel
from tools.kit import chapter, names, solution, student
from tools.kit.chapter import Chapter, KitError
from tools.kit.labels import Labels
from tools.kit.markdown import Markdown

HERE = Path(__file__).parent
TEMPLATE = HERE / "template"
# What the grader and the students need beside lossfn and its real data sets.
REQUIREMENTS = (
    "scipy",
    "ipykernel",
    "jupyterlab",
    "nbclient",
    "nbformat",
    "pytest",
    "pytest-xdist",
)
PARTS = ("README.md", "repository", "solution", "student")
_NOT_COPIED = shutil.ignore_patterns("__pycache__", ".*_cache")


def build(book: Path, folder: Path, wanted: Sequence[str] = ()) -> list[Chapter]:
    """Write the kit into a folder, in the place of an older kit.

    Args:
        book: The folder of the chapters.
        folder: Where the kit goes.
        wanted: Numbers of chapters, ``"03"``; all of them if empty.

    Returns:
        The chapters.

    Raises:
        KitError: If there is no such chapter, no kit can be made of one, or the folder
            holds something else.
    """
    _check_replaceable(folder)
    paths = choose(book, wanted)
    markdown = Markdown(Labels(book), [path.stem for path in paths])
    chapters = [chapter.read(path) for path in paths]
    shutil.rmtree(folder, ignore_errors=True)
    # First what a kit is known by, so that an interrupted one can be replaced.
    folder.mkdir(parents=True)
    shutil.copy(HERE / "instructor.md", folder / "README.md")
    for name, make in (("student", student.notebook), ("solution", solution.notebook)):
        (folder / name).mkdir()
        for one in chapters:
            text = notebooks.to_text(make(one, markdown))
            (folder / name / f"{one.stem}.ipynb").write_text(text, encoding="utf-8")
        _copy_scripts(book, folder / name)
    _write_repository(folder / "repository", folder / "student", chapters)
    return chapters


def _check_replaceable(folder: Path) -> None:
    """Refuse to delete what is not as this program wrote it."""
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    others = {path.name for path in folder.iterdir()} - set(PARTS)
    if others or not (folder / "README.md").is_file():
        raise KitError(f"{folder} holds what is no kit, and would be deleted")
    if (folder / "repository" / ".git").exists():
        raise KitError(
            f"{folder}/repository is a git repository, and would be deleted: "
            "move it away"
        )


def choose(book: Path, wanted: Sequence[str]) -> list[Path]:
    """Find the chapters with these numbers."""
    paths = sorted(book.glob("[0-9][0-9]-*.ipynb"))
    numbers = {f"{number:0>2}" for number in wanted}
    unknown = numbers - {path.stem[:2] for path in paths}
    if unknown:
        raise KitError(
            f"there is no chapter {', '.join(sorted(unknown))} in {book.name}/"
        )
    return [path for path in paths if not numbers or path.stem[:2] in numbers]


def _copy_scripts(book: Path, folder: Path) -> None:
    """Copy the scripts that a notebook of the folder runs."""
    texts = (path.read_text(encoding="utf-8") for path in folder.glob("*.ipynb"))
    if any(re.search(r"\bscripts[/.]", text) for text in texts):
        shutil.copytree(book / "scripts", folder / "scripts", ignore=_NOT_COPIED)


def _write_repository(folder: Path, student: Path, chapters: list[Chapter]) -> None:
    shutil.copytree(TEMPLATE, folder, ignore=_NOT_COPIED)
    shutil.copy(names.__file__, folder / "tests")
    shutil.copytree(student, folder / "notebooks")
    shutil.copy(notebooks.ROOT / "LICENSE", folder)
    with open(folder / "points.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["exercise", "notebook", "answer", "points"])
        for one in chapters:
            table.writerows(
                [label, one.stem, n, 1] for label, n in one.graded().items()
            )


def add_wheel(repository: Path) -> Path:
    """Build lossfn into the repository, so that no index needs to have it."""
    built = wheel.build(notebooks.ROOT, repository / "wheels")
    lines = [f"./wheels/{built.name}[data]", *REQUIREMENTS]
    (repository / "requirements.txt").write_text("\n".join(lines) + "\n", "utf-8")
    return built
