"""The workflows on GitHub, read from their files: what they call, and what they may.

The scripts that they call run here with a ``gh`` that only notes what it is asked.
"""

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
GITHUB = ROOT / ".github"
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((GITHUB / "workflows").glob("*.yml"))
}
JOBS = {
    f"{name}-{job_name}": job
    for name, workflow in WORKFLOWS.items()
    for job_name, job in workflow["jobs"].items()
}
# The jobs that may change something on GitHub, and what.
MAY_WRITE = {
    "test-publish": {"pages", "id-token"},
    "matrix-report": {"issues"},
    "links-report": {"issues"},
    "pins-propose": {"contents", "pull-requests"},
}

each_job = pytest.mark.parametrize("name", JOBS)


def steps(job: dict, action: str) -> Iterator[dict]:
    """Yield the steps that use an action."""
    return (s for s in job["steps"] if s.get("uses", "").startswith(f"{action}@"))


def commands(job: dict) -> str:
    return "\n".join(step["run"] for step in job["steps"] if "run" in step)


def make_targets(script: str) -> list[str]:
    return re.findall(r"\bmake ([a-z-]+)", script)


def test_every_workflow_is_there():
    assert list(WORKFLOWS) == ["links", "matrix", "pins", "test"]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_nothing_is_permitted_but_to_jobs(name):
    assert WORKFLOWS[name]["permissions"] == {}
    assert "group" in WORKFLOWS[name]["concurrency"]


@each_job
def test_a_job_may_write_what_is_listed_here_and_no_more(name):
    permissions = JOBS[name]["permissions"]
    written = {what for what, kind in permissions.items() if kind == "write"}
    assert written == MAY_WRITE.get(name, set())


@each_job
def test_a_job_has_a_time_limit_and_a_machine_with_a_version(name):
    assert 0 < JOBS[name]["timeout-minutes"] < 360
    assert re.fullmatch(r"ubuntu-\d+\.\d+", JOBS[name]["runs-on"])


@each_job
def test_only_githubs_own_actions_are_used_each_with_a_version(name):
    used = [step["uses"] for step in JOBS[name]["steps"] if "uses" in step]
    assert [u for u in used if not re.fullmatch(r"actions/[a-z-]+@v\d+", u)] == []


@each_job
def test_no_job_leaves_a_token_in_the_checkout(name):
    for step in steps(JOBS[name], "actions/checkout"):
        assert step["with"]["persist-credentials"] is False


@each_job
def test_no_script_is_made_of_what_a_stranger_wrote(name):
    assert "${{" not in commands(JOBS[name])


@each_job
def test_every_target_that_is_made_exists(name):
    assert set(make_targets(commands(JOBS[name]))) <= TARGETS


@each_job
def test_every_script_that_is_called_exists_and_is_executable(name):
    called = re.findall(r"^(\.[\w./-]+)", commands(JOBS[name]), re.MULTILINE)
    modes = [(ROOT / script).stat().st_mode for script in called]
    assert all(mode & stat.S_IXUSR for mode in modes)


@pytest.mark.parametrize(
    ("name", "target"), [("matrix", "matrix"), ("links", "links"), ("pins", "pins")]
)
def test_a_workflow_makes_its_target(name, target):
    job = JOBS[f"{name}-{name}"]
    assert target in make_targets(commands(job))


def test_every_change_runs_the_test_command_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make test     # everything that CI runs" in readme
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert run.splitlines()[-1] == "CI=true make test"
    # YAML reads the key "on" as true.
    assert {"push", "pull_request"} <= set(WORKFLOWS["test"][True])
    assert commands(JOBS["test-test"]).splitlines()[0] == ".ci/run"


def test_what_was_tested_on_main_is_what_is_published():
    (checkout,) = steps(JOBS["test-test"], "actions/checkout")
    assert checkout["with"]["fetch-depth"] == 0  # a page shows its age
    (upload,) = steps(JOBS["test-test"], "actions/upload-pages-artifact")
    assert f"\nSITE := {upload['with']['path']}\n" in MAKEFILE
    assert JOBS["test-publish"]["needs"] == "test"
    for condition in (upload["if"], JOBS["test-publish"]["if"]):
        assert "github.ref == 'refs/heads/main'" in condition


