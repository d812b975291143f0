"""The report of the checks: its data, its text, and its table."""

import json
import pickle
from html.parser import HTMLParser

import ml_dtypes
import numpy as np
import pytest

from lossfn.testing import LossCheckError, Report, Result
from lossfn.testing._report_text import literal

FINITE = Result(
    "finite",
    "failed",
    seen="The gradient is NaN where the right class has the logit -10000, "
    "and the loss is infinite.",
    y_true=np.array([0], np.int32),
    y_pred=np.array([[-1e4, 0.1, np.nan]], np.float32),
    mend="Take the loss from the logits.",
    chapter="02-cross-entropy",
    question="Are value and gradient finite?",
)
VANISHES = Result("gradient_does_not_vanish", "failed", seen="It is 0 & <flat>.")
OTHERS = [
    Result("runs", "passed", question="Does it run?"),
    Result("gradient", "passed"),
    Result("large_labels", "not applicable", seen="labels are not class indices"),
    Result("save_and_load", "not applicable", seen="a function has no parameters"),
    Result(
        "labels_out_of_range", "not applicable", seen="labels are not class indices"
    ),
]
MIXED = Report("my_loss", "onehot_logits", [OTHERS[0], FINITE, VANISHES, *OTHERS[1:]])
PASSED = Report("my_loss", "regression", OTHERS)

FAILED_PART = """\
my_loss, checked as onehot_logits: 2 checks failed, 2 passed, 3 are not applicable

FAILED finite: Are value and gradient finite?
    seen    The gradient is NaN where the right class has the logit -10000, and the loss
            is infinite.
    y_true  np.array([0], dtype="int32")
    y_pred  np.array([[-10000, 0.1, np.nan]], dtype="float32")
    mend    Take the loss from the logits.
    read    chapter 2 (book/02-cross-entropy.ipynb)

FAILED gradient_does_not_vanish
    seen    It is 0 & <flat>."""

OTHER_PARTS = """\
passed
    runs, gradient

not applicable
    large_labels, labels_out_of_range: labels are not class indices
    save_and_load: a function has no parameters"""


def many(**counts: int) -> Report:
    """Make a report of so many results of each status."""
    return Report(
        "f",
        "quantile",
        [
            Result(f"{status}_{index}", status.replace("_", " "))
            for status, count in counts.items()
            for index in range(count)
        ],
    )


# --- the data --------------------------------------------------------------------


def test_a_report_is_the_sequence_of_its_results():
    assert (MIXED.loss, MIXED.task) == ("my_loss", "onehot_logits")
    assert len(MIXED) == 7
    assert list(MIXED) == list(MIXED.results)
    assert MIXED["finite"] is FINITE
    with pytest.raises(KeyError, match="'finit'"):
        MIXED["finit"]


def test_a_report_knows_what_failed():
    assert not MIXED.passed
    assert MIXED.failures == (FINITE, VANISHES)
    assert PASSED.passed
    assert PASSED.failures == ()


def test_a_result_has_one_of_three_statuses():
    with pytest.raises(ValueError, match=r"^status must be one of .*, got 'skipped'$"):
        Result("runs", "skipped")


def test_a_failed_report_raises_its_failed_part():
    with pytest.raises(AssertionError) as raised:
        MIXED.raise_if_failed()
    assert type(raised.value) is LossCheckError
    assert raised.value.report is MIXED
    assert str(raised.value) == FAILED_PART


def test_a_report_that_passed_does_not_raise():
    PASSED.raise_if_failed()


def test_the_error_survives_another_process():
    error = pickle.loads(pickle.dumps(LossCheckError(MIXED)))
    assert str(error) == FAILED_PART
    assert error.report["finite"].seen == FINITE.seen


def test_the_dict_is_json():
    written = json.dumps(MIXED.to_dict(), allow_nan=False)
    read = json.loads(written)
    assert {name: read[name] for name in ("loss", "task", "passed")} == {
        "loss": "my_loss",
        "task": "onehot_logits",
        "passed": False,
    }
    assert read["results"][1] == {
        "name": "finite",
        "status": "failed",
        "seen": FINITE.seen,
        "y_true": {"dtype": "int32", "shape": [1], "values": [0]},
        "y_pred": {
            "dtype": "float32",
            "shape": [1, 3],
            "values": [[-1e4, float(np.float32(0.1)), "nan"]],
        },
        "mend": "Take the loss from the logits.",
        "chapter": "02-cross-entropy",
        "question": "Are value and gradient finite?",
    }
    assert read["results"][2]["y_true"] is None


