"""lossfn.native in programs: variables, loops, Keras, saved graphs."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf

from lossfn import native, nn
from tests.native_cases import (
    BY_NAME,
    FIVE,
    FORMS,
    assert_same_bits,
    form,
    ids,
    in_mode,
    native_loss,
    tensors_of,
)


@form
@pytest.mark.parametrize("mode", ["eager", "function"])
@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_variables_are_arguments(case, mode, form):
    arguments = tensors_of(case, seed=1)
    variables = {name: tf.Variable(value) for name, value in arguments.items()}

    def run() -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = native_loss(case, form)(**variables)
        return loss, tape.gradient(loss, variables[case.of])

    got = run() if mode == "eager" else tf.function(run)()
    assert_same_bits(got, in_mode(case.name, "eager", form)(arguments))


@form
def test_a_large_variable(form):
    """Beyond 65,536 logits a mean takes another way."""
    arguments = tensors_of(BY_NAME["sparse"], seed=2, shape=(3, 30_000))
    variable = tf.Variable(arguments["logits"])
    with tf.GradientTape() as tape:
        loss = native_loss(BY_NAME["sparse"], form)(
            labels=arguments["labels"], logits=variable
        )
    got = (loss, tape.gradient(loss, variable))
    assert_same_bits(got, in_mode("sparse", "eager", form)(arguments))


@pytest.mark.parametrize("mode", ["eager", "function"])
@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_map_fn(case, mode):
    """Row by row what all rows give together, the gradient too."""
    arguments = tensors_of(case, seed=3, shape=(4, 3))
    rows = {k: v for k, v in arguments.items() if v.shape[:1] == [4]}
    rest = {k: v for k, v in arguments.items() if k not in rows}
    loss = native_loss(case)

    def run() -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(rows[case.of])
            losses = tf.map_fn(
                lambda row: loss(**row, **rest),
                rows,
                fn_output_signature=rows[case.of].dtype,
            )
        return losses, tape.gradient(losses, rows[case.of])

    got = run() if mode == "eager" else tf.function(run)()
    expected = in_mode(case.name, "eager")(arguments)
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("case", FIVE, ids=ids)
def test_a_while_loop_of_gradient_steps(case):
    """The same steps with the twin end at the same predictions."""
    arguments = tensors_of(case, seed=4)

    @tf.function
    def descend(loss, point):
        for _ in tf.range(5):
            with tf.GradientTape() as tape:
                tape.watch(point)
                total = loss(point)
            point -= 0.1 * tape.gradient(total, point)
        return point

    def ours(point: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(native_loss(case, form)(**{**arguments, case.of: point}))

    def twin(point: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(case.loss(**{**arguments, case.of: point}))

    start = arguments[case.of]
    end = descend(ours, start)
    np.testing.assert_allclose(end, descend(twin, start), rtol=1e-12)
    assert np.abs(end - start).max() > 1e-3


def test_a_while_loop_is_differentiated():
    arguments = tensors_of(BY_NAME["sparse"], seed=5)
    labels, logits = arguments["labels"], arguments["logits"]

    @tf.function
    def run(loss) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            total = tf.constant(0.0, tf.float64)
            for step in tf.range(3):
                scaled = logits * tf.cast(step, tf.float64)
                total += tf.reduce_sum(loss(labels=labels, logits=scaled))
        return tape.gradient(total, logits)

    np.testing.assert_allclose(
        run(native.sparse_softmax_cross_entropy_with_logits),
        run(nn.sparse_softmax_cross_entropy_with_logits),
        rtol=1e-13,
    )


def trained(loss, *, eagerly: bool = False):
    """Fit a small network, and return its weights."""
    keras.utils.set_random_seed(6)
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(64, 4)), rng.integers(3, size=64)
    model = keras.Sequential([keras.layers.Dense(8, "tanh"), keras.layers.Dense(3)])
    model.compile("sgd", loss, jit_compile=False, run_eagerly=eagerly)
    model.fit(x, y, epochs=2, batch_size=20, verbose=0)  # the last batch is smaller
    return model.get_weights()


@pytest.mark.parametrize(("form", "eagerly"), [("each", True), ("mean", False)])
def test_keras_fit(form, eagerly):
    """The weights are those that the twin leads to."""
    ours = native_loss(BY_NAME["sparse"], form)

    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return ours(labels=tf.cast(y_true, tf.int64), logits=y_pred)

    def twin(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return nn.sparse_softmax_cross_entropy_with_logits(
            labels=tf.cast(y_true, tf.int64), logits=y_pred
        )

    for one, other in zip(trained(loss, eagerly=eagerly), trained(twin), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_keras_newsvendor_by_position():
    """(y_true, y_pred) is how Keras calls a loss."""

    def cost(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return native.newsvendor(y_true, y_pred, underage_cost=9.0, overage_cost=1.0)

    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), cost)
    demand = np.random.default_rng(7).uniform(size=(200, 1))
    model.fit(np.zeros((200, 1)), demand, epochs=15, verbose=0)
    order = model.layers[0].bias.numpy()[0]
    np.testing.assert_allclose(order, np.quantile(demand, 0.9), atol=0.05)


def test_mixed_precision():
    """The logits of a float16 network."""
    logits = tf.constant([[2.0, 1.0, 0.0]], tf.float16)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        mean = native.mean_sparse_softmax_cross_entropy_with_logits(
            labels=[0], logits=logits
        )
        scaled = mean * tf.constant(1024.0, tf.float16)
    gradient = tape.gradient(scaled, logits)
    assert (mean.dtype, gradient.dtype) == (tf.float16, tf.float16)
    q = np.exp([2.0, 1, 0]) / np.exp([2.0, 1, 0]).sum()
    np.testing.assert_allclose(gradient, [1024 * (q - [1, 0, 0])], rtol=2e-3)


class Losses(tf.Module):
    """All five losses and their means, with gradients, as one graph to be saved."""

    def __init__(self, arguments: dict[str, dict[str, tf.Tensor]]):
        super().__init__()
        self.arguments = arguments

    @tf.function(input_signature=[])
    def run(self) -> dict[str, tf.Tensor]:
        results = {}
        for name, arguments in self.arguments.items():
            for each in FORMS:
                results[f"{name}-{each}"], results[f"{name}-{each}-slopes"] = in_mode(
                    name, "eager", each
                )(arguments)
        return results


RELOAD = """
    import sys
    import numpy as np
    import tensorflow as tf

    try:
        tf.saved_model.load(sys.argv[1])
    except Exception as error:
        print("before:", "LossfnS" in str(error) or "LossfnN" in str(error))
    from lossfn import native
    native.load()
    loaded = tf.saved_model.load(sys.argv[1])
    for name, expected in np.load(sys.argv[2]).items():
        np.testing.assert_array_equal(loaded.run()[name], expected)
    print("after:", len(loaded.run()))
"""


def test_a_saved_graph_in_another_process(tmp_path):
    """It can be loaded once the library is, and gives the same bits."""
    arguments = {case.name: tensors_of(case, seed=8) for case in FIVE}
    losses = Losses(arguments)
    results = {name: tensor.numpy() for name, tensor in losses.run().items()}
    np.savez(tmp_path / "results.npz", **results)
    tf.saved_model.save(losses, str(tmp_path / "graph"))
    program = textwrap.dedent(RELOAD)
    ran = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "graph", tmp_path / "results.npz"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.splitlines() == ["before: True", "after: 20"], ran.stderr[-2000:]
