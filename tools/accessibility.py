"""Whether a page can be read by everybody, and on paper.

What axe-core finds wrong: the rules of WCAG 2 and axe's best practices.
The package axe-playwright-python brings axe's script; the page loads nothing.
"""

from __future__ import annotations

import importlib.util
import re
from html.parser import HTMLParser
from pathlib import Path

from playwright.sync_api import Page

# Rules that axe leaves out unless they are asked for: the first is of WCAG 2.2 AA.
ASKED_FOR = ("target-size", "label-content-name-mismatch")
COLOURS = ("color-contrast", "link-in-text-block")
# The contrast in these is measured by tools/look.js, text by text.
MANY_PIECES = ["pre", "mjx-container"]

# Colours that are still on their way from light to dark are neither.
STILL = "*, ::before, ::after { transition: none !important; }"

FRAMES = """async () => {
  for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
}"""

OPEN = """async () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  for (const button of document.querySelectorAll("button.toggle-button-hidden"))
    button.click();
  await Promise.allSettled(document.getAnimations().map((each) => each.finished));
}"""

# Code and formulas are thousands of pieces, with which axe takes a minute a page. Each
# box keeps its size and what it scrolls, and has one piece.
THIN = """() => {
  for (const code of document.querySelectorAll("pre"))
    code.textContent = code.textContent;
  for (const formula of document.querySelectorAll("mjx-container")) {
    const { width, height } = formula.getBoundingClientRect();
    const piece = document.createElement("span");
    piece.textContent = "x".repeat(Math.ceil(formula.scrollWidth / 4));
    const inside = `width: ${formula.scrollWidth}px; height: ${height}px`;
    piece.style.cssText = `display: inline-block; overflow: hidden; ${inside}`;
    formula.style.width = `${width}px`;
    formula.replaceChildren(piece);
  }
}"""

RUN = """async ([context, options]) => {
  const { violations } = await axe.run(context, options);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, html }) => `${id}: ${target.join(" ")} ${html.slice(0, 80)}`));
}"""

# For a page whose medium is paper: what is shown, hidden, cut off or dark on it.
NOT_FOR_PAPER = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const start = (element) => element.textContent.trim().slice(0, 24);
  const faults = [];
  for (const name of [".bd-sidebar-primary", ".bd-sidebar-secondary",
                      ".bd-header-article", ".prev-next-footer", ".copybtn"])
    if (all(name).some((each) => each.checkVisibility())) faults.push(`shown: ${name}`);
  for (const code of all(".bd-article pre"))
    if (code.scrollWidth > code.clientWidth + 1) faults.push(`cut off: ${start(code)}`);
  for (const text of all(".bd-article .toggle-hidden > *, .bd-article details > *"))
    if (!text.matches(".toggle-details__summary, .toggle-button") &&
        !text.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
      faults.push(`hidden: ${start(text)}`);
  for (const each of [document.body, ...all(".bd-article pre")]) {
    const colour = getComputedStyle(each).backgroundColor;
    const [red, , , alpha = 1] = colour.match(/[\\d.]+/g).map(Number);
    if (alpha && red < 200) faults.push(`dark: ${colour}`);
  }
  return [...new Set(faults)];
}"""


class _Pictures(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.wordless: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        alt = (values.get("alt") or "").strip()
        if tag == "img" and (not alt or re.fullmatch(r"\S+\.\w{2,5}", alt)):
            self.wordless.append(values.get("src") or "")


def wordless_pictures(html: str) -> list[str]:
    """List the pictures of a page whose alt is missing, empty or a file's name."""
    pictures = _Pictures()
    pictures.feed(html)
    return pictures.wordless


def script() -> Path:
    """Find the installed axe."""
    package = importlib.util.find_spec("axe_playwright_python")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("axe-playwright-python is not installed")
    return Path(package.origin).with_name("axe.min.js")


def violations(page: Page, *, colours: bool = True) -> list[str]:
    """Open all that is closed on a page, and list what axe finds.

    Args:
        page: a page that has settled. It cannot be used for anything else afterwards.
        colours: whether to look at its colours too, light and dark.

    Returns:
        One line for a rule and an element that breaks it.
    """
    page.evaluate(script().read_text(encoding="utf-8"))
    page.add_style_tag(content=STILL)
    page.emulate_media(color_scheme="light")
    page.evaluate(OPEN)
    page.evaluate(FRAMES)  # for what answers to the new sizes (book/_static/scroll.js)
    page.evaluate(THIN)
    found = _shapes(page)
    if not colours:
        return found
    found += _colours(page)
    page.emulate_media(color_scheme="dark")
    page.evaluate(FRAMES)  # the theme answers with its own dark
    return found + [f"dark: {each}" for each in _colours(page)]


def faults_on_paper(page: Page) -> list[str]:
    """List what a reader would not want on paper, or would miss there."""
    page.add_style_tag(content=STILL)
    page.emulate_media(media="print")
    page.evaluate(FRAMES)
    return page.evaluate(NOT_FOR_PAPER)


def _shapes(page: Page) -> list[str]:
    rules = {rule: {"enabled": rule in ASKED_FOR} for rule in (*ASKED_FOR, *COLOURS)}
    return page.evaluate(RUN, [{"include": ["html"]}, _options(rules=rules)])


def _colours(page: Page) -> list[str]:
    only = {"type": "rule", "values": list(COLOURS)}
    return page.evaluate(RUN, [{"exclude": MANY_PIECES}, _options(runOnly=only)])


def _options(**options: object) -> dict:
    # Without preloading, axe does not fetch the style sheets a second time.
    return {"resultTypes": ["violations"], "preload": False, **options}
