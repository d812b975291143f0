"""The command line of lossfn.testing."""

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import lossfn.testing
from lossfn.testing import CHECKS, TASKS, Report, Result, _run
from lossfn.testing._command import main

ROOT = Path(__file__).resolve().parent.parent
CHECK_LOSS = _run.check_loss

LOSSES = """
import tensorflow as tf

print("imported")


def squared(y_true, y_pred):
    print("called")
    return tf.square(tf.ensure_shape(y_true, y_pred.shape) - y_pred)


class Scaled:
    def __init__(self, scale):
        if scale == 0:
            raise KeyError("no scale")
        self.scale = scale

    def __call__(self, y_true, y_pred):
        return self.scale * squared(y_true, y_pred)

    @staticmethod
    def unscaled(y_true, y_pred):
        return squared(y_true, y_pred)


number = 3
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    """Start in a folder with a file of losses, and undo what imports leave behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "my_losses.py").write_text(LOSSES, encoding="utf-8")
    yield
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture(name="calls")
def _calls(monkeypatch) -> list[dict]:
    """Let every check pass unseen, and keep what check_loss was called with."""
    calls = []

    def check_loss(loss, *, task, **options):
        calls.append({"loss": loss, "task": task, **options})
        return Report("my_loss", task, [Result("runs", "passed")])

    monkeypatch.setattr(_run, "check_loss", check_loss)
    return calls


def run(*arguments: str) -> int:
    """Run the command, the exits of argparse too."""
    try:
        return main(arguments)
    except SystemExit as stopped:
        return stopped.code


def error_of(capsys, *arguments: str) -> str:
    """Run a wrong command and return the one line that it says."""
    assert run(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    line = printed.err.removeprefix("imported\n")
    start = "python -m lossfn.testing: error: "
    assert line.startswith(start)
    assert line.count("\n") == 1
    return line.removeprefix(start).rstrip("\n")


# --- the report ------------------------------------------------------------------


def test_a_loss_that_passes(capsys):
    status = run("my_losses.py:squared", "--task", "regression", "--check", "runs")
    printed = capsys.readouterr()
    assert status == 0
    assert printed.out == (
        "squared, checked as regression: 1 check passed\n\npassed\n    runs\n"
    )
    # What the module and the loss print is kept out of the report.
    assert {"imported", "called"} <= set(printed.err.split())


def test_a_loss_that_fails(capsys):
    status = run(
        "my_losses:Scaled",
        "--task=regression",
        "--parameter=scale=-1",
        "--check=zero_at_perfect",
        "--check=runs",
    )
    assert status == 1
    head, _, rest = capsys.readouterr().out.partition("\n\n")
    assert head == "Scaled, checked as regression: 1 check failed, 1 passed"
    assert rest.startswith("FAILED zero_at_perfect: ")


def test_a_report_as_json(capsys):
    options = ["--task", "regression", "--check", "runs", "--json"]
    assert run("my_losses.py:squared", *options) == 0
    read = json.loads(capsys.readouterr().out)
    assert read["passed"] is True
    assert [result["name"] for result in read["results"]] == ["runs"]


def test_the_list_of_checks_needs_no_loss(capsys):
    assert run("--list") == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 88
    listed = re.split(r"^(\w+)\s+", printed, flags=re.MULTILINE)[1:]
    assert dict(zip(listed[::2], map(words, listed[1::2]), strict=True)) == {
        name: check.question for name, check in CHECKS.items()
    }


def words(text: str) -> str:
    return " ".join(text.split())


def test_help_shows_the_tasks_and_examples(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert run("--help") == 0
    printed = capsys.readouterr().out
    assert ", ".join(TASKS) in words(printed)
    assert "  python -m lossfn.testing my_losses.py:my_loss --task" in printed
    assert max(map(len, printed.splitlines())) <= 88


# --- the options -----------------------------------------------------------------


def test_every_option_reaches_check_loss(calls):
    assert (
        run(
            "keras.losses:Huber",
            "--task=quantile",
            "--outputs=2",
            "--parameter=delta=0.5",
            "--parameter",
            "name=my name",
            "--target=[0.1, 0.9]",
            "--not-zero-at-perfect",
            "--bounded",
            "--reduction=sum",
            "--check=runs",
            "--check=finite",
            "--time-limit=7",
        )
        == 0
    )
    looked, ran = calls
    assert looked == {**ran, "checks": ()}
    assert ran == {
        "loss": keras.losses.Huber,
        "task": "quantile",
        "outputs": 2,
        "parameters": {"delta": 0.5, "name": "my name"},
        "target": [0.1, 0.9],
        "zero_at_perfect": False,
        "bounded": True,
        "reduction": "sum",
        "checks": ["runs", "finite"],
        "time_limit": 7.0,
    }


def test_what_is_not_given_is_as_check_loss_has_it(calls):
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(CHECK_LOSS).parameters.items()
        if parameter.default is not parameter.empty
    }
    assert run("my_losses:squared", "--task=regression") == 0
    given = {**calls[-1], "parameters": calls[-1]["parameters"] or None}
    assert {name: given[name] for name in defaults} == defaults


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("truth", "truth"),
        ("median", "median"),
        ("0.9", 0.9),
        ("none", None),
        ("None", None),
        ("0.1, 0.9", (0.1, 0.9)),
    ],
)
def test_a_target_is(calls, text, target):
    assert run("my_losses:squared", "--task=regression", "--target", text) == 0
    assert calls[-1]["target"] == target


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("gamma=2.0", 2.0),
        ("gamma=-1", -1),
        ("gamma=[1, 2]", [1, 2]),
        ("gamma=None", None),
        ("gamma=True", True),
        ("gamma='2'", "2"),
        ("gamma=mean", "mean"),
        ("gamma=a=b", "a=b"),
        ("gamma=", ""),
    ],
)
def test_a_parameter_is_a_literal_or_a_text(calls, text, value):
    run("my_losses:squared", "--task=regression", "--parameter", text)
    assert calls[-1]["parameters"] == {"gamma": value}


