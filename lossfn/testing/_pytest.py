"""Every check of a loss as a test of pytest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lossfn.testing._report import LossCheckError
from lossfn.testing._run import CHECKS, check_loss


def parametrize_checks(
    loss: object,
    *,
    task: str,
    expected_failures: Mapping[str, str] | None = None,
    **options: object,
) -> Callable[[Callable], Callable]:
    """Make a test function into one test for each check of a loss.

    The function takes one argument, ``check``, and calls it::

        @parametrize_checks(
            my_loss,
            task="regression",
            expected_failures={"zero_at_perfect": "it has a penalty"},
        )
        def test_my_loss(check):
            check()

    Each test has the name of its check, so that ``pytest -k nan_stays_alone`` runs one.
    A test fails with :class:`LossCheckError`, and is skipped where the check is not
    applicable. A check that is expected to fail is marked ``xfail``, strictly: when it
    passes one day, its test fails until the name is taken out.

    Args:
        loss: The loss, as :func:`check_loss` takes it.
        task: What labels and predictions are, as :func:`check_loss` takes it.
        expected_failures: The names of checks that may fail, each with the reason.
        **options: The other arguments of :func:`check_loss`. Its time limit is for each
            test.

    Returns:
        The decorator.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument has a value that it cannot have. Both are raised
            where the decorator stands, and no check is run for it.

    Examples:
        >>> from lossfn.losses import squared_error
        >>> @parametrize_checks(squared_error, task="regression", checks=["runs"])
        ... def test_squared_error(check):
        ...     check()
        >>> [mark.name for mark in test_squared_error.pytestmark]
        ['parametrize']
    """
    # The package does not need pytest; who uses this has it.
    import pytest

    checks = _names(options.pop("checks", None))
    reasons = _reasons(expected_failures, checks)
    # With no checks to run, this looks at the arguments alone.
    check_loss(loss, task=task, checks=(), **options)
    tests = []
    for name in checks:
        check = LossCheck(name, loss, {"task": task, **options})
        marks = [_expected(reasons[name])] if name in reasons else []
        tests.append(pytest.param(check, id=name, marks=marks))
    return pytest.mark.parametrize("check", tests)


@dataclass(frozen=True, eq=False)
class LossCheck:
    """One check of one loss: what a parametrized test is given, to call it.

    Attributes:
        name: The name of the check.
    """

    name: str
    loss: object = field(repr=False)
    options: Mapping[str, object] = field(repr=False)

    def __call__(self) -> None:
        """Run the check: raise if it fails, skip the test if it is not applicable."""
        import pytest

        __tracebackhide__ = True  # pytest shows the test and the message
        report = check_loss(self.loss, checks=[self.name], **self.options)
        report.raise_if_failed()
        result = report[self.name]
        if result.status == "not applicable":
            pytest.skip(result.seen)


def _expected(reason: str) -> object:
    import pytest

    return pytest.mark.xfail(strict=True, raises=LossCheckError, reason=reason)


def _names(checks: Sequence[str] | None) -> list[str]:
    if isinstance(checks, str):
        raise TypeError(f"checks must be a sequence of names, got {checks!r}")
    chosen = list(CHECKS) if checks is None else list(checks)
    for name in chosen:
        _one_of("checks", CHECKS, name)
    return [name for name in CHECKS if name in chosen]


def _reasons(
    expected_failures: Mapping[str, str] | None, checks: Sequence[str]
) -> dict[str, str]:
    if not isinstance(expected_failures, Mapping | None):
        raise TypeError(
            "expected_failures must map names of checks to reasons, "
            f"got {expected_failures!r}"
        )
    reasons = dict(expected_failures or {})
    for name, reason in reasons.items():
        _one_of("expected_failures", checks, name)
        if not isinstance(reason, str):
            raise TypeError(
                f"expected_failures must give a reason for {name}, got {reason!r}"
            )
    return reasons


def _one_of(argument: str, known: Sequence[str], name: object) -> None:
    if name not in known:
        raise ValueError(f"{argument} must be of {', '.join(known)}, got {name!r}")
