"""One test for each check of a loss, through pytest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from lossfn.testing import CHECKS, LossCheckError, parametrize_checks

ROOT = Path(__file__).resolve().parent.parent


def broadcasts(y_true, y_pred):
    return tf.square(y_true - y_pred)


def scaled(y_true, y_pred, *, scale):
    return scale * tf.square(y_true - y_pred)


def must_not_run(y_true, y_pred):
    raise AssertionError("the loss was run")


def parameters_of(decorator) -> list:
    """Return what the decorated test is called with: values, marks and ids."""
    assert decorator.name == "parametrize"
    argument, parameters = decorator.args
    assert argument == "check"
    return parameters


def check_named(name: str, loss: object = broadcasts, **options):
    options = {"task": "regression", "checks": [name], **options}
    (parameter,) = parameters_of(parametrize_checks(loss, **options))
    (check,) = parameter.values
    return check


# --- the decorator ---------------------------------------------------------------


def test_there_is_a_test_for_each_check_in_order_and_none_is_run():
    parameters = parameters_of(parametrize_checks(must_not_run, task="regression"))
    assert [parameter.id for parameter in parameters] == list(CHECKS)
    assert [parameter.values[0].name for parameter in parameters] == list(CHECKS)
    assert all(not parameter.marks for parameter in parameters)


def test_chosen_checks_keep_the_order_of_all_checks():
    decorator = parametrize_checks(
        must_not_run, task="regression", checks=("finite", "runs")
    )
    assert [parameter.id for parameter in parameters_of(decorator)] == [
        "runs",
        "finite",
    ]


def test_an_expected_failure_is_marked_strictly():
    decorator = parametrize_checks(
        must_not_run, task="regression", expected_failures={"finite": "it is old"}
    )
    marked = {p.id: list(p.marks) for p in parameters_of(decorator) if p.marks}
    assert list(marked) == ["finite"]
    (mark,) = marked["finite"]
    assert mark.name == "xfail"
    assert mark.kwargs == {
        "reason": "it is old",
        "strict": True,
        "raises": LossCheckError,
    }


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"task": "regresion"},
            ValueError,
            r"^task must be one of .*, got 'regresion'$",
        ),
        ({"output": 3}, TypeError, "unexpected keyword argument 'output'"),
        ({"reduction": "max"}, ValueError, "^reduction must be .*, got 'max'$"),
        (
            {"checks": ["finit"]},
            ValueError,
            r"^checks must be of runs, .*replicas_add_up, got 'finit'$",
        ),
        (
            {"checks": "finite"},
            TypeError,
            "^checks must be a sequence of names, got 'finite'$",
        ),
        (
            {"expected_failures": {"finit": "reason"}},
            ValueError,
            r"^expected_failures must be of runs, .*replicas_add_up, got 'finit'$",
        ),
        (
            {"checks": ["runs"], "expected_failures": {"finite": "reason"}},
            ValueError,
            "^expected_failures must be of runs, got 'finite'$",
        ),
        (
            {"expected_failures": ["finite"]},
            TypeError,
            r"^expected_failures must map names of checks to reasons, got \['finite",
        ),
        (
            {"expected_failures": {"finite": None}},
            TypeError,
            "^expected_failures must give a reason for finite, got None$",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_option_raises_where_the_decorator_stands(options, error, message):
    options = {"task": "regression", **options}
    with pytest.raises(error, match=message):
        parametrize_checks(must_not_run, **options)


def test_what_is_no_loss_raises_where_the_decorator_stands():
    with pytest.raises(TypeError, match=r"^loss must be a function .*, got 3$"):
        parametrize_checks(3, task="regression")


# --- a check ---------------------------------------------------------------------


def test_a_check_that_passes_returns():
    assert check_named("finite")() is None


def test_a_check_that_fails_raises_its_report():
    with pytest.raises(LossCheckError, match="checked as regression: 1 check failed"):
        check_named("no_broadcast")()


def test_a_check_that_does_not_apply_skips_the_test():
    with pytest.raises(pytest.skip.Exception, match="not class indices"):
        check_named("large_labels")()


@pytest.mark.parametrize("scale", [1.0, -1.0], ids=["positive", "negative"])
def test_a_check_is_given_the_options(scale):
    check = check_named("zero_at_perfect", scaled, parameters={"scale": scale})
    if scale > 0:
        check()
    else:
        with pytest.raises(LossCheckError, match="FAILED zero_at_perfect"):
            check()


def test_a_check_is_shown_by_its_name():
    assert repr(check_named("finite")) == "LossCheck(name='finite')"


# --- a run of pytest -------------------------------------------------------------

TESTS = """
import tensorflow as tf

from lossfn.testing import parametrize_checks


def broadcasts(y_true, y_pred):
    return tf.square(y_true - y_pred)


@parametrize_checks(
    broadcasts,
    task="regression",
    checks=["runs", "no_broadcast", "finite", "dtype_kept", "large_labels"],
    expected_failures={
        "no_broadcast": "it broadcasts",
        "dtype_kept": "it kept none",
    },
)
def test_broadcasts(check):
    check()


@parametrize_checks(broadcasts, task="regression", checks=["no_broadcast"])
def test_fails(check):
    check()


@parametrize_checks(
    broadcasts,
    task="regression",
    checks=["no_broadcast"],
    expected_failures={"no_broadcast": "it broadcasts"},
)
def test_raises(check):
    raise RuntimeError("another error")
"""


OUTCOMES = {
    "PASSED": {"test_broadcasts[runs]", "test_broadcasts[finite]"},
    "SKIPPED": {"labels are not class indices"},
    "XFAIL": {"test_broadcasts[no_broadcast] - it broadcasts"},
    "FAILED": {
        "test_broadcasts[dtype_kept] - [XPASS(strict)] it kept none",
        "test_fails[no_broadcast] - lossfn.testing._report.LossCheckError: "
        "broadcasts, checked as regression: 1 check failed",
        "test_raises[no_broadcast] - RuntimeError: another error",
    },
}


def outcomes(lines: list[str]) -> dict[str, set[str]]:
    """Read pytest's summary: what it says of the tests of each outcome."""
    found: dict[str, set[str]] = {}
    for line in lines:
        outcome, _, rest = line.partition(" ")
        if outcome in OUTCOMES:
            about = rest.partition(".py")[2].lstrip(":0123456789 ")
            found.setdefault(outcome, set()).add(about)
    return found


def test_pytest_reports_each_check(tmp_path):
    file = tmp_path / "test_my_loss.py"
    file.write_text(TESTS, encoding="utf-8")
    # With these, pytest's summary holds whole messages, of many lines.
    env = {k: v for k, v in os.environ.items() if k not in ("CI", "BUILD_NUMBER")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-W", "error", file.name],
        cwd=tmp_path,
        env={**env, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    failures, _, summary = done.stdout.partition(" short test summary info ")
    assert outcomes(summary.splitlines()) == OUTCOMES
    # Of a failure, the test and the report are shown, and no code of the package.
    assert "E       FAILED no_broadcast: " in failures
    assert "raise_if_failed" not in failures
