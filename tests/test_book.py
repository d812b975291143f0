"""What every chapter owes its reader, read from the files; nbval runs the cells.

The first half checks the book. The second half checks the checks, each on a small
notebook that is wrong in one way.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from nbformat import NotebookNode, v4

from tools import notebooks

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))

# The cells whose outputs nbval does not compare, and why: only a cell that prints a
# time, a memory or a speed may be here. (file, cell id): reason.
EXCUSED = {
    ("04-sparse-softmax.ipynb", "04-sparse-softmax-214b102f"): "memory, measured",
    ("04-sparse-softmax.ipynb", "04-sparse-softmax-ddd8fa09"): "times, measured",
    ("18-loss-in-cpp.ipynb", "18-loss-in-cpp-084d0552"): "seconds of compiling",
    ("18-loss-in-cpp.ipynb", "18-loss-in-cpp-9be698ac"): "seconds of compiling",
    ("19-fast-and-frugal.ipynb", "19-fast-and-frugal-38ee09ce"): "times, measured",
    (
        "19-fast-and-frugal.ipynb",
        "19-fast-and-frugal-4b4ec21e",
    ): "times and page faults, measured",
    (
        "19-fast-and-frugal.ipynb",
        "19-fast-and-frugal-4e0165f6",
    ): "page faults, measured",
    ("19-fast-and-frugal.ipynb", "19-fast-and-frugal-065f8fdc"): "times, measured",
    ("19-fast-and-frugal.ipynb", "19-fast-and-frugal-e8a05d0a"): "times, measured",
    ("19-fast-and-frugal.ipynb", "19-fast-and-frugal-b1277640"): "times, measured",
    ("19-fast-and-frugal.ipynb", "19-fast-and-frugal-51e94186"): "memory, measured",
    ("19-fast-and-frugal.ipynb", "19-fast-and-frugal-a21f8313"): "memory, measured",
}

EXCUSES = ("nbval-ignore-output", "nbval-skip", "pytest-validate-ignore-output")
COMMENT_EXCUSE = re.compile(r"^\s*#.*\b(NBVAL|PYTEST_VALIDATE)_", re.MULTILINE)

OBJECT_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")
ABSOLUTE_PATH = re.compile(
    r"(?<![\w.:/])/(?:home|root|tmp|usr|opt|var|work|private|Users)/|\b[A-Z]:\\"
)

# What the sections of a chapter must match, in this order.
SHAPE = {
    "a title": r"^# \S",
    "You will be able to": r"^\*\*You will be able to\*\*",
    "You need": r"^\*\*You need\*\*",
    "Summary": r"^## Summary$",
    "Questions": r"^## Questions$",
    "Exercises": r"^## Exercises$",
    "References": r"^## References$",
}
EXERCISE = re.compile(r"\{exercise\}[^`]*?:label:\s*(\S+)")
SOLUTION = re.compile(r"\{solution(?:-start)?\}\s*(\S+)")
QUESTION = re.compile(r"^\*\*Question (\d)\.\*\* ", re.MULTILINE)
# Without a blank line on both sides, the answer's text would be shown as it is typed.
ANSWER = re.compile(
    r'<details class="answer">\n<summary>([^\n]+)</summary>\n\n(.+?)\n\n</details>',
    re.DOTALL,
)


# --- the checks --------------------------------------------------------------


def code_cells(notebook: NotebookNode) -> Iterator[NotebookNode]:
    return (cell for cell in notebook.cells if cell.cell_type == "code")


def prose(notebook: NotebookNode) -> str:
    return "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def excused(notebook: NotebookNode) -> list[str]:
    """List the ids of the cells whose outputs nbval leaves uncompared."""
    return [
        cell.id
        for cell in code_cells(notebook)
        if set(EXCUSES) & set(tags(cell)) or COMMENT_EXCUSE.search(cell.source)
    ]


def shows_something(cell: NotebookNode) -> bool:
    """Tell whether a line at the cell's top level prints or shows a figure."""
    calls = (
        line.value.func
        for line in ast.parse(cell.source).body
        if isinstance(line, ast.Expr) and isinstance(line.value, ast.Call)
    )
    return any(ast.unparse(call) in ("print", "plt.show") for call in calls)


