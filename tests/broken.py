"""What the rows of the gallery of broken losses have in common.

A row is a loss with one mistake. It stands above its loss, as a decorator, and names
the check of lossfn.testing that must find the mistake, and those that must fail with
it. No other check may fail: so each loss is right in everything else, for which it
takes the functions below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from lossfn import _tensors


@dataclass(frozen=True)
class Broken:
    """A loss with one mistake, and what must be said of it."""

    name: str
    loss: object
    options: dict[str, object]  # of check_loss, the task among them
    found_by: str
    also: frozenset[str]  # the other checks that the same mistake must fail
    shows: str  # stands in what found_by has seen

    @property
    def must_fail(self) -> frozenset[str]:
        return self.also | {self.found_by}


class Rows(list[Broken]):
    """The rows of one module, in the order of their losses."""

    def row(
        self,
        task: str,
        found_by: str,
        *also: str,
        shows: str = "",
        make: bool = False,
        **options: object,
    ) -> Callable[[Callable], Callable]:
        """Add a loss, or with ``make`` what a function returns, under its name."""

        def add(loss: Callable) -> Callable:
            made = loss() if make else loss
            given = {"task": task, **options}
            row = Broken(loss.__name__, made, given, found_by, frozenset(also), shows)
            self.append(row)
            return loss

        return add


def ids(row: Broken) -> str:
    return row.name


def same_shape(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Return labels once they have the predictions' shape."""
    return _tensors.with_same_shape("y_true", y_true, "y_pred", y_pred)


def error(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Return y_true - y_pred, which never broadcasts."""
    return same_shape(y_true, y_pred) - y_pred


def huber(e: tf.Tensor, delta: float) -> tf.Tensor:
    """Return Huber's loss of errors, as Huber (1964) has it."""
    inside = tf.clip_by_value(e, -delta, delta)
    return inside * (e - inside / 2)


def yes_or_no(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Return labels once they have the predictions' shape and lie in [0, 1]."""
    y_true = same_shape(y_true, y_pred)
    inside = ((y_true >= 0) & (y_true <= 1)) | tf.math.is_nan(y_true)
    return _tensors.with_values("y_true", y_true, inside, "lie in [0, 1]")


def distribution(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Return dense labels once each row is a distribution over the classes."""
    y_true = yes_or_no(y_true, y_pred)
    far = tf.abs(tf.reduce_sum(y_true, -1, keepdims=True) - 1) > 0.01
    return _tensors.with_values("y_true", y_true, ~far, "sum to one")


def class_index(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Return class indices once there is one for each row, of a class there is."""
    y_true = same_shape(y_true, y_pred[..., 0])
    inside = (y_true >= 0) & (y_true < tf.shape(y_pred, y_true.dtype)[-1])
    return _tensors.with_values("y_true", y_true, inside, "be a class")


def binary_cross_entropy(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Return the loss of labels in [0, 1], right in all that the checks ask."""
    labels = yes_or_no(y_true, y_pred)
    return tf.nn.sigmoid_cross_entropy_with_logits(labels, y_pred)


def cross_entropy(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Return the loss of class indices, right in all that the checks ask."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(y_true, y_pred)
