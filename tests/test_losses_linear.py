"""The cross entropy of a linear layer is that of its logits, which it never holds."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from lossfn import losses, reference
from tests.cases import DTYPES, MODES, as_arrays, as_tensors, compiled, rounded

LAYERS = [("features", "kernel"), ("features", "kernel", "bias")]
BLOCKS = [1, 3, 4, 11, 100, None]
IGNORED = 2
ours = losses.linear_softmax_cross_entropy


def draw(*, examples: int = 11, dtype: str = "float64", bias: bool = True) -> dict:
    """Draw arguments that the dtype can hold; with them all, some labels are 2."""
    rng = np.random.default_rng(examples)
    arguments = {
        "y_true": np.arange(examples) * 3 % 7,
        "features": rng.normal(size=(examples, 5)),
        "kernel": rng.normal(size=(5, 7)),
    }
    if bias:
        arguments["bias"] = rng.normal(size=7)
    return {name: rounded(value, dtype) for name, value in arguments.items()}


def expected(y_true, features, kernel, bias=0.0, ignore_index=None) -> tuple:
    """Return value and gradients in float64, by the chain rule."""
    counted = y_true != ignore_index
    y_true, rows = y_true[counted], features[counted]
    by_features = np.zeros_like(features)
    if not len(rows):
        return 0.0, by_features, np.zeros_like(kernel), np.zeros(kernel.shape[1])
    given = {"labels": y_true, "logits": rows @ kernel + bias}
    value = reference.sparse_softmax_cross_entropy_with_logits(**given).mean()
    by_logits = reference.sparse_softmax_cross_entropy_with_logits_gradient(**given)
    by_logits = by_logits / len(rows)
    by_features[counted] = by_logits @ kernel.T
    return value, by_features, rows.T @ by_logits, by_logits.sum(0)


def plain(y_true, features, kernel, bias=0.0, ignore_index=None) -> tf.Tensor:
    """Return the mean loss by the route through all logits."""
    loss = losses.sparse_categorical_crossentropy(
        y_true, features @ kernel + bias, ignore_index=ignore_index
    )
    index = tf.int64.min if ignore_index is None else ignore_index
    return losses.masked_mean(loss, tf.not_equal(y_true, index))


def with_gradients(loss, **options):
    """Return a function of arguments that gives the loss and all gradients."""

    def run(arguments: dict[str, tf.Tensor]) -> tuple[tf.Tensor, ...]:
        layer = [value for name, value in arguments.items() if name != "y_true"]
        with tf.GradientTape() as tape:
            tape.watch(layer)
            value = loss(**arguments, **options)
        return value, *tape.gradient(value, layer)

    return run


def assert_close(got: tuple, want: tuple, rtol: float = 1e-12) -> None:
    for one, other in zip(got, want, strict=False):
        scale = np.max(np.abs(other), initial=1e-3)
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol * scale)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("bias", [False, True], ids=["no_bias", "bias"])
@pytest.mark.parametrize("ignore_index", [None, IGNORED, -5])
def test_value_and_gradients_in_every_mode(mode, bias, ignore_index):
    arguments = draw(bias=bias)
    options = {"ignore_index": ignore_index}
    run = compiled(with_gradients(ours, block_size=4, **options), mode)
    got = as_arrays(run(as_tensors(arguments, "float64")))
    assert len(got) == 3 + bias
    assert_close(got, expected(**arguments, **options))


@pytest.mark.parametrize("block_size", BLOCKS)
@pytest.mark.parametrize("examples", [1, 4, 11, 12])
def test_every_division_into_blocks(examples, block_size):
    arguments = draw(examples=examples)
    run = with_gradients(ours, block_size=block_size, ignore_index=IGNORED)
    got = as_arrays(run(as_tensors(arguments, "float64")))
    assert_close(got, expected(**arguments, ignore_index=IGNORED))


def test_default_blocks_of_many_examples():
    """Of 2^20 classes a block has four examples; here are nine."""
    rng = np.random.default_rng(0)
    y_true = rng.integers(2**20, size=9)
    features, kernel = rng.normal(size=(9, 2)), rng.normal(size=(2, 2**20))
    arguments = {"y_true": y_true, "features": features, "kernel": kernel}
    got = with_gradients(ours)(as_tensors(arguments, "float64"))
    assert_close(as_arrays(got), expected(**arguments), rtol=1e-10)


@pytest.mark.parametrize("mode", ["eager", "function"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(dtype, mode):
    """16-bit results are those of float32, rounded once."""
    arguments = draw(dtype=dtype)
    got = compiled(with_gradients(ours, block_size=4), mode)(
        as_tensors(arguments, dtype)
    )
    assert {each.dtype.name for each in got} == {dtype}
    rtol = {"float16": 6e-4, "bfloat16": 4.5e-3, "float32": 3e-6, "float64": 1e-12}
    assert_close(as_arrays(got), expected(**arguments), rtol=rtol[dtype])


def test_the_gradient_of_a_kernel_in_16_bits_is_added_up_in_float32():
    """Added up in bfloat16, 1,000 equal gradients would stop growing at 256."""
    features, kernel = tf.ones([1000, 1], tf.bfloat16), tf.zeros([1, 2], tf.bfloat16)
    arguments = {"features": features, "kernel": kernel}
    run = with_gradients(
        lambda **layer: 1000.0 * ours([0] * 1000, **layer, block_size=1)
    )
    _, _, by_kernel = run(arguments)
    np.testing.assert_array_equal(as_arrays((by_kernel,))[0], [[-500, 500]])


@pytest.mark.parametrize("names", LAYERS, ids=["no_bias", "bias"])
def test_as_the_plain_route(names):
    """Also with axes in front, and an upstream gradient that is not 1."""
    arguments = as_tensors(draw(examples=12, bias="bias" in names), "float64")
    arguments["y_true"] = tf.reshape(arguments["y_true"], [2, 3, 2])
    arguments["features"] = tf.reshape(arguments["features"], [2, 3, 2, 5])
    results = [
        as_arrays(with_gradients(lambda loss=loss, **a: 3 * loss(**a) ** 2)(arguments))
        for loss in (ours, plain)
    ]
    assert results[0][1].shape == (2, 3, 2, 5)
    assert_close(*results)


def test_gradients_are_those_of_finite_differences():
    arguments = as_tensors(draw(), "float64")
    layer = [arguments[name] for name in LAYERS[1]]

    def loss(*layer):
        return ours(arguments["y_true"], *layer, ignore_index=IGNORED, block_size=4)

    numeric_and_ours = tf.test.compute_gradient(loss, layer, delta=1e-5)
    for found, numeric in zip(*numeric_and_ours, strict=True):
        np.testing.assert_allclose(found, numeric, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("mode", ["eager", "function", "xla", "unknown_shape"])
def test_second_and_third_derivatives(mode):
    arguments = as_tensors(draw(), "float64")

    def derivatives(loss):
        def run(arguments):
            layer = [arguments[name] for name in LAYERS[1]]
            found, value = [], loss(**arguments, ignore_index=IGNORED)
            with tf.GradientTape(persistent=True) as third:
                third.watch(layer)
                with tf.GradientTape(persistent=True) as second:
                    second.watch(layer)
                    with tf.GradientTape() as first:
                        first.watch(layer)
                        value = loss(**arguments, ignore_index=IGNORED) ** 2
                    gradients = first.gradient(value, layer)
                    total = sum(tf.reduce_sum(each**3) for each in gradients)
                found += second.gradient(total, layer)
                total = sum(tf.reduce_sum(each**2) for each in found)
            return *gradients, *found, *third.gradient(total, layer)

        return run

    got = compiled(derivatives(ours), mode)(arguments)
    want = derivatives(plain)(arguments)
    assert all(np.abs(each).max() > 1e-6 for each in want)
    assert_close(as_arrays(got), as_arrays(want), rtol=1e-9)


@pytest.mark.parametrize("mode", MODES)
def test_what_is_ignored_leaves_no_trace(mode):
    arguments = draw(dtype="float32")
    spoiled = {**arguments, "features": arguments["features"].copy()}
    ignored = arguments["y_true"] == IGNORED
    spoiled["features"][ignored] = np.nan
    run = compiled(with_gradients(ours, block_size=4, ignore_index=IGNORED), mode)
    results = [run(as_tensors(each, "float32")) for each in (arguments, spoiled)]
    for clean, got in zip(*results, strict=True):
        np.testing.assert_array_equal(got, clean)
    assert 0 < ignored.sum() < 11
    assert not results[0][1].numpy()[ignored].any()


@pytest.mark.parametrize(
    ("examples", "mode"),
    # XLA does not compile a loop over no examples that it learns of too late.
    [(n, mode) for n in (0, 3) for mode in MODES if (n, mode) != (0, "unknown_xla")],
)
def test_where_nothing_counts_all_is_0(examples, mode):
    arguments = draw(examples=examples)
    arguments["y_true"][:] = -1
    arguments["features"][:] = np.nan
    run = compiled(with_gradients(ours, ignore_index=-1), mode)
    got = run(as_tensors(arguments, "float64"))
    for result, want in zip(got, expected(**arguments, ignore_index=-1), strict=True):
        np.testing.assert_array_equal(result, want)


@pytest.mark.parametrize("mode", ["eager", "function", "xla"])
def test_logits_far_apart_lose_nothing(mode):
    """The loss is log1p(e^-g) at a gap g, where lse - z is 0, or infinite."""
    gaps = np.array([0.0, 1.0, 20.0, 80.0, 1e4, 1e30])
    for gap, loss in zip(gaps, np.log1p(np.exp(-gaps)), strict=True):
        arguments = {"features": [[1.0]], "kernel": [[gap, 0.0]]}
        arguments = {"y_true": np.array([0]), **arguments}
        run = compiled(with_gradients(ours), mode)
        value, _, by_kernel = run(as_tensors(arguments, "float32"))
        np.testing.assert_allclose(value, loss, rtol=1e-6, atol=1e-44)
        away = -np.expm1(-loss)
        np.testing.assert_allclose(by_kernel, [[-away, away]], rtol=1e-6, atol=1e-44)


@pytest.mark.parametrize("mode", ["eager", "function", "xla"])
def test_an_impossible_class_and_ties(mode):
    arguments = draw()
    arguments["bias"] = np.array([0, -np.inf, 0, 0, 0, 0, 0])
    arguments["kernel"][:] = 0
    arguments["y_true"][:] = [0, 6] * 5 + [3]
    run = compiled(with_gradients(ours, block_size=4), mode)
    value, by_features, _, by_bias = run(as_tensors(arguments, "float64"))
    np.testing.assert_allclose(value, np.log(6))
    np.testing.assert_array_equal(by_features, np.zeros((11, 5)))
    share = np.array([5, 0, 0, 1, 0, 0, 5]) / 11
    np.testing.assert_allclose(by_bias, [1 / 6, 0, *[1 / 6] * 5] - share, rtol=1e-14)


def test_a_row_without_a_softmax_is_nan():
    for features in (np.nan, np.inf, -np.inf):
        value = ours([1, 0], [[1.0], [features]], [[1.0, 0.0, 2.0]], block_size=1)
        assert np.isnan(value)


def test_under_xla_a_bad_label_makes_the_loss_nan_without_gradient():
    arguments = draw()
    arguments["y_true"][3] = 7
    value, *gradients = compiled(with_gradients(ours), "xla")(
        as_tensors(arguments, "float64")
    )
    assert np.isnan(value)
    assert not any(np.any(each) for each in gradients)


def test_a_keras_variable_learns():
    import keras

    layer = keras.layers.Dense(7)
    layer.build((None, 5))
    arguments = draw(dtype="float32")
    with tf.GradientTape() as tape:
        value = ours(
            arguments["y_true"],
            np.float32(arguments["features"]),
            layer.kernel,
            layer.bias,
        )
    by_kernel = tape.gradient(value, layer.kernel.value)
    given = {**arguments, "kernel": layer.kernel.numpy(), "bias": layer.bias.numpy()}
    np.testing.assert_allclose(by_kernel, expected(**given)[2], rtol=1e-5, atol=1e-6)


def test_any_number_of_examples_needs_one_trace():
    from lossfn.losses import _linear_blocks

    _linear_blocks._traced.cache_clear()
    for examples in range(1, 9):
        arguments = as_tensors(draw(examples=examples), "float64")
        for block_size in (1, 2, None):
            with_gradients(ours, block_size=block_size)(arguments)
    assert _linear_blocks._traced.cache_info().misses == 1
    traced = _linear_blocks._traced(tf.float64, (5, 7), 3)
    assert traced.experimental_get_tracing_count() == 1


# --- errors ----------------------------------------------------------------------

Z = np.zeros
ROWS = "kernel must have shape (D, K) for features of shape (..., D)"
EXAMPLES = "y_true must have the shape of features without the last axis"
ERRORS = [
    (TypeError, "y_true must have an integer dtype, got float64", {"y_true": Z(2)}),
    (ValueError, f"{EXAMPLES}, (2,), got (3,)", {"y_true": Z(3, int)}),
    (ValueError, f"{EXAMPLES}, (2,), got ()", {"y_true": 0}),
    (
        ValueError,
        "y_true must lie in [0, 4), got 4 at index (1,)",
        {"y_true": [0, 4]},
    ),
    (
        ValueError,
        "y_true must lie in [0, 4) or be -1, got -2 at index (0,)",
        {"y_true": [-2, -1], "ignore_index": -1},
    ),
    (
        TypeError,
        "features must have a floating dtype, got int64",
        {"features": Z((2, 3), int)},
    ),
    (
        ValueError,
        f"{ROWS}, got (3, 4) and ()",
        {"y_true": 0, "features": np.float64(1)},
    ),
    (ValueError, f"{ROWS}, got (2, 4) and (2, 3)", {"kernel": Z((2, 4))}),
    (ValueError, f"{ROWS}, got (3,) and (2, 3)", {"kernel": Z(3)}),
    (ValueError, f"{ROWS}, got () and (2, 3)", {"kernel": Z(())}),
    (
        ValueError,
        "kernel must have at least one class, got shape (3, 0)",
        {"kernel": Z((3, 0))},
    ),
    (
        TypeError,
        "kernel must have the dtype of features, float64, got float32",
        {"kernel": Z((3, 4), np.float32)},
    ),
    (
        TypeError,
        "bias must have the dtype of features, float64, got int64",
        {"bias": Z(4, int)},
    ),
    (
        ValueError,
        "bias must have one entry for each class of kernel, (4,), got shape (1,)",
        {"bias": Z(1)},
    ),
    (ValueError, "block_size must be at least 1, got 0", {"block_size": 0}),
    (TypeError, "block_size must be an integer, got 2.0", {"block_size": 2.0}),
    (TypeError, "ignore_index must be an integer, got True", {"ignore_index": True}),
]


@pytest.mark.parametrize(
    ("error", "message", "bad"), ERRORS, ids=lambda each: str(each)[:60]
)
def test_bad_arguments(error, message, bad):
    good = {"y_true": [0, 1], "features": Z((2, 3)), "kernel": Z((3, 4))}
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        ours(**{**good, **bad})


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"y_true": Z(3, int)}, f"{EXAMPLES}, got"),
        ({"y_true": np.array([0, 9])}, "y_true must lie in [0, the number of classes)"),
        ({"kernel": Z((2, 4))}, f"{ROWS}; shape of kernel, got"),
        ({"kernel": Z((3, 4, 1))}, f"{ROWS}; shape of kernel, got"),
        ({"features": Z(()), "y_true": np.array(0)}, f"{ROWS}; shape of kernel, got"),
        ({"kernel": Z(())}, f"{ROWS}; shape of kernel, got"),
        ({"kernel": Z((3, 0))}, "kernel must have at least one class, got"),
        ({"bias": Z(1)}, "bias must have one entry for each class of kernel, got"),
    ],
    ids=lambda each: str(each)[:60],
)
def test_bad_arguments_that_only_the_running_graph_can_see(bad, message):
    good = {"y_true": np.array([0, 1]), "features": Z((2, 3)), "kernel": Z((3, 4))}
    arguments = as_tensors({**good, "bias": Z(4), **bad}, "float64")
    run = compiled(lambda given: ours(**given), "unknown_shape")
    with pytest.raises(tf.errors.InvalidArgumentError, match=re.escape(message)):
        run(arguments)


# --- memory ----------------------------------------------------------------------

PROGRAM = """
import sys
import tensorflow as tf
from lossfn import losses

