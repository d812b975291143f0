"""Labels and logits under the names that they have in Keras."""

from __future__ import annotations

import tensorflow as tf

from lossfn import _arguments, _tensors

_NAMES = _arguments.Names(labels="y_true", logits="y_pred")


def binary(y_true: object, y_pred: object) -> _arguments.Labelled:
    """Check labels that are independent probabilities, and their logits."""
    return _arguments.binary(_NAMES, y_true, y_pred)


def dense(y_true: object, y_pred: object) -> _arguments.Labelled:
    """Check labels for each class, and logits with the classes on the last axis."""
    return _arguments.dense(_NAMES, y_true, _with_classes(y_pred))


def sparse(y_true: object, y_pred: object, **options: object) -> _arguments.Sparse:
    """Check class indices, and logits with the classes on the last axis."""
    return _arguments.sparse(_NAMES, y_true, _with_classes(y_pred), **options)


def _with_classes(y_pred: object) -> tf.Tensor:
    logits = _tensors.as_floating("y_pred", y_pred)
    return _tensors.at_least_one_axis("y_pred", logits)
