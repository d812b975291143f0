"""Two replicas give what one device gives, and the launcher of workers always ends.

The first half compares what ``tests/two_replicas.py`` found on two logical devices, and
what two processes found, with one device. A loss that is reduced in any way is a sum of
the losses of the examples with some coefficients; the tests say which.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from book.scripts import train_newsvendor, two_workers
from tests import two_replicas
from tests.keras_cases import (
    CASES,
    FOUR,
    IGNORING,
    MEAN_PRECISION,
    SLOPE_PRECISION,
    LossCase,
)

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "book" / "scripts"
PATIENCE = 600  # seconds, for a machine that has much else to do


# --- two logical devices -------------------------------------------------------


@pytest.fixture(scope="module")
def two_devices():
    """What the program found on two replicas."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.two_replicas"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def coefficients(name: str, way: str, weights: np.ndarray) -> np.ndarray:
    """Return what the loss of each example is multiplied by in a reduced loss."""
    ones, counts = np.ones_like(weights), name in two_replicas.COUNTED
    valid = weights if counts else ones  # in these batches, 1 where the label counts
    own = np.array_split(valid, 2)
    own_means = [each / max(each.sum(), 1) for each in own]
    return {
        "mean": np.concatenate(own_means) / 2,
        "mean of weighted": weights / len(weights),
        "own weighted mean": np.concatenate(own_means) / 2,
        "sum": valid,
        "sum of weighted": weights,
        "average": weights / len(weights),
        "function": weights / weights.sum(),
    }[way]


REDUCED = [
    (case, name, way)
    for case in CASES
    for name in two_replicas.WAYS
    for way in two_replicas.WAYS[name]
    if name not in two_replicas.COUNTED or case in IGNORING
]


@pytest.mark.parametrize(
    ("case", "name", "way"), REDUCED, ids=[f"{c.name}, {n}, {w}" for c, n, w in REDUCED]
)
def test_a_loss_on_two_replicas_is_that_of_one_device(two_devices, case, name, way):
    y_true, y_pred, weights = two_replicas.batches_of(case)[name]
    factors = coefficients(name, way, weights)
    losses, slopes = losses_and_slopes(case, y_true, y_pred)
    value, gradient = two_devices["losses"][case.name][f"{name}, {way}"]
    np.testing.assert_allclose(value, factors @ losses, rtol=MEAN_PRECISION)
    np.testing.assert_allclose(gradient, factors @ slopes, **SLOPE_PRECISION)