# --- finding the loss ------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "my_losses:squared",
        "my_losses.py:squared",
        "./my_losses.py:squared",
        "my_losses:Scaled.unscaled",
    ],
)
def test_a_function_is_found_by(calls, target):
    assert run(target, "--task=regression") == 0
    loss = calls[-1]["loss"]
    assert loss(np.array([1.0]), np.array([3.0])).numpy() == [4.0]


def test_a_class_of_its_own_is_made(calls):
    run("my_losses:Scaled", "--task=regression", "--parameter=scale=2.0")
    assert calls[-1]["loss"].scale == 2.0
    assert calls[-1]["parameters"] is None


def test_a_file_is_found_wherever_it_is_and_sees_its_folder(calls, tmp_path):
    folder = tmp_path / "a folder" / "deeper"
    folder.mkdir(parents=True)
    (folder / "beside.py").write_text("def f(y_true, y_pred): ...", "utf-8")
    (folder / "json.py").write_text("from beside import f", "utf-8")
    assert run(f"{folder / 'json.py'}:f", "--task=regression") == 0
    assert calls[-1]["loss"].__name__ == "f"
    # A file does not take the place of a module that is in use.
    assert sys.modules["json"] is json


def test_a_main_guard_is_not_run(calls, tmp_path):
    source = "def f(y_true, y_pred): ...\nif __name__ == '__main__':\n    1 / 0"
    (tmp_path / "script.py").write_text(source, "utf-8")
    assert run("script.py:f", "--task=regression") == 0


