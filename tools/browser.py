"""A headless Chromium that looks at the built site and says what is wrong with a page.

Shared by tests/test_site.py and tools/screenshots.py.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
# Without these, Chromium itself asks the network for updates and the like.
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
)

DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
}

# Runs in the page, and returns a list of what is wrong with what a reader sees.
LOOK = Path(__file__).with_name("look.js").read_text(encoding="utf-8")

# Waits for the mathematics and the fonts; a page without mathematics has no MathJax.
SETTLE = """async () => {
  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
}"""


def find_chromium() -> str | None:
    """Find a Chromium or Chrome: $CHROMIUM, one on the PATH, or the Mac's."""
    named = os.environ.get("CHROMIUM")
    found = shutil.which(named) if named else None
    for name in (*NAMES, MAC):
        found = found or shutil.which(name)
    return found


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: the browser reports what fails."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of localhost; yields its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder)) as it:
        threading.Thread(target=it.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{it.server_port}/"
        finally:
            it.shutdown()


@contextmanager
def chromium(executable: str) -> Iterator[Browser]:
    """Start a headless Chromium, and stop it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=list(QUIET)
        )
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """One page, and the faults of loading it.

    Attributes:
        page: the page, for further looking and clicking.
        faults: what went wrong so far, one sentence each.
    """

    def __init__(self, context: BrowserContext, home: str) -> None:
        """Open an empty page that may only load addresses that start with ``home``."""
        self.home = home
        self.faults: list[str] = []
        self.page: Page = context.new_page()
        self.page.route("**/*", self._allow)
        self.page.on("pageerror", lambda error: self._add(f"script error: {error}"))
        self.page.on("console", self._hear)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)

    def _add(self, fault: str) -> None:
        self.faults.append(fault)

    def _allow(self, route) -> None:
        url = route.request.url
        if url.startswith((self.home, "data:", "blob:")):
            route.continue_()
            return
        self._add(f"a request off the machine: {url}")
        route.abort()

    def _hear(self, message) -> None:
        if message.type in ("error", "warning"):
            self._add(f"console {message.type}: {message.text}")

    def _failed(self, request) -> None:
        # "Aborted" says that the page was left before the answer came. What the
        # server refuses or breaks off has other names.
        left = request.failure == "net::ERR_ABORTED"
        if request.url.startswith(self.home) and not left:
            self._add(f"a request failed: {request.url} {request.failure}")

    def _answered(self, response) -> None:
        if response.status >= 400:
            path = urlsplit(response.url).path
            self._add(f"a request failed: {path} {response.status}")

    def open(self, path: str) -> Page:
        """Load a page of the site, and wait until it has settled."""
        self.page.goto(self.home + path, wait_until="load")
        self.page.evaluate(SETTLE)
        return self.page

    def look(self, *, dark: bool = False) -> list[str]:
        """Look at the page as it is; returns every fault so far."""
        self.page.emulate_media(color_scheme="dark" if dark else "light")
        return [*self.faults, *self.page.evaluate(LOOK)]


@contextmanager
def visit(browser: Browser, home: str, screen: dict = DESKTOP) -> Iterator[Visit]:
    """Open a fresh profile on a screen; yields its one page."""
    context = browser.new_context(**screen)
    context.set_default_timeout(15_000)
    try:
        yield Visit(context, home)
    finally:
        context.close()


def pages(site: Path = SITE) -> list[str]:
    """List the pages of a built site; the theme leaves its templates in _static."""
    found = (path.relative_to(site) for path in site.rglob("*.html"))
    return sorted(path.as_posix() for path in found if path.parts[0] != "_static")


def size(page: str, site: Path = SITE) -> int:
    """Return the bytes of a page's HTML."""
    return (site / page).stat().st_size
