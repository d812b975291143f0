"""check_loss gives the same report every time, and leaves everything as it was."""

from __future__ import annotations

import logging
import random
import signal
import sys
import threading
import time
import warnings

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from lossfn.testing import check_loss
from tests import right_losses as right


def broken(y_true, y_pred):
    """Broadcast, warn, clip, and print nothing."""
    warnings.warn("a warning of the loss", stacklevel=1)
    p = tf.clip_by_value(y_pred, 1e-7, 1 - 1e-7)
    return -y_true * tf.math.log(p) - (1 - y_true) * tf.math.log(1 - p)


def traced_anew(y_true, y_pred):
    """A new tf.function for each call."""
    return tf.function(lambda: tf.square(y_true - y_pred))()


def raising_in_graphs(y_true, y_pred):
    """Eager code, whose error in a graph has numbers and addresses in it."""
    return tf.square(y_true - y_pred.numpy())


def printing(y_true, y_pred):
    """XLA does not print, and says so with the number of its graph."""
    tf.print("loss", output_stream="file:///dev/null")
    return tf.square(y_true - y_pred)


def infinite(y_true, y_pred):
    """Nothing to subtract from itself."""
    return tf.abs(y_true - y_pred) * float("inf")


CASES = {
    "right": (right.squared, {"task": "regression"}),
    "class": (right.Scaled(), {"task": "regression", "outputs": 2}),
    "broken": (broken, {"task": "binary_probabilities"}),
    "traced_anew": (
        traced_anew,
        {"task": "regression", "checks": ["runs", "modes_agree", "no_retracing"]},
    ),
    "raising_in_graphs": (raising_in_graphs, {"task": "regression"}),
    "infinite": (infinite, {"task": "regression"}),
    "printing": (printing, {"task": "regression"}),
}
FEW = ["right", "class", "broken", "raising_in_graphs"]


def text(name: str) -> str:
    loss, options = CASES[name]
    return str(check_loss(loss, **options))


@pytest.fixture(name="texts", scope="module")
def _texts() -> dict[str, str]:
    return {name: text(name) for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_two_runs_give_the_same_text(name, texts):
    assert text(name) == texts[name]


def test_the_cases_are_not_all_of_one_kind(texts):
    failed = {name: "FAILED" in text for name, text in texts.items()}
    assert [name for name in CASES if not failed[name]] == ["right", "class"]


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_the_float_type_of_keras_does_not_matter(texts, dtype):
    keras.config.set_floatx(dtype)
    try:
        # Made before, it would come back in another dtype: its config does not say.
        made_now = str(check_loss(right.Scaled(), task="regression", outputs=2))
        assert text("right") == texts["right"]
        assert keras.config.floatx() == dtype
    finally:
        keras.config.set_floatx("float32")
    assert made_now == texts["class"]


def test_a_global_dtype_policy_does_not_matter(texts):
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        assert {name: text(name) for name in FEW} == {name: texts[name] for name in FEW}
    finally:
        keras.mixed_precision.set_global_policy("float32")


def test_functions_that_run_eagerly_do_not_matter(texts):
    tf.config.run_functions_eagerly(True)
    try:
        assert text("traced_anew") == texts["traced_anew"]
        assert tf.config.functions_run_eagerly()
    finally:
        tf.config.run_functions_eagerly(False)


def test_a_loss_that_sets_functions_to_run_eagerly_does_not_change_what_follows():
    def setting(y_true, y_pred):
        tf.config.run_functions_eagerly(True)
        return tf.square(y_true - y_pred)

    check_loss(setting, task="regression", checks=["runs"])
    assert not tf.config.functions_run_eagerly()


def test_numpy_that_raises_does_not_matter(texts):
    with np.errstate(all="raise"):
        before = np.geterr()
        for name in (*FEW, "infinite"):
            assert text(name) == texts[name]
        assert np.geterr() == before


def test_a_profiler_does_not_matter_and_stays(texts):
    seen = []

    def profile(frame, event, argument):
        seen.append(event)

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        assert text("traced_anew") == texts["traced_anew"]
        assert sys.getprofile() is profile
    finally:
        sys.setprofile(before)
    assert seen


def test_another_thread_gets_the_same_report(texts):
    found = {}
    thread = threading.Thread(
        target=lambda: found.update({name: text(name) for name in FEW})
    )
    thread.start()
    thread.join()
    assert found == {name: texts[name] for name in FEW}


def test_random_numbers_go_on_as_if_nothing_had_been():
    def drawn() -> list[float]:
        return [
            float(scipy.stats.uniform.rvs()),  # from the state of numpy.random
            random.random(),
            float(tf.random.uniform([])),
            float(keras.random.uniform([])),
        ]

    def seed() -> None:
        keras.utils.clear_session()  # before 3.15, Keras' own draws go on otherwise
        keras.utils.set_random_seed(7)

    seed()
    expected = drawn()
    seed()
    text("broken")
    assert drawn() == expected


def test_warnings_handlers_and_registered_names_stay():
    handler = signal.getsignal(signal.SIGALRM)
    filters, registered = (
        list(warnings.filters),
        dict(keras.saving.get_custom_objects()),
    )
    level = tf.get_logger().level
    text("broken")
    text("class")
    assert signal.getsignal(signal.SIGALRM) is handler
    assert list(warnings.filters) == filters
    assert dict(keras.saving.get_custom_objects()) == registered
    assert tf.get_logger().level == level
    assert sys.getprofile() is None


def test_an_alarm_of_someone_else_goes_on():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(True))
    signal.setitimer(signal.ITIMER_REAL, 1000.0, 50.0)
    try:
        check_loss(right.squared, task="regression", checks=["runs"])
        left, every = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left <= 1000.0
        assert every == 50.0
        # One that was due while the checks ran rings as soon as they are done.
        signal.setitimer(signal.ITIMER_REAL, 1e-5)
        check_loss(right.squared, task="regression", checks=["runs", "modes_agree"])
        time.sleep(0.01)
        assert rung
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit])
def test_what_stops_a_program_passes_and_leaves_all_as_it_was(error):
    def stopping(y_true, y_pred):
        raise error

    handler, level = signal.getsignal(signal.SIGALRM), tf.get_logger().level
    filters = list(warnings.filters)
    with pytest.raises(error):
        check_loss(stopping, task="regression")
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert list(warnings.filters) == filters
    assert tf.get_logger().level == level


def test_many_runs_write_nothing(capfd, caplog):
    with caplog.at_level(logging.DEBUG):
        for _ in range(5):
            check_loss(
                traced_anew, task="regression", checks=["modes_agree", "no_retracing"]
            )
            check_loss(
                tf.function(right.squared, jit_compile=True),
                task="regression",
                checks=["no_broadcast_unknown_shapes", "finite", "dtype_kept"],
            )
        text("broken")
    assert capfd.readouterr() == ("", "")
    assert [record for record in caplog.records if record.name == "tensorflow"] == []


@pytest.mark.parametrize("mode", ["graph", "function"])
def test_a_graph_is_refused(mode):
    if mode == "graph":
        with (
            tf.Graph().as_default(),
            pytest.raises(RuntimeError, match="check_loss must be called eagerly"),
        ):
            check_loss(right.squared, task="regression")
        return

    @tf.function
    def traced():
        check_loss(right.squared, task="regression")

    with pytest.raises(RuntimeError, match="check_loss must be called eagerly"):
        traced()


def test_a_distribution_strategy_does_not_matter(texts):
    with tf.distribute.MirroredStrategy(["/cpu:0"]).scope():
        assert {name: text(name) for name in FEW} == {name: texts[name] for name in FEW}
