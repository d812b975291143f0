"""What lossfn.testing says of tf.nn and Keras: what is wrong there, and nothing else.

The table below was confirmed by hand: each failure by its mathematics, which chapter 16
of the book runs, or by a public thread (keras#N, tensorflow#N). A check that fails
without an entry is a false alarm or news; an entry that passes is a defect that was
mended, or a check that has lost its eyes.
"""

import functools
import inspect

import keras
import pytest
import tensorflow as tf

from lossfn.testing import (
    CHECKS,
    LibraryLoss,
    Report,
    check_loss,
    library_losses,
)

LOSSES = library_losses()
EACH = pytest.mark.parametrize("name", LOSSES)
# Elsewhere a defect may be mended already, or a loss be missing.
OF_THIS_TABLE = ("2.21", "3.15")
INSTALLED = tuple(
    ".".join(version.split(".")[:2]) for version in (tf.__version__, keras.__version__)
)

# --- what is wrong, and why ---------------------------------------------------------

BROADCASTS = "multiplies (N, 1) with (N, C), or (N,) with (N, 1), and does not look"
STATIC = "looks at the shapes that are known when it is traced: here none"
ANY_LABEL = "is a polynomial in the label, and takes any number for one"
ANY_INDEX = "is one-hot encoding, which gives a row of zeros for class 3 of 3"
SOFTMAX_GRADIENT = "returns softmax(x) - y, and the derivative is sum(y) softmax(x) - y"
TWO_KINKS = "-|x|/2 and max(-x, 0) cancel at 0 in the value, and not in the gradient"
CLIPPED = "clips probabilities at 1e-7: below, the loss is a constant"
ONE_IS_ONE = "float16(1 - 1e-7) is 1, so the clip lets log(0) through; 0 log(0) is NaN"
ZERO_BASE = "(1 - p)^(gamma - 1) is infinite where p rounds to 1, and times 0 it is NaN"
ZERO_POWER = (
    "p^(q - 1) is infinite at p = 0, and times the 0 of other classes it is NaN"
)
EMPTY_MASK = "is 1 - 0 / (0 + p + eps) for a mask of zeros: 1, whatever is predicted"
SMALL_SUM = "divides by 0 + 0 + 1e-7: in float16 inf, and times label 0 NaN"
CAST_LABELS = "casts labels to its dtype, and bfloat16(257) is 256: keras#15012"
FORGETS = "leaves its parameter out of get_config: keras#23286"
FLOAT32_EPSILON = "compares with an epsilon of float32, and float16 is promoted to it"

_STATIC = {"no_broadcast_unknown_shapes": STATIC}
_BROADCASTS = {"no_broadcast": BROADCASTS, "no_broadcast_unknown_shapes": BROADCASTS}
_ANY_LABEL = {"labels_out_of_range": ANY_LABEL}
_CLIPPED = {"gradient_does_not_vanish": CLIPPED}
_CAST_LABELS = {"large_labels": CAST_LABELS}
_MASK = {
    **_BROADCASTS,
    **_ANY_LABEL,
    "finite_16_bits": SMALL_SUM,
    "gradient_does_not_vanish": EMPTY_MASK,
    "zero_at_perfect": EMPTY_MASK,
}
_GENERALIZED = {
    **_BROADCASTS,
    "finite": ZERO_POWER,
    "finite_16_bits": ZERO_POWER,
    "labels_out_of_range": ANY_INDEX,
}

