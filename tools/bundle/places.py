"""Many pages in one document: unique names of places, and links that stay inside."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote, urlsplit

from bs4 import Tag

from tools.bundle.pages import Book, Page

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")


def place(page: Page, fragment: str) -> str:
    """Name a place of a page so that no other page has it, and XML allows it."""
    return f"{page.key}--{_NOT_IN_A_NAME.sub('-', fragment)}" if fragment else page.key


def gather(book: Book) -> None:
    """Make the names of places unique, and links between pages links inside."""
    places = {page.name: _rename(page) for page in book.pages}
    for page in book.pages:
        for image in page.body.find_all("img"):
            image["src"] = posixpath.normpath(_from_root(page, image["src"]))
        for link in page.body.find_all("a", href=True):
            _turn_inwards(link, page, places)


def _rename(page: Page) -> set[str]:
    """Give the page's places their new names; a name that comes again is dropped."""
    seen = {page.key}
    page.body.attrs.pop("id", None)
    for element in page.body.find_all(id=True):
        name = place(page, element["id"])
        if name in seen:
            del element["id"]
        else:
            element["id"] = name
            seen.add(name)
    page.body["id"] = page.key
    return seen


def _from_root(page: Page, address: str) -> str:
    return posixpath.join(posixpath.dirname(page.name), unquote(address))


def _turn_inwards(link: Tag, page: Page, places: dict[str, set[str]]) -> None:
    """Point the link into the document; one that leads out of the book is only text."""
    parts = urlsplit(link["href"])
    if parts.scheme or parts.netloc:
        return
    path = posixpath.normpath(_from_root(page, parts.path)) if parts.path else None
    name = path.removesuffix(".html") if path else page.name
    if name not in places:
        link.unwrap()
        return
    key = name.removeprefix("book/").replace("/", "-")
    fragment = _NOT_IN_A_NAME.sub("-", unquote(parts.fragment))
    inner = f"{key}--{fragment}" if fragment else key
    link["href"] = f"#{inner if inner in places[name] else key}"
