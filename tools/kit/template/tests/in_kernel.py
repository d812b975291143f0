"""Runs in the kernel of a notebook, among the student's names."""

from __future__ import annotations

import json
import sys


def verdict(label: str, answer: str, namespace: dict, token: str) -> str:
    """Ask about an answer.

    Args:
        label: The exercise's label.
        answer: The name of the answer.
        namespace: The notebook's names.
        token: What nobody knew before; it comes back with the verdict.

    Returns:
        Token, whether the answer is right, and the words, as JSON.
    """
    # The notebook may have changed the functions that judge it: take them anew.
    for module in [name for name in sys.modules if _judges(name)]:
        del sys.modules[module]
    from lossfn.exercises import check_answer

    if answer not in namespace:
        return json.dumps([token, False, f"{answer} is not defined."])
    found = check_answer(label, namespace[answer])
    return json.dumps([token, found.passed is True, found.message])


def _judges(module: str) -> bool:
    return f"{module}.".startswith(("lossfn.exercises.", "lossfn.testing."))
