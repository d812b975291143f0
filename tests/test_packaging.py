"""What the repository says about itself: version, pins, no registry's address."""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml

import lossfn

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
NEEDED = [
    *PROJECT["project"]["dependencies"],
    *(requirement for extra in EXTRAS.values() for requirement in extra),
]
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
PINNED = {line.split("==")[0] for line in CONSTRAINTS if "==" in line}

# Put together here, so that this file does not name them.
REGISTRIES = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("pypi", "python", "org"),
        ("anaconda", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("unpkg", "com"),
        ("jsdelivr", "net"),
    ]
]
OPTIONS = ["-".join(parts) for parts in [("index", "url"), ("find", "links")]]
FORBIDDEN = re.compile("|".join(map(re.escape, [*REGISTRIES, *OPTIONS])), re.IGNORECASE)
# Where to look when this is not a git checkout: everything that is not built.
BUILT = {".git", ".venv", "_build", "__pycache__", "lossfn.egg-info", ".hypothesis"}
BUILT |= {".matrix", ".pytest_cache", ".ruff_cache", ".ipynb_checkpoints"}


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0 and (ROOT / ".git").exists():
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        paths = list(ROOT.rglob("*"))
    return [
        path
        for path in paths
        if path.is_file() and not BUILT & set(path.relative_to(ROOT).parts)
    ]


def registries_named_in(text: str) -> list[str]:
    """List the registries and options in a text, one for each time they occur.

    ``--no-emit-index-url`` in the note on how to make the lock is the option that
    leaves the address out.
    """
    return FORBIDDEN.findall(re.sub(r"--no-emit-[a-z-]+", "", text))


def test_no_file_names_a_package_registry():
    files = tracked_files()
    assert ROOT / "pyproject.toml" in files
    found = {
        path.relative_to(ROOT).as_posix(): names
        for path in files
        if (names := registries_named_in(path.read_text("utf-8", errors="ignore")))
    }
    assert found == {}


@pytest.mark.parametrize("name", [*REGISTRIES, *OPTIONS])
def test_a_registry_is_found(name):
    assert name in registries_named_in(f"see --{name} https://x.{name.upper()}/{name}")


def test_the_version_is_in_one_place():
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", lossfn.__version__)
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", changes, re.MULTILINE)[1] == lossfn.__version__


def name_of(requirement: str) -> str:
    return re.match(r"[\w-]+", requirement)[0]


def test_the_package_needs_four_packages_and_no_more():
    names = map(name_of, PROJECT["project"]["dependencies"])
    assert sorted(names) == ["matplotlib", "numpy", "tensorflow", "tqdm"]


def test_every_dependency_is_pinned():
    assert set(map(name_of, NEEDED)) <= PINNED


def test_every_extension_of_the_site_is_pinned():
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    modules = {name.split(".")[0] for name in config["sphinx"]["config"]["extensions"]}
    pinned_modules = {
        file.parts[0].removesuffix(".py")
        for distribution in metadata.distributions()
        if distribution.metadata["Name"].lower().replace("_", "-") in PINNED
        for file in distribution.files or ()
    }
    assert modules - set(config["sphinx"]["local_extensions"]) <= pinned_modules


def test_a_pin_is_a_name_a_version_and_a_condition():
    pin = re.compile(r"[a-z0-9][a-z0-9-]*==[0-9][\w.!+]*( ; [^;:/@]+)?")
    assert [
        line
        for line in CONSTRAINTS
        if not line.startswith("#") and not pin.fullmatch(line)
    ] == []


def test_the_readme_says_why_each_dependency_is_there():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [n for n in map(name_of, NEEDED) if not re.search(f"`{n}`.*:", readme)] == []
