"""Compilers that are missing, fail, or write what is no library; warnings."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import tensorflow as tf

from lossfn.native import _build, _library
from tests.fake_compilers import calls, fake_compiler

WITHOUT = "Everything else in lossfn works without it."
# What clang++ says of loops that it cannot vectorise is no fault.
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wno-pass-failed"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("LOSSFN_CACHE", str(folder))
    return folder


def message_of_build() -> str:
    with pytest.raises(_build.BuildError) as caught:
        _build.build()
    return str(caught.value)


def needs_a_compiler(looked_for: str) -> str:
    return (
        f"lossfn.native needs a C++ compiler and found none: looked for {looked_for}. "
        "Debian and Ubuntu: apt-get install g++. Fedora: dnf install gcc-c++. "
        f"{WITHOUT}"
    )


def matches(message: str, compiler: Path, how: str) -> bool:
    """Whether the build could not run its first command, or not end it well."""
    begins = re.escape(f"lossfn.native could not be compiled: {compiler} -shared ")
    return (
        re.fullmatch(f"{begins}[^\n]* {re.escape(how + WITHOUT)}", message) is not None
    )


def test_a_path_without_compilers(tmp_path, cache, monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert message_of_build() == needs_a_compiler("g++, clang++, c++")


@pytest.mark.parametrize("name", ["no-such-compiler", "/no/such/g++ -m64"])
def test_cxx_names_a_compiler_that_is_missing(name, cache, monkeypatch):
    monkeypatch.setenv("CXX", name)
    assert message_of_build() == needs_a_compiler(name.split()[0])


def test_cxx_that_cannot_be_read(cache, monkeypatch):
    monkeypatch.setenv("CXX", "g++ 'of mine")
    assert message_of_build() == (
        "lossfn.native cannot read CXX=g++ 'of mine: No closing quotation. " + WITHOUT
    )


@pytest.mark.parametrize("names", [["g++"], ["c++"], ["clang++", "c++"]], ids=str)
def test_the_first_compiler_found_is_used(names, tmp_path, monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in names:
        shutil.copy(fake_compiler(tmp_path), tmp_path / name)
    assert _build.compiler() == [names[0]]


def test_cxx_may_have_arguments(tmp_path, cache, monkeypatch):
    compiler = fake_compiler(tmp_path / "my compilers", 'shift; exec "$@"')
    monkeypatch.setenv("CXX", f"'{compiler}' --its-own g++")
    assert _build.build().path.read_bytes()[:4] == b"\x7fELF"
    assert calls(compiler) == 2


def test_a_compiler_that_fails(tmp_path, cache, monkeypatch):
    # With a letter that is none in UTF-8, as other locales have them.
    compiler = fake_compiler(tmp_path, r"printf 'no such \344 flag\n' >&2; exit 3")
    monkeypatch.setenv("CXX", str(compiler))
    how = "ended with status 3:\nno such \N{REPLACEMENT CHARACTER} flag\n"
    assert matches(message_of_build(), compiler, how)
    assert calls(compiler) == 1
    assert list(cache.iterdir()) == []


def test_a_compiler_that_is_killed(tmp_path, cache, monkeypatch):
    compiler = fake_compiler(tmp_path, "kill -9 $$")
    monkeypatch.setenv("CXX", str(compiler))
    assert matches(message_of_build(), compiler, "ended with status -9:\n\n")


def test_a_compiler_that_the_system_cannot_run(tmp_path, cache, monkeypatch):
    compiler = tmp_path / "compiler"
    compiler.write_text("#!/no/such/shell\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    problem = f"[Errno 2] No such file or directory: '{compiler}'"
    assert matches(message_of_build(), compiler, f"cannot be run: {problem}. ")


def test_a_compiler_that_writes_nothing(tmp_path, cache, monkeypatch):
    compiler = fake_compiler(tmp_path, ":")
    monkeypatch.setenv("CXX", str(compiler))
    message = message_of_build()
    command = shlex.join([str(compiler), *_build.FLAGS])
    assert message.startswith(f"lossfn.native could not be compiled: {command} -I ")
    assert message.endswith(f"library.so wrote no library. {WITHOUT}")


def test_a_long_message_is_cut(tmp_path, cache, monkeypatch):
    compiler = fake_compiler(tmp_path, "yes error | head -c 9000 >&2; exit 1")
    monkeypatch.setenv("CXX", str(compiler))
    assert message_of_build().count("error") == 2000 // len("error\n")


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ('echo garbage > "$output"', "{path}: file too short"),
        (
            'exec g++ -shared -x c /dev/null -o "$output"',
            "{path}: undefined symbol: lossfn_use_threads",
        ),
    ],
    ids=["garbage", "another-library"],
)
def test_what_is_not_the_library_is_not_kept(
    script, problem, tmp_path, cache, monkeypatch
):
    monkeypatch.setattr(_library, "_loaded", None)
    monkeypatch.setenv("CXX", str(fake_compiler(tmp_path, script)))
    with pytest.raises(_build.BuildError) as caught:
        _library.load()
    path = cache / re.search(r"[0-9a-f]{16}-[0-9a-f]{16}\.so", str(caught.value))[0]
    assert str(caught.value) == (
        f"lossfn.native compiled {path}, but TensorFlow {tf.__version__} cannot load "
        f"it: {problem.format(path=path)}. {WITHOUT}"
    )
    assert list(cache.iterdir()) == []
    assert _library._loaded is None


def compile_strictly(source: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    flags = [flag for flag in _build.FLAGS if flag != "-shared"]
    include = ["-isystem", tf.sysconfig.get_include()]  # those headers are not ours
    output = ["-c", "-o", str(folder / "operations.o")]
    return subprocess.run(
        [*_build.compiler(), *flags, *WARNINGS, *include, str(source), *output],
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_the_sources_compile_without_a_warning(compiler, tmp_path, monkeypatch):
    if compiler == "clang++" and not shutil.which(compiler):
        pytest.skip("clang++ is not here")
    monkeypatch.setenv("CXX", compiler)
    ran = compile_strictly(_build.SOURCES[0], tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_warning_would_be_seen(tmp_path):
    source = tmp_path / "source.cc"
    source.write_text("int Unused(int argument) { return 0; }\n")
    ran = compile_strictly(source, tmp_path)
    assert ran.returncode != 0
    assert "unused" in ran.stderr
