"""Chromium prints the book, and prints it again with its own page numbers in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path

import matplotlib
import pikepdf
from playwright.sync_api import Browser, Page

from tools import browser
from tools.bundle.pages import BundleError

FONTS = (
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    *("DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique"),
    "DejaVuSans",
)
# The four Chinese characters of the bibliography, from Noto Sans CJK (OFL 1.1).
HAN = Path(__file__).with_name("han.woff")
# The width of the text in print.css, 210 mm less the margins, at 96 dots an inch.
TEXT_WIDTH = round((210 - 2 * 27) / 25.4 * 96)
LONGEST = 600_000  # milliseconds for one step with the whole book
MOST_PRINTINGS = 4

FIT = Path(__file__).with_name("fit.js").read_text(encoding="utf-8")
FILL = """(numbers) => {
  for (const place of document.querySelectorAll('[data-target]')) {
    const number = numbers[place.dataset.target] ?? '000';
    place.textContent = place.classList.contains('on-page')
      ? ` on page ${number}` : number;
  }
}"""
HEADINGS = """() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(
  (heading) => heading.textContent.trim().replace(/\\s+/g, ' '))"""


def lay_out(text: str, site: Path, folder: Path) -> None:
    """Put the document and everything that it loads into one folder."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "fonts").mkdir(parents=True)
    fonts = Path(matplotlib.get_data_path(), "fonts", "ttf")
    for name in FONTS:
        shutil.copy2(fonts / f"{name}.ttf", folder / "fonts")
    shutil.copy2(HAN, folder / "fonts")
    shutil.copytree(site / "_static" / "mathjax", folder / "mathjax")
    if (site / "_images").is_dir():
        shutil.copytree(site / "_images", folder / "_images")
    (folder / "book.html").write_text(text, encoding="utf-8")


def print_book(chromium: Browser, folder: Path) -> pikepdf.Pdf:
    """Print the document until the numbers in it are those of its own pages.

    Args:
        chromium: the browser.
        folder: what :func:`lay_out` wrote.

    Returns:
        The printed book.

    Raises:
        BundleError: If something does not load or is wider than the text, or the
            page numbers do not settle.
    """
    with browser.served(folder) as home, browser.visit(chromium, home) as visit:
        visit.page.set_default_timeout(LONGEST)
        visit.page.set_viewport_size({"width": TEXT_WIDTH, "height": 900})
        visit.page.emulate_media(media="print")
        too_wide = visit.open("book.html").evaluate(FIT)
        if visit.faults or too_wide:
            raise BundleError(
                "\n  ".join(["the book cannot be printed:", *visit.faults, *too_wide])
            )
        pdf = _print_until_settled(visit.page)
        _name_outline(pdf, visit.page.evaluate(HEADINGS))
        return pdf


def _print_until_settled(page: Page) -> pikepdf.Pdf:
    numbers: Mapping[str, int] = {}
    for _ in range(MOST_PRINTINGS):
        page.evaluate(FILL, numbers)
        printed = page.pdf(prefer_css_page_size=True, outline=True, tagged=True)
        pdf = pikepdf.open(BytesIO(printed))
        found = page_numbers(pdf)
        if found == numbers:
            return pdf
        numbers = found
    raise BundleError(f"page numbers still change after {MOST_PRINTINGS} printings")


def page_numbers(pdf: pikepdf.Pdf) -> dict[str, int]:
    """Find the page of every place that a link of the book leads to; from 1."""
    numbers = {page.obj.objgen: number for number, page in enumerate(pdf.pages, 1)}
    places = pdf.Root.get("/Dests", {})
    return {name[1:]: numbers[place[0].objgen] for name, place in places.items()}


def _name_outline(pdf: pikepdf.Pdf, titles: list[str]) -> None:
    """Name the outline's items after the headings.

    Chromium says a title twice that is the first thing on its page.
    """
    with pdf.open_outline() as outline:
        items = list(outline_items(outline.root))
        if len(items) != len(titles):
            raise BundleError(f"{len(items)} outline items for {len(titles)} headings")
        for item, title in zip(items, titles, strict=True):
            item.title = title


def outline_items(
    items: Iterable[pikepdf.OutlineItem],
) -> Iterator[pikepdf.OutlineItem]:
    """Walk through an outline from top to bottom."""
    for item in items:
        yield item
        yield from outline_items(item.children)


def save(pdf: pikepdf.Pdf, path: Path, *, title: str, author: str, date: str) -> None:
    """Write the PDF with its title, author and date, packed.

    Args:
        pdf: the printed book.
        path: the file to write.
        title: its title.
        author: its author.
        date: its date in PDF's own form, ``D:20261128120000Z``.
    """
    for name in list(pdf.docinfo.keys()):
        del pdf.docinfo[name]
    pdf.docinfo["/Title"] = title
    pdf.docinfo["/Author"] = author
    pdf.docinfo["/CreationDate"] = date
    pdf.docinfo["/ModDate"] = date
    pdf.Root.PageMode = pikepdf.Name.UseOutlines
    pdf.save(
        path,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
        deterministic_id=True,
    )
