"""Solutions and answers go to the back of the book; what the site hides is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag

from tools.bundle.pages import Book, BundleError, Page, Part

SOLUTIONS = "solutions"
ANSWERS = "answers"
# The site's words for what a button shows or hides.
BUTTONS = ("Show code cell", "Hide code cell")
_HIDDEN_CELL = ".cell:has(details.hide)"
_QUESTION = re.compile(r"Question \d+\.")
_SOUP = BeautifulSoup("", "html.parser")


def new(name: str, text: str = "", **attributes: str) -> Tag:
    """Make an element; ``class_`` is its class."""
    attrs = {key.rstrip("_").replace("_", "-"): v for key, v in attributes.items()}
    element = _SOUP.new_tag(name, attrs=attrs)
    if text:
        element.string = text
    return element


def link_to_page(target: str, text: str) -> Tag:
    """Make a paragraph that leads to a place, on paper with its page number."""
    paragraph = new("p", class_="see")
    link = new("a", text, href=f"#{target}")
    link.append(new("span", class_="on-page", data_target=target))
    paragraph.append(link)
    return paragraph


def move_to_the_back(book: Book) -> None:
    """Move solutions and answers into pages of their own, before the reference part.

    Raises:
        BundleError: If an exercise has no name, or a question not one right answer.
    """
    back = [
        _collected(book, SOLUTIONS, "Solutions to the exercises", _take_solutions),
        _collected(book, ANSWERS, "Answers to the questions", _take_answers),
    ]
    filled = [page for page in back if page is not None]
    if filled:
        last = len(book.parts) - 1 if len(book.parts) > 1 else len(book.parts)
        book.parts.insert(last, Part("Solutions and answers", filled))
    for page in book.pages:
        _show_what_is_hidden(page.body)


def _collected(book: Book, key: str, title: str, take) -> Page | None:
    body = new("section", class_="page back", id=key)
    body.append(new("h1", title))
    for page in book.pages:
        taken = list(take(page))
        if taken:
            section = new("section", id=f"{key}--{page.key}")
            section.append(new("h2", page.title))
            section.extend(taken)
            body.append(section)
    return Page(key, body) if body.find("h2") else None


# --- exercises and their solutions ---------------------------------------------------


def _take_solutions(page: Page) -> Iterator[Tag]:
    for solution in page.body.select("div.solution"):
        exercise = _exercise_of(solution, page)
        name = f"{SOLUTIONS}--{exercise['id']}"
        solution["id"] = name
        title = solution.select_one(".admonition-title")
        title.a.string = title.a.get_text().strip()
        title.contents[0].replace_with("")
        title.a.insert_after(new("span", class_="on-page", data_target=exercise["id"]))
        exercise.append(link_to_page(name, "Solution"))
        yield solution.extract()


def _exercise_of(solution: Tag, page: Page) -> Tag:
    link = solution.select_one(".admonition-title a[href]")
    found = page.body.find(id=link["href"].lstrip("#")) if link else None
    if found is None:
        raise BundleError(f"{page.name}: a solution does not say of which exercise")
    return found


# --- questions and their answers -----------------------------------------------------


def _take_answers(page: Page) -> Iterator[Tag]:
    for paragraph in page.body.find_all("p"):
        start = paragraph.find("strong")
        if start is None or not _QUESTION.fullmatch(start.get_text().strip()):
            continue
        choices = list(_choices_of(paragraph))
        if choices:
            yield _answer(page, paragraph, start.get_text().strip(), choices)
            # What computes the answers, and is hidden on the site, goes with them.
            section = paragraph.find_parent("section")
            yield from [cell.extract() for cell in section.select(_HIDDEN_CELL)]


def _choices_of(question: Tag) -> Iterator[Tag]:
    for sibling in question.find_next_siblings():
        strong = sibling.find("strong")
        if sibling.name.startswith("h") or sibling.name == "section":
            return
        if strong and _QUESTION.fullmatch(strong.get_text().strip()):
            return
        if sibling.name == "details" and "answer" in sibling.get("class", ()):
            yield sibling


def _answer(page: Page, question: Tag, name: str, choices: list[Tag]) -> Tag:
    """Leave the choices as a list, and return why each is right or wrong."""
    key = f"{page.key}--{name.lower().rstrip('.').replace(' ', '-')}"
    question["id"] = question.get("id", key)
    right = _right_letter(f"{page.name}: {name}", choices)
    listed = new("ol", class_="choices", type="A")
    choices[0].insert_before(listed)
    listed.insert_after(link_to_page(f"{ANSWERS}--{key}", "Answer"))
    reasons = new("ol", type="A")
    for choice in choices:
        summary = choice.find("summary").extract()
        summary.name, choice.name, choice.attrs = "li", "li", {}
        listed.append(summary)
        reasons.append(choice.extract())
    return _explanation(name, question["id"], f"{ANSWERS}--{key}", right, reasons)


def _right_letter(name: str, choices: list[Tag]) -> str:
    right = [
        letter
        for letter, choice in zip("ABCDEFGH", choices, strict=False)
        if "".join(_without_summary(choice)).strip().startswith("Yes.")
    ]
    if len(right) != 1:
        raise BundleError(f"{name} has {len(right)} right answers, not 1")
    return right[0]


def _without_summary(choice: Tag) -> Iterator[str]:
    for child in choice.children:
        if child.name != "summary":
            yield child.get_text()


def _explanation(name: str, question: str, key: str, right: str, why: Tag) -> Tag:
    answer = new("div", class_="answers", id=key)
    heading = new("p", class_="admonition-title")
    heading.append(new("a", name.rstrip("."), href=f"#{question}"))
    heading.append(new("span", class_="on-page", data_target=question))
    heading.append(f": {right}.")
    answer.extend([heading, why])
    return answer


# --- what the site hides -------------------------------------------------------------


def _show_what_is_hidden(body: Tag) -> None:
    for details in body.find_all("details"):
        summary = details.find("summary")
        if summary is not None:
            if summary.get_text().strip().startswith(BUTTONS):
                summary.decompose()
            else:
                summary.name = "p"
                summary["class"] = "admonition-title"
        details.name = "div"
        details.attrs.pop("open", None)
