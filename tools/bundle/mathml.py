"""TeX to MathML, by the MathJax that the site is served with."""

from __future__ import annotations

import re
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser

from tools import browser
from tools.bundle.pages import Book, BundleError

# The delimiters that Sphinx writes: \( \) within a line, \[ \] on lines of its own.
_DELIMITED = re.compile(r"\s*\\([(\[])(.*)\\[)\]]\s*", re.DOTALL)
_OWN = re.compile(r"data-")

CONVERT = """(formulas) => formulas.map(
  ([tex, display]) => MathJax.tex2mml(tex, {display}))"""
PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<title>TeX to MathML</title><script>{mathjax}</script>
<script src="mathjax/tex-chtml.js"></script></head><body></body></html>"""


def convert(chromium: Browser, folder: Path, book: Book) -> None:
    """Put MathML in the place of every formula of the book.

    Args:
        chromium: the browser.
        folder: what ``press.lay_out`` wrote; it has MathJax.
        book: the book; changed in place.

    Raises:
        BundleError: If a formula is not TeX that MathJax knows.
    """
    places = [place for page in book.pages for place in page.body.select(".math")]
    formulas = [tex_of(place) for place in places]
    (folder / "mathml.html").write_text(PAGE.format(mathjax=book.mathjax), "utf-8")
    with browser.served(folder) as home, browser.visit(chromium, home) as visit:
        visit.page.set_default_timeout(600_000)
        found = visit.open("mathml.html").evaluate(CONVERT, formulas)
    for place, formula, mathml in zip(places, formulas, found, strict=True):
        _replace(place, formula, mathml)


def tex_of(place: Tag) -> tuple[str, bool]:
    """Read the TeX of a formula, and whether it stands on lines of its own."""
    number = place.select_one(".eqno")
    text = "".join(string for string in place.strings if number not in string.parents)
    match = _DELIMITED.fullmatch(text)
    if match is None:
        raise BundleError(f"a formula without its delimiters: {text!r}")
    return match[2].strip(), match[1] == "["


def _replace(place: Tag, formula: tuple[str, bool], mathml: str) -> None:
    if "<merror" in mathml:
        raise BundleError(f"MathJax does not know this TeX: {formula[0]}")
    math = BeautifulSoup(mathml, "html.parser").math
    math["alttext"] = formula[0]
    for element in math.find_all(True):
        for name in [name for name in element.attrs if _OWN.match(name)]:
            del element[name]
    _drop_space(math)
    number = place.select_one(".eqno")
    place.clear()
    place.extend([math, number] if number else [math])


def _drop_space(math: Tag) -> None:
    for string in list(math.strings):
        if not string.strip() and "\n" in string:
            string.extract()
