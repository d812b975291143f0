"""The built site: its links, and every page in a browser. Run `make book` first.

The first half checks the site. The second half checks the checks, each on a small page
that is wrong in one way.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from tests.surroundings import cannot_check
from tools import accessibility, browser, links, lossfn_site, screenshots
from tools.lossfn_links import names

BOOK = browser.ROOT / "book"
PAGES = browser.pages()
# The pages that show tests are all made alike: the longest stands for them.
TESTS = sorted((p for p in PAGES if p.startswith("_tests/")), key=browser.size)
LOOKED_AT = [page for page in PAGES if page not in TESTS[:-1]]
CHAPTER = "book/03-softmax.html"
PRELOADED_FONT = re.compile(r"/fontawesome/\S+\.woff2|resource: net::ERR_FAILED$")
SCREENS = {"desktop": browser.DESKTOP, "phone": browser.PHONE}


@pytest.fixture(scope="session", name="home")
def _home() -> Iterator[str]:
    if not PAGES:
        cannot_check("no site in _build/html: run `make book`")
    with browser.served(browser.SITE) as home:
        yield home


@pytest.fixture(name="visit")
def _visit(chromium: Browser, home: str) -> Iterator[browser.Visit]:
    with browser.visit(chromium, home) as visit:
        yield visit
        assert visit.faults == []


# --- the site ----------------------------------------------------------------


def test_every_link_leads_somewhere(home):
    assert list(links.faults(browser.SITE, PAGES)) == []


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("page", LOOKED_AT)
def test_page(chromium, home, page, screen):
    with browser.visit(chromium, home, SCREENS[screen]) as visit:
        visit.open(page)
        light = visit.look()
        assert (light, visit.look(dark=True)) == ([], [])
        colours = screen == "desktop"  # on a phone they are the same
        assert accessibility.violations(visit.page, colours=colours) == []


def test_a_page_is_less_than_1_mb_before_its_pictures(home):
    sizes = {page: (browser.SITE / page).stat().st_size for page in PAGES}
    assert {page: size for page, size in sizes.items() if size >= 1_000_000} == {}


def test_each_picture_has_words_for_those_who_do_not_see_it(home):
    wordless = {
        page: accessibility.wordless_pictures((browser.SITE / page).read_text("utf-8"))
        for page in PAGES
    }
    assert {page: found for page, found in wordless.items() if found} == {}


def test_a_page_says_how_old_it_is_and_what_it_ran_on(visit):
    about = visit.open(CHAPTER).locator(".page-about")
    expect(about.get_by_text("Executed in")).to_be_visible()


def test_a_page_prints_whole_and_light(chromium, home):
    paper = {"viewport": {"width": 680, "height": 960}}
    with browser.visit(chromium, home, paper) as visit:
        visit.page.emulate_media(color_scheme="dark")
        page = visit.open(CHAPTER)
        assert accessibility.faults_on_paper(page) == []
        assert visit.faults == []


def test_no_page_is_heavier_than_a_megabyte(home):
    assert [page for page in PAGES if browser.size(page) >= 1_000_000] == []


# What each entry of an API page says, by the names that it describes.
ENTRIES = """() => [...document.querySelectorAll("dl.py > dt[id]")].map(dt => {
  const fields = dt.parentElement.querySelector(":scope > dd > dl.lossfn-links");
  const [used, tested] = fields ? fields.querySelectorAll(":scope > dd") : [];
  const links = (part) => part?.querySelectorAll("a[href]").length ?? 0;
  return [dt.id, {source: links(dt), used: links(used), tested: links(tested),
                  unused: used?.innerText === "Not used in a chapter."}];
})"""


@pytest.mark.parametrize("room", names.rooms())
def test_every_public_name_has_links_to_its_source_its_chapters_and_its_tests(
    visit, room
):
    entries = dict(visit.open(f"book/api/{room}.html").evaluate(ENTRIES))
    chapters = "".join(p.read_text(encoding="utf-8") for p in BOOK.glob("*.ipynb"))
    of_room = [n for n in names.public_names().values() if n.room == room]
    assert of_room
    for name in of_room:
        entry = entries[name.full]
        # The other link is to the entry itself.
        assert entry["source"] == 2, name.full
        assert entry["tested"] > 0, name.full
        is_used = f"{room}.{name.name}(" in chapters
        assert entry["unused"] == (entry["used"] == 0), name.full
        assert entry["used"] > 0 or not is_used, name.full


def test_a_function_is_followed_to_its_entry_its_source_its_chapter_and_its_test(visit):
    full = "lossfn.nn.softmax_cross_entropy_with_logits"
    name = full.rsplit(".", 1)[1]
    page = visit.open(CHAPTER)
    target = page.locator(":target")
    link = page.locator(f"div.cell_input a.to-api[href$='#{full}']").first
    assert link.inner_text() == name
    link.click()
    expect(target).to_have_attribute("id", full)
    entry = page.locator(f"dl.py:has(> dt[id='{full}'])")

    entry.locator("> dt a", has_text="[source]").click()
    expect(target).to_have_attribute("id", name)
    expect(target).to_contain_text(f"def {name}(")
    target.locator("a.viewcode-back").click()
    expect(target).to_have_attribute("id", full)

    used, tested = entry.locator("dl.lossfn-links > dd").all()
    used.locator("a", has_text="3. ").first.click()
    expect(page).to_have_url(re.compile(f"{CHAPTER}#"))
    expect(target.locator(f"a.to-api[href$='#{full}']").first).to_be_visible()
    page.go_back()

    link = tested.locator("a").first
    test = link.inner_text()
    link.click()
    expect(target).to_have_attribute("id", test)
    lines = page.locator("div.highlight pre").inner_text().splitlines()
    assert any(line.startswith(f"def {test}(") for line in lines)


def test_a_link_in_code_is_underlined_and_has_the_colour_of_the_code(visit):
    link = visit.open(CHAPTER).locator("div.cell_input a.to-api").first
    expect(link).to_have_css("text-decoration-line", "underline")
    colour = "e => getComputedStyle(e).color"
    assert link.evaluate(colour) == link.locator("..").evaluate(colour)


def files_of_toc(entry: object) -> Iterator[str]:
    if isinstance(entry, list):
        for part in entry:
            yield from files_of_toc(part)
    elif isinstance(entry, dict):
        yield from (entry[key] for key in ("root", "file") if key in entry)
        for part in entry.values():
            yield from files_of_toc(part)


def test_the_contents_list_every_file_of_the_book():
    toc = yaml.safe_load((browser.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    written = [p for kind in ("ipynb", "md") for p in BOOK.rglob(f"*.{kind}")]
    names = [p.relative_to(browser.ROOT).with_suffix("").as_posix() for p in written]
    assert sorted(files_of_toc(toc)) == sorted([*names, "index"])


def test_search_finds_the_chapter(visit):
    page = visit.open("index.html")
    page.keyboard.press("Control+k")
    page.locator("form.bd-search input:visible").fill("distillation")
    page.keyboard.press("Enter")
    expect(page.locator(f"#search-results a[href*='{CHAPTER}']").first).to_be_visible()


def theme(page: Page) -> str:
    return page.evaluate("document.documentElement.dataset.theme")


def test_the_dark_mode_button_works_and_is_remembered(visit):
    page = visit.open(CHAPTER)
    button = page.locator("button.theme-switch-button:visible")
    seen = []
    for _ in range(3):
        button.click()
        seen.append(theme(page))
    assert set(seen) == {"light", "dark"}
    while theme(page) != "dark":
        button.click()
    page.reload()
    assert theme(page) == "dark"


@pytest.mark.parametrize("by", ["click", "keyboard"])
def test_a_hidden_solution_opens(visit, by):
    page = visit.open(CHAPTER)
    solution = page.locator("div.solution.dropdown").first
    code = solution.locator("pre").first
    button = solution.locator("button.toggle-button")
    expect(code).to_be_hidden()
    if by == "click":
        button.click()
    else:
        button.press("Enter")
    expect(code).to_be_visible()


def test_the_copy_button_copies_the_code(visit):
    page = visit.open(CHAPTER)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    cell = page.locator("div.cell_input").first
    cell.hover()
    cell.locator("button.copybtn").click()
    expect(cell.locator("button.copybtn.success")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == cell.locator("pre").inner_text().strip()


def test_the_notebook_can_be_downloaded(visit):
    page = visit.open(CHAPTER)
    page.locator(".dropdown-download-buttons > button").click()
    with page.expect_download() as download:
        page.locator(".btn-download-source-button").click()
    stored = BOOK / Path(CHAPTER).with_suffix(".ipynb").name
    assert Path(download.value.path()).read_bytes() == stored.read_bytes()


def test_the_site_works_from_its_files(chromium, home):
    with browser.visit(chromium, browser.SITE.as_uri() + "/") as visit:
        page = visit.open(CHAPTER)
        assert page.locator("mjx-container").count() > 0
        faults = visit.look()
        # The theme that Python 3.10 gets preloads its icons in a way that a browser
        # refuses to files, and loads them afterwards; the newer one does not.
        if page.locator("link[rel=preload][as=font]").count():
            faults = [fault for fault in faults if not PRELOADED_FONT.search(fault)]
        assert faults == []
        page = visit.open("search.html?q=distillation")
        expect(page.locator("#search-results li").first).to_be_visible()
        # A file may not read another file, so that the results come without excerpts.
        assert not [fault for fault in visit.faults if "off the machine" in fault]


# --- the checks --------------------------------------------------------------

SOUND = """<!doctype html><html lang="en"><head><title>Title</title>
<link rel="icon" href="data:,"></head><body>{}</body></html>"""

WRONG = {
    "no title": (
        "<script>document.title = ''</script>",
        "the page has no title",
    ),
    "a picture of another machine": (
        '<img src="https://pictures.invalid/a.png" alt="A picture">',
        "a request off the machine: https://pictures.invalid/a.png",
    ),
    "a script of another machine": (
        "<script>fetch('https://scripts.invalid/').catch(() => 0)</script>",
        "a request off the machine: https://scripts.invalid/",
    ),
    "a missing file": (
        "<script src='missing.js'></script>",
        "a request failed: /missing.js 404",
    ),
    "a console error": (
        "<script>console.error('something')</script>",
        "console error: something",
    ),
    "a script error": (
        "<script>throw new Error('something')</script>",
        "script error: something",
    ),
    "mathematics not rendered": (
        '<span class="math">\\(x^2\\)</span>',
        "mathematics not rendered: \\(x^2\\)",
    ),
    "mathematics with an error": (
        "<mjx-merror>Undefined control sequence</mjx-merror>",
        "mathematics with an error: Undefined control sequence",
    ),
    "raw mathematics": (
        "<p>Here is $$x^2$$.</p>",
        "raw mathematics: Here is $$x^2$$.",
    ),
    "a picture without alt": (
        '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
        "a picture without alt: data:image/gif;base64,R0lGODlhAQABAAAAACw=",
    ),
    "code without a copy button": (
        '<div class="cell_input"><div class="highlight"><pre>x = 1</pre></div></div>',
        "code without a copy button: x = 1",
    ),
    "something too wide": (
        '<div style="width: 2000px">wide</div>',
        "the page is 2008 wide on a screen of 1280",
    ),
    "a link that is cut off": (
        '<div class="prev-next-area"><a style="display: block; width: 9em; '
        'overflow: hidden">a_name_that_is_too_long_for_it</a></div>',
        "a link that is cut off: a_name_that_is_too_long_for_it",
    ),
    "something too wide and cut off": (
        '<style>html {overflow-x: hidden}</style><div style="width: 2000px">wide</div>',
        "div ends at 2008 of 1280: wide",
    ),
    "faint text": (
        '<p style="color: #999">faint</p>',
        "a contrast of 2.85: faint",
    ),
}


def look_at(chromium: Browser, folder: Path, body: str) -> list[str]:
    (folder / "index.html").write_text(SOUND.format(body), encoding="utf-8")
    with browser.served(folder) as home, browser.visit(chromium, home) as visit:
        visit.open("index.html")
        return visit.look()


def test_a_sound_page_has_no_faults(chromium, tmp_path):
    body = '<p>Text</p><pre style="overflow: auto"><code>' + 500 * "long" + "</code>"
    assert look_at(chromium, tmp_path, body) == []


def test_a_page_that_is_left_before_its_files_are_there_has_no_fault(visit):
    visit.page.route("**/*.png", lambda _: None)  # never answered
    with visit.page.expect_request("**/*.png"):
        visit.page.goto(visit.home + CHAPTER, wait_until="commit")
    visit.open("search.html")
    assert visit.look() == []


@pytest.mark.parametrize(("body", "fault"), WRONG.values(), ids=WRONG)
def test_a_fault_of_a_page_is_reported(chromium, tmp_path, body, fault):
    assert fault in look_at(chromium, tmp_path, body)


INACCESSIBLE = {
    "a picture without alt": ('<img src="data:,">', ["image-alt"]),
    "an opened answer": (
        '<details><summary>One</summary><img src="data:,"></details>',
        ["image-alt"],
    ),
    "faint text": (
        '<p style="color: #999">faint</p>',
        ["color-contrast", "dark: color-contrast"],
    ),
    "text that is faint in the dark": (
        "<style>@media (prefers-color-scheme: dark) {p {color: #999}}</style>"
        "<p>text</p>",
        ["dark: color-contrast"],
    ),
    "a link known by its colour": (
        '<style>a {color: #049; text-decoration: none}</style><p>Text <a href="#">a</a>'
        " and more text</p>",
        ["dark: link-in-text-block", "link-in-text-block"],
    ),
    "an arrow without a name": (
        "<details><summary></summary>text</details>",
        ["summary-name"],
    ),
    "a formula that scrolls without the keyboard": (
        '<mjx-container style="display: block; overflow: auto; width: 5em">'
        '<p style="width: 20em">text that is longer</p></mjx-container>',
        ["scrollable-region-focusable"],
    ),
    "a name unlike the words": (
        '<button aria-label="Close">Open it</button>',
        ["label-content-name-mismatch"],
    ),
}


@pytest.mark.parametrize(("body", "rules"), INACCESSIBLE.values(), ids=INACCESSIBLE)
def test_what_axe_finds_is_reported(chromium, tmp_path, body, rules):
    page = SOUND.format(f"<main><h1>Title</h1>{body}</main>")
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    with browser.served(tmp_path) as home, browser.visit(chromium, home) as visit:
        found = accessibility.violations(visit.open("index.html"))
    assert sorted({re.match("(dark: )?[a-z-]+", each)[0] for each in found}) == rules


@pytest.mark.parametrize(
    ("alt", "is_wordless"),
    [
        ('alt="The loss falls"', False),
        ('alt=""', True),
        ("", True),
        ('alt="../_images/a1b2.png"', True),
    ],
    ids=["words", "empty", "none", "a file"],
)
def test_a_picture_without_words_is_reported(alt, is_wordless):
    found = accessibility.wordless_pictures(f'<p><img src="a.png" {alt}></p>')
    assert found == (["a.png"] if is_wordless else [])


PAPER = {
    "navigation": (
        '<nav class="bd-sidebar-primary">n</nav>',
        ["shown: .bd-sidebar-primary"],
    ),
    "code that is cut off": (
        f'<article class="bd-article"><pre>{"long" * 500}</pre></article>',
        ["cut off: longlonglonglonglonglong"],
    ),
    "a solution that stays closed": (
        '<div class="bd-article"><div class="toggle-hidden"><p style="height: 0; '
        'visibility: hidden">the solution</p></div></div>',
        ["hidden: the solution"],
    ),
    "a dark page": (
        "<style>body {background: #111; color: #eee}</style>",
        ["dark: rgb(17, 17, 17)"],
    ),
}


@pytest.mark.parametrize(("body", "faults"), PAPER.values(), ids=PAPER)
def test_what_does_not_print_well_is_reported(chromium, tmp_path, body, faults):
    (tmp_path / "index.html").write_text(SOUND.format(body), encoding="utf-8")
    with browser.served(tmp_path) as home, browser.visit(chromium, home) as visit:
        page = visit.open("index.html")
        assert accessibility.faults_on_paper(page) == faults


def test_a_link_that_leads_nowhere_is_reported(tmp_path):
    body = """<p id="here"><a href="#here">a</a> <a href="https://elsewhere.invalid">b</a>
    <a href="#there">c</a> <a href="two.html#here">d</a> <a href="gone.html">e</a>
    <a href="/two.html">f</a> <img src="https://pictures.invalid/a.png" alt="">"""
    (tmp_path / "one.html").write_text(SOUND.format(body), encoding="utf-8")
    (tmp_path / "two.html").write_text(SOUND.format(""), encoding="utf-8")
    assert list(links.faults(tmp_path, browser.pages(tmp_path))) == [
        "one.html: loads https://pictures.invalid/a.png from another machine",
        "one.html: #there has no place named there",
        "one.html: two.html#here has no place named here",
        "one.html: gone.html does not exist",
        "one.html: /two.html does not work from a file: it is not relative",
    ]


def test_chromium_can_be_named(monkeypatch, tmp_path):
    mine = tmp_path / "mine"
    mine.touch(mode=0o755)
    monkeypatch.setenv("CHROMIUM", str(mine))
    assert browser.find_chromium() == str(mine)


@pytest.mark.parametrize(
    ("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
def test_what_cannot_be_checked_fails_where_nobody_reads(monkeypatch, ci, outcome):
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=r"^no Chromium$"):
        cannot_check("no Chromium")


def test_mathjax_is_copied_without_what_no_page_loads(home):
    copied = browser.SITE / "_static" / "mathjax"
    source = lossfn_site.mathjax_source()
    files = sorted(p.relative_to(copied) for p in copied.rglob("*") if p.is_file())
    fonts = (source / lossfn_site.FONTS).iterdir()
    expected = [source / lossfn_site.SCRIPT, *fonts]
    assert files == sorted(path.relative_to(source) for path in expected)


def test_screenshots_are_taken_on_every_screen(chromium, home, tmp_path):
    screenshots.take(chromium, home, "search.html", tmp_path)
    taken = sorted(path.stem for path in tmp_path.iterdir())
    assert taken == sorted(f"search-{screen}" for screen in screenshots.SCREENS)
