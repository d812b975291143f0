"""Take pictures of the built site, to look at: whole pages, on each screen.

Run ``python -m tools.screenshots FOLDER [PAGE ...]``; without pages, all of them. A
page is named as in ``_build/html``, for instance ``book/03-softmax.html``. Hidden
solutions are opened.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser

from tools import browser

SCREENS = {
    "desktop-light": (browser.DESKTOP, "light"),
    "desktop-dark": (browser.DESKTOP, "dark"),
    "phone-light": (browser.PHONE, "light"),
    "phone-dark": (browser.PHONE, "dark"),
}

OPEN = """() => {
  for (const details of document.querySelectorAll('details')) details.open = true;
  for (const button of document.querySelectorAll('button.toggle-button-hidden'))
    button.click();
}"""


def take(chromium: Browser, home: str, page: str, folder: Path) -> None:
    """Take one page's pictures."""
    for name, (screen, scheme) in SCREENS.items():
        with browser.visit(chromium, home, screen) as visit:
            visit.page.emulate_media(color_scheme=scheme)
            visit.open(page).evaluate(OPEN)
            file = folder / f"{page.removesuffix('.html').replace('/', '-')}-{name}.png"
            visit.page.screenshot(path=file, full_page=True, animations="disabled")
            print(file, *visit.look(dark=scheme == "dark"), sep="\n  ", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("pages", nargs="*", metavar="page")
    options = parser.parse_args(arguments)
    executable = browser.find_chromium()
    if executable is None:
        parser.error("no Chromium found; name one in $CHROMIUM")
    options.folder.mkdir(parents=True, exist_ok=True)
    with browser.chromium(executable) as chromium, browser.served(browser.SITE) as home:
        for page in options.pages or browser.pages():
            take(chromium, home, page, options.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
