"""Broken losses: classes that Keras weighs, saves, loads and shares out."""

from __future__ import annotations

import keras
import tensorflow as tf

from tests.broken import Rows, error, huber

ROWS = Rows()
row = ROWS.row
REGRESSION = "regression"
registered = keras.saving.register_keras_serializable("broken")


class Square(keras.losses.Loss):
    """Squared error as it should be, for the classes below."""

    def __init__(self, name="square", **keywords):
        super().__init__(name=name, **keywords)

    def call(self, y_true, y_pred):
        return tf.reduce_mean(tf.square(error(y_true, y_pred)), axis=-1)


# --- sample_weights --------------------------------------------------------------


@row(REGRESSION, "sample_weights")
@registered
class IgnoresItsWeights(Square):
    def __call__(self, y_true, y_pred, sample_weight=None):
        return super().__call__(y_true, y_pred)


@row(REGRESSION, "sample_weights", shows="weight 2")
@registered
class WeighsInsideTheSquare(Square):
    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            weight = tf.cast(sample_weight, y_pred.dtype)[:, None]
            y_true, y_pred = weight * y_true, weight * y_pred
        return super().__call__(y_true, y_pred)


@row(REGRESSION, "sample_weights", shows="weight 2")
@registered
class WeightsAreOnlyAMask(Square):
    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            sample_weight = tf.sign(sample_weight)
        return super().__call__(y_true, y_pred, sample_weight)


@row(REGRESSION, "sample_weights", "one_value_per_example")
@registered
class MeanInCall(Square):
    def call(self, y_true, y_pred):
        return tf.reduce_mean(super().call(y_true, y_pred))


# --- replicas_add_up -------------------------------------------------------------


@row(REGRESSION, "replicas_add_up", "sample_weights")
@registered
class MultipliesByTheBatchSize(Square):
    def __call__(self, y_true, y_pred, sample_weight=None):
        loss = super().__call__(y_true, y_pred, sample_weight)
        if self.reduction is None:
            return loss
        return loss * tf.cast(tf.shape(y_pred)[0], loss.dtype)


# --- the losses of Keras, as they are often made ----------------------------------
# They take any labels, and line shapes up only as far as these are known.


@row(
    "binary_logits",
    "gradient_does_not_vanish",
    "finite_16_bits",
    "labels_out_of_range",
    "least_at_target",
    make=True,
)
def logits_without_from_logits():
    return keras.losses.BinaryCrossentropy()


@row(
    "onehot_logits",
    "gradient_does_not_vanish",
    "labels_out_of_range",
    "no_broadcast",
    "no_broadcast_unknown_shapes",
    make=True,
    target=None,  # of a focal loss
)
def focal_loss_of_keras():
    return keras.losses.CategoricalFocalCrossentropy(from_logits=True)


@row(
    "binary_logits",
    "finite",
    "finite_16_bits",
    "labels_out_of_range",
    make=True,
    target=None,  # of a focal loss
)
def focal_loss_of_keras_with_half_gamma():
    return keras.losses.BinaryFocalCrossentropy(gamma=0.5, from_logits=True)


@row(
    "onehot_logits",
    "labels_not_summing_to_one",
    "labels_out_of_range",
    "no_broadcast_unknown_shapes",
    make=True,
)
def dense_loss_of_keras():
    return keras.losses.CategoricalCrossentropy(from_logits=True)


# --- large_labels ----------------------------------------------------------------


@row("sparse_logits", "large_labels", shows="class 257", make=True)
def the_sparse_loss_of_keras():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


# --- save_and_load ---------------------------------------------------------------


@row(REGRESSION, "save_and_load", shows="delta=1.25")
@registered
class WithoutGetConfig(Square):
    def __init__(self, delta=1.0, name="without_get_config", **keywords):
        super().__init__(name=name, **keywords)
        self.delta = delta

    def call(self, y_true, y_pred):
        return tf.reduce_mean(huber(error(y_true, y_pred), self.delta), axis=-1)


@row(REGRESSION, "save_and_load", "no_broadcast_unknown_shapes", make=True)
def delta_of_the_huber_of_keras():
    return keras.losses.Huber(delta=0.25)


@row(REGRESSION, "save_and_load", shows="Could not locate class")
class NotRegistered(Square):
    pass


@row(REGRESSION, "save_and_load", shows="Could not locate class", make=True)
def class_inside_a_function():
    class Local(Square):
        pass

    return Local()


@row(REGRESSION, "save_and_load", shows="threshold")
@registered
class SavesUnderAnotherName(WithoutGetConfig):
    def get_config(self):
        return {**super().get_config(), "threshold": self.delta}


@row(REGRESSION, "save_and_load", parameters={"reduction": "sum"})
@registered
class ForgetsTheReduction(WithoutGetConfig):
    def get_config(self):
        return {"delta": self.delta, "name": self.name}


@row(REGRESSION, "save_and_load", shows="delta=1.25")
@registered
class SavesWholeNumbers(WithoutGetConfig):
    def get_config(self):
        return {**super().get_config(), "delta": int(self.delta)}
