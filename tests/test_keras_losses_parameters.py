"""The parameters of the loss classes: checked, fixed, shown, copied and saved."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import re
import subprocess
import sys
from pathlib import Path

import keras
import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf

from lossfn import keras_losses
from lossfn.keras_losses import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    GeneralizedCrossentropy,
    Huber,
    Newsvendor,
    Pinball,
    SparseCategoricalCrossentropy,
    SparseCategoricalFocalCrossentropy,
    SquaredError,
    SymmetricCrossentropy,
)
from tests.keras_cases import CASES, LossCase, ids

ROOT = Path(__file__).resolve().parent.parent
POSITIVE = "must be positive and finite, got"


def raises(error: type, message: str):
    return pytest.raises(error, match=f"^{re.escape(message)}$")


def bad(cls: type, error: type, message: str, **parameters: object) -> tuple:
    return pytest.param(cls, parameters, error, message, id=message)


# Messages that the functions give in the same words, at the first batch.
BAD_VALUES = [
    bad(Pinball, ValueError, "quantile must lie in (0, 1), got 2.0", quantile=2),
    bad(Pinball, ValueError, "quantile must lie in (0, 1), got 1.0", quantile=1 - 1e-9),
    bad(
        Pinball,
        ValueError,
        "quantile must lie in (0, 1), got 0.0 at index (1,)",
        quantile=[0.5, 0.0, 1.0],
    ),
    bad(
        Newsvendor,
        ValueError,
        f"underage_cost {POSITIVE} 0.0",
        underage_cost=0.0,
        overage_cost=1.0,
    ),
    bad(
        Newsvendor,
        ValueError,
        f"overage_cost {POSITIVE} -1.0 at index (1,)",
        underage_cost=1.0,
        overage_cost=[1.0, -1.0, 1.0],
    ),
    bad(Huber, ValueError, f"delta {POSITIVE} nan", delta=float("nan")),
    bad(Huber, ValueError, f"delta {POSITIVE} 0.0", delta=1e-60),
    bad(Huber, ValueError, f"delta {POSITIVE} inf", delta=1e60),
    bad(Huber, ValueError, "delta must be a scalar, got shape (1,)", delta=[1.0]),
    bad(BinaryCrossentropy, ValueError, f"pos_weight {POSITIVE} -2.0", pos_weight=-2.0),
    bad(
        BinaryCrossentropy,
        ValueError,
        "label_smoothing must lie in [0, 1], got 1.5",
        label_smoothing=1.5,
    ),
    bad(
        BinaryFocalCrossentropy,
        ValueError,
        "gamma must be finite and not negative, got -1.0",
        gamma=-1,
    ),
    bad(
        BinaryFocalCrossentropy,
        ValueError,
        "alpha must lie in [0, 1], got 2.0",
        alpha=2.0,
    ),
    bad(
        CategoricalCrossentropy,
        ValueError,
        f"class_weight {POSITIVE} 0.0 at index (1,)",
        class_weight=[1.0, 0.0, 1.0],
    ),
    bad(
        CategoricalCrossentropy,
        ValueError,
        "label_smoothing must lie in [0, 1], got -0.5",
        label_smoothing=-0.5,
    ),
    bad(
        SparseCategoricalCrossentropy,
        TypeError,
        "ignore_index must be an integer, got 1.5",
        ignore_index=1.5,
    ),
    bad(CategoricalFocalCrossentropy, ValueError, f"alpha {POSITIVE} 0.0", alpha=0.0),
    bad(
        SparseCategoricalFocalCrossentropy,
        ValueError,
        f"alpha {POSITIVE} -1.0 at index (2,)",
        alpha=[1.0, 2.0, -1.0],
    ),
    bad(GeneralizedCrossentropy, ValueError, "q must lie in (0, 1], got 0.0", q=0.0),
    bad(
        SymmetricCrossentropy,
        ValueError,
        "alpha must be finite and not negative, got -1.0",
        alpha=-1.0,
    ),
    bad(
        SymmetricCrossentropy,
        ValueError,
        "log_zero must be negative and finite, got 0.0",
        log_zero=0.0,
    ),
    bad(
        SymmetricCrossentropy,
        ValueError,
        "beta must be positive where alpha is 0, got 0.0",
        alpha=0.0,
        beta=0.0,
    ),
]


@pytest.mark.parametrize(("cls", "parameters", "error", "message"), BAD_VALUES)
def test_a_parameter_is_checked_when_the_loss_is_made(cls, parameters, error, message):
    with raises(error, message):
        cls(**parameters)


@pytest.mark.parametrize(("cls", "parameters", "error", "message"), BAD_VALUES)
def test_the_function_gives_the_same_reason(cls, parameters, error, message):
    case = next(case for case in CASES if case.cls is cls)
    y_true, y_pred = case.arguments()
    if not case.is_sparse:
        y_true = y_true.astype(np.float32)
    with raises(error, message):
        case.function(y_true, y_pred, **parameters)


NUMBERS = "must be a number or an array of them, got"


@pytest.mark.parametrize(
    ("cls", "parameters", "error", "message"),
    [
        bad(Pinball, TypeError, f"quantile {NUMBERS} 'a half'", quantile="a half"),
        bad(Pinball, TypeError, f"quantile {NUMBERS} None", quantile=None),
        bad(Pinball, TypeError, f"quantile {NUMBERS} True", quantile=True),
        bad(Pinball, ValueError, "quantile must not be empty, got []", quantile=[]),
        bad(
            Pinball,
            TypeError,
            f"quantile {NUMBERS} [[0.1], [0.2, 0.3]]",
            quantile=[[0.1], [0.2, 0.3]],
        ),
        bad(
            Newsvendor,
            ValueError,
            "underage_cost and overage_cost must have the same shape, "
            "got (2,) and (3,)",
            underage_cost=[1, 2],
            overage_cost=[1, 2, 3],
        ),
        bad(
            CategoricalCrossentropy,
            ValueError,
            "class_weight must be a vector with one entry for each class, got shape ()",
            class_weight=2.0,
        ),
        bad(
            CategoricalFocalCrossentropy,
            ValueError,
            "alpha must be a vector with one entry for each class, got shape (1, 2)",
            alpha=[[1.0, 2.0]],
        ),
        bad(
            SquaredError,
            TypeError,
            "dtype must be a floating dtype, got int32",
            dtype="int32",
        ),
        bad(SquaredError, TypeError, "name must be a string, got 3", name=3),
    ],
)
def test_what_only_a_class_can_refuse(cls, parameters, error, message):
    with raises(error, message):
        cls(**parameters)


def test_an_unknown_reduction_is_refused_by_keras():
    with pytest.raises(ValueError, match="Invalid value for argument `reduction`"):
        SquaredError(reduction="median")


def test_a_parameter_that_can_change_is_refused():
    for variable in (tf.Variable(0.5), keras.Variable(0.5)):
        with pytest.raises(TypeError, match="quantile must be known when the loss is"):
            Pinball(quantile=variable)

    @tf.function
    def make(quantile):
        Pinball(quantile=quantile)

    with pytest.raises(TypeError, match="quantile must be known when the loss is made"):
        make(tf.constant(0.5))


@pytest.mark.parametrize(
    "quantile",
    [
        (0.25, 0.5),
        [0.25, 0.5],
        np.array([0.25, 0.5]),
        np.array([0.25, 0.5], np.float32),
        tf.constant([0.25, 0.5]),
        [np.float64(0.25), tf.constant(0.5)],
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_array_of_any_kind_becomes_plain_numbers(quantile):
    loss = Pinball(quantile=quantile)
    assert loss.quantile == (0.25, 0.5)
    assert loss.get_config()["quantile"] == [0.25, 0.5]
    assert all(type(value) is float for value in loss.quantile)


def test_numbers_keep_their_kind():
    assert repr(BinaryFocalCrossentropy(gamma=2)) == (
        "BinaryFocalCrossentropy(gamma=2, alpha=None)"
    )
    loss = SparseCategoricalCrossentropy(ignore_index=np.int64(-1))
    assert type(loss.ignore_index) is int
    assert type(Pinball(quantile=np.float64(0.5)).quantile) is float


def test_an_array_changed_later_does_not_change_the_loss():
    costs = np.array([1.0, 2.0])
    loss = Newsvendor(underage_cost=costs, overage_cost=1.0)
    costs[:] = 7.0
    loss.get_config()["underage_cost"][0] = 7.0
    assert loss.underage_cost == (1.0, 2.0)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_parameters_and_reduction_are_read_only(case: LossCase):
    loss = case.make()
    for name in (*loss.parameters, "reduction"):
        before = getattr(loss, name)
        message = (
            f"{name} is fixed when the loss is made: make a new "
            f"{case.cls.__name__} and compile the model again"
        )
        with raises(AttributeError, message):
            setattr(loss, name, 0.5)
        assert getattr(loss, name) == before


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_the_keywords_are_those_of_the_function_and_those_of_keras(case: LossCase):
    keywords = inspect.signature(case.cls).parameters
    of_function = {
        name: keyword.default
        for name, keyword in inspect.signature(case.function).parameters.items()
        if keyword.kind is keyword.KEYWORD_ONLY
    }
    assert [*keywords] == [*of_function, "reduction", "name", "dtype"]
    assert all(word.kind is word.KEYWORD_ONLY for word in keywords.values())
    assert {name: keywords[name].default for name in of_function} == of_function
    assert keywords["reduction"].default == "sum_over_batch_size"
    assert keywords["name"].default == case.function.__name__
    assert keywords["dtype"].default is None
    # Every keyword has a line of its own in the docstring.
    described = re.findall(r"^ {4}(\w+): ", inspect.getdoc(case.cls), re.MULTILINE)
    assert described[: len(keywords)] == [*keywords]


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_repr_makes_an_equal_loss(case: LossCase):
    for options in ({}, {"reduction": "sum", "name": "mine", "dtype": "float64"}):
        loss = case.make(**options)
        again = eval(repr(loss), vars(keras_losses))
        assert type(again) is case.cls
        assert again.get_config() == loss.get_config()
        assert again.parameters == loss.parameters
        assert ("sum" in repr(loss)) == bool(options)


DTYPES = [None, "float64", "mixed_bfloat16", tf.float16, keras.DTypePolicy("float64")]


def assert_equal(one: keras.Loss, other: keras.Loss, case: LossCase) -> None:
    assert type(one) is type(other) is case.cls
    assert one.get_config() == other.get_config()
    assert one.parameters == other.parameters
    assert one.dtype == other.dtype
    y_true, y_pred = case.arguments()
    assert one(y_true, y_pred).numpy() == other(y_true, y_pred).numpy()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_copies_are_equal(case: LossCase, dtype):
    loss = case.make(dtype=dtype, reduction="sum", name="mine")
    config = loss.get_config()
    assert config["dtype"] == getattr(dtype, "name", dtype or "float32")
    through_json = json.loads(json.dumps(config))
    assert through_json == config
    serialized = keras.losses.serialize(loss)
    assert serialized["registered_name"] == f"lossfn>{case.cls.__name__}"
    for again in (
        case.cls.from_config(through_json),
        keras.losses.deserialize(json.loads(json.dumps(serialized))),
        keras.losses.get(serialized),
        copy.copy(loss),
        copy.deepcopy(loss),
        pickle.loads(pickle.dumps(loss)),
    ):
        assert_equal(again, loss, case)


def test_a_policy_that_is_more_than_a_name_is_saved_too():
    policy = keras.dtype_policies.get("int8_from_mixed_bfloat16")
    loss = SquaredError(dtype=policy)
    config = json.loads(json.dumps(loss.get_config()))
    assert config["dtype"]["class_name"] == "QuantizedDTypePolicy"
    again = SquaredError.from_config(config)
    assert again.dtype == "bfloat16"
    assert again.get_config() == loss.get_config()


def test_a_parameter_may_be_nested_deeper():
    quantile = [[0.1, 0.2], [0.3, 0.4]]
    loss = Pinball(quantile=quantile)
    assert loss.quantile == ((0.1, 0.2), (0.3, 0.4))
    assert loss.get_config()["quantile"] == quantile
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.quantile == loss.quantile
    # One less, one more: e = 1 costs the quantile.
    got = again(np.ones((1, 2, 2)), np.zeros((1, 2, 2)))
    np.testing.assert_allclose(got, 0.25, rtol=1e-6)


def test_keras_itself_loses_delta_and_dtype():
    loss = keras.losses.Huber(delta=3.0, dtype="float64")
    assert "dtype" not in loss.get_config()
    again = keras.losses.Huber.from_config(loss.get_config())
    assert again.dtype == "float32"
    arguments = np.zeros((1, 1)), np.full((1, 1), 10.0)
    assert loss(*arguments).numpy() == 3 * (10 - 3 / 2)
    assert again(*arguments).numpy() == 1 * (10 - 1 / 2)


LOAD = """
import json, sys
import keras, numpy as np
from lossfn import keras_losses
seen = {}
for path in sys.argv[1:]:
    model = keras.models.load_model(path)
    x, y = (np.load(f"{path}.{part}.npy") for part in ("x", "y"))
    value = float(model.loss(y, model(x)))
    seen[path] = [repr(model.loss), model.loss.get_config(), value]
