"""The links of a built site, checked without a browser or a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# An address here is fetched as the page opens; one in <a> waits for the reader.
FETCHED = {"audio", "iframe", "img", "script", "source", "video"}
FETCHED_RELATIONS = {"icon", "modulepreload", "preconnect", "preload", "stylesheet"}


@dataclass
class Links(HTMLParser):
    """What one page points at, and what can be pointed at in it."""

    fragments: set[str] = field(default_factory=set)
    followed: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make it a parser."""
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the addresses and the name of one element."""
        values = {name: value for name, value in attrs if value}
        self.fragments |= {values[n] for n in ("id", "name") if n in values}
        relations = set(values.get("rel", "").split())
        is_fetched = tag in FETCHED or bool(relations & FETCHED_RELATIONS)
        for name in ("href", "src"):
            if name in values:
                (self.fetched if is_fetched else self.followed).append(values[name])


def read(page: Path) -> Links:
    """Read one page."""
    links = Links()
    links.feed(page.read_text(encoding="utf-8"))
    return links


def faults(site: Path, pages: list[str]) -> Iterator[str]:
    """Yield every link between pages that leads nowhere, and every outside load."""
    read_pages = {(site / page).resolve(): read(site / page) for page in pages}
    for page, links in read_pages.items():
        name = page.relative_to(site.resolve()).as_posix()
        for address in links.fetched:
            if urlsplit(address).scheme not in ("", "data"):
                yield f"{name}: loads {address} from another machine"
        for address in (*links.followed, *links.fetched):
            fault = _fault(page, address, read_pages)
            if fault:
                yield f"{name}: {address} {fault}"


def _fault(page: Path, address: str, pages: dict[Path, Links]) -> str | None:
    parts = urlsplit(address)
    if parts.scheme or (parts.netloc and not parts.path):
        return None
    if parts.netloc or parts.path.startswith("/"):
        return "does not work from a file: it is not relative"
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_file():
        return "does not exist"
    named = unquote(parts.fragment)
    if named and target in pages and named not in pages[target].fragments:
        return f"has no place named {named}"
    return None
