"""The printed book and the EPUB, made of a small book by a real browser."""

import copy
import re
import zipfile
from datetime import datetime, timezone
from xml.etree import ElementTree

import pikepdf
import pypdfium2
import pytest

from tests import bundle_sample
from tests.bundle_sample import FIRST, LONG_LINE, VERSION, write_sample
from tests.surroundings import cannot_check
from tools.bundle import __main__ as command
from tools.bundle import (
    backmatter,
    document,
    epub,
    epub_checks,
    mathml,
    pdf_checks,
    press,
)
from tools.bundle.pages import BundleError

DATE = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)
QUESTION = "book/01-first: Question 1."
STAMP = {"title": "A small book", "author": "Somebody", "date": "D:20261128120000Z"}


class Made:
    """The small book, as PDF and as EPUB."""

    def __init__(self, folder, chromium):
        site = write_sample(folder)
        self.book = command.read(folder, site, VERSION)
        self.html = document.to_html(self.book)
        self.pdf, self.epub = folder / "book.pdf", folder / "book.epub"
        self.press = folder / "press"
        press.lay_out(self.html, site, self.press)
        press.save(press.print_book(chromium, self.press), self.pdf, **STAMP)
        cover = epub.cover_picture(chromium, self.press, self.book)
        with_mathml = copy.deepcopy(self.book)
        mathml.convert(chromium, self.press, with_mathml)
        self.write_epub = lambda path: epub.write(path, with_mathml, site, cover, DATE)
        self.write_epub(self.epub)
        with pypdfium2.PdfDocument(self.pdf) as opened:
            raw = [page.get_textpage().get_text_range() for page in opened]
        self.lines = [line for text in raw for line in text.splitlines()]
        self.texts = [" ".join(text.split()) for text in raw]


@pytest.fixture(scope="module", name="made")
def _made(tmp_path_factory, chromium):
    return Made(tmp_path_factory.mktemp("bundle"), chromium)


def page_with(texts: list[str], words: str) -> int:
    (number,) = [n for n, text in enumerate(texts, start=1) if words in text]
    return number


# --- the printed book ----------------------------------------------------------------


def test_no_check_finds_a_fault(made):
    assert list(pdf_checks.faults(made.pdf, made.book)) == []


def test_the_first_page_is_the_title(made):
    assert (
        made.texts[0].split()
        == (
            "A small book A book whose every number is computed, in TensorFlow "
            "Somebody for lossfn 1.2.3"
        ).split()
    )


def test_the_contents_name_the_page_of_everything(made):
    last = page_with(made.texts, "After the table.")
    expected = {
        "About this book": 4,
        "Part I. The only part": 5,
        "1. The first": 6,
        "1.1. Code": 6,
        "Questions": page_with(made.texts, "Which is it?"),
        "Exercises": page_with(made.texts, "Find"),
        "2. The second": page_with(made.texts, "2. The second Text"),
        "Wide": page_with(made.texts, "Before the table."),
        "Part II. Solutions and answers": last + 1,
        "Solutions to the exercises": page_with(made.texts, "The secret is 42."),
        "Answers to the questions": page_with(made.texts, "Why it is right."),
        "Part III. Reference": last + 4,
        "Words": page_with(made.texts, "What it costs."),
    }
    lines = " ".join(f"{title} {number}" for title, number in expected.items())
    assert made.texts[2] == f"Contents 3 Contents {lines}"


def test_the_outline_has_parts_chapters_and_sections(made):
    with pikepdf.open(made.pdf) as pdf, pdf.open_outline() as outline:
        first = outline.root[2]
        assert [item.title for item in outline.root] == [
            "Contents",
            "About this book",
            "Part I The only part",
            "Part II Solutions and answers",
            "Part III Reference",
        ]
        chapters = first.children
        assert [item.title for item in chapters] == ["1. The first", "2. The second"]
        assert chapters[0].children[0].title == "1.1. Code"


def test_88_characters_of_code_fit_on_a_line(made):
    assert LONG_LINE in made.lines


def test_a_solution_is_at_the_back_and_each_side_names_the_other(made):
    exercise = page_with(made.texts, "Find")
    solution = page_with(made.texts, "The secret is 42.")
    assert exercise < page_with(made.texts, "After the table.") < solution
    assert f"Solution on page {solution}" in made.texts[exercise - 1]
    assert f"Exercise 1.1 (Easy) on page {exercise}" in made.texts[solution - 1]


def test_an_answer_is_at_the_back_and_its_choices_stay(made):
    question = made.texts[page_with(made.texts, "Which is it?") - 1]
    answer = page_with(made.texts, "Why it is right.")
    assert "A. The wrong one" in question and "B. The right one" in question
    assert f"Answer on page {answer}" in question
    assert re.search(r"Question 1 on page \d+: B\.", made.texts[answer - 1])
    assert "Why it is wrong." in made.texts[answer - 1]
    assert 'why = "because"' in made.texts[answer - 1]


def test_what_the_site_hides_is_printed(made):
    text = "".join(made.texts)
    assert "hidden = 43" in text
    assert "Show code cell" not in text


def test_a_link_to_a_page_that_is_not_in_the_book_is_plain_text(made):
    assert ">indexed</a>" not in made.html
    assert "indexed" in made.html


def test_the_printed_book_is_the_same_each_time(made, chromium, tmp_path):
    again = tmp_path / "again.pdf"
    press.save(press.print_book(chromium, made.press), again, **STAMP)
    assert again.read_bytes() == made.pdf.read_bytes()


# --- the checks of the printed book --------------------------------------------------


