"""The rows: a Python, a TensorFlow, and the settings that change how it rounds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
TENSORFLOWS = ("2.18", "2.19", "2.20", "2.21")
# TensorFlow has no wheels for these.
NOT_RELEASED = {("3.13", "2.18"), ("3.13", "2.19")}
THREADS = (1, 2)


class Environment(NamedTuple):
    """Packages for one interpreter: the newest that its TensorFlow allows."""

    python: str
    tensorflow: str
    older: tuple[str, ...] = ()  # requirements that ask for less than the newest

    @property
    def name(self) -> str:
        """Its folder, and its part of a row's name."""
        name = f"py{self.python}-tf{self.tensorflow}"
        return f"{name}-old" if self.older else name

    @property
    def requirements(self) -> list[str]:
        """What is installed besides the project's own requirements."""
        return [f"tensorflow=={self.tensorflow}.*", *self.older]


class Row(NamedTuple):
    """An environment and its settings."""

    environment: Environment
    onednn: bool
    threads: int

    @property
    def name(self) -> str:
        """What the command line and the results call it."""
        onednn = "on" if self.onednn else "off"
        return f"{self.environment.name}-onednn-{onednn}-threads-{self.threads}"

    @property
    def variables(self) -> dict[str, str]:
        """The settings, as TensorFlow reads them."""
        count = str(self.threads)
        return {
            "TF_ENABLE_ONEDNN_OPTS": str(int(self.onednn)),
            "TF_NUM_INTRAOP_THREADS": count,
            "TF_NUM_INTEROP_THREADS": count,
            "OMP_NUM_THREADS": count,
        }


ENVIRONMENTS = [
    Environment(python, tensorflow)
    for python in PYTHONS
    for tensorflow in TENSORFLOWS
    if (python, tensorflow) not in NOT_RELEASED
]
# What somebody has who installed TensorFlow 2.18 in its time.
OLD = Environment("3.11", "2.18", ("keras==3.5.*", "numpy<2"))


def _settings(environment: Environment) -> tuple[bool, int]:
    """Spread the settings: each meets each Python, each TensorFlow and each other."""
    p = PYTHONS.index(environment.python)
    t = TENSORFLOWS.index(environment.tensorflow)
    return (p + t) % 2 == 0, THREADS[(p // 2 + t) % 2]


# One row an environment, in which every pair of two settings occurs.
COVERING = [Row(environment, *_settings(environment)) for environment in ENVIRONMENTS]
COVERING.append(Row(OLD, False, 1))
ALL = [
    Row(environment, onednn, threads)
    for environment in [*ENVIRONMENTS, OLD]
    for onednn in (False, True)
    for threads in THREADS
]
# Every value of every setting, in as few rows as that takes, the ends among them.
_FEW = [("3.10", "2.18"), ("3.10", "2.19"), ("3.11", "2.20")]
_FEW += [("3.12", "2.20"), ("3.13", "2.21")]
FEW = [
    row
    for row in COVERING
    if (row.environment.python, row.environment.tensorflow) in _FEW
    and not row.environment.older
]
# Where the package's tests run too, unless others are asked for.
ENDS = [FEW[0], FEW[-1]]


def chosen(names: Iterable[str], rows: list[Row]) -> list[Row]:
    """Return the rows whose names begin with one of these; all, if there are none.

    Raises:
        ValueError: If a name is the beginning of no row's.
    """
    names = list(names)
    for name in names:
        if not any(row.name.startswith(name) for row in rows):
            raise ValueError(
                f"--only must begin the name of a row (--list shows them), got {name!r}"
            )
    return [r for r in rows if not names or r.name.startswith(tuple(names))]