def memory(key):
    with open("/proc/self/status") as status:
        return next(int(x.split()[1]) for x in status if x.startswith(key)) / 1024

def run(labels, features, kernel):
    with tf.GradientTape() as tape:
        tape.watch([features, kernel])
        loss = losses.linear_softmax_cross_entropy(labels, features, kernel)
    return tape.gradient(loss, [features, kernel])

def plain(labels, features, kernel):
    with tf.GradientTape() as tape:
        tape.watch([features, kernel])
        loss = losses.sparse_categorical_crossentropy(labels, features @ kernel)
    return tape.gradient(loss, [features, kernel])

ways = {"eager": run, "function": tf.function(run), "plain": tf.function(plain)}
run = ways[sys.argv[1]]
arguments = lambda n: (tf.zeros([n], tf.int64), tf.ones([n, 8]), tf.zeros([8, 32000]))
run(*arguments(10))
large = arguments(4096)
start = memory("VmRSS")
run(*large)
print(memory("VmHWM") - start)
"""


def peak(way: str) -> float:
    """Return the most memory that was taken above the start, in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, way], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


ALL_LOGITS = 4096 * 32000 * 4 / 2**20  # 500 MiB


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")
@pytest.mark.parametrize("way", ["eager", "function"])
def test_the_logits_are_never_there_at_once(way):
    assert peak(way) < ALL_LOGITS / 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")
def test_the_measure_of_memory_sees_all_logits():
    assert peak("plain") > ALL_LOGITS
