"""Several processes and threads at once, one that is killed, one without memory."""

from __future__ import annotations

import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from lossfn.native import _build, _library
from tests.fake_compilers import calls, fake_compiler, start_build


def finish(process: subprocess.Popen[str]) -> Path:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert err == ""
    return Path(out.strip())


def test_eight_processes_at_once_share_one_library(tmp_path):
    cache = tmp_path / "cache"
    # Nobody is done before all eight compile.
    compiler = fake_compiler(
        tmp_path,
        f"while [ $(wc -l < {tmp_path}/calls) -lt 8 ]; do sleep 0.01; done\n"
        'echo library > "$output"',
    )
    processes = [
        start_build(CXX=str(compiler), LOSSFN_CACHE=str(cache)) for _ in range(8)
    ]
    paths = {finish(process) for process in processes}
    assert paths == set(cache.iterdir())
    assert len(paths) == 1
    assert calls(compiler) == 16


def test_a_build_that_is_killed_leaves_no_library(tmp_path, monkeypatch):
    cache, halfway = tmp_path / "cache", tmp_path / "halfway"
    compiler = fake_compiler(
        tmp_path,
        f'printf half > "$output"; case "$output" in *library.so) touch {halfway}; '
        "exec sleep 100;; esac",
    )
    process = start_build(CXX=str(compiler), LOSSFN_CACHE=str(cache))
    deadline = time.monotonic() + 60
    while not halfway.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    (remains,) = cache.iterdir()
    assert (remains / "library.so").read_text() == "half"

    monkeypatch.setenv("LOSSFN_CACHE", str(cache))
    monkeypatch.setenv("CXX", str(fake_compiler(tmp_path / "whole")))
    path = _build.build().path
    assert path.read_text() == "library\n"
    assert set(cache.iterdir()) == {path, remains}  # until an hour has passed


def test_the_folder_of_a_process_goes_with_it(tmp_path):
    cache = tmp_path / "cache"
    cache.touch()
    (tmp_path / "temporary").mkdir()
    process = start_build(
        CXX=str(fake_compiler(tmp_path / "compiler")),
        LOSSFN_CACHE=str(cache),
        TMPDIR=str(tmp_path / "temporary"),
    )
    path = finish(process)
    assert path.parent.parent == tmp_path / "temporary"
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_cache_of_somebody_else_is_read_and_not_written():
    # Modes do not bind root, who becomes nobody here. Another user needs no disguise.
    nobody = {"as_nobody": os.getuid() == 0}
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        cache, temporary, compilers = (here / x for x in ("cache", "tmp", "compiler"))
        for folder, mode in ((cache, 0o555), (temporary, 0o777), (compilers, 0o777)):
            folder.mkdir()
            folder.chmod(mode)
        here.chmod(0o755)
        environment = {
            "CXX": str(fake_compiler(compilers)),
            "LOSSFN_CACHE": str(cache),
            "TMPDIR": str(temporary),
        }
        path = finish(start_build(**nobody, **environment))
        assert path.parent.parent == temporary
        assert list(cache.iterdir()) == []

        cache.chmod(0o755)
        path = finish(start_build(**environment))
        assert list(cache.iterdir()) == [path]
        cache.chmod(0o555)
        assert finish(start_build(**nobody, **environment)) == path


def test_threads_that_load_at_once_load_once(monkeypatch):
    library = _library.load()
    builds = []

    def build() -> _build.Library:
        builds.append(threading.get_ident())
        time.sleep(0.1)  # the others come in the meantime
        return library

    monkeypatch.setattr(_library, "_loaded", None)
    monkeypatch.setattr(_build, "build", build)
    start = threading.Barrier(8)

    def load() -> _library.Loaded:
        start.wait()
        return _library.loaded()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        loads = [pool.submit(load) for _ in range(8)]
    assert len({id(done.result()) for done in loads}) == 1
    assert len(builds) == 1


# First there is no room for the gradient of 100 MB, and then none for the scratch, of
# five rows in float32 for each thread.
WITHOUT_MEMORY = """
import resource
import tensorflow as tf
from lossfn import native

def loss(logits):
    labels = tf.zeros(logits.shape[:1], tf.int64)
    return native.mean_sparse_softmax_cross_entropy_with_logits(
        labels=labels, logits=logits
    )

native.load()
_, most = resource.getrlimit(resource.RLIMIT_AS)
logits = tf.zeros([50_000_000], tf.bfloat16)
for shape in ([200_000, 250], [1, 50_000_000]):
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (20 << 20), most))
    try:
        loss(tf.reshape(logits, shape))
    except tf.errors.ResourceExhaustedError as error:
        print(error.message)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    print(loss(tf.reshape(logits, shape)).numpy())
"""


def test_without_memory_there_is_an_error_and_then_all_is_well():
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_MEMORY],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    no_output, of_many, no_scratch, of_one = ran.stdout.splitlines()
    assert "OOM when allocating tensor with shape[200000,250]" in no_output
    assert re.search(r" no memory for \d+ threads ", no_scratch)
    # The logarithms of 250 and of 50,000,000, in bfloat16.
    assert (of_many, of_one) == ("5.53125", "17.75")
