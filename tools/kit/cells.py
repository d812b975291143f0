"""The cells that students' and solutions' notebooks have in common."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from nbformat import NotebookNode, v4

from tools.kit.chapter import Part
from tools.kit.labels import figure_of
from tools.kit.markdown import Markdown

# What these tags say holds in Jupyter too; the others are for the site and its tests.
KEPT_TAGS = {"raises-exception"}


def text_cell(source: str) -> NotebookNode:
    """Make a Markdown cell."""
    return v4.new_markdown_cell(source)


def code_cell(source: str, like: NotebookNode | None = None) -> NotebookNode:
    """Make a code cell, with the outputs and the tags of another one."""
    outputs = copy.deepcopy(like.outputs) if like else []
    cell = v4.new_code_cell(source, outputs=outputs)
    tags = KEPT_TAGS & set(like.metadata.get("tags", ()) if like else ())
    if tags:
        cell.metadata["tags"] = sorted(tags)
    return cell


def cells_of(
    part: Part, markdown: Markdown, *, checked: bool
) -> Iterator[NotebookNode]:
    """Make the cells of a part that is no border of a solution."""
    if part.kind == "code":
        yield code_cell(part.source, part.cell)
        caption = figure_text(part.cell, markdown)
        if caption:
            yield text_cell(caption)
    elif part.kind == "exercise":
        yield text_cell(exercise_text(part, markdown, checked=checked))
    else:
        yield text_cell(markdown.plain(part.source))


def exercise_text(part: Part, markdown: Markdown, *, checked: bool) -> str:
    """Return what an exercise asks for, under a heading."""
    number = markdown.labels.exercises[part.label]
    said = f"`{part.label}`, checked" if checked else f"`{part.label}`"
    title = markdown.plain(part.title)
    asked = markdown.plain(part.source)
    return f"### Exercise {number}: {title}\n\n({said})\n\n{asked}"


def figure_text(cell: NotebookNode, markdown: Markdown) -> str:
    """Return the caption of the figure that a cell draws, which the site shows."""
    figure = figure_of(cell)
    if "caption" not in figure:
        return ""
    caption = markdown.plain(figure["caption"])
    number = markdown.labels.figures.get(figure.get("name", ""))
    return f"*Figure {number}:* {caption}" if number else caption