KNOWN = {
    "tf.nn.softmax_cross_entropy_with_logits": {
        **_BROADCASTS,
        **_ANY_LABEL,
        "labels_not_summing_to_one": SOFTMAX_GRADIENT,
    },
    "tf.nn.sparse_softmax_cross_entropy_with_logits": {},
    "tf.nn.sigmoid_cross_entropy_with_logits": {**_STATIC, **_ANY_LABEL},
    "tf.nn.weighted_cross_entropy_with_logits(pos_weight=3.0)": {
        **_STATIC,
        **_ANY_LABEL,
        "gradient_at_kinks": TWO_KINKS,
        "second_derivative": TWO_KINKS,
    },
    "tf.nn.log_poisson_loss": _STATIC,
    "keras.losses.MeanSquaredError": _STATIC,
    "keras.losses.MeanAbsoluteError": _STATIC,
    "keras.losses.MeanAbsolutePercentageError": _STATIC,
    "keras.losses.MeanSquaredLogarithmicError": _STATIC,
    "keras.losses.mean_squared_logarithmic_error": {
        **_STATIC,
        "dtype_kept": FLOAT32_EPSILON,
    },
    "keras.losses.Huber": {**_STATIC, "save_and_load": FORGETS},
    "keras.losses.LogCosh": _STATIC,
    "keras.losses.Poisson": _STATIC,
    "keras.losses.poisson": _BROADCASTS,
    "keras.losses.CosineSimilarity": {**_BROADCASTS, "save_and_load": FORGETS},
    "keras.losses.Hinge": {**_STATIC, **_ANY_LABEL},
    "keras.losses.hinge": {**_BROADCASTS, **_ANY_LABEL},
    "keras.losses.SquaredHinge": {**_STATIC, **_ANY_LABEL},
    "keras.losses.squared_hinge": {**_BROADCASTS, **_ANY_LABEL},
    "keras.losses.BinaryCrossentropy": {
        **_ANY_LABEL,
        **_CLIPPED,
        "finite_16_bits": ONE_IS_ONE,
    },
    "keras.losses.BinaryCrossentropy(from_logits=True)": _ANY_LABEL,
    "keras.losses.BinaryFocalCrossentropy": {
        **_ANY_LABEL,
        "finite_16_bits": ONE_IS_ONE,
    },
    "keras.losses.BinaryFocalCrossentropy(from_logits=True)": _ANY_LABEL,
    # tensorflow#70326
    "keras.losses.BinaryFocalCrossentropy(gamma=0.5, from_logits=True)": {
        **_ANY_LABEL,
        "finite": ZERO_BASE,
        "finite_16_bits": ZERO_BASE,
    },
    "keras.losses.Dice(axis=-1)": _MASK,
    "keras.losses.Tversky(axis=-1)": _MASK,
    "keras.losses.CategoricalHinge": {**_BROADCASTS, **_ANY_LABEL},
    "keras.losses.KLDivergence": {**_BROADCASTS, **_ANY_LABEL, **_CLIPPED},
    "keras.losses.CategoricalCrossentropy": {**_STATIC, **_ANY_LABEL, **_CLIPPED},
    "keras.losses.CategoricalCrossentropy(from_logits=True)": {
        **_STATIC,
        **_ANY_LABEL,
        "labels_not_summing_to_one": SOFTMAX_GRADIENT,
    },
    "keras.losses.CategoricalFocalCrossentropy": {
        **_BROADCASTS,
        **_ANY_LABEL,
        **_CLIPPED,
    },
    "keras.losses.CategoricalFocalCrossentropy(from_logits=True)": {
        **_BROADCASTS,
        **_ANY_LABEL,
        **_CLIPPED,
    },
    "keras.losses.SparseCategoricalCrossentropy": {**_CLIPPED, **_CAST_LABELS},
    "keras.losses.SparseCategoricalCrossentropy(from_logits=True)": _CAST_LABELS,
    "keras.losses.sparse_categorical_crossentropy": _CLIPPED,
    "keras.losses.sparse_categorical_crossentropy(from_logits=True)": {},
    "keras.losses.CategoricalGeneralizedCrossEntropy(q=0.5)": {
        **_GENERALIZED,
        **_CAST_LABELS,
    },
    "keras.losses.categorical_generalized_cross_entropy(q=0.5)": _GENERALIZED,
}

# --- the table ----------------------------------------------------------------------


@functools.cache
def report_of(name: str) -> Report:
    loss, options = LOSSES[name]
    return check_loss(loss, **options)


def failed(report: Report) -> dict[str, str]:
    return {result.name: result.seen for result in report.failures}


@EACH
def test_nothing_fails_but_what_is_known(name):
    unknown = failed(report_of(name)).keys() - KNOWN[name].keys()
    assert not unknown, str(report_of(name))


@pytest.mark.skipif(INSTALLED != OF_THIS_TABLE, reason="the table is of other versions")
@EACH
def test_everything_known_still_fails(name):
    mended = KNOWN[name].keys() - failed(report_of(name)).keys()
    assert not mended, {check: KNOWN[name][check] for check in mended}


@pytest.mark.skipif(INSTALLED != OF_THIS_TABLE, reason="the table is of other versions")
def test_the_table_has_a_row_for_each_loss():
    assert list(KNOWN) == list(LOSSES)


