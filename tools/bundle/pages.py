"""The book's pages, read from the built site in the order of its contents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from bs4 import BeautifulSoup, Tag

# Controls of the site that mean nothing on paper.
CONTROLS = "script, style, a.headerlink, button, .toctree-wrapper, .viewcode-link"
# Of the roles that Sphinx writes, one that is no longer to be used.
OLD_ROLE = "[role=doc-biblioentry]"
MATHJAX_SETTINGS = re.compile(r"<script>(window\.MathJax = \{.*?)</script>", re.DOTALL)
ARTICLE = re.compile(r'<article class="bd-article">.*</article>', re.DOTALL)


class BundleError(Exception):
    """The bundle cannot be made; the message says why and what to do."""


@dataclass
class Page:
    """One page of the site.

    Attributes:
        name: its path in the site without the ending, for instance book/03-softmax.
        body: its content; changed in place on the way to paper.
    """

    name: str
    body: Tag

    @property
    def key(self) -> str:
        """Its short name, which the names of its places begin with."""
        return self.name.removeprefix("book/").replace("/", "-")

    @property
    def title(self) -> str:
        """Its heading as text, with its number if it has one."""
        heading = self.body.find("h1")
        return " ".join(heading.get_text().split()) if heading else self.name


@dataclass
class Part:
    """A part of the book: its caption and its pages."""

    caption: str
    pages: list[Page]


@dataclass
class Book:
    """The whole book.

    Attributes:
        title: what stands on its cover.
        author: who wrote it.
        version: the version of the package that it belongs to.
        preface: what the site's first page says before its lists of chapters.
        parts: the parts in order.
        mathjax: the site's settings of MathJax, one line of script.
    """

    title: str
    author: str
    version: str
    preface: Page
    parts: list[Part]
    mathjax: str

    @property
    def pages(self) -> list[Page]:
        """All pages in order, the preface first."""
        return [self.preface, *(page for part in self.parts for page in part.pages)]


def read_book(root: Path, site: Path, version: str) -> Book:
    """Read the built site.

    Args:
        root: the folder of _config.yml and _toc.yml.
        site: the built site, which must be newer than its sources.
        version: the version of the package.

    Raises:
        BundleError: If a page of the contents is not in the site.
    """
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    parts = [
        Part(part["caption"], [read_page(site, name) for name in _files(part)])
        for part in toc["parts"]
    ]
    preface = _preface(read_page(site, toc["root"]))
    texts = (_text(site, name) for part in toc["parts"] for name in _files(part))
    found = next(filter(None, map(MATHJAX_SETTINGS.search, texts)), None)
    mathjax = found[1].strip() if found else "window.MathJax = {}"
    return Book(config["title"], config["author"], version, preface, parts, mathjax)


def _files(entry: dict) -> Iterator[str]:
    for below in (*entry.get("chapters", ()), *entry.get("sections", ())):
        yield below["file"]
        yield from _files(below)


def _text(site: Path, name: str) -> str:
    path = site / f"{name}.html"
    if not path.is_file():
        raise BundleError(f"{path.name} is not in the built site: run `make book`")
    return path.read_text(encoding="utf-8")


def read_page(site: Path, name: str) -> Page:
    """Read the content of a page, without the controls of the site."""
    found = ARTICLE.search(_text(site, name))
    if found is None:
        raise BundleError(f"{name}.html has no article: is it a page of the book?")
    article = BeautifulSoup(found[0], "html.parser").article
    article.name = "section"
    article["class"] = "page"
    for control in article.select(CONTROLS):
        control.decompose()
    for element in article.select(OLD_ROLE):
        del element["role"]
    for term in article.select("dl.lossfn-links > dt"):
        # The tests are on the site and not in the book.
        if term.get_text().startswith("Tested by"):
            term.find_next_sibling("dd").decompose()
            term.decompose()
    return Page(name, article.extract())


def _preface(page: Page) -> Page:
    """Keep what comes before the first section: the rest is a table of contents."""
    for section in page.body.select(":scope > section section"):
        section.decompose()
    page.body.find("h1").string = "About this book"
    return page
