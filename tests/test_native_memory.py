"""The memory that lossfn.native keeps for the next call: nobody's gradient changes."""

from __future__ import annotations

import concurrent.futures
import gc
import itertools
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lossfn import native
from lossfn.native import _gradients
from tests.native_cases import (
    BY_NAME,
    FIVE,
    Results,
    assert_is_right,
    assert_same_bits,
    form,
    ids,
    in_mode,
    native_loss,
    tensors_of,
    threads,
)

# From 4 MB on memory is kept. The first of these are just below, at, and above that.
SIZES = [(1, 1_048_575), (1, 1_048_576), (1, 1_048_577), (2, 700_000), (1100, 1000)]
LARGE = SIZES[-1]


def draw(name: str, seed: int, shape: tuple[int, ...] = LARGE) -> dict[str, tf.Tensor]:
    return tensors_of(BY_NAME[name], seed=seed, shape=shape, dtype="float32")


@pytest.mark.parametrize("name", ["sparse", "sigmoid-soft"])
@pytest.mark.parametrize("shape", SIZES, ids=str)
def test_sizes_around_the_smallest_that_is_kept(name, shape):
    case = BY_NAME[name]
    for seed in (1, 2):
        arguments = case.arguments(seed=seed, shape=shape, dtype="float32")
        got = in_mode(name, "eager", "mean")(draw(name, seed, shape))
        assert_is_right(case, got, arguments, "float32", "mean")


@pytest.mark.parametrize(
    ("mode", "form"), [("eager", "each"), ("eager", "mean"), ("function", "mean")]
)
@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_a_gradient_that_is_kept_stays_as_it_is(case, mode, form):
    """More of them than there are blocks, of two sizes, while others come and go."""
    run = in_mode(case.name, mode, form)
    kept = []
    drawn = [draw(case.name, 3, LARGE), draw(case.name, 4, SIZES[3])]
    for arguments, other in itertools.product(drawn, (1.0, -1.0)):
        arguments[case.of] *= other
        results = run(arguments)
        kept.append((results, [tensor.numpy().copy() for tensor in results]))
        run(drawn[0])  # dropped at once
    for results, copies in kept:
        for tensor, copy in zip(results, copies, strict=True):
            np.testing.assert_array_equal(tensor, copy)


def test_an_array_that_shares_the_memory_of_a_gradient():
    """NumPy may hold the memory when the tensor is gone."""
    arguments = draw("sparse", 6)
    _, gradient = in_mode("sparse", "eager", "mean")(arguments)
    shared, copy = np.asarray(memoryview(gradient)), gradient.numpy().copy()
    del gradient
    gc.collect()
    for seed in (7, 8, 9):
        in_mode("sparse", "eager", "mean")(draw("sparse", seed))
    np.testing.assert_array_equal(shared, copy)


def slopes_of(arguments: dict[str, tf.Tensor]) -> tf.Tensor:
    return _gradients.operation("SparseSoftmaxMean")(*arguments.values())[1]


def test_memory_is_used_again():
    arguments = draw("sparse", 10)
    native.release_memory()
    places = set()
    for _ in range(5):
        slopes = slopes_of(arguments)
        places.add(np.asarray(memoryview(slopes)).ctypes.data)
        del slopes
        gc.collect()
    assert len(places) == 1


def mapped(addresses: list[int]) -> list[int]:
    """Return those of the addresses that were taken from the system by themselves.

    The C library may cut a block out of its heap instead, which it keeps.
    """
    gc.collect()
    lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    ranges = [
        [int(end, 16) for end in line.split()[0].split("-")]
        for line in lines
        if "[heap]" not in line
    ]
    return [x for x in addresses if any(start <= x < end for start, end in ranges)]


def test_at_most_two_blocks_are_kept_until_they_are_released():
    arguments = draw("sparse", 11, (1000, 10_000))
    native.release_memory()
    slopes = [slopes_of(arguments) for _ in range(4)]
    middles = [np.asarray(memoryview(each)).ctypes.data + 20_000_000 for each in slopes]
    middles = mapped(middles)
    slopes.clear()
    assert len(mapped(middles)) <= 2
    native.release_memory()
    assert mapped(middles) == []


@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_a_persistent_tape_gives_the_gradient_twice(case):
    """The operation hands on what it has, and must not lose it by that."""
    arguments = draw(case.name, 11)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(arguments[case.of])
        mean = native_loss(case, "mean")(**arguments)
        times_3 = 3 * mean
    first = tape.gradient(mean, arguments[case.of])
    tripled = tape.gradient(times_3, arguments[case.of])
    copy = first.numpy().copy()
    native.release_memory()
    again = tape.gradient(mean, arguments[case.of])
    assert_same_bits((again,), (first,))
    np.testing.assert_array_equal(first, copy)
    np.testing.assert_allclose(tripled, 3 * copy, rtol=3e-7, atol=1e-11)


@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_what_is_done_with_a_gradient_does_not_reach_the_tape(case):
    """Operations of TensorFlow may write their result over what they are given."""
    arguments = draw(case.name, 12)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(arguments[case.of])
        mean = native_loss(case, "mean")(**arguments)
    expected = tape.gradient(mean, arguments[case.of]).numpy().copy()
    variable = tf.Variable(tf.zeros(LARGE))
    variable.assign(tape.gradient(mean, arguments[case.of]))
    variable.assign_add(tf.ones(LARGE))
    tf.exp(tf.negative(tape.gradient(mean, arguments[case.of])))
    np.testing.assert_array_equal(tape.gradient(mean, arguments[case.of]), expected)


@form
@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_memory_is_released_between_forward_and_backward(case, form):
    arguments = draw(case.name, 13)
    expected = in_mode(case.name, "eager", form)(arguments)
    with tf.GradientTape() as tape:
        tape.watch(arguments[case.of])
        value = native_loss(case, form)(**arguments)
    native.release_memory()
    gradient = tape.gradient(value, arguments[case.of])
    assert_same_bits((value, gradient), expected)
    native.release_memory()
    native.release_memory()  # nothing is there any more
    assert_same_bits((value, gradient), expected)


def test_an_error_gives_its_memory_back():
    """The results of a refused call are never read; the next call is right."""
    arguments = draw("sparse", 14)
    expected = in_mode("sparse", "eager", "mean")(arguments)
    bad = {**arguments, "labels": arguments["labels"] - 1000}
    for _ in range(5):
        with pytest.raises(ValueError, match="labels must lie in"):
            in_mode("sparse", "eager", "mean")(bad)
    assert_same_bits(in_mode("sparse", "eager", "mean")(arguments), expected)


@form
@pytest.mark.parametrize("mode", ["eager", "unknown_shape"])
def test_calls_from_many_threads(mode, form):
    """All five losses at once, with memory released in between."""
    drawn = {case.name: draw(case.name, 15, SIZES[3]) for case in FIVE}
    expected = {
        name: in_mode(name, mode, form)(arguments) for name, arguments in drawn.items()
    }

    def run(turn: int) -> tuple[str, Results]:
        name = list(drawn)[turn % len(drawn)]
        results = in_mode(name, mode, form)(drawn[name])
        if turn % 7 == 0:
            native.release_memory()
        return name, results

    with threads(3), concurrent.futures.ThreadPoolExecutor(6) as pool:
        for name, results in pool.map(run, range(30)):
            assert_same_bits(results, expected[name])