# --- wrong commands --------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("squared", "the loss must be module:name or file.py:name, got 'squared'"),
        (":f", "the loss must be module:name or file.py:name, got ':f'"),
        (
            "my_losses:",
            "the loss must be module:name or file.py:name, got 'my_losses:'",
        ),
        ("missing.py:f", "there is no file missing.py"),
        (
            "missing:f",
            "missing does not import: ModuleNotFoundError: No module named 'missing' "
            "(run it in the folder of missing, or name a file: missing.py)",
        ),
        ("my_losses:squarred", "my_losses has no squarred; did you mean squared?"),
        ("my_losses.py:xyz", "my_losses.py has no xyz"),
        (
            "my_losses:Scaled.unscale",
            "my_losses:Scaled has no unscale; did you mean unscaled?",
        ),
        (
            "my_losses:number",
            "my_losses:number: loss must be a function of labels and predictions, "
            "a keras.losses.Loss, or the name of one, got 3",
        ),
        (
            "my_losses:Scaled",
            "my_losses:Scaled: Scaled.__init__() missing 1 required positional "
            "argument: 'scale'",
        ),
    ],
)
def test_a_loss_that_is_not_there(capsys, target, message):
    assert error_of(capsys, target, "--task=regression") == message


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import not_there", "ModuleNotFoundError: No module named 'not_there' ({}1)"),
        ("\nx = y", "NameError: name 'y' is not defined ({}2)"),
        ("x = 1 +", "SyntaxError: invalid syntax ({}1)"),
        ("import sys\nsys.exit()", "SystemExit ({}2)"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines ({}1)"),
        ("import json\njson.loads('')", "JSONDecodeError: Expecting value: "),
    ],
    ids=["import", "name", "syntax", "exit", "lines", "from a library"],
)
@pytest.mark.parametrize("place", ["broken", "broken.py"])
def test_a_module_that_does_not_import(capsys, tmp_path, place, source, message):
    (tmp_path / "broken.py").write_text(source, "utf-8")
    said = error_of(capsys, f"{place}:f", "--task=regression")
    expected = message.format("broken.py, line ")
    assert said.startswith(f"{place} does not import: {expected}")
    assert said.endswith(("broken.py, line 1)", "broken.py, line 2)"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the loss and --task must be given (--help shows how)"),
        (["my_losses:squared"], "the loss and --task must be given (--help shows how)"),
        (
            ["my_losses:squared", "--task=regresion"],
            "argument --task: must be one of " + ", ".join(TASKS) + ", got 'regresion'",
        ),
        (
            ["my_losses:squared", "--task=regression", "--parameter", "gamma"],
            "argument --parameter: must be NAME=VALUE, got 'gamma'",
        ),
        (
            ["my_losses:squared", "--task=regression", "--parameter", "=2"],
            "argument --parameter: must be NAME=VALUE, got '=2'",
        ),
        (
            ["my_losses:squared", "--task=regression", "--check=finit"],
            "there is no check 'finit' (--list names them)",
        ),
        (
            ["my_losses:squared", "--task=regression", "--outputs=many"],
            "argument --outputs: invalid int value: 'many'",
        ),
        (
            ["my_losses:squared", "--task=quantile"],
            "my_losses:squared: target must be the level of the quantile for task "
            "'quantile', got 'truth'",
        ),
        (
            ["my_losses:Scaled", "--task=regression", "--parameter=scale=0"],
            "my_losses:Scaled: KeyError: 'no scale'",
        ),
    ],
    ids=lambda value: (
        " ".join(value[1:]) or "nothing" if isinstance(value, list) else ""
    ),
)
def test_a_wrong_command_says_so_in_one_line(capsys, arguments, message):
    assert error_of(capsys, *arguments) == message


# --- a process of its own --------------------------------------------------------


def in_a_shell(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run python as somebody does who has set nothing."""
    env = {name: value for name, value in os.environ.items() if name[:3] != "TF_"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def test_the_command_runs_in_any_folder_and_tensorflow_is_quiet(tmp_path):
    done = in_a_shell(
        tmp_path,
        *("-m", "lossfn.testing", "keras.losses:LogCosh", "--task=regression"),
        *("--check=runs", "--check=modes_agree"),
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == (
        "LogCosh, checked as regression: 2 checks passed"
    )
    assert done.returncode == 0


def test_help_does_not_wait_for_tensorflow(tmp_path):
    program = (
        "import sys, lossfn.testing._command\n"
        "assert 'check_loss' in dir(lossfn.testing)\n"
        "assert 'tensorflow' not in sys.modules\n"
        "lossfn.testing.check_loss\n"
        "assert 'tensorflow' in sys.modules\n"
    )
    done = in_a_shell(tmp_path, "-c", program)
    assert done.returncode == 0, done.stderr


# --- the names of the package ----------------------------------------------------


def test_every_name_of_the_package_is_there():
    assert set(lossfn.testing.__all__) <= set(dir(lossfn.testing))
    for name in lossfn.testing.__all__:
        assert getattr(lossfn.testing, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'check_losses'"):
        _ = lossfn.testing.check_losses


def test_the_docstring_of_the_package_lists_the_checks():
    _, _, listed = lossfn.testing.__doc__.partition("what they ask:")
    found = re.findall(r"^``(\w+)``\n((?:    .+\n)+)", listed, flags=re.MULTILINE)
    assert [(name, words(question)) for name, question in found] == [
        (name, check.question) for name, check in CHECKS.items()
    ]


# --- the README ------------------------------------------------------------------


def test_the_readme_shows_what_is_printed(capsys):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    (block,) = [block for block in blocks if "check_loss" in block]
    exec(block, {})
    shown = re.findall(r"^# (.+)$", block, re.MULTILINE)
    assert shown == capsys.readouterr().out.splitlines()[:1]
