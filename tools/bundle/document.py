"""The book as one HTML text that Chromium prints: title, contents, parts, pages."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

from tools.bundle.backmatter import ANSWERS, SOLUTIONS
from tools.bundle.pages import Book, Page, Part

STYLE = Path(__file__).with_name("print.css")
# As wide as a page number; the true ones are known after the first printing.
NO_NUMBER = "000"
# Of these pages the contents name the page alone, not its sections.
WITHOUT_SECTIONS = (SOLUTIONS, ANSWERS)
# MathJax measures the font around a formula: it must be the one that is printed.
FONTS_FIRST = """MathJax.startup = {
  pageReady: () => Promise.all([...document.fonts].map((font) => font.load()))
    .then(() => MathJax.startup.defaultPageReady()),
};"""
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_HEADING = re.compile(r"(</?h)([1-5])\b")

_DOCUMENT = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="author" content="{author}">
<style>
{style}
{running_heads}
</style>
<script>{mathjax};
{fonts_first}</script>
<script defer src="mathjax/tex-chtml.js"></script>
</head>
<body>
{body}
</body>
</html>
"""


def to_html(book: Book) -> str:
    """Write the whole book as one HTML text, its page numbers still to be filled in."""
    body = [title_page(book), _imprint(book), _contents(book), str(book.preface.body)]
    for number, part in enumerate(book.parts):
        body.append(_part_page(number, part))
        body.extend(_one_level_down(str(page.body)) for page in part.pages)
    return _DOCUMENT.format(
        title=html.escape(book.title),
        author=html.escape(book.author),
        style=STYLE.read_text(encoding="utf-8"),
        running_heads="\n".join(_running_heads(book)),
        mathjax=book.mathjax,
        fonts_first=FONTS_FIRST,
        body="\n".join(body),
    )


def roman(number: int) -> str:
    """Number a part; the first is 0."""
    return _ROMAN[number]


def title_page(book: Book) -> str:
    """Write the page that the book and its cover begin with."""
    return f"""<section class="title-page">
<p class="title">{html.escape(book.title)}</p>
<p class="subtitle">A book whose every number is computed, in TensorFlow</p>
<p class="author">{html.escape(book.author)}</p>
<p class="edition">for lossfn {html.escape(book.version)}</p>
</section>"""


def _imprint(book: Book) -> str:
    return f"""<section class="imprint">
<p>{html.escape(book.title)}, for version {html.escape(book.version)} of the package
lossfn.</p>
<p>Text and code by {html.escape(book.author)}, under the Apache License, Version 2.0.
The results are computed by the code that is printed here; the test suite of the book
runs every cell again and compares every output.</p>
<p>Every chapter is also a notebook, to run and to change. What the notebooks hide,
this book shows; solutions and answers are at its back.</p>
<p>Set in STIX and DejaVu Sans Mono; the mathematics by MathJax.</p>
</section>"""


def _part_page(number: int, part: Part) -> str:
    return f"""<section class="part-page" id="{part_key(number)}">
<h1><span class="part-number">Part {roman(number)}</span>
{html.escape(part.caption)}</h1>
</section>"""


def part_key(number: int) -> str:
    """Name the place of a part's page."""
    return f"part-{number + 1}"


def _one_level_down(body: str) -> str:
    """Make a page's title a heading below its part's, for the outline."""
    return _HEADING.sub(lambda tag: f"{tag[1]}{int(tag[2]) + 1}", body)


# --- the contents --------------------------------------------------------------------


def _contents(book: Book) -> str:
    entries = [_entry("chapter", book.preface.key, book.preface.title)]
    for number, part in enumerate(book.parts):
        title = f"Part {roman(number)}. {part.caption}"
        entries.append(_entry("part", part_key(number), title))
        for page in part.pages:
            entries.append(_entry("chapter", page.key, page.title))
            entries.extend(_entry("section", *found) for found in _sections(page))
    return f"""<nav class="contents" id="contents">
<h1>Contents</h1>
{"".join(entries)}
</nav>"""


def _sections(page: Page) -> Iterator[tuple[str, str]]:
    if page.key in WITHOUT_SECTIONS:
        return
    for heading in page.body.find_all("h2"):
        section = heading.find_parent("section")
        if section is not None and section.get("id"):
            yield section["id"], " ".join(heading.get_text().split())


def _entry(kind: str, target: str, title: str) -> str:
    return (
        f'<a class="entry {kind}" href="#{target}">'
        f'<span class="name">{html.escape(title)}</span><span class="leader"></span>'
        f'<span class="number" data-target="{target}">{NO_NUMBER}</span></a>\n'
    )


# --- running heads -------------------------------------------------------------------


def _running_heads(book: Book) -> Iterator[str]:
    """Name the pages after their chapters: Chromium has no other running heads."""
    yield _running_head("contents", "contents", "Contents", book.title)
    yield _running_head(book.preface.key, "preface", book.preface.title, book.title)
    for part in book.parts:
        for page in part.pages:
            yield _running_head(page.key, f"head-{page.key}", page.title, part.caption)


def _running_head(place: str, name: str, right: str, left: str) -> str:
    # A string of JSON is one of CSS, once what is not ASCII is left as it is.
    quoted = [json.dumps(text, ensure_ascii=False) for text in (left, right)]
    return (
        f'[id="{place}"] {{ page: {name}; }}\n'
        f"@page {name}:left {{ @top-left {{ content: {quoted[0]}; }} }}\n"
        f"@page {name}:right {{ @top-right {{ content: {quoted[1]}; }} }}"
    )
