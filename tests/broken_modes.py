"""Broken losses: right eagerly, and not in a graph."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from tests.broken import (
    Rows,
    class_index,
    cross_entropy,
    error,
    huber,
    same_shape,
    yes_or_no,
)

ROWS = Rows()
row = ROWS.row
REGRESSION = "regression"


# --- modes_agree -----------------------------------------------------------------


@row(REGRESSION, "modes_agree", shows="batch size")
def python_loop_over_the_batch(y_true, y_pred):
    e = error(y_true, y_pred)
    return tf.stack([tf.square(e[i]) for i in range(len(y_pred))])


@row(REGRESSION, "modes_agree", shows="batch size")
def reshapes_to_the_static_batch_size(y_true, y_pred):
    loss = tf.square(error(y_true, y_pred))
    return tf.reduce_mean(tf.reshape(loss, [y_pred.shape[0], -1]), axis=-1)


@row("sparse_logits", "modes_agree", shows="numpy")
def checks_labels_with_numpy(y_true, y_pred):
    if not np.isin(y_true.numpy(), range(y_pred.shape[-1])).all():
        raise ValueError("labels must be classes")
    return cross_entropy(y_true, y_pred)


@row("binary_logits", "modes_agree", shows="must lie in [0, 1]")
def raises_in_an_if(y_true, y_pred):
    if tf.reduce_any((y_true < 0) | (y_true > 1)):
        raise ValueError("labels must lie in [0, 1]")
    return tf.nn.sigmoid_cross_entropy_with_logits(same_shape(y_true, y_pred), y_pred)


@row(REGRESSION, "modes_agree", shows="eagerly")
def another_formula_in_a_graph(y_true, y_pred):
    e = error(y_true, y_pred)
    return tf.square(e) if tf.executing_eagerly() else tf.square(e) / 2


@row(REGRESSION, "modes_agree", shows="XLA")
def tf_print_left_behind(y_true, y_pred):
    loss = tf.square(error(y_true, y_pred))
    tf.print("loss", loss, output_stream="file:///dev/null")
    return loss


@row("sparse_logits", "modes_agree", shows="XLA")
def classes_by_name(y_true, y_pred):
    names = tf.strings.as_string(class_index(y_true, y_pred))
    classes = tf.strings.as_string(tf.range(tf.shape(y_pred)[-1]))
    labels = tf.cast(names[:, None] == classes, y_pred.dtype)
    return -tf.reduce_sum(labels * tf.nn.log_softmax(y_pred), -1)


@row(
    "binary_logits",
    "modes_agree",
    "finite_16_bits",
    "gradient_does_not_vanish",
    shows="eagerly",
)
def keras_loss_of_a_sigmoid(y_true, y_pred):
    y_true = yes_or_no(y_true, y_pred)
    return keras.losses.binary_crossentropy(y_true, tf.sigmoid(y_pred))


# --- no_retracing ----------------------------------------------------------------


@row(REGRESSION, "no_retracing", shows="delta", parameters={"delta": 2.0})
@tf.function
def python_number_as_argument(y_true, y_pred, delta):
    return huber(error(y_true, y_pred), delta)


@row(REGRESSION, "no_retracing", shows="second batch")
def graph_made_at_each_call(y_true, y_pred):
    square = tf.function(lambda e: tf.square(e))
    return square(error(y_true, y_pred))


@row(REGRESSION, "no_retracing", shows="second batch")
def counts_its_steps_in_python(y_true, y_pred):
    counts_its_steps_in_python.step += 1
    return warmed_up(error(y_true, y_pred), counts_its_steps_in_python.step)


counts_its_steps_in_python.step = 1000


@tf.function
def warmed_up(e, step):
    return tf.square(e) * min(1.0, step / 1000)


@row(
    "sparse_logits",
    "no_retracing",
    shows="temperature",
    parameters={"temperature": 2.0},
    target=None,
)
def python_number_handed_on(y_true, y_pred, temperature):
    return cooled(y_true, y_pred, temperature)


@tf.function
def cooled(y_true, y_pred, temperature):
    return cross_entropy(y_true, y_pred / temperature)
