"""The command line: ``python -m lossfn.testing my_losses.py:my_loss --task ...``.

TensorFlow is imported late, so that help comes at once.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import json
import os
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from typing import NoReturn

from lossfn.testing._report import Report
from lossfn.testing._target import CommandError, found, one_line
from lossfn.testing._tasks import TASKS

PROGRAM = "python -m lossfn.testing"
WIDTH = 88
EPILOG = f"""\
tasks:
{textwrap.fill(", ".join(TASKS), WIDTH, initial_indent="  ", subsequent_indent="  ")}

examples:
  {PROGRAM} my_losses.py:my_loss --task sparse_logits
  {PROGRAM} my_losses:Focal --task binary_logits --parameter gamma=2.0
  {PROGRAM} keras.losses:Huber --task regression --check gradient

exit status: 0 if no check failed, 1 if one failed, 2 if the command is wrong
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.list and (options.loss is None or options.task is None):
        parser.error("the loss and --task must be given (--help shows how)")
    _start_tensorflow()
    if options.list:
        print(_list_of_checks())
        return 0
    # What the loss and its module print must not mix with the report.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            report = _report(options)
        except CommandError as wrong:
            parser.error(str(wrong))
    print(json.dumps(report.to_dict(), indent=2) if options.json else report)
    return 0 if report.passed else 1


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, without the usage in front of it."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        description="Find out what is wrong with a loss, and how to mend it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("loss", nargs="?", help="module:name or path/to/file.py:name")
    add(
        "--task", type=_task, help="what labels and predictions are; one of those below"
    )
    add("--outputs", type=int, help="the size of the predictions' last axis")
    add(
        "--parameter",
        dest="parameters",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=_parameter,
        help="a keyword of the function, or of the class; may be given again",
    )
    add(
        "--target",
        type=_target,
        default="truth",
        help="where the expected loss is smallest: truth, mean, median, a level such "
        "as 0.9, levels such as [0.1, 0.9], or none (default: truth)",
    )
    add(
        "--not-zero-at-perfect",
        action="store_true",
        help="a perfect prediction may have a loss that is not 0",
    )
    add(
        "--bounded",
        action="store_true",
        help="the loss levels off far from the truth, on purpose",
    )
    add("--reduction", help="mean or sum: the loss gives one number for the batch")
    add(
        "--check",
        dest="checks",
        metavar="NAME",
        action="append",
        help="run this check alone; may be given again",
    )
    add(
        "--time-limit",
        metavar="SECONDS",
        type=float,
        default=60.0,
        help="for all checks together (default: 60)",
    )
    add("--json", action="store_true", help="print the report as JSON")
    add("--list", action="store_true", help="print the checks and what they ask")
    return parser


def _task(text: str) -> str:
    if text not in TASKS:
        raise argparse.ArgumentTypeError(
            f"must be one of {', '.join(TASKS)}, got {text!r}"
        )
    return text


def _parameter(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, got {text!r}")
    return name, _literal(value)


def _target(text: str) -> object:
    return None if text == "none" else _literal(text)


def _literal(text: str) -> object:
    """Read a Python literal; what is none is a text, without quotes."""
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        return text


def _report(options: argparse.Namespace) -> Report:
    from lossfn.testing._run import CHECKS, check_loss

    for name in options.checks or ():
        if name not in CHECKS:
            raise CommandError(f"there is no check {name!r} (--list names them)")
    try:
        loss, parameters = _made(found(options.loss), dict(options.parameters))
        arguments = {
            "task": options.task,
            "outputs": options.outputs,
            "parameters": parameters,
            "target": options.target,
            "zero_at_perfect": not options.not_zero_at_perfect,
            "bounded": options.bounded,
            "reduction": options.reduction,
            "time_limit": options.time_limit,
        }
        # With no checks to run, this looks at the arguments alone.
        check_loss(loss, checks=(), **arguments)
    except CommandError:
        raise
    except (TypeError, ValueError) as error:
        raise CommandError(f"{options.loss}: {error}") from error
    except Exception as error:
        raise CommandError(f"{options.loss}: {one_line(error)}") from error
    return check_loss(loss, checks=options.checks, **arguments)


def _made(
    loss: object, parameters: dict[str, object]
) -> tuple[object, dict[str, object] | None]:
    """Make a loss of a class that Keras does not know, which is then a function."""
    import keras

    if isinstance(loss, type) and not issubclass(loss, keras.Loss):
        return loss(**parameters), None
    return loss, parameters


def _list_of_checks() -> str:
    from lossfn.testing._run import CHECKS

    column = 2 + max(map(len, CHECKS))
    return "\n".join(
        textwrap.fill(
            check.question,
            WIDTH,
            initial_indent=check.name.ljust(column),
            subsequent_indent=" " * column,
        )
        for check in CHECKS.values()
    )


def _start_tensorflow() -> None:
    """Import TensorFlow, without the lines it prints unless somebody asked for them."""
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "3":
        with _standard_error_held_back():
            tf = importlib.import_module("tensorflow")
            # Before TensorFlow 2.21, XLA announces itself when it first compiles, at
            # whatever level.
            tf.function(lambda: tf.zeros([]), jit_compile=True)()


@contextlib.contextmanager
def _standard_error_held_back() -> Iterator[None]:
    """Hold back what is written, by libraries too, and show it if there is an error."""
    sys.stderr.flush()
    shown = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(shown, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(shown, 2)
            os.close(shown)
