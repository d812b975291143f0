"""Start two workers on this machine, wait for both, print what each printed.

    python two_workers.py [--seconds 300] [COMMAND ...]

The command defaults to ``train_newsvendor.py``, run by this interpreter. Each worker
is a process of its own that finds its place in the variable ``TF_CONFIG``: the
addresses of all workers, on ports that are free at the time, and its own index.

Whatever happens, the program ends soon after its time limit. It stops its workers
then, and when one of them fails, for the other would wait for it. In WORKER_SECONDS it
tells them the limit, so that they can also end by themselves.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

WORKERS = 2
SECONDS = 300.0  # importing TensorFlow twice on a busy machine takes a minute
ATTEMPTS = 3
PORT_IS_TAKEN = 75  # the exit status of a worker whose port somebody else got first
LAST_LINES = 15
TRAIN = (sys.executable, str(Path(__file__).with_name("train_newsvendor.py")))


class WorkerError(Exception):
    """The workers did not finish; the message says what each of those named wrote."""

    def __init__(self, what: str, workers: Sequence[Worker] = ()):
        """Read what the workers wrote while their files are open."""
        super().__init__("\n".join([what, *(w.last_words() for w in workers)]))


@dataclasses.dataclass(frozen=True)
class Worker:
    """One process, and the files that it writes into: a full pipe would stop it."""

    index: int
    process: subprocess.Popen
    output: IO[str]
    errors: IO[str]

    @property
    def status(self) -> int | None:
        """The exit status, or None while the process runs."""
        return self.process.poll()

    def written(self) -> str:
        """Return all that it printed."""
        self.output.seek(0)
        return self.output.read()

    def last_words(self) -> str:
        """Return how it ended, and the end of what it wrote to stderr."""
        ended = "still runs"
        if self.status is not None:
            ended = f"ended with status {self.status}"
        self.errors.seek(0)
        lines = self.errors.read().splitlines()[-LAST_LINES:] or ["(nothing)"]
        return "\n  ".join([f"worker {self.index} {ended}, and wrote last:", *lines])


def tf_config(ports: Sequence[int], index: int) -> str:
    """Write what TensorFlow wants to know: who are all workers, and who am I."""
    addresses = [f"127.0.0.1:{port}" for port in ports]
    task = {"type": "worker", "index": index}
    return json.dumps({"cluster": {"worker": addresses}, "task": task})


def free_ports(count: int) -> list[int]:
    """Return ports that nobody uses; another process may take one before we do."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextlib.contextmanager
def running(
    command: Sequence[str], ports: Sequence[int], seconds: float
) -> Iterator[list[Worker]]:
    """Start a worker for each port, and stop them all at the end."""
    limit = str(math.ceil(seconds))
    with contextlib.ExitStack() as stack:
        workers = []
        for index in range(len(ports)):
            output, errors = (
                stack.enter_context(tempfile.TemporaryFile("w+", errors="replace"))
                for _ in range(2)
            )
            process = subprocess.Popen(
                command,
                env={
                    **os.environ,
                    "TF_CONFIG": tf_config(ports, index),
                    "WORKER_SECONDS": limit,
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
            )
            stack.callback(stop, process)
            workers.append(Worker(index, process, output, errors))
        yield workers


def stop(process: subprocess.Popen) -> None:
    """End a process, if it still runs, and wait until it has gone."""
    process.kill()
    process.wait()


def wait_for(workers: Sequence[Worker], deadline: float) -> list[Worker]:
    """Wait until all workers have succeeded or some have failed; return those.

    The others wait for a worker that died, so there is nothing to be had from them.
    """
    while time.monotonic() < deadline:
        failed = [worker for worker in workers if worker.status]
        if failed or all(worker.status == 0 for worker in workers):
            return failed
        time.sleep(0.05)
    raise TimeoutError


def launch(command: Sequence[str] = TRAIN, *, seconds: float = SECONDS) -> list[str]:
    """Run the workers to their end.

    Args:
        command: what each worker runs.
        seconds: how long all attempts together may take.

    Returns:
        What each worker printed.

    Raises:
        WorkerError: if a worker fails, all attempts find a port taken, or the time is
            over. Every worker has been stopped then.
    """
    deadline = time.monotonic() + seconds
    for _ in range(ATTEMPTS):
        with running(command, free_ports(WORKERS), seconds) as workers:
            try:
                failed = wait_for(workers, deadline)
            except TimeoutError:
                raise WorkerError(
                    f"the workers did not finish in {seconds:g} seconds", workers
                ) from None
            if not failed:
                return [worker.written() for worker in workers]
            if all(worker.status != PORT_IS_TAKEN for worker in failed):
                raise WorkerError("a worker failed, and the rest was stopped", failed)
    raise WorkerError(f"somebody took the free ports first, in {ATTEMPTS} attempts")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("command", nargs="*", default=TRAIN)
    options = parser.parse_args(arguments)
    # A polite request to end goes through the clean-up, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        print("".join(launch(options.command, seconds=options.seconds)), end="")
    except (WorkerError, OSError) as error:
        print(f"two_workers.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
