"""Everyone in the benchmarks computes the same loss and gradient, or is refused."""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import cases, measure, peers, worker
from benchmarks.cases import LOSSES, Case
from lossfn import reference

TINY = {name: tuple((6, 4, 5)[: len(it.shapes[0])]) for name, it in LOSSES.items()}
SPARSE = Case("sparse", (6, 4))


def folder_with(case: Case, folder: Path) -> Path:
    """Write what a worker reads."""
    measure._write(case, folder)
    return folder


def test_what_is_expected_is_the_mean_of_the_reference():
    inputs = SPARSE.inputs
    arguments = {"labels": inputs["truth"], "logits": inputs["prediction"]}
    name = "sparse_softmax_cross_entropy_with_logits"
    loss, (slopes,) = SPARSE.loss.expected(inputs)
    assert loss == pytest.approx(getattr(reference, name)(**arguments).mean())
    expected = getattr(reference, f"{name}_gradient")(**arguments) / 6
    np.testing.assert_allclose(slopes, expected, rtol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_blocks_make_no_difference(name, monkeypatch):
    case = Case(name, TINY[name])
    whole = case.loss.expected(case.inputs)
    monkeypatch.setattr(cases, "_BLOCK", 4 * case.shape[-1])  # and a rest of 2
    parts = case.loss.expected(case.inputs)
    assert parts.loss == pytest.approx(whole.loss, rel=1e-12)
    for ours, expected in zip(parts.gradients, whole.gradients, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_the_expected_gradient_is_the_slope_of_the_loss(name):
    case = Case(name, TINY[name])
    inputs = {key: it.astype(np.float64) for key, it in case.inputs.items()}
    inputs["truth"] = case.inputs["truth"]
    outcome = case.loss.expected(inputs)
    for of, slopes in zip(case.loss.gradient_of, outcome.gradients, strict=True):
        values = inputs[of]
        assert slopes.shape == values.shape
        index = (1, 2)
        ahead, behind = values.copy(), values.copy()
        ahead[index] += 1e-5
        behind[index] -= 1e-5
        rise = (
            case.loss.expected({**inputs, of: ahead}).loss
            - case.loss.expected({**inputs, of: behind}).loss
        )
        assert slopes[index] == pytest.approx(rise / 2e-5, rel=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_the_inputs_come_from_a_seed(name):
    case = Case(name, TINY[name])
    first, second = case.inputs, case.inputs
    for key, values in first.items():
        np.testing.assert_array_equal(values, second[key])
        assert values.dtype == (np.int64 if values.ndim == 1 else np.float32)


def test_no_logit_is_zero():
    class Zeros(np.random.Generator):
        def standard_normal(self, size, dtype):
            return np.zeros(size, dtype)

    inputs = LOSSES["weighted"].draw(Zeros(np.random.PCG64(1)), (3, 4))
    assert (inputs["prediction"] != 0).all()


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(
    "library", [name for name, it in peers.LIBRARIES.items() if it.is_installed]
)
def test_every_peer_computes_the_loss_and_its_gradient(library, name, tmp_path):
    case = Case(name, TINY[name])
    bench = worker.Bench(
        peers.LIBRARIES[library].module, case, folder_with(case, tmp_path)
    )
    assert bench.names()
    for peer in bench.names():
        loss_error, gradient_error = bench.check(peer)
        assert loss_error < 1e-6
        assert gradient_error < 1e-6


@pytest.mark.parametrize("name", LOSSES)
def test_lossfn_is_measured_in_every_way(name):
    from benchmarks.peers import with_tensorflow

    ways = {"native mean", "losses", "tf"}
    ways |= {"native each"} if name != "linear" else set()
    ways |= {"nn"} if name not in ("linear", "newsvendor") else set()
    ways |= {"Keras"} if name not in ("linear", "weighted") else set()
    modes = itertools.product(ways, ("eager", "graph"))
    expected = {*map(" ".join, modes), "tf XLA"}
    assert set(with_tensorflow.peers(name)) == expected
    assert LOSSES[name].ours in expected


@pytest.mark.parametrize(
    ("bfc", "expected"),
    [("0", "returns freed memory"), ("1", "keeps freed memory")],
    ids=["malloc", "pool"],
)
def test_the_allocator_is_found_out(bfc, expected):
    program = (
        "import tensorflow as tf; from benchmarks.peers.with_tensorflow import about\n"
        "used = tf.ones(1 << 26); del used  # now a pool has something to give\n"
        "print(about()['allocator'])"
    )
    settings = {"TF_CPU_ALLOCATOR_USE_BFC": bfc, "TF_ENABLE_ONEDNN_OPTS": "0"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).resolve().parent.parent,
        env={**os.environ, **settings},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == expected


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (3.0, "it computes another loss: 3, the reference 1.5"),
        (float("nan"), "it computes another loss: nan, the reference 1.5"),
    ],
    ids=["wrong", "nan"],
)
def test_another_loss_is_refused(loss, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        worker.error_of_loss("it", loss, 1.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda it: -it, "it is wrong: -1 at (0, 1), the reference 1"),
        (lambda it: it * 1.01, "it is wrong: 1.01 at (0, 1), the reference 1"),
        (lambda it: it[:1], "it is wrong: shape (1, 2), the reference (2, 2)"),
        (lambda it: it + np.nan, "it is wrong: nan at (0, 0), the reference 0.25"),
    ],
    ids=["opposite", "a hundredth", "shape", "nan"],
)
def test_another_gradient_is_refused(change, message):
    expected = np.array([[0.25, 1.0], [-0.5, 0.75]])
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        worker.error_of_gradient("it", change(expected), expected, 1e-6)


def test_rounding_is_reported_and_not_refused():
    expected = np.array([[0.5, 1.0]])
    assert worker.error_of_loss("it", 1.001, 1.0) == pytest.approx(1e-3)
    error = worker.error_of_gradient("it", expected * [1, 1 + 1e-6], expected, 1e-9)
    assert error == pytest.approx(1e-6)
