"""Which names a piece of code binds and needs."""

import pytest

from tools.kit import names

NEEDED = {
    "what it reads": ("y = x", {"x"}),
    "what it reads before it binds it": ("x = x + 1", {"x"}),
    "what it adds to": ("x += 1", {"x"}),
    "what a loop adds to": ("for x in (1, 2):\n    y += x", {"y"}),
    "nothing that it binds before": ("x = 1\ny = x", set()),
    "nothing that a loop binds": ("for x in (1, 2):\n    y = x\n    z = y", set()),
    "what a function reads when it is called": ("def f(a):\n    return a + x", {"x"}),
    "nothing that is bound after the function": (
        "def f():\n    return x\nx = 1",
        set(),
    ),
    "what a default is": ("def f(a=x):\n    return a", {"x"}),
    "what decorates it": ("@x\ndef f():\n    pass", {"x"}),
    "what a comprehension reads": ("y = [a + x for a in z]", {"x", "z"}),
    "what a method reads": ("class A:\n    def f(self):\n        return x", {"x"}),
}


@pytest.mark.parametrize(("code", "needed"), NEEDED.values(), ids=NEEDED)
def test_code_needs(code, needed):
    assert names.needed_by(code) == needed


def test_code_binds():
    code = "import a.b\nfrom c import d as e\nf, g = 1, 2\nfor h in i:\n    j = 1"
    assert names.bound_in(code) == {"a", "e", "f", "g", "h", "j"}


CHECKS = {
    "a plain name": ('check_answer("ex-1", f)', [("ex-1", "f")]),
    "by its module": ('exercises.check_answer("ex-1", f)', [("ex-1", "f")]),
    "within a call": ('print(check_answer("ex-1", f))', [("ex-1", "f")]),
    "no plain name": ('check_answer("ex-1", f())', [("ex-1", None)]),
    "nothing": ("check_answer()", [(None, None)]),
    "another call": ('check("ex-1", f)', []),
}


@pytest.mark.parametrize(("code", "found"), CHECKS.values(), ids=CHECKS)
def test_code_checks(code, found):
    assert list(names.checks(code)) == found
