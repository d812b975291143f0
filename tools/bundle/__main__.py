"""Make the bundle from the built site: ``python -m tools.bundle``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

from playwright.sync_api import Browser

from tools import browser, wheel
from tools.bundle import (
    archive,
    backmatter,
    contents,
    document,
    epub,
    epub_checks,
    mathml,
    pages,
    pdf_checks,
    places,
    press,
)
from tools.bundle.downloads import Download, in_words, put_on_site
from tools.bundle.pages import Book, BundleError

ROOT = browser.ROOT
BUNDLE = ROOT / "_build" / "bundle"
_VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)


def version_of(root: Path) -> str:
    """Read the package's version, without importing the package."""
    return _VERSION.search((root / "lossfn" / "__init__.py").read_text("utf-8"))[1]


def date_of(root: Path) -> datetime:
    """Find when the sources were changed last: SOURCE_DATE_EPOCH, or the last commit.

    A tree without git gets a date that is plainly none.
    """
    command = ["git", "-C", root, "log", "-1", "--format=%ct"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        committed = done.stdout.strip()
    except OSError:
        committed = ""
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or committed or "315532800"
    return datetime.fromtimestamp(int(seconds), timezone.utc)


def read(root: Path, site: Path, version: str) -> Book:
    """Read the book, its links turned inwards, its solutions at the back."""
    book = pages.read_book(root, site, version)
    places.gather(book)
    backmatter.move_to_the_back(book)
    return book


def make_pdf(
    chromium: Browser, book: Book, site: Path, path: Path, date: datetime
) -> None:
    """Print the book and look for faults.

    Raises:
        BundleError: If there are any.
    """
    press.lay_out(document.to_html(book), site, path.parent / "press")
    pdf = press.print_book(chromium, path.parent / "press")
    stamp = f"D:{date:%Y%m%d%H%M%S}Z"
    press.save(pdf, path, title=book.title, author=book.author, date=stamp)
    _complain(path.name, list(pdf_checks.faults(path, book)))


def make_epub(
    chromium: Browser, book: Book, site: Path, path: Path, date: datetime
) -> None:
    """Write the EPUB and let epubcheck look for faults, if there is Java.

    Raises:
        BundleError: If there are any.
    """
    folder = path.parent / "press"
    cover = epub.cover_picture(chromium, folder, book)
    mathml.convert(chromium, folder, book)
    epub.write(path, book, site, cover, date)
    if epub_checks.find_java() is None:
        print("   No Java, which epubcheck needs: the EPUB is not checked.")
        return
    _complain(path.name, epub_checks.faults(path))


def _complain(name: str, faults: list[str]) -> None:
    if faults:
        shown = [*faults[:20], *(["and more"] if len(faults) > 20 else [])]
        raise BundleError("\n  ".join([f"{name} has {len(faults)} faults:", *shown]))


def make(executable: str, site: Path) -> Path:
    """Make everything, and return the archive."""
    BUNDLE.mkdir(parents=True, exist_ok=True)
    date, book = date_of(ROOT), read(ROOT, site, version_of(ROOT))
    stem = f"lossfn-{book.version}"
    downloads = _books(executable, book, site, date) | _code(stem, date)
    put_on_site(site, list(downloads.values()))
    everything = contents.everything(ROOT, site, downloads, book.title, book.version)
    archive.pack(BUNDLE / f"{stem}.zip", stem, everything)
    return BUNDLE / f"{stem}.zip"


def _books(
    executable: str, book: Book, site: Path, date: datetime
) -> dict[str, Download]:
    pdf = BUNDLE / f"lossfn-{book.version}.pdf"
    with browser.chromium(executable) as chromium:
        make_pdf(chromium, book, site, pdf, date)
        _say(pdf)
        make_epub(chromium, book, site, pdf.with_suffix(".epub"), date)
        _say(pdf.with_suffix(".epub"))
    return {
        "pdf": Download(pdf, "The book as PDF", "to read or to print"),
        "epub": Download(
            pdf.with_suffix(".epub"), "The book as EPUB", "for an e-book reader"
        ),
    }


def _code(stem: str, date: datetime) -> dict[str, Download]:
    built = wheel.build(ROOT, BUNDLE, date)
    notebooks = BUNDLE / f"{stem}-notebooks.zip"
    files = contents.notebooks(ROOT / "book", built.name) | {built.name: built}
    archive.pack(notebooks, notebooks.stem, files)
    return {
        "notebooks": Download(notebooks, "The notebooks", "to run and to change"),
        "wheel": Download(built, "The package", "a wheel, for pip"),
    }


def _say(path: Path) -> None:
    print(f"   {path.name}: {in_words(path.stat().st_size)}", flush=True)


def main() -> int:
    """Run the command and return its exit status."""
    executable = browser.find_chromium()
    if executable is None:
        print("No Chromium found; name one in $CHROMIUM.", file=sys.stderr)
        return 1
    try:
        whole = make(executable, browser.SITE)
    except (BundleError, wheel.WheelError) as error:
        print(error, file=sys.stderr)
        return 1
    _say(whole)
    print(f"The bundle is {whole.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
