"""What changed in each file of this repository, and when: read from git, once.

What git cannot tell for certain is left out: without a repository, in a shallow clone,
and for a file that differs from the last commit, there is no history.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

_COMMIT = "\x01"
_FIELD = "\x02"
_SECONDS = 30


class Change(NamedTuple):
    """One commit.

    Attributes:
        commit: its whole hash.
        day: the day it was committed.
        subject: the first line of its message.
    """

    commit: str
    day: date
    subject: str


def read(root: Path) -> dict[str, list[Change]]:
    """Read the history of every file.

    Args:
        root: the top folder of the repository.

    Returns:
        From a file's path in the repository to its changes, newest first, also those
        under an earlier name. Empty if git does not know all of the history.
    """
    if not _is_complete(root):
        return {}
    log = _git(
        root,
        *(
            "log",
            "--find-renames",
            "--name-status",
            "--no-color",
            "--no-show-signature",
        ),
        f"--format={_COMMIT}%H{_FIELD}%cs{_FIELD}%s",
    )
    changed = set((_git(root, "diff", "--name-only", "HEAD") or "").splitlines())
    files = follow(log or "")
    return {name: found for name, found in files.items() if name not in changed}


def _is_complete(root: Path) -> bool:
    answer = _git(root, "rev-parse", "--is-shallow-repository", "--show-toplevel")
    if answer is None:
        return False
    shallow, top = answer.splitlines()
    return shallow == "false" and Path(top).resolve() == root.resolve()


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), "-c", "core.quotePath=false", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def follow(log: str) -> dict[str, list[Change]]:
    """Collect the changes of each file from a log, newest first, across renames."""
    files: dict[str, list[Change]] = {}
    # From a name that a file had at this point of the log to the name it has now.
    names: dict[str, str] = {}
    for change, status, before, after in _entries(log):
        now = names.pop(after, after)
        files.setdefault(now, []).append(change)
        if status in "RMT":
            names[before] = now
        else:
            # Made here: what had the name before was another file.
            names[after] = ""
    files.pop("", None)
    return files


def _entries(log: str) -> Iterator[tuple[Change, str, str, str]]:
    for entry in log.split(_COMMIT)[1:]:
        head, *lines = entry.splitlines()
        commit, day, subject = head.split(_FIELD, 2)
        change = Change(commit, date.fromisoformat(day), subject)
        for line in filter(None, lines):
            status, *paths = line.split("\t")
            yield change, status[0], paths[0], paths[-1]