def texts(output: NotebookNode) -> Iterator[str]:
    """Yield what a reader reads of an output; pictures are left out."""
    if output.output_type == "stream":
        yield output.text
    elif output.output_type == "error":
        yield from (output.evalue, *output.traceback)
    else:
        yield from (str(v) for k, v in output.data.items() if k.startswith("text/"))


def alternative_text(cell: NotebookNode) -> str:
    return cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")


def has_picture(cell: NotebookNode) -> bool:
    return any(
        kind.startswith("image/")
        for output in cell.outputs
        for kind in output.get("data", {})
    )


def faults_of_outputs(cell: NotebookNode) -> Iterator[str]:
    """Yield what is wrong with one cell's stored outputs."""
    kinds = [output.output_type for output in cell.outputs]
    if "error" in kinds and "raises-exception" not in tags(cell):
        yield "holds an error and is not tagged raises-exception"
    if "error" not in kinds and "raises-exception" in tags(cell):
        yield "is tagged raises-exception and holds no error"
    if shows_something(cell) and not cell.outputs:
        yield "shows something and holds no output: it was not executed"
    if any(output.get("name") == "stderr" for output in cell.outputs):
        yield "wrote to stderr: a warning does not belong in a chapter"
    if has_picture(cell) and not alternative_text(cell).strip():
        yield "has a picture and no mystnb.image.alt in its metadata"
    for text in (text for output in cell.outputs for text in texts(output)):
        for found in (OBJECT_ADDRESS.search(text), ABSOLUTE_PATH.search(text)):
            if found:
                yield f"shows what only one machine has: {found[0]}"


def faults_of_shape(notebook: NotebookNode) -> list[str]:
    """List the sections that a chapter lacks or has in the wrong place."""
    text = prose(notebook)
    places = {name: re.search(p, text, re.MULTILINE) for name, p in SHAPE.items()}
    missing = [f"lacks: {name}" for name, place in places.items() if not place]
    if missing:
        return missing
    starts = [place.start() for place in places.values()]
    return [] if starts == sorted(starts) else ["its sections are out of order"]


def faults_of_exercises(notebook: NotebookNode) -> list[str]:
    """List the exercises without a solution, and the solutions without an exercise."""
    asked, solved = (p.findall(prose(notebook)) for p in (EXERCISE, SOLUTION))
    found = [f"exercise {name} has no solution" for name in asked if name not in solved]
    found += [
        f"solution {name} has no exercise" for name in solved if name not in asked
    ]
    found += [f"{name} is used twice" for name in set(asked) if asked.count(name) > 1]
    if not 3 <= len(asked) <= 6:
        found.append(f"has {len(asked)} exercises, not three to six")
    return found


def faults_of_questions(notebook: NotebookNode) -> list[str]:
    """List what is wrong with the questions and their answers."""
    text = prose(notebook).partition("\n## Questions\n")[2]
    text = text.partition("\n## Exercises\n")[0]
    _, *parts = QUESTION.split(text)
    found = [] if len(parts) in (4, 6) else [f"has {len(parts) // 2} questions"]
    for wanted, (number, asked) in enumerate(
        zip(parts[::2], parts[1::2], strict=True), start=1
    ):
        if number != str(wanted):
            found.append(f"question {number} stands at place {wanted}")
        found += [f"question {number} {fault}" for fault in faults_of_answers(asked)]
    return found


def faults_of_answer_cells(notebook: NotebookNode) -> Iterator[str]:
    """Yield the cells that compute the answers and show them before they are asked."""
    among_questions = False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            titles = re.findall(r"^## (.+)$", cell.source, re.MULTILINE)
            among_questions = titles[-1] == "Questions" if titles else among_questions
        elif among_questions and "hide-cell" not in tags(cell):
            yield f"cell {cell.id} gives the answers away: tag it hide-cell"


def faults_of_answers(question: str) -> Iterator[str]:
    """Yield what is wrong with the answers to choose from."""
    answers = ANSWER.findall(question)
    if len(answers) != question.count("<details"):
        yield "has an answer that is not written like the others"
    if len(answers) not in (3, 4):
        yield f"has {len(answers)} answers"
    if any(re.search(r"[$`]|\*\*", choice) for choice, _ in answers):
        yield "has markdown in a summary, which is HTML"
    right = [said.startswith("Yes. ") for _, said in answers]
    if right.count(True) != 1:
        yield f"has {right.count(True)} right answers"
    if not all(re.match(r"(Yes|No)\. \S.{15}", said, re.DOTALL) for _, said in answers):
        yield "has an answer that does not say Yes or No, and why"


