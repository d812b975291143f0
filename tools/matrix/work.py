"""Go through the rows: what has no result yet is run, and written when it is done."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tools.matrix import environments, results, run, texts
from tools.matrix.report import Failure
from tools.matrix.rows import Row


class Plan(NamedTuple):
    """What is asked for."""

    root: Path
    folder: Path  # of the environments
    chapters: Sequence[Path]
    tests_in: Sequence[Row]
    jobs: int = 2
    again: bool = False
    fresh: bool = False


def go(plan: Plan, rows: Sequence[Row], found: results.Results) -> int:
    """Run the rows and return how many results were failures."""
    made: set[str] = set()
    failures = 0
    for row in rows:
        try:
            python = _make(plan, row, made)
        except environments.EnvironmentMissingError as missing:
            print(f"{row.name}: not run: {missing}", flush=True)
            found.miss(row, str(missing))
            continue
        found.begin(row, environments.versions(python))
        failures += _go_row(plan, row, python, found)
    return failures


def _make(plan: Plan, row: Row, made: set[str]) -> Path:
    """Make a row's environment, anew only the first time that it is met."""
    name = row.environment.name
    fresh = plan.fresh and name not in made
    made.add(name)
    return environments.make(row.environment, plan.folder, plan.root, fresh=fresh)


def _go_row(plan: Plan, row: Row, python: Path, found: results.Results) -> int:
    waiting = [task for task in _tasks(plan, row, python) if _wanted(plan, task, found)]
    failures = 0
    pool = ThreadPoolExecutor(plan.jobs)
    futures: dict[Future, _Task] = {pool.submit(task.call): task for task in waiting}
    try:
        for future in as_completed(futures):
            task, failed = futures[future], future.result()
            found.record(row, task.name, task.hashes, failed)
            print(f"{row.name}: {task.name}: {_told(failed)}", flush=True)
            failures += bool(failed)
    finally:  # interrupted: what was done is written, what runs has no result
        pool.shutdown(wait=False, cancel_futures=True)
        run.stop_all()
    return failures


class _Task(NamedTuple):
    row: Row
    name: str
    hashes: dict[str, str]
    call: partial


def _tasks(plan: Plan, row: Row, python: Path) -> Iterator[_Task]:
    common = {"python": python, "root": plan.root, "variables": row.variables}
    if row in plan.tests_in:
        call = partial(run.tests, paths=texts.package_tests(plan.root), **common)
        yield _Task(row, results.TESTS, results.hashes_of_tests(plan.root), call)
    for path in plan.chapters:
        call = partial(run.chapter, path=path, **common)
        hashes = results.hashes_of_chapter(plan.root, path)
        yield _Task(row, path.stem, hashes, call)


def _wanted(plan: Plan, task: _Task, found: results.Results) -> bool:
    return plan.again or not found.has(task.row, task.name, task.hashes)


def _told(failures: Sequence[Failure]) -> str:
    if not failures:
        return "pass"
    told = (f"{f.where}\n{textwrap.indent(f.what, '  ')}" for f in failures)
    return "fail\n" + textwrap.indent("\n".join(told), "  ")