@EACH
def test_options_leave_no_more_out_than_they_say(name):
    options = LOSSES[name].options
    assert {result.name for result in report_of(name)} == set(
        options.get("checks", CHECKS)
    )
    assert ("checks" in options) == (name == "tf.nn.log_poisson_loss")


@EACH
def test_a_target_is_checked_where_there_is_one(name):
    has_target = LOSSES[name].options.get("target", "truth") is not None
    status = report_of(name)["least_at_target"].status
    assert status == ("passed" if has_target else "not applicable")


# --- what is there, and what is left out ----------------------------------------------

# With labels and predictions of another kind, as the docstring says.
NO_FUNCTION_OF_LABELS_AND_PREDICTIONS = {
    "tf.nn": {
        "nce_loss",
        "sampled_softmax_loss",
        "l2_loss",
        "ctc_loss",
        "compute_average_loss",
        "scale_regularization_loss",
    },
    "keras.losses": {"Loss", "CTC", "Circle"},
}


def of_library(place: str) -> set[str]:
    return {
        name.removeprefix(f"{place}.").partition("(")[0]
        for name in LOSSES
        if name.startswith(place)
    }


def test_no_loss_of_tf_nn_is_forgotten():
    named_so = {
        name for name in dir(tf.nn) if name.endswith("_loss") or "cross_entropy" in name
    }
    found = of_library("tf.nn") | NO_FUNCTION_OF_LABELS_AND_PREDICTIONS["tf.nn"]
    assert named_so == found


def test_no_class_of_keras_is_forgotten():
    classes = {
        name for name, value in vars(keras.losses).items() if inspect.isclass(value)
    }
    left_out = NO_FUNCTION_OF_LABELS_AND_PREDICTIONS["keras.losses"]
    assert classes - left_out == {
        name for name in of_library("keras.losses") if name[0].isupper()
    }


@pytest.mark.parametrize(
    "name", sorted({*NO_FUNCTION_OF_LABELS_AND_PREDICTIONS["tf.nn"], "CTC", "Circle"})
)
def test_the_docstring_says_why_a_loss_is_left_out(name):
    assert f"{name}``" in library_losses.__doc__


def plain(name: str) -> str:
    return name.replace("_", "").lower()


# The checks in which shapes and dtypes are what matters.
OF_SHAPES_AND_DTYPES = (
    "no_broadcast",
    "no_broadcast_unknown_shapes",
    "finite",
    "finite_16_bits",
    "dtype_kept",
    "float64_precision",
    "large_labels",
    "labels_out_of_range",
)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in LOSSES
        if name.startswith("keras") and name.split(".")[2][0].isupper()
    ],
)
def test_a_function_is_there_if_a_check_tells_it_from_its_class(name):
    loss, options = LOSSES[name]
    function = next(
        value
        for key, value in vars(keras.losses).items()
        if plain(key) == plain(loss.__name__) and not inspect.isclass(value)
    )
    checks = OF_SHAPES_AND_DTYPES
    of_class = {check for check in checks if report_of(name)[check].status == "failed"}
    of_function = failed(check_loss(function, **{**options, "checks": checks})).keys()
    is_there = function.__name__ in of_library("keras.losses")
    assert is_there == (of_class != of_function)


def test_names_say_where_a_loss_is_found():
    for name, (loss, options) in LOSSES.items():
        path, _, brackets = name.partition("(")
        place, _, attribute = path.rpartition(".")
        assert (
            getattr({"tf.nn": tf.nn, "keras.losses": keras.losses}[place], attribute)
            is loss
        )
        shown = ", ".join(f"{k}={v}" for k, v in options["parameters"].items())
        assert brackets == (f"{shown})" if shown else "")


def test_what_a_version_does_not_have_is_left_out(monkeypatch):
    monkeypatch.delattr(keras.losses, "CategoricalGeneralizedCrossEntropy")
    monkeypatch.setattr(keras.losses, "Tversky", keras.losses.Poisson)
    found = library_losses()
    missing = LOSSES.keys() - found.keys()
    assert missing == {
        "keras.losses.CategoricalGeneralizedCrossEntropy(q=0.5)",
        "keras.losses.Tversky(axis=-1)",
    }


def test_the_mapping_is_the_callers_own():
    losses = library_losses()
    losses["keras.losses.Huber"].options["task"] = "quantile"
    del losses["keras.losses.LogCosh"]
    again = library_losses()
    assert again["keras.losses.Huber"].options["task"] == "regression"
    assert isinstance(again["keras.losses.LogCosh"], LibraryLoss)
