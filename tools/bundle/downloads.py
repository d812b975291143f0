"""The files to take away, and their list on the site's first page.

index.md has a section "Downloads" that says how to make them. Once they are made, their
list stands in its place.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.bundle.pages import BundleError

FOLDER = "downloads"
_SECTION = re.compile(
    r'(<section id="downloads">\s*<h2>.*?</h2>).*?(</section>)', re.DOTALL
)


@dataclass(frozen=True)
class Download:
    """A file to take away.

    Attributes:
        path: the file.
        name: what the link says.
        note: what stands behind the link, before the size.
    """

    path: Path
    name: str
    note: str


def in_words(size: int) -> str:
    """Say a file's size: 12 kB, 3.4 MB."""
    if size < 100_000:
        return f"{max(1, round(size / 1000))} kB"
    return f"{size / 1_000_000:.1f} MB"


def list_on(page: str, downloads: Mapping[str, Download]) -> str:
    """Put the list of the files into the text of the site's first page.

    Args:
        page: the page's HTML.
        downloads: the files by their addresses, relative to the page.

    Raises:
        BundleError: If the page has no section for them.
    """
    items = "".join(_item(address, it) for address, it in downloads.items())
    listed, count = _SECTION.subn(
        lambda found: f'{found[1]}\n<ul class="simple">\n{items}</ul>\n{found[2]}', page
    )
    if count != 1:
        raise BundleError(f"the first page has {count} sections for downloads, not 1")
    return listed


def _item(address: str, download: Download) -> str:
    link = f'<a href="{html.escape(address)}">{html.escape(download.name)}</a>'
    size = in_words(download.path.stat().st_size)
    return f"<li><p>{link}: {html.escape(download.note)}, {size}</p></li>\n"


def put_on_site(site: Path, downloads: list[Download]) -> None:
    """Copy the files into the built site, and list them on its first page."""
    folder = site / FOLDER
    folder.mkdir(exist_ok=True)
    for download in downloads:
        (folder / download.path.name).write_bytes(download.path.read_bytes())
    addresses = {f"{FOLDER}/{it.path.name}": it for it in downloads}
    first = site / "index.html"
    text = first.read_text(encoding="utf-8")
    first.write_text(list_on(text, addresses), encoding="utf-8")