print(json.dumps(seen))
"""


def saved_model(case: LossCase, path: Path) -> list:
    """Save a compiled model and its data; return what a fresh process should see."""
    y, _ = case.arguments()
    x = np.random.default_rng(1).normal(size=(5, 2)).astype(np.float32)
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    loss = case.make(dtype="mixed_bfloat16", reduction="sum", name=f"my_{case.name}")
    model.compile(optimizer="sgd", loss=loss)
    model.save(path)
    np.save(f"{path}.x.npy", x)
    np.save(f"{path}.y.npy", y)
    return [repr(loss), loss.get_config(), float(loss(y, model(x)))]


# What Keras does when it saves a variable, under NumPy 2.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_fresh_process_loads_compiled_models(tmp_path):
    written = {}
    for case in CASES:
        path = tmp_path / f"{case.name.replace('-', '_')}.keras"
        written[str(path)] = saved_model(case, path)
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *written],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout) == written


def test_to_make_a_loss_starts_no_device():
    # So that a program can still configure them, a test with two CPUs for example.
    program = (
        "import tensorflow as tf; from tests.keras_cases import CASES\n"
        "losses = [case.make() for case in CASES]\n"
        "cpu = tf.config.list_physical_devices('CPU')[0]\n"
        "two = [tf.config.LogicalDeviceConfiguration()] * 2\n"
        "tf.config.set_logical_device_configuration(cpu, two)\n"
        "print(len(tf.config.list_logical_devices('CPU')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "2"


def test_a_subclass_keeps_the_rules():
    class Median(Pinball):
        def __init__(self, **options):
            super().__init__(quantile=0.5, **options)
            self.note = "halves"

        def get_config(self):
            config = super().get_config()
            del config["quantile"]
            return config

    loss = Median(reduction="sum")
    loss.note = "may change"
    with raises(
        AttributeError,
        "quantile is fixed when the loss is made: "
        "make a new Median and compile the model again",
    ):
        loss.quantile = 0.1
    assert Median.from_config(loss.get_config()).reduction == "sum"
    assert loss(np.ones((1, 1)), np.zeros((1, 1))).numpy() == 0.5


def test_16_bit_numbers_are_parameters_too():
    half = ml_dtypes.bfloat16(0.5)
    assert Pinball(quantile=tf.constant(0.5, tf.bfloat16)).quantile == 0.5
    assert Pinball(quantile=np.float16(0.5)).quantile == 0.5
    assert Pinball(quantile=half).quantile == 0.5
