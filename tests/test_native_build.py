"""When the C++ sources are compiled, and where the library is kept."""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path

import pytest

from lossfn.native import _build
from tests.fake_compilers import calls, fake_compiler

NO_FOLDER = (
    "lossfn.native found no folder to write its library to (LOSSFN_CACHE names one): "
    "{problems}. Everything else in lossfn works without it."
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("LOSSFN_CACHE", str(folder))
    return folder


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = fake_compiler(tmp_path / "compiler")
    monkeypatch.setenv("CXX", str(path))
    # What it writes is no library, and must not lie where others look for one.
    monkeypatch.setenv("LOSSFN_CACHE", str(tmp_path / "cache"))
    return path


def copies_of_sources(folder: Path) -> list[Path]:
    return [Path(shutil.copy(source, folder)) for source in _build.SOURCES]


def test_the_second_build_compiles_nothing(cache, compiler):
    first = _build.build()
    assert first.seconds > 0
    assert calls(compiler) == 2
    assert _build.build() == (first.path, None)
    assert calls(compiler) == 2


def test_a_build_leaves_the_library_alone_in_its_folder(cache, compiler):
    path = _build.build().path
    assert list(cache.iterdir()) == [path]
    assert re.fullmatch(r"[0-9a-f]{16}-[0-9a-f]{16}\.so", path.name)


def test_again_compiles_again(cache, compiler):
    first = _build.build()
    second = _build.build(again=True)
    assert second.path == first.path
    assert second.seconds > 0
    assert calls(compiler) == 4


def test_the_sources_compile_the_same_twice(tmp_path, monkeypatch):
    # The name holds a checksum of the bytes: two names would be two libraries.
    paths = []
    for name in ("one", "two"):
        monkeypatch.setenv("LOSSFN_CACHE", str(tmp_path / name))
        paths.append(_build.build(again=True).path)
    assert paths[0].name == paths[1].name
    assert paths[0].read_bytes()[:4] == b"\x7fELF"


@pytest.mark.parametrize("source", [path.name for path in _build.SOURCES])
def test_another_source_is_another_library(source, tmp_path, monkeypatch):
    key = _build.key()
    monkeypatch.setattr(_build, "SOURCES", copies_of_sources(tmp_path))
    assert _build.key() == key
    with (tmp_path / source).open("a") as file:
        file.write("\n")
    assert _build.key() != key


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (_build, "FLAGS", [*_build.FLAGS, "-g"]),
        (_build, "FLAGS", _build.FLAGS[1:]),
        (_build, "_cpu", lambda: ["another"]),
        (_build.tf, "__version__", "2.99.0"),
    ],
    ids=["flag-more", "flag-less", "cpu", "tensorflow"],
)
def test_another_surrounding_is_another_library(owner, name, value, monkeypatch):
    key = _build.key()
    monkeypatch.setattr(owner, name, value)
    assert _build.key() != key


def test_every_included_file_is_a_source():
    text = "".join(path.read_text() for path in _build.SOURCES)
    included = set(re.findall(r'#include "(\w+\.h)"', text))
    assert {path.name for path in _build.SOURCES} == {"operations.cc", *included}


def test_the_processor_is_known_and_stays_the_same():
    kind = _build._cpu()
    assert kind == _build._cpu()
    assert len(kind) > 1
    assert not any(line.startswith("cpu MHz") for line in kind)


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"LOSSFN_CACHE": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/b/lossfn"),
        ({"HOME": "/c"}, "/c/.cache/lossfn"),
        ({"LOSSFN_CACHE": "", "XDG_CACHE_HOME": "", "HOME": "/c"}, "/c/.cache/lossfn"),
        ({"LOSSFN_CACHE": "a"}, "a"),
    ],
    ids=["lossfn", "xdg", "home", "empty", "relative"],
)
def test_where_the_libraries_are(environment, folder, monkeypatch):
    for name in ("LOSSFN_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert _build.cache_folder() == Path.cwd() / folder


def homeless():
    """Do what Path.home does for a user whom the system does not know."""
    raise RuntimeError("Could not determine home directory.")


def test_without_a_home_the_library_is_for_this_process(
    tmp_path, monkeypatch, compiler
):
    for name in ("LOSSFN_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.setattr(_build.tempfile, "tempdir", str(tmp_path))
    assert _build.build().path.parent.parent == tmp_path


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[:-1], lambda content: b"", lambda content: b"x" + content],
    ids=["truncated", "empty", "changed"],
)
def test_a_damaged_library_is_compiled_again(damage, cache, compiler):
    path = _build.build().path
    content = path.read_bytes()
    path.write_bytes(damage(content))
    assert _build.build().seconds is not None
    assert path.read_bytes() == content
    assert _build.build() == (path, None)


