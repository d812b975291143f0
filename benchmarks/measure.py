"""Rounds in which every peer takes its turn, each library in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import random
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks import cases, floor, worker
from benchmarks.cases import Case
from benchmarks.peers import FLOOR, LIBRARIES, Library

FEWEST_ROUNDS = 5
MOST_ROUNDS = 25

# Where oneDNN is on, TensorFlow keeps the memory that is free, so that nobody sees what
# a call takes. Memory is measured without.
NO_POOL = {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPU_ALLOCATOR_USE_BFC": "0"}

# Below this the floor would be the price of starting threads.
_BYTES_WITH_A_FLOOR = 1 << 22


class BenchmarkError(Exception):
    """A peer failed, or computes something else."""


class Peer(NamedTuple):
    """What was measured of one peer."""

    name: str
    library: str
    calls: int  # in a turn
    seconds: list[float]  # of one call, for each round
    loss_error: float | None  # relative; None for the floor
    gradient_error: float | None  # as a share of the largest slope
    memory: int | None = None  # bytes above the start

    @property
    def median(self) -> float:
        """The median over the rounds, in seconds."""
        return statistics.median(self.seconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The first and the third quartile, in seconds."""
        if len(self.seconds) == 1:
            return self.seconds[0], self.seconds[0]
        first, _, third = statistics.quantiles(self.seconds, method="inclusive")
        return first, third


class Measured(NamedTuple):
    """One case, its peers, and how busy the machine was before and after."""

    case: Case
    peers: list[Peer]
    load: tuple[float, float]
    about: dict[str, dict[str, object]]

    def peer(self, name: str) -> Peer | None:
        """Return a peer by its name."""
        return next((peer for peer in self.peers if peer.name == name), None)

    @property
    def ours(self) -> Peer | None:
        """What the others are compared with."""
        return self.peer(self.case.loss.ours)

    @property
    def floor(self) -> Peer | None:
        """The floor, if the case has one."""
        return self.peer(floor.NAME)


class Worker:
    """The other end of :func:`benchmarks.worker.serve`."""

    def __init__(
        self,
        name: str,
        library: Library,
        case: Case,
        folder: Path,
        environment: dict[str, str],
    ) -> None:
        """Start the process; :meth:`ready` says when it is."""
        self.name = name
        self._case = case
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        arguments = (theirs, library.module, case, folder, environment)
        self._process = context.Process(
            target=worker.serve, args=arguments, daemon=True
        )
        self._process.start()
        theirs.close()  # so that its end is seen

    def ready(self) -> None:
        """Wait until the library is imported and the inputs are read."""
        self._answer("start")

    def ask(self, request: str, *arguments: object) -> object:
        """Let the worker do something and return what it says."""
        self._connection.send((request, *arguments))
        return self._answer(" ".join(map(str, (request, *arguments))))

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()
        self._connection.close()

    def _answer(self, request: str) -> object:
        try:
            status, answer = self._connection.recv()
        except EOFError:
            self._process.join()
            answer = f"the process ended, status {self._process.exitcode}, at {request}"
            status = "failed"
        if status == "failed":
            raise BenchmarkError(f"{self._case}: {self.name}: {answer}")
        return answer


def measure(
    case: Case,
    *,
    rounds: int | None = None,
    memory: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> Measured:
    """Check and time every peer of a case.

    Args:
        case: The loss and its shape.
        rounds: How many turns each peer has; if None, as many as fit into a minute, 5
            at least and 25 at most.
        memory: Whether the memory is measured too.
        say: Is told what is done.

    Returns:
        What was measured.

    Raises:
        BenchmarkError: If a peer fails or computes something else.
    """
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="lossfn-benchmarks-") as name:
        folder = Path(name)
        say("computing the reference")
        _write(case, folder)
        peers, about = _timed(case, folder, rounds, say)
        if memory:
            peers = [_with_memory(peer, case, folder, say) for peer in peers]
    return Measured(case, peers, (before, os.getloadavg()[0]), about)


def _write(case: Case, folder: Path) -> None:
    inputs = case.inputs
    expected = case.loss.expected(inputs)
    names = [f"gradient by {name}" for name in case.loss.gradient_of]
    gradients = dict(zip(names, expected.gradients, strict=True))
    worker.save(folder, "input", inputs)
    worker.save(folder, "expected", {"loss": expected.loss, **gradients})


def _libraries(case: Case) -> dict[str, Library]:
    found = {name: it for name, it in LIBRARIES.items() if it.is_installed}
    if case.name != "linear" and 4 * case.logits >= _BYTES_WITH_A_FLOOR:
        found[floor.NAME] = FLOOR
    return found


@contextmanager
def _workers(
    libraries: dict[str, Library],
    case: Case,
    folder: Path,
    environment: dict[str, str] | None = None,
) -> Iterator[list[Worker]]:
    with ExitStack() as stack:
        workers = []
        for name, library in libraries.items():
            workers.append(Worker(name, library, case, folder, environment or {}))
            stack.callback(workers[-1].close)
        for started in workers:
            started.ready()
        yield workers


def _timed(
    case: Case, folder: Path, rounds: int | None, say: Callable[[str], None]
) -> tuple[list[Peer], dict[str, dict[str, object]]]:
    with _workers(_libraries(case), case, folder) as workers:
        about = {it.name: it.ask("about") for it in workers}
        turns = {name: it for it in workers for name in it.ask("names")}
        peers, seconds = [], 0.0
        for name, it in turns.items():
            say(f"checking {name}")
            errors = (None, None) if it.name == floor.NAME else it.ask("check", name)
            calls, once = it.ask("warm_up", name)
            seconds += calls * once
            peers.append(Peer(name, it.name, calls, [], *errors))
        _play(peers, turns, rounds or rounds_in_a_minute(seconds), say)
        return peers, about


def rounds_in_a_minute(seconds: float) -> int:
    """Return how many rounds of so many seconds are played: 5 at least, 25 at most."""
    return min(max(int(60.0 / seconds), FEWEST_ROUNDS), MOST_ROUNDS)


def _play(
    peers: list[Peer],
    turns: dict[str, Worker],
    rounds: int,
    say: Callable[[str], None],
) -> None:
    order = random.Random(cases.SEED)
    for played in range(rounds):
        say(f"round {played + 1} of {rounds}")
        for peer in order.sample(peers, len(peers)):
            peer.seconds.append(turns[peer.name].ask("time", peer.name, peer.calls))


def _with_memory(
    peer: Peer, case: Case, folder: Path, say: Callable[[str], None]
) -> Peer:
    say(f"memory of {peer.name}")
    if peer.name == floor.NAME:
        return peer
    library = {peer.library: LIBRARIES[peer.library]}
    with _workers(library, case, folder, NO_POOL) as (only,):
        return peer._replace(memory=only.ask("memory", peer.name))
