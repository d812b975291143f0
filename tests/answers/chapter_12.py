"""Answers to the exercises of chapter 12."""

import keras
import numpy as np
import tensorflow as tf

from tests.answers import Right, Wrong

registered = keras.saving.register_keras_serializable


@registered("right")
class Asymmetric(keras.losses.Loss):
    """The squared error with a factor, done with care."""

    def __init__(self, factor, **settings):
        super().__init__(**settings)
        self.factor = factor

    def call(self, y_true, y_pred):
        y_true = tf.reshape(y_true, tf.shape(y_pred))
        return tf.reduce_mean(self.cost(y_true - y_pred), axis=-1)

    def cost(self, error):
        return tf.where(error > 0, self.factor * error**2, error**2)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "dtype": self.dtype}


@registered("wrong")
class WrongSide(Asymmetric):
    def cost(self, error):
        return super().cost(-error)


@registered("wrong")
class SquaredFactor(Asymmetric):
    def cost(self, error):
        return tf.where(error > 0, self.factor * error, error) ** 2


@registered("wrong")
class OneNumber(Asymmetric):
    def call(self, y_true, y_pred):
        return tf.reduce_mean(super().call(y_true, y_pred))


@registered("wrong")
class EachOutput(Asymmetric):
    def call(self, y_true, y_pred):
        return self.cost(y_true - y_pred)


@registered("wrong")
class Pairs(Asymmetric):
    def call(self, y_true, y_pred):
        return tf.reduce_mean(self.cost(y_true - y_pred), axis=-1)


@registered("wrong")
class NoConfig(Asymmetric):
    def get_config(self):
        return keras.losses.Loss.get_config(self)


@registered("wrong")
class BrokenConfig(Asymmetric):
    def get_config(self):
        return {**super().get_config(), "factor": self.cost_factor}


@registered("wrong")
class EmptyConfig(Asymmetric):
    def get_config(self):
        super().get_config().update(factor=self.factor)


@registered("wrong")
class OneDtype(Asymmetric):
    def cost(self, error):
        if error.dtype != tf.float32:
            raise TypeError(f"float32 alone, got {error.dtype.name}")
        return super().cost(error)


@registered("wrong")
class NoDtype(Asymmetric):
    def get_config(self):
        return {**keras.losses.Loss.get_config(self), "factor": self.factor}


@registered("wrong")
class FactorOfConfig(Asymmetric):
    def get_config(self):
        return {**super().get_config(), "factor": 1.0}


@registered("wrong")
class MoreInConfig(Asymmetric):
    def get_config(self):
        return {**super().get_config(), "side": "below"}


@registered("wrong")
class Forgetful(Asymmetric):
    @classmethod
    def from_config(cls, config):
        copy = cls(**config)
        copy.cost = tf.square
        return copy


@registered("right")
class ByKeyword(Asymmetric):
    def __init__(self, *, factor, **settings):
        super().__init__(factor, **settings)


class NotRegistered(Asymmetric):
    pass


@registered("wrong")
class NoSettings(Asymmetric):
    def __init__(self, factor):
        super().__init__(factor)


def of_batches(batch_weight):
    def reported(losses, weights, size):
        parts = [slice(i, i + size) for i in range(0, len(losses), size)]
        means = [np.average(losses[p], weights=weights[p] + 1e-12) for p in parts]
        return np.average(means, weights=[batch_weight(weights[p]) for p in parts])

    return reported


def by_keras(losses, weights, size):
    loss = keras.losses.MeanAbsoluteError(reduction="mean_with_sample_weight")
    mean = keras.metrics.Mean()
    for i in range(0, len(losses), size):
        batch = losses[i : i + size, np.newaxis], weights[i : i + size]
        value = loss(np.zeros_like(batch[0]), batch[0], sample_weight=batch[1])
        mean.update_state(value, sample_weight=len(batch[1]))
    return mean.result()