def losses_and_slopes(
    case: LossCase, y_true: np.ndarray, y_pred: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of each example, and its derivatives by its predictions."""
    if not case.is_sparse:
        y_true = y_true.astype(np.float64)
    y_pred = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        losses = case.function(y_true, y_pred, **case.parameters)
        losses = tf.reduce_mean(losses, -1) if case.is_per_output else losses
    return losses.numpy(), tape.gradient(losses, y_pred).numpy()


@pytest.mark.parametrize("case", FOUR, ids=lambda case: case.name)
def test_fit_on_two_replicas_is_that_of_one_device(two_devices, case):
    on_one = two_replicas.fit(tf.distribute.get_strategy(), case)
    assert len(on_one) == 2 + 4 * 3 + 3
    assert np.abs(on_one[2:]).max() > 0.01  # it moved
    np.testing.assert_allclose(two_devices["fits"][case.name], on_one, atol=2e-6)


# --- two processes -------------------------------------------------------------


@pytest.fixture(scope="module")
def two_processes():
    """What each of the workers found, as a reader would start them."""
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "two_workers.py")],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def one_device():
    return train_newsvendor.train(
        tf.distribute.get_strategy(), train_newsvendor.global_mean
    )


def test_the_training_moves_and_lowers_the_loss(one_device):
    assert one_device.path.shape == (13, 3)
    assert one_device.sizes.tolist() == [25, 25, 25, 25, 25, 3] * 2
    assert one_device.parts[6] < 0.1 * one_device.parts[0]


def test_two_devices_give_the_weights_of_one(two_devices, one_device):
    np.testing.assert_allclose(two_devices["weights"], one_device.path[-1], rtol=1e-10)


def test_two_processes_give_the_weights_of_one_device(two_processes, one_device):
    assert [found["worker"] for found in two_processes] == [0, 1]
    for found in two_processes:
        np.testing.assert_allclose(
            found["global_mean"]["weights"], one_device.path[-1], rtol=1e-10
        )


def test_the_parts_of_two_processes_add_up_to_the_loss(two_processes, one_device):
    assert [found["sizes"][:6] for found in two_processes] == [
        [13, 13, 13, 13, 13, 2],
        [12, 12, 12, 12, 12, 1],
    ]
    parts = [found["global_mean"]["parts"] for found in two_processes]
    np.testing.assert_allclose(np.sum(parts, 0), one_device.parts, rtol=1e-10)


def test_own_means_give_both_processes_the_same_wrong_weights(
    two_processes, one_device
):
    first, second = (found["own_mean"]["weights"] for found in two_processes)
    assert first == second
    assert np.abs(first - one_device.path[-1]).max() > 0.01


def environment(*ports: int, **more: str) -> dict[str, str]:
    return {**os.environ, "TF_CONFIG": two_workers.tf_config(ports, index=0), **more}


def test_a_worker_says_that_its_port_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            two_workers.TRAIN,
            env=environment(taken.getsockname()[1], 1),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    assert done.returncode == train_newsvendor.PORT_IS_TAKEN
    assert done.stderr.splitlines()[-1] == "the port of this worker is taken"
    assert done.stdout == ""


def test_a_worker_that_waits_for_nobody_ends_by_itself():
    done = subprocess.run(
        two_workers.TRAIN,
        env=environment(*two_workers.free_ports(2), WORKER_SECONDS="4"),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (-signal.SIGALRM, "")


# --- the launcher, with workers that need no TensorFlow ------------------------


def python(source: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(source)]


INDEX = "import json, os; index = json.loads(os.environ['TF_CONFIG'])['task']['index']"
WAITS = "import time; time.sleep(600)"


def test_workers_learn_who_they_are():
    printed = two_workers.launch(python("import os; print(os.environ['TF_CONFIG'])"))
    first, second = map(json.loads, printed)
    assert first["cluster"] == second["cluster"]
    assert [first["task"], second["task"]] == [
        {"type": "worker", "index": 0},
        {"type": "worker", "index": 1},
    ]
    addresses = first["cluster"]["worker"]
    assert len(set(addresses)) == 2
    assert all(address.startswith("127.0.0.1:") for address in addresses)


def test_workers_learn_how_long_they_may_take():
    command = python("import os; print(os.environ['WORKER_SECONDS'])")
    assert two_workers.launch(command, seconds=99.5) == ["100\n"] * 2


def test_workers_may_write_more_than_a_pipe_holds():
    printed = two_workers.launch(
        python("import sys; print('a' * 10**6); print('b' * 10**6, file=sys.stderr)")
    )
    assert printed == ["a" * 10**6 + "\n"] * 2


def test_two_free_ports_are_free_and_differ():
    ports = two_workers.free_ports(2)
    assert len(set(ports)) == 2
    for port in ports:
        with socket.socket() as each:
            each.bind(("127.0.0.1", port))


def test_a_taken_port_is_tried_again(tmp_path):
    taken_once = f"""
        {INDEX}
        import pathlib, sys
        mark = pathlib.Path({str(tmp_path / "mark")!r})
        if index == 0 and not mark.exists():
            mark.touch()
            sys.exit({train_newsvendor.PORT_IS_TAKEN})
        while not mark.exists():
            pass
        print(index)
    """
    assert two_workers.launch(python(taken_once)) == ["0\n", "1\n"]


def test_ports_that_are_always_taken_are_an_error():
    with pytest.raises(two_workers.WorkerError) as caught:
        two_workers.launch(python("import sys; sys.exit(75)"))
    assert str(caught.value) == ("somebody took the free ports first, in 3 attempts")


def has_ended(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    return False


def process_ids(folder: Path) -> list[int]:
    """Return what the stubs wrote, once both have written it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        written = [path.read_text() for path in sorted(folder.iterdir())]
        if len(written) == 2 and all(written):
            return list(map(int, written))
        time.sleep(0.02)
    raise TimeoutError


def leaves_its_id(folder: Path, then: str) -> list[str]:
    """Return a worker that writes its process id into a file, and goes on."""
    mark = f"open({str(folder)!r} + f'/{{index}}', 'w').write(str(os.getpid()))"
    return python(f"{INDEX}\n{mark}\n{then}")


def test_a_worker_that_dies_is_named_and_the_other_is_stopped(tmp_path):
    dies = f"""
import sys, time
if index == 1:
    while len(os.listdir({str(tmp_path)!r})) < 2: pass
    sys.exit('out of memory')
{WAITS}"""
    with pytest.raises(two_workers.WorkerError) as caught:
        two_workers.launch(leaves_its_id(tmp_path, dies))
    assert str(caught.value) == (
        "a worker failed, and the rest was stopped\n"
        "worker 1 ended with status 1, and wrote last:\n"
        "  out of memory"
    )
    assert all(map(has_ended, process_ids(tmp_path)))


def test_a_worker_that_is_killed_is_named():
    killed = f"{INDEX}\nif index == 0: os.kill(os.getpid(), 9)\n{WAITS}"
    with pytest.raises(two_workers.WorkerError) as caught:
        two_workers.launch(python(killed))
    assert str(caught.value) == (
        "a worker failed, and the rest was stopped\n"
        "worker 0 ended with status -9, and wrote last:\n"
        "  (nothing)"
    )


def test_only_the_last_lines_of_a_failure_are_shown():
    talks = "import sys; sys.exit('\\n'.join(map(str, range(100))))"
    with pytest.raises(two_workers.WorkerError) as caught:
        two_workers.launch(python(f"{INDEX}\nif index: {WAITS}\n{talks}"))
    lines = str(caught.value).splitlines()
    assert lines[2:] == [f"  {line}" for line in range(85, 100)]


def test_the_time_limit_ends_everything(tmp_path):
    with pytest.raises(two_workers.WorkerError) as caught:
        two_workers.launch(leaves_its_id(tmp_path, WAITS), seconds=5)
    assert str(caught.value) == (
        "the workers did not finish in 5 seconds\n"
        "worker 0 still runs, and wrote last:\n"
        "  (nothing)\n"
        "worker 1 still runs, and wrote last:\n"
        "  (nothing)"
    )
    assert all(map(has_ended, process_ids(tmp_path)))


def test_a_launcher_that_is_asked_to_end_stops_its_workers(tmp_path):
    command = leaves_its_id(tmp_path, WAITS)
    launcher = subprocess.Popen(
        [sys.executable, str(SCRIPTS / "two_workers.py"), "--", *command]
    )
    ids = process_ids(tmp_path)
    launcher.send_signal(signal.SIGTERM)
    assert launcher.wait(PATIENCE) == 1
    assert all(map(has_ended, ids))


@pytest.mark.parametrize(
    ("command", "status", "stdout", "stderr"),
    [
        (python("print(7)"), 0, "7\n7\n", ""),
        (
            ["no-such-command"],
            1,
            "",
            "two_workers.py: [Errno 2] No such file or directory: 'no-such-command'\n",
        ),
        (
            python("import sys; sys.exit(75)"),
            1,
            "",
            "two_workers.py: somebody took the free ports first, in 3 attempts\n",
        ),
    ],
    ids=["success", "no such command", "no port"],
)
def test_the_command_line(command, status, stdout, stderr):
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "two_workers.py"), "--", *command],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout, done.stderr) == (status, stdout, stderr)
