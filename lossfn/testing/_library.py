"""The losses of tf.nn and Keras, each with what it is meant to be."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import keras
import tensorflow as tf

from lossfn.testing import _minimisers
from lossfn.testing._run import CHECKS

_PLACES = {"tf.nn": tf.nn, "keras.losses": keras.losses}


class LibraryLoss(NamedTuple):
    """A loss of a library, and the options with which to check it.

    Attributes:
        loss: A function, or a class of ``keras.losses.Loss``.
        options: Keywords of :func:`lossfn.testing.check_loss`, the task among them.

    Examples:
        >>> loss, options = library_losses()["tf.nn.softmax_cross_entropy_with_logits"]
        >>> options["task"]
        'onehot_logits'
    """

    loss: object
    options: Mapping[str, object]


def library_losses() -> dict[str, LibraryLoss]:
    """Return the losses of tf.nn and Keras that can be checked, by name.

    Each comes with options that are fair to it: what it takes, where by its own formula
    the expected loss is smallest, whether it is meant to be 0 at a perfect prediction,
    and whether it is meant to level off. A loss that takes logits or probabilities is
    there once for each. A name that the installed version does not have is left out.

    A class of Keras lines up shapes and casts labels, and calls a function. The
    functions are there too where a check tells them from their class.

    What is left out is not a function of labels and predictions with one loss for each
    example:

    - ``tf.nn.nce_loss`` and ``tf.nn.sampled_softmax_loss`` take the weights and inputs
      of a layer, and draw classes at random;
    - ``tf.nn.l2_loss`` takes no labels, and ``tf.nn.compute_average_loss`` and
      ``tf.nn.scale_regularization_loss`` take losses;
    - ``tf.nn.ctc_loss`` and ``keras.losses.CTC`` take sequences of labels that are
      shorter than the predictions;
    - ``keras.losses.Circle`` compares the examples of a batch with each other;
    - ``tf.compat.v1.losses`` takes weights, and collects the result in a graph.

    ``keras.losses.Dice`` and ``Tversky`` are losses of a whole batch unless they are
    told which axes belong to one example: they are there with ``axis=-1``.
    ``tf.nn.log_poisson_loss`` is not asked to be finite far out: it predicts a
    logarithm, and the exponential of 1e4 fits into no float.

    Returns:
        From a readable name, such as ``"keras.losses.Huber"``, to the loss and its
        options.

    Examples:
        >>> from lossfn.testing import check_loss
        >>> losses = library_losses()
        >>> loss, options = losses["keras.losses.BinaryCrossentropy(from_logits=True)"]
        >>> options["task"]
        'binary_logits'
        >>> [result.name for result in check_loss(loss, **options).failures]
        ['labels_out_of_range']
    """
    losses = {}
    for place, name, parameters, options in (*_of_tf_nn(), *_of_keras()):
        loss = getattr(_PLACES[place], name, None)
        if loss is not None and _takes(loss, parameters):
            # A mapping of its own, which the caller may change.
            found = LibraryLoss(loss, {**options, "parameters": parameters})
            losses[f"{place}.{name}{_in_brackets(parameters)}"] = found
    return losses


class _Row(NamedTuple):
    place: str
    name: str
    parameters: dict[str, object]
    options: dict[str, object]


def _row(
    path: str,
    task: str,
    parameters: Mapping[str, object] | None = None,
    **options: object,
) -> _Row:
    place, _, name = path.rpartition(".")
    return _Row(place, name, dict(parameters or {}), {"task": task, **options})


def _takes(loss: object, parameters: Mapping[str, object]) -> bool:
    """Whether the installed version has these parameters."""
    return parameters.keys() <= inspect.signature(loss).parameters.keys()


def _in_brackets(parameters: Mapping[str, object]) -> str:
    shown = ", ".join(f"{name}={value}" for name, value in parameters.items())
    return f"({shown})" if shown else ""


def _of_tf_nn() -> Iterator[_Row]:
    yield _row("tf.nn.softmax_cross_entropy_with_logits", "onehot_logits")
    yield _row("tf.nn.sparse_softmax_cross_entropy_with_logits", "sparse_logits")
    yield _row("tf.nn.sigmoid_cross_entropy_with_logits", "binary_logits")
    yield _row(
        "tf.nn.weighted_cross_entropy_with_logits",
        "binary_logits",
        {"pos_weight": 3.0},
        target=_minimisers.weighted(3.0),
    )
    yield _row(
        "tf.nn.log_poisson_loss",
        "positive_regression",
        target=_minimisers.log_of_mean,
        # A constant that does not depend on the prediction is left out of it.
        zero_at_perfect=False,
        checks=[name for name in CHECKS if not name.startswith("finite")],
    )


def _of_keras() -> Iterator[_Row]:
    yield from _of_numbers()
    yield from _of_yes_or_no()
    yield from _of_classes()


def _of_numbers() -> Iterator[_Row]:
    positive = "positive_regression"
    yield _row("keras.losses.MeanSquaredError", "regression", target="mean")
    yield _row("keras.losses.MeanAbsoluteError", "regression", target="median")
    yield _row(
        "keras.losses.MeanAbsolutePercentageError",
        positive,
        target=_minimisers.percentage,
    )
    for name in ("MeanSquaredLogarithmicError", "mean_squared_logarithmic_error"):
        yield _row(
            f"keras.losses.{name}", positive, target=_minimisers.squared_logarithmic
        )
    yield _row("keras.losses.Huber", "regression", target=_minimisers.huber)
    yield _row("keras.losses.LogCosh", "regression", target=_minimisers.log_cosh)
    for name in ("Poisson", "poisson"):
        yield _row(
            f"keras.losses.{name}", positive, target="mean", zero_at_perfect=False
        )
    yield _row(
        "keras.losses.CosineSimilarity",
        "regression",
        outputs=3,
        # It is -1 at best, for every prediction of the right direction.
        target=None,
        zero_at_perfect=False,
        # The longer a prediction, the less a step turns it.
        bounded=True,
    )


def _of_yes_or_no() -> Iterator[_Row]:
    logits = {"from_logits": True}
    binary, focal = "BinaryCrossentropy", "BinaryFocalCrossentropy"
    for name in ("Hinge", "hinge"):
        yield _row(f"keras.losses.{name}", "binary_logits", target=_minimisers.hinge)
    for name in ("SquaredHinge", "squared_hinge"):
        yield _row(
            f"keras.losses.{name}", "binary_logits", target=_minimisers.squared_hinge
        )
    yield _row(f"keras.losses.{binary}", "binary_probabilities")
    yield _row(f"keras.losses.{binary}", "binary_logits", logits)
    for task, parameters, gamma in (
        ("binary_probabilities", {}, 2.0),
        ("binary_logits", logits, 2.0),
        ("binary_logits", {"gamma": 0.5, **logits}, 0.5),
    ):
        target = _minimisers.binary_focal(gamma)
        yield _row(f"keras.losses.{focal}", task, parameters, target=target)
    for name in ("Dice", "Tversky"):
        # Where a mask is uncertain, the least expected loss is at all or nothing.
        yield _row(
            f"keras.losses.{name}",
            "multilabel_probabilities",
            {"axis": -1},
            target=None,
        )


def _of_classes() -> Iterator[_Row]:
    logits = {"from_logits": True}
    # With more than two classes the hinge has no minimum that tells the likeliest
    # class, unless its probability is above one half.
    yield _row("keras.losses.CategoricalHinge", "onehot_logits", target=None)
    yield _row("keras.losses.KLDivergence", "onehot_probabilities")
    for name, options in (
        ("CategoricalCrossentropy", {}),
        (
            "CategoricalFocalCrossentropy",
            {"target": _minimisers.categorical_focal(2.0)},
        ),
    ):
        yield _row(f"keras.losses.{name}", "onehot_probabilities", **options)
        yield _row(f"keras.losses.{name}", "onehot_logits", logits, **options)
    for name in ("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy"):
        yield _row(f"keras.losses.{name}", "sparse_probabilities")
        yield _row(f"keras.losses.{name}", "sparse_logits", logits)
    for name in (
        "CategoricalGeneralizedCrossEntropy",
        "categorical_generalized_cross_entropy",
    ):
        yield _row(
            f"keras.losses.{name}",
            "sparse_probabilities",
            {"q": 0.5},
            target=_minimisers.generalized(0.5),
            bounded=True,
        )