def faults(path: Path, notebook: NotebookNode) -> list[str]:
    """List everything that is wrong with a chapter; a number first: a chapter."""
    found = [
        f"cell {cell.id} {fault}"
        for cell in code_cells(notebook)
        for fault in faults_of_outputs(cell)
    ]
    if path.name[:2].isdigit():
        found += faults_of_shape(notebook) + faults_of_exercises(notebook)
        found += faults_of_questions(notebook)
        found += faults_of_answer_cells(notebook)
    return found


def pages_of_contents(contents: dict) -> set[str]:
    """Return every page that a table of contents names, without endings."""
    found = set()
    for key, value in contents.items():
        if key in ("root", "file"):
            found.add(value)
        elif isinstance(value, list):
            found |= {page for entry in value for page in pages_of_contents(entry)}
    return found


# --- the book ----------------------------------------------------------------


each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


@each_notebook
def test_a_notebook_is_normal(path):
    assert notebooks.what_is_not_normal(path) is None


@each_notebook
def test_a_notebook_has_no_fault(path):
    assert faults(path, notebooks.read(path)) == []


def test_the_excused_cells_are_the_listed_ones():
    found = {
        (path.name, cell_id)
        for path in NOTEBOOKS
        for cell_id in excused(notebooks.read(path))
    }
    assert found == set(EXCUSED)


def test_cell_ids_are_unique_across_the_book():
    ids = [c.id for path in NOTEBOOKS for c in notebooks.read(path).cells]
    assert len(ids) == len(set(ids))


def test_every_page_is_in_the_contents():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    pages = [p for end in ("md", "ipynb") for p in BOOK.rglob(f"*.{end}")]
    pages = [ROOT / "index.md", *pages]
    found = {p.relative_to(ROOT).with_suffix("").as_posix() for p in pages}
    assert pages_of_contents(contents) == found


# --- the checks themselves ---------------------------------------------------


def chapter_of(*cells: NotebookNode) -> NotebookNode:
    return notebooks.normalise(v4.new_notebook(cells=cells), "03-test")


def code(source: str, *outputs: NotebookNode, **metadata) -> NotebookNode:
    return v4.new_code_cell(source, outputs=list(outputs), metadata=metadata)


def printed(text: str, name: str = "stdout") -> NotebookNode:
    return v4.new_output("stream", name=name, text=text)


RAISED = v4.new_output("error", ename="E", evalue="m", traceback=["E: m"])
PICTURE = v4.new_output("display_data", data={"image/png": "AAAA"})
SHAPED = """# Title
**You will be able to**
**You need**
## Summary
## Questions
## Exercises
## References
"""
ASKED = "".join(
    f"```{{exercise}} Short\n:label: ex-{x}\n```\n```{{solution-start}} ex-{x}\n```\n"
    for x in "abc"
)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (code("1/0", RAISED), "holds an error and is not tagged raises-exception"),
        (
            code("1", tags=["raises-exception"]),
            "is tagged raises-exception and holds no error",
        ),
        (
            code("print(1)"),
            "shows something and holds no output: it was not executed",
        ),
        (
            code("f()", printed("w", "stderr")),
            "wrote to stderr: a warning does not belong in a chapter",
        ),
        (
            code("f()", PICTURE),
            "has a picture and no mystnb.image.alt in its metadata",
        ),
        (
            code("f()", printed("<A at 0x7f0012345678>")),
            "shows what only one machine has: 0x7f0012345678",
        ),
        (
            code("f()", printed("in /home/a/b.py")),
            "shows what only one machine has: /home/",
        ),
    ],
)
def test_a_fault_of_an_output_is_found(cell, expected):
    assert list(faults_of_outputs(cell)) == [expected]


@pytest.mark.parametrize(
    "cell",
    [
        code("x = 1"),
        code("print(1)", printed("1 of 2 at https://a.org/usr/b, 0x1f")),
        code("1/0", RAISED, tags=["raises-exception"]),
        code("f()", PICTURE, mystnb={"image": {"alt": "Two curves."}}),
    ],
)
def test_a_good_output_passes(cell):
    assert list(faults_of_outputs(cell)) == []


