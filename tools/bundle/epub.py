"""The book as an EPUB: a file for each page, mathematics as MathML, no script."""

from __future__ import annotations

import html
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from playwright.sync_api import Browser

from tools import browser
from tools.bundle.archive import add, add_stored
from tools.bundle.document import STYLE as PRINT_STYLE
from tools.bundle.document import roman, title_page
from tools.bundle.pages import Book, Page

STYLE = Path(__file__).with_name("epub.css")
COVER_SIZE = {"width": 900, "height": 1200}

CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="EPUB/package.opf"
 media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
XHTML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"
 lang="en" xml:lang="en">
<head><title>{title}</title><link rel="stylesheet" href="style.css"/></head>
<body>
{body}
</body>
</html>
"""
PACKAGE = """<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" xml:lang="en"
 unique-identifier="book-id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="book-id">urn:uuid:{identifier}</dc:identifier>
<dc:title>{title}</dc:title>
<dc:language>en</dc:language>
<dc:creator>{author}</dc:creator>
<dc:date>{date:%Y-%m-%d}</dc:date>
<dc:rights>Apache License, Version 2.0</dc:rights>
<dc:subject>Machine learning</dc:subject>
<dc:description>Cross-entropy and loss functions in TensorFlow: an executable book, for
version {version} of the package lossfn.</dc:description>
<meta property="dcterms:modified">{date:%Y-%m-%dT%H:%M:%SZ}</meta>
<meta property="schema:accessMode">textual</meta>
<meta property="schema:accessMode">visual</meta>
<meta property="schema:accessModeSufficient">textual</meta>
<meta property="schema:accessibilityFeature">alternativeText</meta>
<meta property="schema:accessibilityFeature">MathML</meta>
<meta property="schema:accessibilityFeature">structuralNavigation</meta>
<meta property="schema:accessibilityFeature">tableOfContents</meta>
<meta property="schema:accessibilityHazard">none</meta>
<meta property="schema:accessibilitySummary">Every figure has a text that says what it
shows, and every formula is MathML with its TeX.</meta>
</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="cover" href="cover.xhtml" media-type="application/xhtml+xml"/>
<item id="cover-picture" href="cover.png" media-type="image/png"
 properties="cover-image"/>
<item id="style" href="style.css" media-type="text/css"/>
{items}
</manifest>
<spine>
<itemref idref="cover"/>
<itemref idref="nav"/>
{spine}
</spine>
</package>
"""


@dataclass
class Document:
    """One file of the EPUB: its name without the ending, its title and its content."""

    key: str
    title: str
    body: str

    @property
    def properties(self) -> str:
        """What its line in the manifest must say that it holds."""
        return ' properties="mathml"' if "<math" in self.body else ""


def write(path: Path, book: Book, images: Path, cover: bytes, date: datetime) -> None:
    """Write the EPUB.

    Args:
        path: the file.
        book: the book, with MathML for its formulas; changed in place.
        images: the folder that the pages' pictures are named in.
        cover: the cover as PNG.
        date: when the book was changed last, in UTC.
    """
    documents = _documents(book)
    pictures = sorted({img["src"] for p in book.pages for img in p.body.select("img")})
    with zipfile.ZipFile(path, "w") as archive:
        add_stored(archive, "mimetype", b"application/epub+zip")
        add(archive, "META-INF/container.xml", CONTAINER.encode())
        package = _package(book, documents, pictures, date)
        add(archive, "EPUB/package.opf", package.encode())
        add(archive, "EPUB/nav.xhtml", _navigation(book).encode())
        add(archive, "EPUB/style.css", STYLE.read_bytes())
        add(archive, "EPUB/cover.png", cover)
        for document in [_cover(book), *documents]:
            text = XHTML.format(title=html.escape(document.title), body=document.body)
            add(archive, f"EPUB/{document.key}.xhtml", text.encode())
        for picture in pictures:
            add(archive, f"EPUB/{picture}", (images / picture).read_bytes())


def cover_picture(chromium: Browser, folder: Path, book: Book) -> bytes:
    """Take a picture of the title page, with the fonts of the printed book."""
    style = PRINT_STYLE.read_text(encoding="utf-8")
    (folder / "cover.html").write_text(
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Cover</title>'
        f"<style>{style} body {{ padding: 0 60px; zoom: 1.4 }}</style>"
        f"{title_page(book)}</html>",
        encoding="utf-8",
    )
    with browser.served(folder) as home, browser.visit(chromium, home) as visit:
        visit.page.set_viewport_size(COVER_SIZE)
        return visit.open("cover.html").screenshot()


# --- the pages -----------------------------------------------------------------------


def _documents(book: Book) -> list[Document]:
    file_of = {
        element["id"]: page.key
        for page in book.pages
        for element in [page.body, *page.body.find_all(id=True)]
        if element.get("id")
    }
    documents = [_document(book.preface, file_of)]
    for number, part in enumerate(book.parts):
        heading = f"Part {roman(number)}. {html.escape(part.caption)}"
        body = f'<section class="part"><h1>{heading}</h1></section>'
        documents.append(Document(f"part-{number + 1}", part.caption, body))
        documents.extend(_document(page, file_of) for page in part.pages)
    return documents


def _document(page: Page, file_of: dict[str, str]) -> Document:
    body = page.body
    for number in body.select(".on-page"):
        number.decompose()
    for link in body.select('a[href^="#"]'):
        target = link["href"][1:]
        link["href"] = f"{file_of[target]}.xhtml#{target}"
    return Document(page.key, page.title, str(body))


def _cover(book: Book) -> Document:
    alternative = html.escape(f"Cover: {book.title}, by {book.author}")
    picture = f'<img src="cover.png" alt="{alternative}"/>'
    body = f'<section class="cover">{picture}</section>'
    return Document("cover", book.title, body)


def _navigation(book: Book) -> str:
    lines = [_item(book.preface.key, book.preface.title)]
    for number, part in enumerate(book.parts):
        pages = "".join(_item(page.key, page.title) for page in part.pages)
        title = f"Part {roman(number)}. {part.caption}"
        lines.append(_item(f"part-{number + 1}", title, f"<ol>{pages}</ol>"))
    listed = f"<h1>Contents</h1><ol>{''.join(lines)}</ol>"
    body = f'<nav epub:type="toc" id="toc">{listed}</nav>'
    return XHTML.format(title="Contents", body=body)


def _item(key: str, title: str, below: str = "") -> str:
    link = f'<a href="{key}.xhtml">{html.escape(title)}</a>'
    return f"<li>{link}{below}</li>\n"


def _package(
    book: Book, documents: list[Document], pictures: list[str], date: datetime
) -> str:
    return PACKAGE.format(
        identifier=uuid.uuid5(uuid.NAMESPACE_URL, f"{book.title} {book.version}"),
        title=html.escape(book.title),
        author=html.escape(book.author),
        version=html.escape(book.version),
        date=date,
        items="\n".join(_manifest(documents, pictures)),
        spine="\n".join(f'<itemref idref="page-{d.key}"/>' for d in documents),
    )


def _manifest(documents: list[Document], pictures: list[str]) -> Iterator[str]:
    for document in documents:
        yield (
            f'<item id="page-{document.key}" href="{document.key}.xhtml" '
            f'media-type="application/xhtml+xml"{document.properties}/>'
        )
    for number, picture in enumerate(pictures, start=1):
        yield f'<item id="picture-{number}" href="{picture}" media-type="image/png"/>'