def test_a_folder_with_the_name_of_a_library_is_none(cache, compiler):
    (cache / f"{_build.key()}-0123456789abcdef.so").mkdir(parents=True)
    assert _build.build().seconds is not None


def test_remains_of_a_killed_build_go_after_an_hour(cache, compiler):
    old, recent = cache / "lossfn-build-old", cache / "lossfn-build-recent"
    for folder, minutes in ((old, 61), (recent, 59)):
        folder.mkdir(parents=True)
        (folder / "library.so").write_text("half of a library")
        then = time.time() - 60 * minutes
        os.utime(folder, (then, then))
    path = _build.build().path
    assert set(cache.iterdir()) == {path, recent}


def in_the_way(cache: Path, compiler: Path) -> str:
    cache.write_text("a file where the folder should be")
    return str(cache)


def above_in_the_way(cache: Path, compiler: Path) -> str:
    cache.write_text("a file where a folder above should be")
    return str(cache / "libraries")


def full(cache: Path, compiler: Path) -> str:
    # As GNU as and ld say it; the second folder has room.
    fake_compiler(
        compiler.parent,
        f'case "$output" in {cache}*) '
        "echo 'ld: final link failed: No space left on device' >&2; exit 1;; esac\n"
        'echo library > "$output"',
    )
    return str(cache)


@pytest.mark.parametrize("obstacle", [in_the_way, above_in_the_way, full])
def test_a_cache_that_cannot_be_written_is_done_without(
    obstacle, tmp_path, monkeypatch, compiler
):
    folder = obstacle(tmp_path / "cache", compiler)
    monkeypatch.setenv("LOSSFN_CACHE", folder)
    monkeypatch.setattr(_build.tempfile, "tempdir", str(tmp_path))
    path = _build.build().path
    assert path.parent.parent == tmp_path
    assert path.parent.name.startswith("lossfn-")
    assert path.read_text() == "library\n"


@pytest.mark.parametrize(
    "problem", ["No space left on device", "Disk quota exceeded"], ids=["disk", "quota"]
)
def test_no_folder_has_room(problem, tmp_path, cache, compiler, monkeypatch):
    fake_compiler(compiler.parent, f"echo 'as: cannot write: {problem}' >&2; exit 1")
    monkeypatch.setattr(_build.tempfile, "tempdir", str(tmp_path))
    with pytest.raises(_build.BuildError) as caught:
        _build.build()
    said = r"\[Errno 28\] No space left on device: '{}/lossfn-build-\w+'"
    problems = "; ".join(said.format(folder) for folder in (cache, r".*/lossfn-\w+"))
    pattern = re.escape(NO_FOLDER).replace(re.escape("{problems}"), problems)
    assert re.fullmatch(pattern, str(caught.value))
    assert list(cache.iterdir()) == []


def test_no_folder_at_all(tmp_path, monkeypatch, compiler):
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("LOSSFN_CACHE", str(file))

    def no_folder(**options: str) -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(_build.tempfile, "mkdtemp", no_folder)
    with pytest.raises(_build.BuildError) as caught:
        _build.build()
    problems = f"[Errno 17] File exists: '{file}'; No usable temporary directory found"
    assert str(caught.value) == NO_FOLDER.format(problems=problems)
    assert calls(compiler) == 0


def test_another_system_is_told_so_and_compiles_nothing(monkeypatch, cache, compiler):
    monkeypatch.setattr(_build.platform, "system", lambda: "Darwin")
    with pytest.raises(_build.BuildError) as caught:
        _build.build()
    assert str(caught.value) == (
        "lossfn.native works on Linux; this is Darwin. "
        "Everything else in lossfn works without it."
    )
    assert calls(compiler) == 0