def test_the_matrix_has_every_python_that_the_project_says():
    pythons = JOBS["matrix-matrix"]["strategy"]["matrix"]["python"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"Python {pythons[0]} to {pythons[-1]}" in readme
    minors = [int(python.removeprefix("3.")) for python in pythons]
    assert minors == list(range(minors[0], minors[-1] + 1))


@pytest.mark.parametrize("name", ["matrix", "links", "pins"])
def test_what_runs_by_the_clock_can_be_started_by_hand(name):
    assert set(WORKFLOWS[name][True]) == {"schedule", "workflow_dispatch"}


def test_pins_are_found_by_the_command_that_they_name():
    notes = re.findall(
        "^# ?(.*)", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE
    )
    options = re.findall(r"--[a-z-]+(?: 3\.\d+)?", " ".join(notes))
    recipe = MAKEFILE[MAKEFILE.index("\npins:") :]
    recipe = recipe[: recipe.index("constraints.new")]
    assert len(options) == 7
    assert [option for option in options if option not in recipe] == []


# --- the scripts ---------------------------------------------------------------------

GH = (
    f"#!{sys.executable}"
    + """
import json, os, sys
notes, arguments = os.environ["NOTES"], sys.argv[1:]
if "--body-file" in arguments:
    arguments[-1] = open(arguments[-1], encoding="utf-8").read()
with open(notes, "a", encoding="utf-8") as file:
    file.write(json.dumps(arguments) + "\\n")
if arguments[1] == "list":
    print(os.environ["OPEN"])
"""
)
RUN = "https://github.com/o/n/actions/runs/7"


@pytest.fixture(name="run")
def _run(tmp_path, monkeypatch):
    """Return a function that runs a script and returns what ``gh`` was asked."""
    gh = tmp_path / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text(GH, encoding="utf-8")
    gh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{gh.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "o/n")
    monkeypatch.setenv("GITHUB_RUN_ID", "7")

    def run(*command: str, number: str) -> list[list[str]]:
        monkeypatch.setenv("OPEN", number)
        script = GITHUB / command[0]
        subprocess.run([script, *command[1:]], cwd=tmp_path, check=True)
        notes = (tmp_path / "notes").read_text(encoding="utf-8")
        return [json.loads(line) for line in notes.splitlines()]

    return run


def test_a_failure_opens_an_issue(run, tmp_path):
    (tmp_path / "a.txt").write_text("what failed\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("\n".join(map(str, range(500))), encoding="utf-8")
    listed, created = run("report-failure", "it fails", "a.txt", "b.txt", number="")
    assert listed[:2] == ["issue", "list"]
    assert created[:-1] == [
        *["issue", "create", "--repo", "o/n", "--title", "it fails", "--body-file"]
    ]
    shown = "\n".join(map(str, range(300, 500)))
    assert created[-1] == (
        f"The whole output is in [this run]({RUN}).\n\n"
        "a.txt\n\n````\nwhat failed\n\n````\n\n"
        f"b.txt\n\n````\n{shown}\n````\n"
    )


def test_the_next_failure_writes_into_the_open_issue(run, tmp_path):
    (tmp_path / "a.txt").write_text("what failed\n", encoding="utf-8")
    _, commented = run("report-failure", "it fails", "a.txt", number="12")
    assert commented[:3] == ["issue", "comment", "12"]
    assert "what failed" in commented[-1]


def test_an_issue_is_never_too_long(run, tmp_path):
    (tmp_path / "a.txt").write_text("x" * 500_000, encoding="utf-8")
    *_, created = run("report-failure", "it fails", *["a.txt"] * 4, number="")
    assert len(created[-1]) < 65_536


def git(*arguments: str, folder: Path) -> str:
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@invalid", *arguments]
    done = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.mark.parametrize(("number", "asked"), [("", "create"), ("3", "edit")])
def test_new_pins_become_one_pull_request(run, tmp_path, monkeypatch, number, asked):
    """Against a repository in a folder; the token stays out of its configuration."""
    server = tmp_path / "o" / "n"
    server.mkdir(parents=True)
    git("init", "--quiet", "--bare", folder=server)
    git("init", "--quiet", "--initial-branch=main", folder=tmp_path)
    (tmp_path / "constraints.txt").write_text("a==1\n", encoding="utf-8")
    git("add", "constraints.txt", folder=tmp_path)
    git("commit", "--quiet", "--message=one", folder=tmp_path)
    (tmp_path / "constraints.txt").write_text("a==2\n", encoding="utf-8")
    # The script pushes to https://x-access-token:TOKEN@github.com/o/n.
    to = "https://x-access-token:secret@github.com/"
    git("config", f"url.{tmp_path}/.insteadOf", to, folder=tmp_path)
    monkeypatch.setenv("GH_TOKEN", "secret")
    *_, proposed = run("propose-pins", "failure", number=number)
    assert proposed[:2] == ["pr", asked]
    assert (
        "`make test` with these releases: **failure**, in [this run](" in proposed[-1]
    )
    assert git("show", "pins:constraints.txt", folder=server) == "a==2\n"