@pytest.mark.parametrize(
    ("array", "values"),
    [
        (np.array([np.inf, -np.inf]), ["inf", "-inf"]),
        (np.array([0.5], ml_dtypes.bfloat16), [0.5]),
        (np.array([True]), [True]),
        (np.array(2.0), 2.0),
    ],
    ids=["infinities", "bfloat16", "booleans", "a scalar"],
)
def test_the_dict_has_the_values_of(array, values):
    report = Report("f", "quantile", [Result("runs", "failed", y_pred=array)])
    written = json.dumps(report.to_dict(), allow_nan=False)
    assert json.loads(written)["results"][0]["y_pred"]["values"] == values


# --- the text --------------------------------------------------------------------


def test_the_text_has_the_failures_first():
    assert str(MIXED) == f"{FAILED_PART}\n\n{OTHER_PARTS}"


def test_the_text_of_a_report_that_passed():
    assert str(PASSED) == (
        "my_loss, checked as regression: 2 checks passed, 3 are not applicable\n\n"
        + OTHER_PARTS
    )


@pytest.mark.parametrize(
    ("report", "counts"),
    [
        (many(), "no check was run"),
        (many(passed=1), "1 check passed"),
        (many(failed=1, passed=1), "1 check failed, 1 passed"),
        (many(failed=2, not_applicable=1), "2 checks failed, 1 is not applicable"),
        (many(not_applicable=1), "1 check is not applicable"),
        (many(not_applicable=2), "2 checks are not applicable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_head_counts(report, counts):
    assert str(report).splitlines()[0] == f"f, checked as quantile: {counts}"
    assert repr(report) == f"<Report: f, checked as quantile: {counts}>"


def test_a_check_that_does_not_apply_needs_no_reason():
    assert str(many(not_applicable=2)).splitlines()[-2:] == [
        "not applicable",
        "    not_applicable_0, not_applicable_1",
    ]


def test_a_page_without_a_number_is_named_by_its_file():
    result = Result("runs", "failed", chapter="tf1-to-tf2")
    assert "read    book/tf1-to-tf2.ipynb" in str(Report("f", "quantile", [result]))


def test_no_line_is_longer_than_88_columns():
    words = "a" * 200 + " " + "word " * 60 + "\n  and a line of its own"
    result = Result(
        "a_check_of_a_name_that_is_long",
        "failed",
        seen=words,
        y_true=np.linspace(-1e6, 1e6, 20).reshape(2, 10) / 7,
        y_pred=(np.arange(3000.0) / 7).astype(np.float32).reshape(3, 1000),
        mend=words,
        chapter="c" * 200,
        question=words,
    )
    others = [Result(f"check_{index}", "passed") for index in range(50)]
    others.append(Result("last", "not applicable", seen=words))
    report = Report("a_loss_" * 20, "onehot_probabilities", [result, *others])
    lines = str(report).splitlines()
    assert max(map(len, lines)) <= 88
    assert len(lines) > 40


LITERALS = {
    "integers": (np.array([[1, -2]], np.int64), 'np.array([[1, -2]], dtype="int64")'),
    "booleans": (np.array([True]), 'np.array([True], dtype="bool")'),
    "whole numbers": (
        np.array([1e4, 0.0, -3.0], np.float32),
        'np.array([10000, 0, -3], dtype="float32")',
    ),
    "minus zero": (np.array([-0.0]), 'np.array([-0.0], dtype="float64")'),
    "what is no number": (
        np.array([np.nan, np.inf, -np.inf], np.float16),
        'np.array([np.nan, np.inf, -np.inf], dtype="float16")',
    ),
    "float32, shortest": (
        np.array([0.96, 1 - 2**-24, 1e-7, 3e38], np.float32),
        'np.array([0.96, 0.99999994, 1e-07, 3e+38], dtype="float32")',
    ),
    "float16": (
        np.array([65504, 0.1], np.float16),
        'np.array([65504, 0.1], dtype="float16")',
    ),
    "bfloat16": (
        np.array([1e4, 0.1, 3.38e38], ml_dtypes.bfloat16),
        'np.array([9984, 0.1, 3.38e+38], dtype="bfloat16")',
    ),
    "a scalar": (np.array(2.5), 'np.array(2.5, dtype="float64")'),
    "nothing": (np.empty((0, 3)), 'np.empty((0, 3), dtype="float64")'),
    "two rows": (
        np.eye(2, dtype=np.float32),
        'np.array([[1, 0],\n          [0, 1]], dtype="float32")',
    ),
}


@pytest.mark.parametrize(("array", "written"), LITERALS.values(), ids=LITERALS)
def test_an_array_is_written_as_it_is_typed(array, written):
    assert literal(array) == written
    read = eval(written, {"np": np})
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)
    np.testing.assert_array_equal(np.signbit(read), np.signbit(array))


def test_the_numbers_may_start_on_a_line_of_their_own():
    assert literal(np.eye(2), indent=2, below=True) == (
        'np.array(\n  [[1, 0],\n   [0, 1]], dtype="float64")'
    )
    assert literal(np.ones(2), indent=2, below=True) == literal(np.ones(2))


def test_float64_is_written_to_8_digits():
    assert literal(np.array([1 / 3, 2e5 / 3])) == (
        'np.array([0.33333333, 66666.667], dtype="float64")'
    )


def test_a_long_array_is_shortened():
    array = np.arange(60, dtype=np.float32).reshape(6, 10)
    assert literal(array, indent=2) == (
        "float32 of shape (6, 10):\n"
        "  [[0, 1, ..., 8, 9],\n"
        "   [10, 11, ..., 18, 19],\n"
        "   ...,\n"
        "   [40, 41, ..., 48, 49],\n"
        "   [50, 51, ..., 58, 59]]"
    )


def test_print_options_change_nothing():
    with np.printoptions(precision=2, threshold=1, linewidth=20, legacy="1.13"):
        assert str(MIXED) == f"{FAILED_PART}\n\n{OTHER_PARTS}"


# --- the table -------------------------------------------------------------------


class Page(HTMLParser):
    """The elements of a page: their names, attributes and texts, in order."""

    VOID = ("wbr",)

    def __init__(self, html: str):
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.roots: list[str] = []
        self.texts: list[tuple[str, str]] = []  # path, text
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if not self.open:
            self.roots.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((" ".join(self.open), data))

    def text(self, *, closed: bool = True) -> str:
        """Return the text, without what is in closed details if that is not asked."""
        return "".join(
            data
            for path, data in self.texts
            if closed or "details" not in path or "summary" in path
        )


@pytest.mark.parametrize(
    "report", [MIXED, PASSED, many()], ids=["mixed", "passed", "empty"]
)
def test_the_table_is_one_well_formed_element(report):
    assert Page(report._repr_html_()).roots == ["div"]


def test_the_table_says_what_the_text_says():
    text = " ".join(Page(MIXED._repr_html_()).text().split())
    for said in (
        "my_loss, checked as onehot_logits: 2 checks failed, 2 passed, 3 are not",
        "finiteAre value and gradient finite?",
        FINITE.seen,
        'y_true = np.array([0], dtype="int32")',
        'y_pred = np.array([[-10000, 0.1, np.nan]], dtype="float32")',
        "mend: Take the loss from the logits.",
        "read: chapter 2 (book/02-cross-entropy.ipynb)",
        "It is 0 & <flat>.",
        "2 checks passed",
        "runsDoes it run?",
        "3 checks not applicable",
        "large_labels, labels_out_of_rangelabels are not class indices",
    ):
        assert said in text


def test_only_what_failed_is_open():
    seen = Page(MIXED._repr_html_()).text(closed=False)
    assert "finite" in seen
    assert "2 checks passed" in seen
    assert "Does it run?" not in seen
    assert "labels are not class indices" not in seen
    assert "details open" not in MIXED._repr_html_()


def test_each_table_has_a_name_and_headers():
    page = Page(MIXED._repr_html_())
    tables = [attributes for tag, attributes in page.elements if tag == "table"]
    captions = [data for path, data in page.texts if "caption" in path.split()]
    assert captions == [FAILED_PART.splitlines()[0]]
    assert [table.get("aria-label") for table in tables] == [
        None,  # it has the caption
        "2 checks passed",
        "3 checks not applicable",
    ]
    scopes = [attributes["scope"] for tag, attributes in page.elements if tag == "th"]
    assert scopes == ["col", "col", *["row"] * 2] * 3


def test_the_table_brings_nothing_with_it():
    html = MIXED._repr_html_()
    tags = {tag for tag, _ in Page(html).elements}
    assert tags.isdisjoint({"script", "style", "link", "img", "a"})
    assert "http" not in html
    assert "onclick" not in html


def test_the_table_has_no_colours_of_its_own():
    styles = [a["style"] for _, a in Page(MIXED._repr_html_()).elements if "style" in a]
    colours = {
        declaration
        for style in styles
        for declaration in style.split(";")
        if "color" in declaration or "background" in declaration
    }
    assert colours == {"color:inherit", "background:none"}


def test_what_a_loss_says_cannot_leave_its_cell():
    attack = "</td><script>alert('x')</script>"
    result = Result(attack, "failed", attack, None, None, attack, attack, attack)
    skipped = Result(attack, "not applicable", attack)
    passed = Result(attack, "passed", question=attack)
    report = Report(attack, attack, [result, skipped, passed])
    page = Page(report._repr_html_())
    assert "script" not in {tag for tag, _ in page.elements}
    # The head has 2, the failed check 5, and each of the others 2.
    assert page.text().count("alert('x')") == 2 + 5 + 2 + 2
