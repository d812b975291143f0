"""What a chapter loses with its solutions and answers: only imports may be needed."""

from __future__ import annotations

from collections.abc import Sequence

from tools.kit import names
from tools.kit.chapter import Chapter, KitError, Part


def imports_needed(
    chapter: Chapter, sources: Sequence[tuple[int, str, str]]
) -> dict[int, list[str]]:
    """Find the imports that stand in what is withheld and that a student's cells need.

    Args:
        chapter: The chapter.
        sources: The code of the student's cells: the position of the part that each
            comes from, the exercise's label if it is a stub or a check, and the code.

    Returns:
        For a part's position, the statements that its cells need.

    Raises:
        KitError: If a cell needs something else that is withheld.
    """
    _check_between_solutions(chapter)
    # Of a solution, a student writes what the stub is called.
    written = {n for _, label, s in sources if label for n in names.bound_in(s)}
    needed: dict[int, list[str]] = {}
    for at, label, source in sources:
        for name in sorted(names.needed_by(source) - written):
            binding = _last_binding(chapter, name, at, within=label)
            if binding is None or not binding.is_withheld:
                continue
            line = names.imports_of(binding.source).get(name)
            if line is None:
                raise _lost(chapter, name, binding.label, label or source)
            needed.setdefault(at, []).append(line)
    return needed


def _last_binding(chapter: Chapter, name: str, at: int, within: str) -> Part | None:
    """Find the code that binds a name last, before a position or in a solution."""
    code = [part for part in chapter.parts[:at] if part.kind == "code"]
    code += chapter.solution(within) if within else []
    return next((p for p in reversed(code) if name in names.bound_in(p.source)), None)


def _check_between_solutions(chapter: Chapter) -> None:
    """Refuse a solution that calls what another one defines."""
    for at, part in enumerate(chapter.parts):
        if part.kind != "code" or not part.of_solution:
            continue
        for name in sorted(names.needed_by(part.source)):
            binding = _last_binding(chapter, name, at, within="")
            if binding is None or not binding.is_withheld:
                continue
            if binding.label == part.label:
                continue
            if name in names.defined_in(binding.source):
                raise _lost(chapter, name, binding.label, part.label)


def _lost(chapter: Chapter, name: str, label: str, needs: str) -> KitError:
    first = needs.strip().splitlines()[0]
    where = f"the solution of {label}" if label else "the answers to the questions"
    return KitError(
        f"{chapter.stem}: {first} needs {name} of {where}, which students do not get: "
        "define it before the exercise"
    )
