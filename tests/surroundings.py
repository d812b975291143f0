"""What some tests need of the machine, and what happens where it is missing."""

from __future__ import annotations

import os

import pytest


def cannot_check(reason: str) -> None:
    """Skip, or fail where nobody would read that it was skipped."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
