"""The wheel: its name, its files, and that it works where nothing else is installed.

It is built from a copy, and runs in a process that sees the wheel, the packages that it
needs and what those need in turn: everything else that is installed here is hidden.
"""

import email
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterable, Iterator, Set
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import lossfn

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "lossfn")
BUILD = "from setuptools import build_meta; print(build_meta.build_wheel('.'))"
INFO = f"lossfn-{lossfn.__version__}.dist-info"
# Some of what the extras bring; the package has to do without them.
EXTRAS = ("scipy", "sklearn", "statsmodels", "pytest", "nbformat", "hypothesis", "yaml")


@pytest.fixture(scope="module", name="wheel")
def _wheel(tmp_path_factory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, folder / name)
    done = subprocess.run(
        [sys.executable, "-c", BUILD], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(folder / done.stdout.splitlines()[-1]) as archive:
        yield archive


@pytest.fixture(scope="module", name="about")
def _about(wheel) -> email.message.Message:
    return email.message_from_bytes(wheel.read(f"{INFO}/METADATA"))


def test_the_name_says_the_version(wheel):
    assert Path(wheel.filename).name == f"lossfn-{lossfn.__version__}-py3-none-any.whl"


def test_package_wheel_changes_and_citation_have_the_same_version(about):
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+)", changes, re.MULTILINE)[1]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    cited = re.search(r"^version: (\S+)$", citation, re.MULTILINE)[1]
    assert [about["Version"], newest, cited] == [lossfn.__version__] * 3


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    files = (path.relative_to(ROOT) for path in (ROOT / "lossfn").rglob("*"))
    wanted = {
        path.as_posix()
        for path in files
        if (ROOT / path).is_file() and not {"__pycache__"} & set(path.parts)
    }
    assert {"lossfn/native/operations.cc", "lossfn/native/losses.h"} <= wanted
    wanted |= {f"{INFO}/{name}" for name in ("METADATA", "RECORD", "WHEEL")}
    wanted |= {f"{INFO}/top_level.txt", f"{INFO}/licenses/LICENSE"}
    assert set(wheel.namelist()) == wanted


def test_the_wheel_needs_four_packages_and_no_more(about):
    needed = wanted_of(about.get_all("Requires-Dist"), set())
    names = sorted(each.name for each in needed)
    assert names == ["matplotlib", "numpy", "tensorflow", "tqdm"]


# --- alone ---------------------------------------------------------------------------


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted_of(requirements: Iterable[str], extras: Set[str]) -> list[Requirement]:
    """Return the requirements that hold on this machine, with these extras."""
    return [
        requirement
        for requirement in map(Requirement, requirements)
        if requirement.marker is None
        or any(requirement.marker.evaluate({"extra": e}) for e in extras or {""})
    ]


def with_what_they_need(requirements: Iterable[str]) -> set[str]:
    """Return the names of the installed packages that these bring, themselves too."""
    found, waiting = set(), wanted_of(requirements, set())
    while waiting:
        requirement = waiting.pop()
        name = normal(requirement.name)
        if name not in found:
            found.add(name)
            waiting += wanted_of(metadata.requires(name) or (), requirement.extras)
    return found


def modules_of(distribution: metadata.Distribution) -> Iterator[str]:
    """Yield the names that a package is imported by."""
    for file in distribution.files or ():
        is_module = len(file.parts) > 1 or file.suffix in (".py", ".so")
        name = file.parts[0].split(".")[0]
        if is_module and name.isidentifier() and name != "__pycache__":
            yield name


def hidden_from(needed: set[str]) -> set[str]:
    """Return the modules that are installed here and nobody needs."""
    seen, others = set(), {"lossfn"}
    for distribution in metadata.distributions():
        is_needed = normal(distribution.metadata["Name"]) in needed
        (seen if is_needed else others).update(modules_of(distribution))
    return others - seen - {"lossfn"}


PROGRAM = """
import contextlib, importlib, io, json, pkgutil, sys

folder, site, hidden, examples = json.loads(sys.argv[1])

class Hide:
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hide)
sys.path[:0] = [folder]
sys.path += site

import lossfn
rooms = [m.name for m in pkgutil.walk_packages(lossfn.__path__, "lossfn.")]
for room in rooms:
    if not room.endswith("__main__"):
        importlib.import_module(room)
printed = []
for example in examples:
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(example, {})
    printed.append(output.getvalue())
print(json.dumps({
    "file": lossfn.__file__,
    "rooms": rooms,
    "printed": printed,
}))
"""


def run_alone(
    wheel: zipfile.ZipFile, folder: Path, needed: set[str], examples: list[str]
) -> dict:
    """Unpack the wheel, import all of it, and run the examples.

    ``-S`` leaves out what is installed, and with it this tree's lossfn.
    """
    wheel.extractall(folder)
    paths = sysconfig.get_paths()
    site = sorted({paths["purelib"], paths["platlib"]})
    given = [str(folder), site, sorted(hidden_from(needed)), examples]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM, json.dumps(given)],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def readme_examples() -> list[str]:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)


ASK_FOR_AN_EXTRA = """
from lossfn import data
try:
    data.load_engel()
except ImportError as error:
    print(error)
"""


@pytest.fixture(scope="module", name="needed")
def _needed(about) -> set[str]:
    return with_what_they_need(about.get_all("Requires-Dist"))


@pytest.fixture(scope="module", name="alone")
def _alone(wheel, needed, tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("alone")
    return run_alone(wheel, folder, needed, [*readme_examples(), ASK_FOR_AN_EXTRA])


def test_every_room_is_imported_from_the_wheel(alone):
    rooms = {path.stem for path in (ROOT / "lossfn").glob("[!_]*")}
    assert {f"lossfn.{room}" for room in rooms} <= set(alone["rooms"])
    assert ROOT not in Path(alone["file"]).parents


def test_the_examples_of_the_readme_print_what_it_says(alone):
    for example, printed in zip(readme_examples(), alone["printed"][:-1], strict=True):
        said = " ".join(re.findall(r"# ([^;\n]+)", example))  # it may be wrapped
        assert said
        assert " ".join(printed.split()).startswith(said)


def test_the_extras_are_hidden(needed):
    assert set(EXTRAS) <= hidden_from(needed)


def test_what_needs_an_extra_says_so(alone):
    assert alone["printed"][-1] == (
        "Engel's data come from statsmodels, which is not installed; "
        "pip install lossfn[data]\n"
    )
