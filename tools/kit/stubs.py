"""What a student finds in the place of a solution: its name, and how it is called."""

from __future__ import annotations

import ast
import io
import textwrap
import tokenize

from tools.kit import names
from tools.kit.chapter import Chapter, KitError

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_TODO = "  # your answer"


def stub(chapter: Chapter, label: str, name: str) -> str:
    """Return the code that a student completes.

    A function keeps its signature, a class its methods, a dict its keys; any other
    value becomes None.

    Args:
        chapter: The chapter.
        label: The exercise's label.
        name: What the answer is called.

    Raises:
        KitError: If the solution does not define the name.
    """
    for part in reversed(chapter.solution(label)):
        for statement, bound, _, _ in reversed(names.statements(part.source)):
            if name in bound:
                return _stub(part.source, statement, label, name)
    raise KitError(f"{chapter.stem}: the solution of {label} does not define {name}")


def _stub(source: str, statement: ast.stmt, label: str, name: str) -> str:
    if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
        return _definition(source, statement, label)
    value = getattr(statement, "value", None)
    if isinstance(value, ast.Lambda):
        return f"def {name}({ast.unparse(value.args)}):\n{_to_be_written(label)}"
    keys = _keys(value)
    if keys:
        choices = "".join(f"    {key}: None,{_TODO}\n" for key in keys)
        return f"{name} = {{\n{choices}}}"
    return f"{name} = None{_TODO}"


def _to_be_written(label: str) -> str:
    return f'    raise NotImplementedError("{label} is still to be written")'


def _keys(value: ast.expr | None) -> list[str]:
    """Return the keys of a dict of choices, as they are written in code."""
    if not isinstance(value, ast.Dict):
        return []
    if not all(isinstance(node, ast.Constant) for node in (*value.keys, *value.values)):
        return []
    return [
        f'"{k.value}"' if isinstance(k.value, str) else repr(k.value)
        for k in value.keys
    ]


def _definition(source: str, node: ast.stmt, label: str) -> str:
    header = _header(source, node)
    if isinstance(node, _FUNCTIONS):
        return f"{header}\n{_to_be_written(label)}"
    methods = [inner for inner in node.body if isinstance(inner, _FUNCTIONS)]
    bodies = [_definition(source, method, label) for method in methods]
    inside = "\n\n".join(textwrap.indent(body, "    ") for body in bodies)
    return f"{header}\n{inside or _to_be_written(label)}"


def _header(source: str, node: ast.stmt) -> str:
    """Return a definition from ``def`` or ``class`` to its colon, as it is written."""
    lines = source.splitlines(keepends=True)[node.lineno - 1 : node.end_lineno]
    text = textwrap.dedent("".join(lines))
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        depth += (
            (token.string in "([{") - (token.string in ")]}") if _is_op(token) else 0
        )
        if _is_op(token) and token.string == ":" and depth == 0:
            row, column = token.end
            kept = text.splitlines(keepends=True)[:row]
            return "".join([*kept[:-1], kept[-1][:column]])
    raise AssertionError("a definition without a colon")


def _is_op(token: tokenize.TokenInfo) -> bool:
    return token.type == tokenize.OP
