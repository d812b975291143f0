"""What can be wrong with the printed book, looked for in the file itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pypdfium2

from tools.bundle.document import part_key
from tools.bundle.pages import Book
from tools.bundle.press import outline_items, page_numbers

MARGIN = 27 / 25.4 * 72  # of print.css, left and right, in points
SLACK = 2.0  # an italic letter leans out of its box


def faults(path: Path, book: Book) -> Iterator[str]:
    """Yield what is wrong with the printed book, one sentence each."""
    with pikepdf.open(path) as pdf:
        yield from missing_titles(pdf, book)
        yield from fonts_left_out(pdf)
        numbers = page_numbers(pdf)
    with pypdfium2.PdfDocument(path) as document:
        yield from text_in_margins(document)
        yield from wrong_numbers(document, numbers, book)
        yield from lost_code(document, book)


def missing_titles(pdf: pikepdf.Pdf, book: Book) -> Iterator[str]:
    """Yield the pages of the book that the outline does not name."""
    with pdf.open_outline() as outline:
        named = {item.title for item in outline_items(outline.root)}
    for page in book.pages:
        if page.title not in named:
            yield f"the outline has no {page.title!r}"


def fonts_left_out(pdf: pikepdf.Pdf) -> Iterator[str]:
    """Yield the fonts that the file names and does not hold."""
    for thing in pdf.objects:
        if not isinstance(thing, pikepdf.Dictionary):
            continue
        if thing.get("/Type") != "/Font" or thing.get("/Subtype") == "/Type3":
            continue
        below = thing.get("/DescendantFonts")
        descriptor = (below[0] if below is not None else thing).get("/FontDescriptor")
        files = ("/FontFile", "/FontFile2", "/FontFile3")
        if descriptor is None or not any(name in descriptor for name in files):
            yield f"the font {thing.get('/BaseFont')} is not in the file"


def text_in_margins(document: pypdfium2.PdfDocument) -> Iterator[str]:
    """Yield the text that reaches into the left or right margin, or off the page."""
    for number, page in enumerate(document, start=1):
        text = page.get_textpage()
        outside = [
            text.get_text_range(index, 1)
            for index in range(text.count_chars())
            if not _is_inside(text.get_charbox(index), *page.get_size())
        ]
        if visible := "".join(outside).strip():
            yield f"page {number}: {visible!r} is in the margin"


def _is_inside(
    box: tuple[float, float, float, float], width: float, height: float
) -> bool:
    left, bottom, right, top = box
    if right - left > width or top - bottom > height:
        return True  # MathJax draws a brace's middle far too long and shows a part
    in_column = MARGIN - SLACK <= left and right <= width - MARGIN + SLACK
    return in_column and 0 <= bottom and top <= height


def wrong_numbers(
    document: pypdfium2.PdfDocument, numbers: dict[str, int], book: Book
) -> Iterator[str]:
    """Yield what the contents lead to that is not on the page that they name."""
    expected = {page.key: page.title for page in book.pages}
    expected |= {part_key(i): part.caption for i, part in enumerate(book.parts)}
    for key, title in expected.items():
        if key not in numbers:
            yield f"no link leads to {title!r}"
        elif _letters(title) not in _letters(_text(document, numbers[key])):
            yield f"{title!r} is not on page {numbers[key]}"
    contents = _letters("".join(_text(document, n) for n in _contents(numbers)))
    for key, title in expected.items():
        number = numbers.get(key)
        if f"{_letters(title)}{number}" not in contents:
            yield f"the contents do not say that {title!r} is on page {number}"


def lost_code(document: pypdfium2.PdfDocument, book: Book) -> Iterator[str]:
    """Yield the blocks of code and output that are not printed in full."""
    printed = "".join(_letters(_below_the_head(text)) for text in _texts(document))
    for page in book.pages:
        for block in page.body.find_all("pre"):
            for line in block.get_text().splitlines():
                if not _is_printed(_letters(line), printed):
                    yield f"{page.name}: the line {line!r} of code is cut off"


def _is_printed(line: str, printed: str) -> bool:
    """Look for a line of code, which may begin on one page and end on the next."""
    ends = range(len(line), 0, -1)
    return not line or any(
        line[:end] in printed and line[end:] in printed for end in ends
    )


def _texts(document: pypdfium2.PdfDocument) -> Iterator[str]:
    return (_text(document, number) for number in range(1, len(document) + 1))


def _below_the_head(text: str) -> str:
    """Leave out the running head and the page number, which the file has first."""
    return text.split("\n", 2)[-1]


def _contents(numbers: dict[str, int]) -> range:
    return range(3, min(numbers.values()))


def _text(document: pypdfium2.PdfDocument, number: int) -> str:
    return document[number - 1].get_textpage().get_text_range()


def _letters(text: str) -> str:
    """Leave out everything that depends on where a line ends."""
    return re.sub(r"[\W_]+", "", text)