@pytest.mark.parametrize("metadata", [{}, {"tags": ["hide-cell"]}])
def test_a_cell_that_gives_answers_away_is_found(metadata):
    titles = [v4.new_markdown_cell(f"## {name}") for name in ("Questions", "Exercises")]
    cell = code("print(2)", printed("2"), **metadata)
    notebook = chapter_of(titles[0], cell, titles[1], code("print(3)", printed("3")))
    assert bool(list(faults_of_answer_cells(notebook))) == (not metadata)


@pytest.mark.parametrize("lost", SHAPE)
def test_a_lost_section_is_found(lost):
    lines = SHAPED.splitlines(keepends=True)
    text = "".join(li for li in lines if not re.search(SHAPE[lost], li.rstrip()))
    notebook = chapter_of(v4.new_markdown_cell(text))
    assert faults_of_shape(notebook) == [f"lacks: {lost}"]


def test_sections_out_of_order_are_found():
    lines = SHAPED.splitlines()
    text = "\n".join([*lines[:3], lines[5], *lines[3:5], lines[6]])
    notebook = chapter_of(v4.new_markdown_cell(text))
    assert faults_of_shape(notebook) == ["its sections are out of order"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["has 0 exercises, not three to six"]),
        (ASKED, []),
        (
            ASKED[: -len("```{solution-start} ex-c\n```\n")],
            ["exercise ex-c has no solution"],
        ),
        (
            ASKED.replace("-start} ex-c", "-start} ex-d"),
            ["exercise ex-c has no solution", "solution ex-d has no exercise"],
        ),
        (ASKED.replace("label: ex-c", "label: ex-b"), None),
    ],
)
def test_exercises_are_paired(text, expected):
    twice = ["solution ex-c has no exercise", "ex-b is used twice"]
    found = faults_of_exercises(chapter_of(v4.new_markdown_cell(text)))
    assert found == (twice if expected is None else expected)


def answer(said: str, choice: str = "Two") -> str:
    opening = f'<details class="answer">\n<summary>{choice}</summary>'
    return f"{opening}\n\n{said}\n\n</details>\n"


YES, NO = (
    answer("Yes. It is the second of them."),
    answer("No. It is not the first of them."),
)
QUESTIONS = "".join(f"**Question {n}.** Which?\n\n{NO}{YES}{NO}\n" for n in (1, 2))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", []),
        (
            "**Question 1.** Which?",
            "Question 1?",
            ["has 1 questions", "question 2 stands at place 1"],
        ),
        ("Question 1", "Question 3", ["question 3 stands at place 1"]),
        (
            "first of them.\n",
            "first of them.",
            [
                "question 1 has an answer that is not written like the others",
                "question 1 has 2 answers",
                "question 1 has 0 right answers",
            ],
        ),
        (YES, "", ["question 1 has 2 answers", "question 1 has 0 right answers"]),
        (NO + YES, YES + NO, []),
        ("Two<", "$2$<", ["question 1 has markdown in a summary, which is HTML"]),
        ("No. It is", "Yes. It is", ["question 1 has 2 right answers"]),
        (
            "No. It",
            "It",
            ["question 1 has an answer that does not say Yes or No, and why"],
        ),
    ],
)
def test_a_fault_of_a_question_is_found(old, new, expected):
    text = f"Text.\n\n## Questions\n\n{QUESTIONS.replace(old, new, 1)}\n## Exercises\n"
    assert faults_of_questions(chapter_of(v4.new_markdown_cell(text))) == expected


@pytest.mark.parametrize(
    "cell",
    [
        code("f()", tags=["nbval-skip"]),
        code("f()", tags=["nbval-ignore-output"]),
        code("# NBVAL_IGNORE_OUTPUT\nf()"),
    ],
)
def test_an_excuse_is_found(cell):
    assert len(excused(chapter_of(cell, code("g()")))) == 1


def test_the_pages_of_nested_contents_are_found():
    chapter = {"file": "a", "sections": [{"file": "b"}]}
    parts = [{"caption": "One", "chapters": [chapter]}]
    assert pages_of_contents({"root": "index", "parts": parts}) == {"index", "a", "b"}
