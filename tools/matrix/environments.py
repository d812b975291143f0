"""Make an environment with uv, and say which versions it has."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.matrix.rows import Environment

# What a result can depend on, named with full versions beside it.
VERSIONED = ("tensorflow", "keras", "numpy", "scipy", "scikit-learn", "statsmodels")
VERSIONED += ("pandas", "matplotlib", "ml-dtypes", "protobuf", "ipython", "ipykernel")
VERSIONED += ("nbval", "pytest", "hypothesis", "mpmath", "tqdm")
ASK_VERSIONS = """
import json, platform, sys
from importlib import metadata
found = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""
MADE = "made.json"


class EnvironmentMissingError(Exception):
    """An environment that cannot be made here; the message says why."""


def make(environment: Environment, folder: Path, root: Path, *, fresh: bool) -> Path:
    """Return the environment's interpreter; install what it needs, if it is new.

    Args:
        environment: What to install.
        folder: Where environments are kept.
        root: The project, which is installed in it as it stands.
        fresh: Whether to ask for the newest releases again.

    Raises:
        EnvironmentMissingError: If there is no such interpreter, or no solution.
    """
    place = folder / environment.name
    python = place / "bin" / "python"
    wanted = [*environment.requirements, (root / "pyproject.toml").read_text("utf-8")]
    stamp = place / MADE
    if not fresh and stamp.is_file() and json.loads(stamp.read_text()) == wanted:
        return python
    interpreter = find_python(environment.python)
    if interpreter is None:
        raise EnvironmentMissingError(f"no Python {environment.python} on this machine")
    stamp.unlink(missing_ok=True)
    _uv("venv", "--clear", "--python", interpreter, str(place))
    project = ["--editable", f"{root}[data,test]"]
    _uv("pip", "install", "--python", str(python), *project, *environment.requirements)
    stamp.write_text(json.dumps(wanted))
    return python


def find_python(version: str) -> str | None:
    """Find an interpreter of this minor version: on the PATH, or one of pyenv's."""
    on_path = shutil.which(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [on_path, *sorted(pyenv.glob(f"{version}.*/bin/python"), reverse=True)]
    return next((str(c) for c in candidates if c and _is(str(c), version)), None)


def _is(python: str, version: str) -> bool:
    # A version manager's stand-in exists, and does not run.
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", ask], capture_output=True, text=True)
    return done.returncode == 0 and done.stdout.strip() == version


def versions(python: Path) -> dict[str, str]:
    """Ask an environment for its versions in full."""
    ask = [str(python), "-c", ASK_VERSIONS, *VERSIONED]
    return json.loads(subprocess.run(ask, capture_output=True, check=True).stdout)


def _uv(*arguments: str) -> None:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        raise EnvironmentMissingError("no uv: pip install uv, or run make matrix")
    done = subprocess.run([uv, "--quiet", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)  # it names places of this machine
        raise EnvironmentMissingError("its packages cannot be installed")
