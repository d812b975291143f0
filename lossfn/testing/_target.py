"""Find what somebody names on the command line: ``losses.py:my_loss``."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

# What an error in a module passes through on its way here.
_IMPORTS = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")


class CommandError(Exception):
    """The command asks for what cannot be; the message says so in one line."""


def found(target: str) -> object:
    """Return what a name stands for.

    Args:
        target: ``module:name``, or ``path/to/file.py:name`` for a file anywhere. The
            name may have dots, for what belongs to a class.

    Returns:
        The object of this name.

    Raises:
        CommandError: If the text has another form, if there is no such file or name, or
            if the module raises when it is imported.
    """
    place, _, name = target.rpartition(":")
    if not place or not name:
        raise CommandError(
            f"the loss must be module:name or file.py:name, got {target!r}"
        )
    return _attribute(_module(place), place, name)


def _module(place: str) -> ModuleType:
    is_file = place.endswith(".py")
    if is_file and not Path(place).is_file():
        raise CommandError(f"there is no file {place}")
    try:
        return _of_file(Path(place)) if is_file else importlib.import_module(place)
    except (Exception, SystemExit) as error:
        raise CommandError(f"{place} does not import: {_said(error, place)}") from error


def _of_file(path: Path) -> ModuleType:
    """Import a file under its own name, with its folder in front as for a script."""
    path = path.resolve()
    sys.path.insert(0, str(path.parent))
    # A file that is named after a module that is in use must not take its place.
    name = f"{path.stem}_file" if path.stem in sys.modules else path.stem
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    # What pickles a class, or looks up where it is from, finds it here.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _said(error: BaseException, place: str) -> str:
    """Write an exception in one line, with where it was raised or what may help."""
    message = one_line(error)
    if isinstance(error, ModuleNotFoundError) and _is_part(error.name, place):
        first = place.split(".")[0]
        return (
            f"{message} (run it in the folder of {first}, or name a file: {first}.py)"
        )
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename not in (__file__, importlib.__file__, *_IMPORTS):
            return f"{message} ({Path(frame.filename).name}, line {frame.lineno})"
    return message


def one_line(error: BaseException) -> str:
    """Write an exception in one line: its type and its message."""
    return " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")


def _is_part(name: str | None, place: str) -> bool:
    return name is not None and f"{place}.".startswith(f"{name}.")


def _attribute(value: object, place: str, dotted: str) -> object:
    owner, point = place, ":"
    for name in dotted.split("."):
        if not hasattr(value, name):
            close = difflib.get_close_matches(name, dir(value))
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise CommandError(f"{owner} has no {name}{hint}")
        value = getattr(value, name)
        owner, point = f"{owner}{point}{name}", "."
    return value
