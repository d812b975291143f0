"""The normal form of a notebook: what tools/notebooks.py keeps, drops and numbers."""

import copy
import re

import nbformat
from nbformat import NotebookNode, v4

from tools import notebooks


def code(source: str, *outputs: NotebookNode, **metadata) -> NotebookNode:
    return v4.new_code_cell(source, outputs=list(outputs), metadata=metadata)


def printed(text: str, name: str = "stdout") -> NotebookNode:
    return v4.new_output("stream", name=name, text=text)


def messy_notebook() -> NotebookNode:
    result = v4.new_output(
        "execute_result", execution_count=7, data={"text/plain": "2"}
    )
    raised = v4.new_output(
        "error",
        ename="ValueError",
        evalue="no",
        traceback=[
            "\x1b[31m-----\x1b[39m",
            "\x1b[31mValueError\x1b[39m  Traceback (most recent call last)",
            "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[9]\x1b[39m, line 1\n> f()",
            "File \x1b[32m/home/a/b.py:3\x1b[39m, in f()",
            "\x1b[31mValueError\x1b[39m: no",
        ],
    )
    notebook = v4.new_notebook(
        cells=[
            v4.new_markdown_cell("# Title\n"),
            code("1 + 1", printed("a"), printed("b"), printed("c", "stderr"), result),
            code("f()", raised, tags=["raises-exception"], collapsed=True),
            code("f()"),
            code("\n"),
        ],
        metadata={
            "kernelspec": {"name": "a", "display_name": "b"},
            "jupytext": {},
            "widgets": {},
        },
    )
    notebook.cells[1].metadata["execution"] = {"iopub.status.busy": "2020-01-01"}
    return notebook


def test_the_normal_form():
    normal = notebooks.normalise(messy_notebook(), "03 softmax")

    assert normal.metadata == notebooks.NOTEBOOK_METADATA
    assert [cell.get("execution_count") for cell in normal.cells] == [None, 1, 2, 3]
    assert [cell.metadata for cell in normal.cells] == [
        {},
        {},
        {"tags": ["raises-exception"]},
        {},
    ]
    assert [output.get("text") for output in normal.cells[1].outputs] == [
        "ab",
        "c",
        None,
    ]
    assert normal.cells[1].outputs[2].execution_count == 1
    assert normal.cells[2].outputs[0].traceback == [
        "Cell, line 1\n> f()",
        "ValueError: no",
    ]


def test_normalising_leaves_its_argument_alone():
    notebook = messy_notebook()
    before = copy.deepcopy(notebook)
    notebooks.normalise(notebook, "03-a")
    assert notebook == before


def test_cell_ids_follow_the_source():
    first = [cell.id for cell in notebooks.normalise(messy_notebook(), "03 a").cells]
    again = [cell.id for cell in notebooks.normalise(messy_notebook(), "03 a").cells]
    other = [cell.id for cell in notebooks.normalise(messy_notebook(), "04-b").cells]

    assert first == again
    assert all(re.fullmatch(r"03-a-[0-9a-f]{8}(-2)?", cell_id) for cell_id in first)
    assert first[3] == first[2] + "-2"
    assert not set(first) & set(other)


def test_normalising_twice_changes_nothing(tmp_path):
    path = tmp_path / "03-a.ipynb"
    once = notebooks.to_text(notebooks.normalise(messy_notebook(), path.stem))
    path.write_text(once, encoding="utf-8")

    assert notebooks.what_is_not_normal(path) is None
    assert once.endswith("}\n") and not once.endswith("\n\n")
    nbformat.validate(notebooks.read(path))


def test_what_is_not_normal_is_named(tmp_path, capsys):
    path = tmp_path / "03-a.ipynb"
    text = notebooks.to_text(notebooks.normalise(messy_notebook(), path.stem))
    path.write_text(text.replace('"execution_count": 1', '"execution_count": 5', 1))

    assert notebooks.main(["--check", str(path)]) == 1
    assert 'not normal: -    "execution_count": 5' in capsys.readouterr().out
