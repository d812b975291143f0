"""Losses in Keras: a class that survives a file, an epoch, and equal shops."""

from __future__ import annotations

import numpy as np

from lossfn.exercises._answer import Answer, WrongAnswerError, as_array, first_line
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import ONE_NUMBER, expect_close

DEMAND = np.array([[10.0], [11.0], [14.0], [15.0]])
ORDERS = np.array([[8.0], [12.0], [10.0], [16.0]])


@exercise("ex-12-survives", "asymmetric_loss")
def asymmetric_loss(answer: Answer) -> str:
    """A loss class with a factor for orders that are too small, which survives a file.

    Read as Keras reads it: made from what ``get_config`` returns.
    """
    _expect_no_object(answer)
    answer.function("factor=")
    loss = _made(answer, reduction="none")
    _expect_costs(loss)
    _expect_no_pairs(loss)
    _expect_complete_config(answer)
    _expect_registered(type(loss))
    return "Compared with costs by hand, and with a copy made from get_config."


def _expect_no_object(answer: Answer) -> None:
    from keras.losses import Loss

    if isinstance(answer.value, Loss):
        raise WrongAnswerError(
            "asymmetric_loss must be the class, got a loss that was made by it."
        )


def _made(answer: Answer, **settings: str) -> object:
    from keras.losses import Loss

    loss = answer(factor=4.0, **settings)
    if not isinstance(loss, Loss):
        raise WrongAnswerError(
            f"asymmetric_loss must make a keras.losses.Loss, got {type(loss).__name__}."
        )
    return loss


