"""The book's Markdown, made into what Jupyter shows."""

from __future__ import annotations

import re

import pytest

from tests.kit_sample import STEM, write_book
from tools.kit.chapter import KitError
from tools.kit.labels import Labels
from tools.kit.markdown import Markdown

TEXTS_REFUSED = {
    "an unknown role": ("{math}`x`", "Jupyter has no role {math}, of x"),
    "an unknown directive": (
        "```{figure} a.png\n```",
        "Jupyter has no directive {figure}",
    ),
    "an unknown equation": ("{eq}`eq-x`", "no equation is labelled eq-x"),
    "an unknown figure": ("{numref}`fig-x`", "no figure is labelled fig-x"),
    "an unknown section": ("{ref}`x`", "no heading is labelled x"),
    "an unknown paper": ("{cite}`x2000`", "no paper is labelled x2000"),
}


@pytest.mark.parametrize(("text", "words"), TEXTS_REFUSED.values(), ids=TEXTS_REFUSED)
def test_a_text_that_jupyter_would_show_wrong(tmp_path, text, words):
    markdown = Markdown(Labels(write_book(tmp_path)), [STEM])
    with pytest.raises(KitError, match=f"^{re.escape(words)}$"):
        markdown.plain(text)


TEXTS = {
    "code": ("`{eq}`x`` and\n```python\n{eq}`x`\n```", None),
    "a link into the kit": (f"[chapter 2]({STEM}.ipynb#x)", None),
    "a link out of it": ("[the `terms`](glossary.md) of", "the `terms` of"),
    "a role with a title": ("{py:mod}`the room <lossfn.nn>`", "`the room`"),
    "a document": (
        "{doc}`x <03-other>`, {doc}`02-sample`",
        f"x, [{STEM}]({STEM}.ipynb)",
    ),
    "an aside": (
        "```{note}\n:class: x\n\nMind {term}`this <that>`.\n```",
        "> **Note**\n>\n> Mind this.",
    ),
    "a block of code": ("```{code-block} python\nx = 1\n```", "```python\nx = 1\n```"),
    "an answer to a question": (
        '<details class="answer">\n<summary>A</summary>\n\nNo.\n\n</details>',
        None,
    ),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS)
def test_a_text(tmp_path, text, expected):
    markdown = Markdown(Labels(write_book(tmp_path)), [STEM])
    assert markdown.plain(text) == (text if expected is None else expected)