WRONG = [
    Wrong(
        "ex-12-survives",
        "wrong side",
        WrongSide,
        "For orders 8, 12, 10, 16 where 10, 11, 14, 15 were needed, and factor = 4 "
        "your loss gives 4 at position 0, where 16 is right. The wrong side is "
        "dear: an order that is too small has to be.",
    ),
    Wrong(
        "ex-12-survives",
        "squared factor",
        SquaredFactor,
        "For orders 8, 12, 10, 16 where 10, 11, 14, 15 were needed, and factor = 4 "
        "your loss gives 64 at position 0, where 16 is right. The factor is "
        "squared: multiply the square, not the error.",
    ),
    Wrong(
        "ex-12-survives",
        "one number",
        OneNumber,
        "Your function returns one number for the batch: then sample_weight cannot "
        "work. Return one loss for each example, and leave the mean to whoever "
        "trains.",
    ),
    Wrong(
        "ex-12-survives",
        "each output",
        EachOutput,
        "Your call returns a loss for each output: take the mean over the last "
        "axis, so that there is one for each example.",
    ),
    Wrong(
        "ex-12-survives",
        "pairs",
        Pairs,
        "Targets of shape (4,) and predictions of shape (4, 1) are compared in 16 "
        "pairs. Line the shapes up in call, or raise a ValueError.",
    ),
    Wrong(
        "ex-12-survives",
        "no config",
        NoConfig,
        "get_config has no entry 'factor': a file cannot hold it.",
    ),
    Wrong(
        "ex-12-survives",
        "get_config raises",
        BrokenConfig,
        "Your get_config raised AttributeError: 'BrokenConfig' object has no attribute "
        "'cost_factor'.",
    ),
    Wrong(
        "ex-12-survives",
        "get_config without return",
        EmptyConfig,
        "get_config must return a dict, got NoneType.",
    ),
    Wrong(
        "ex-12-survives",
        "float32 alone",
        OneDtype,
        "Your function raised TypeError when it was called with [[10], [11], [14], "
        "[15]], [[8], [12], [10], [16]]: float32 alone, got float64.",
    ),
    Wrong(
        "ex-12-survives",
        "no dtype",
        NoDtype,
        "get_config has no entry 'dtype': a file cannot hold it.",
    ),
    Wrong(
        "ex-12-survives",
        "default in config",
        FactorOfConfig,
        "get_config returns factor = 1.0 for a loss that was made with 4.0.",
    ),
    Wrong(
        "ex-12-survives",
        "more in config",
        MoreInConfig,
        "Loading calls __init__ with what get_config returned, and that raises "
        "TypeError: Loss.__init__() got an unexpected keyword argument 'side'.",
    ),
    Wrong(
        "ex-12-survives",
        "forgetful",
        Forgetful,
        "The loss is 82, and 22 for a copy made from its configuration: does "
        "__init__ use the factor?",
    ),
    Wrong(
        "ex-12-survives",
        "not registered",
        NotRegistered,
        "The class is not registered: load_model will not find it. Use "
        "keras.saving.register_keras_serializable.",
    ),
    Wrong(
        "ex-12-survives",
        "no settings",
        NoSettings,
        "Your function raised TypeError when it was called with "
        "factor=4, reduction='none': NoSettings.__init__() got an unexpected keyword "
        "argument 'reduction'.",
    ),
    Wrong(
        "ex-12-survives",
        "an object",
        Asymmetric(4.0),
        "asymmetric_loss must be the class, got a loss that was made by it.",
    ),
    Wrong(
        "ex-12-survives",
        "a function",
        lambda factor, **_: np.square,
        "asymmetric_loss must make a keras.losses.Loss, got ufunc.",
    ),
    Wrong(
        "ex-12-epoch",
        "mean of all",
        lambda v, w, size: np.average(v, weights=w),
        "For batch_size = 3 your function gives 2, and 2.25 is right. This is the "
        "weighted mean of all examples, and evaluate knows the batches' means "
        "alone.",
    ),
    Wrong(
        "ex-12-epoch",
        "by weights",
        of_batches(np.sum),
        "For batch_size = 3 your function gives 2, and 2.25 is right. This is the "
        "weighted mean of all examples, and evaluate knows the batches' means "
        "alone.",
    ),
    Wrong(
        "ex-12-epoch",
        "batches alike",
        of_batches(lambda w: 1),
        "For batch_size = 3 your function gives 1.833, and 2.25 is right. Keras "
        "weighs the batches by their examples: they do not count the same.",
    ),
    Wrong(
        "ex-12-epoch",
        "by examples",
        lambda v, w, size: np.mean(v * w),
        "For batch_size = 3 your function gives 2.5, and 2.25 is right. The losses "
        "of a batch are divided by its examples: this reduction divides by its "
        "weights.",
    ),
    Wrong(
        "ex-12-epoch",
        "no weights",
        lambda v, w, size: np.mean(v),
        "For batch_size = 3 your function gives 5, and 2.25 is right. The weights "
        "do nothing here.",
    ),
    Wrong(
        "ex-12-epoch",
        "one batch size",
        lambda v, w, size: 2.25,
        "For batch_size = 2 your function gives 2.25, and 1.833 is right.",
    ),
    Wrong(
        "ex-12-shops",
        "no size",
        lambda t: 1 / t,
        "For lengths = [3, 1] your function gives 0.3333 at position 0, where "
        "0.6667 is right. The proportions are right, and the size is not: the loss "
        "divides by the number of all days.",
    ),
    Wrong(
        "ex-12-shops",
        "sum",
        lambda t: t.sum() / t,
        "For lengths = [3, 1] your function gives 1.333 at position 0, where 0.6667"
        " is right. With these weights the loss is the sum over the shops, not "
        "their mean.",
    ),
    Wrong(
        "ex-12-shops",
        "no days",
        lambda t: 1 / (len(t) * t),
        "For lengths = [3, 1] your function gives 0.1667 at position 0, where "
        "0.6667 is right. The number of all days is missing.",
    ),
    Wrong(
        "ex-12-shops",
        "normalised",
        lambda t: (1 / t) / sum(1 / t),
        "For lengths = [3, 1] your function gives 0.25 at position 0, where 0.6667 "
        "is right. These weights sum to 1, and the loss is then too small: it "
        "divides by the number of all days.",
    ),
    Wrong(
        "ex-12-shops",
        "turned",
        lambda t: t / t.mean(),
        "For lengths = [3, 1] your function gives 1.5 at position 0, where 0.6667 "
        "is right. Long shops count more with this: turn it round.",
    ),
    Wrong(
        "ex-12-shops",
        "ones",
        lambda t: np.ones(len(t)),
        "For lengths = [3, 1] your function gives 1 at position 0, where 0.6667 is "
        "right. Equal weights for all days are the mean over days.",
    ),
]

RIGHT = [
    Right("ex-12-survives", "lined up", Asymmetric),
    Right("ex-12-survives", "factor by keyword alone", ByKeyword),
    Right("ex-12-epoch", "by Keras", by_keras),
    Right("ex-12-shops", "mean of lengths", lambda t: np.mean(t) / t),
]