def _values(loss: object, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    called = Answer("The loss", loss)
    return as_array(called(y_true, y_pred), "Your loss returns")


def _expect_costs(loss: object) -> None:
    values = _values(loss, DEMAND, ORDERS)
    if values.shape == ():
        raise WrongAnswerError(ONE_NUMBER)
    if values.shape == (4, 1):
        raise WrongAnswerError(
            "Your call returns a loss for each output: take the mean over the last "
            "axis, so that there is one for each example."
        )
    error = (DEMAND - ORDERS)[:, 0]
    squares = error**2
    expect_close(
        values,
        np.where(error > 0, 4 * squares, squares),
        given="orders 8, 12, 10, 16 where 10, 11, 14, 15 were needed, and factor = 4",
        what="your loss gives",
        mistakes={
            "The wrong side is dear: an order that is too small has to be.": np.where(
                error < 0, 4 * squares, squares
            ),
            "The factor does nothing.": squares,
            "The factor counts for all orders.": 4 * squares,
            "The factor is squared: multiply the square, not the error.": np.where(
                error > 0, 16 * squares, squares
            ),
            "These are absolute errors: square them.": np.where(
                error > 0, 4 * error, -error
            ),
        },
    )


def _expect_no_pairs(loss: object) -> None:
    right = _values(loss, DEMAND, ORDERS)
    try:
        values = np.asarray(loss(DEMAND[:, 0], ORDERS), np.float64)
    except Exception:
        return  # refused, which is as good as lined up
    if not np.allclose(values, right):
        raise WrongAnswerError(
            "Targets of shape (4,) and predictions of shape (4, 1) are compared in 16 "
            "pairs. Line the shapes up in call, or raise a ValueError."
        )


def _expect_complete_config(answer: Answer) -> None:
    settings = {"reduction": "sum", "name": "bread", "dtype": "float64"}
    loss = _made(answer, **settings)
    config = _config_of(loss)
    for key, value in {"factor": 4.0, **settings}.items():
        if key not in config:
            raise WrongAnswerError(
                f"get_config has no entry {key!r}: a file cannot hold it."
            )
        if config[key] != value:
            raise WrongAnswerError(
                f"get_config returns {key} = {config[key]!r} for a loss that was made "
                f"with {value!r}."
            )
    _expect_equal_copy(loss, config)


def _config_of(loss: object) -> dict:
    try:
        config = loss.get_config()
    except Exception as error:
        raise WrongAnswerError(
            f"Your get_config raised {type(error).__name__}: {first_line(error)}"
        ) from None
    if not isinstance(config, dict):
        raise WrongAnswerError(
            f"get_config must return a dict, got {type(config).__name__}."
        )
    return config


def _expect_equal_copy(loss: object, config: dict) -> None:
    try:
        copy = type(loss).from_config(config)
    except Exception as error:
        raise WrongAnswerError(
            "Loading calls __init__ with what get_config returned, and that raises "
            f"{type(error).__name__}: {first_line(error)}"
        ) from None
    if _config_of(copy) != config:
        raise WrongAnswerError(
            f"A copy made from {config} has the configuration {copy.get_config()}."
        )
    before, after = (float(_values(each, DEMAND, ORDERS)) for each in (loss, copy))
    if before != after:
        raise WrongAnswerError(
            f"The loss is {before:g}, and {after:g} for a copy made from its "
            "configuration: does __init__ use the factor?"
        )


def _expect_registered(kind: type) -> None:
    from keras.saving import get_registered_name, get_registered_object

    if get_registered_object(get_registered_name(kind)) is not kind:
        raise WrongAnswerError(
            "The class is not registered: load_model will not find it. Use "
            "keras.saving.register_keras_serializable."
        )


@exercise("ex-12-epoch", "reported")
def reported(answer: Answer) -> str:
    """What evaluate reports of losses and weights in batches of a size."""
    report = answer.function("losses", "weights", "batch_size")
    losses, weights = np.array([6.0, 1, 12, 1]), np.array([1.0, 2, 0, 2])
    for size in (3, 2, 4, 1):
        batches = [slice(start, start + size) for start in range(0, 4, size)]
        sums = np.array([np.sum(weights[b] * losses[b]) for b in batches])
        totals = np.array([weights[b].sum() for b in batches])
        sizes = np.array([len(losses[b]) for b in batches])
        means = np.divide(sums, totals, out=np.zeros(len(sums)), where=totals > 0)
        expect_close(
            report.array(losses, weights, size),
            np.sum(sizes * means) / 4,
            given=f"batch_size = {size}",
            mistakes={
                "This is the weighted mean of all examples, and evaluate knows the "
                "batches' means alone.": sums.sum() / totals.sum(),
                "Keras weighs the batches by their examples: they do not count the "
                "same.": means.mean(),
                "The losses of a batch are divided by its examples: this reduction "
                "divides by its weights.": sums.sum() / 4,
                "The weights do nothing here.": losses.mean(),
                "This is the sum over the batches: divide by all examples.": np.sum(
                    sizes * means
                ),
            },
        )
    return "Compared with the sum of examples times weighted mean, for four sizes."


@exercise("ex-12-shops", "weights_per_shop")
def weights_per_shop(answer: Answer) -> str:
    """A function of the shops' days: weights with which every shop counts the same."""
    weights = answer.function("lengths")
    for lengths in (np.array([3, 1]), np.array([2, 5, 4, 1])):
        right = lengths.sum() / (len(lengths) * lengths)
        expect_close(
            weights.array(lengths),
            right,
            given=f"lengths = {lengths.tolist()}",
            mistakes={
                "The proportions are right, and the size is not: the loss divides by "
                "the number of all days.": 1 / lengths,
                "With these weights the loss is the sum over the shops, not their "
                "mean.": lengths.sum() / lengths,
                "The number of all days is missing.": 1 / (len(lengths) * lengths),
                "These weights sum to 1, and the loss is then too small: it divides by "
                "the number of all days.": (1 / lengths) / np.sum(1 / lengths),
                "Long shops count more with this: turn it round.": lengths
                / lengths.mean(),
                "Equal weights for all days are the mean over days.": np.ones(
                    len(lengths)
                ),
            },
        )
    return "Compared with all days over shops times days, for two and four shops."