@pytest.mark.parametrize(
    "style", ["width: 900px", "margin-left: -9mm", "margin-left: 9mm; width: 100%"]
)
def test_what_is_not_within_the_width_is_not_printed(made, chromium, style):
    wide = f'<p style="{style}">Too wide.</p><h3'
    (made.press / "book.html").write_text(made.html.replace("<h3", wide, 1))
    words = "the book cannot be printed:\n  01-first--code: Too wide."
    with pytest.raises(BundleError, match=f"^{re.escape(words)}$"):
        press.print_book(chromium, made.press)
    (made.press / "book.html").write_text(made.html)


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ("margin: 0 20mm", r"page 1: 'So.*' is in the margin"),
        ("margin: 0 30mm", None),
        ("margin: 0 0 0 180mm", r"page 1: '.*words' is in the margin"),
    ],
    ids=["left", "within", "right"],
)
def test_text_in_the_margin_is_found(chromium, tmp_path, style, words):
    page = chromium.new_page()
    page.set_content(f"<style>@page {{ {style} }}</style><p>Some words</p>")
    page.pdf(path=tmp_path / "page.pdf", format="A4", prefer_css_page_size=True)
    page.close()
    with pypdfium2.PdfDocument(tmp_path / "page.pdf") as document:
        faults = list(pdf_checks.text_in_margins(document))
    assert len(faults) == (words is not None)
    assert not faults or re.fullmatch(words, faults[0])


def test_code_that_is_not_printed_in_full_is_found(made):
    other = copy.deepcopy(made.book)
    other.parts[0].pages[0].body.pre.append("one more line\n")
    assert list(pdf_checks.faults(made.pdf, other)) == [
        "book/01-first: the line 'one more line' of code is cut off"
    ]


def test_a_chapter_that_is_not_there_is_found(made):
    other = copy.deepcopy(made.book)
    other.parts[0].pages[1].body.h1.string = "Another"
    number = page_with(made.texts, "2. The second Text")
    assert list(pdf_checks.faults(made.pdf, other)) == [
        "the outline has no 'Another'",
        f"'Another' is not on page {number}",
        f"the contents do not say that 'Another' is on page {number}",
    ]


def test_a_font_that_is_not_in_the_file_is_found():
    with pikepdf.new() as pdf:
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.X
        )
        pdf.make_indirect(font)
        faults = list(pdf_checks.fonts_left_out(pdf))
    assert faults == ["the font /X is not in the file"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Yes. Why", "No. Why", f"{QUESTION} has 0 right answers, not 1"),
        ("No. Why", "Yes. Why", f"{QUESTION} has 2 right answers, not 1"),
        (
            'href="#ex-01-easy"',
            'href="#ex-01-hard"',
            "book/01-first: a solution does not say of which exercise",
        ),
    ],
    ids=["no right answer", "two right answers", "no exercise"],
)
def test_a_chapter_with_a_fault_is_named(tmp_path, old, new, message):
    assert old in FIRST
    site = write_sample(tmp_path, FIRST.replace(old, new))
    with pytest.raises(BundleError, match=f"^{re.escape(message)}$"):
        command.read(tmp_path, site, VERSION)


def test_a_page_that_is_not_built_is_named(tmp_path):
    site = write_sample(tmp_path)
    (site / "book" / "words.html").unlink()
    with pytest.raises(
        BundleError, match=r"^words\.html is not in the built site: run `make book`$"
    ):
        command.read(tmp_path, site, VERSION)


# --- the EPUB ------------------------------------------------------------------------


@pytest.fixture(name="text_of")
def _text_of(made):
    with zipfile.ZipFile(made.epub) as archive:
        yield lambda name: archive.read(f"EPUB/{name}").decode()


def test_epubcheck_finds_no_fault(made):
    if epub_checks.find_java() is None:
        cannot_check("no Java, which epubcheck needs")
    assert epub_checks.faults(made.epub) == []


def test_epubcheck_finds_a_fault(made, tmp_path):
    if epub_checks.find_java() is None:
        cannot_check("no Java, which epubcheck needs")
    broken = tmp_path / "broken.epub"
    with zipfile.ZipFile(made.epub) as old, zipfile.ZipFile(broken, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            new.writestr(entry, content.replace(b"words.xhtml#words--", b"no.xhtml#"))
    assert any("no.xhtml" in fault for fault in epub_checks.faults(broken))


def test_every_page_of_the_epub_is_xml(text_of, made):
    with zipfile.ZipFile(made.epub) as archive:
        names = [n for n in archive.namelist() if n.endswith((".xhtml", ".opf"))]
        for name in names:
            ElementTree.fromstring(archive.read(name))
    assert len(names) == 12


def test_formulas_are_mathml_with_their_tex(text_of):
    first = text_of("01-first.xhtml")
    assert 'alttext="x^2"' in first
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in first
    assert "\\(" not in first and "\\[" not in first
    assert '<span class="eqno">(1.1)</span>' in first


def test_links_between_pages_lead_from_file_to_file(text_of):
    first = text_of("01-first.xhtml")
    assert 'href="words.xhtml#words--term-loss"' in first
    assert 'href="solutions.xhtml#solutions--01-first--ex-01-easy"' in first
    assert "on page" not in first


def test_the_epub_is_the_same_each_time(made, tmp_path):
    made.write_epub(tmp_path / "again.epub")
    assert (tmp_path / "again.epub").read_bytes() == made.epub.read_bytes()


def test_tex_that_is_none_is_named(made, chromium):
    book = copy.deepcopy(made.book)
    book.preface.body.p.replace_with(
        backmatter.new("span", r"\(\frac{1\)", class_="math")
    )
    with pytest.raises(
        BundleError, match=r"^MathJax does not know this TeX: \\frac\{1$"
    ):
        mathml.convert(chromium, made.press, book)


def test_the_sample_has_what_the_tests_look_for():
    assert len(LONG_LINE) == 88
    assert bundle_sample.LONGER_LINE.count(" ") == 29
