"""Losses of one's own, as plain functions of ``(y_true, y_pred)``.

Of numbers, one loss for each prediction:

=============================================  =========================================
:func:`squared_error`                          least at the mean
:func:`huber`                                  outliers pull no harder than others
:func:`pinball`                                least at a quantile
:func:`newsvendor`                             short costs one price, left another
=============================================  =========================================

Of yes-or-no labels, one loss for each label:

=============================================  =========================================
:func:`binary_crossentropy`                    weighted and smoothed
:func:`binary_focal_crossentropy`              easy labels count little
=============================================  =========================================

Of one class out of several, on the last axis, one loss for each example:

=============================================  =========================================
:func:`categorical_crossentropy`               weighted and smoothed
:func:`sparse_categorical_crossentropy`        the same, of class indices
:func:`categorical_focal_crossentropy`         easy examples count little
:func:`sparse_categorical_focal_crossentropy`  the same, of class indices
:func:`generalized_crossentropy`               of class indices, some of them wrong
:func:`symmetric_crossentropy`                 of class indices, some of them wrong
=============================================  =========================================

Of a linear layer and one class out of many, one loss for all examples:

=============================================  =========================================
:func:`linear_softmax_cross_entropy`           the mean, without all the logits
=============================================  =========================================

With examples that do not count:

=============================================  =========================================
:func:`masked`                                 0 for them, and no trace
:func:`masked_mean`                            the mean over the others
=============================================  =========================================

The order of the arguments is that of Keras. Parameters are keyword only. Common to all:

- Losses of classes take **logits**, or the layer that makes them: there is no
  ``from_logits``, and nothing to forget.
- The result is not reduced, unless it is called a mean, and has the dtype of
  ``y_pred``. float16 and bfloat16 are computed in float32 and rounded once, at the end.
- ``y_true`` and ``y_pred`` never broadcast against each other. A parameter for each
  prediction or class may broadcast to the shape of ``y_pred``, and never enlarges it.
- A bad argument raises: ``ValueError`` or ``TypeError`` when it can be seen as the
  function is called or traced, ``tf.errors.InvalidArgumentError`` when only the running
  graph can see it. Under XLA, where no value can raise, the loss of the example that
  breaks the rule is NaN and its gradient is zero.
- NaN in an example gives NaN for that example alone.
- Derivatives of every order are those of the value, and 0 at a kink. Gradients flow
  into labels that are not class indices, and into parameters.
- A parameter may be a Python number, an array or a tensor.
"""

from lossfn.losses._binary import binary_crossentropy, binary_focal_crossentropy
from lossfn.losses._classes import (
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from lossfn.losses._focal import (
    categorical_focal_crossentropy,
    sparse_categorical_focal_crossentropy,
)
from lossfn.losses._linear import linear_softmax_cross_entropy
from lossfn.losses._masks import masked, masked_mean
from lossfn.losses._noise import generalized_crossentropy, symmetric_crossentropy
from lossfn.losses._regression import huber, newsvendor, pinball, squared_error

__all__ = [
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "generalized_crossentropy",
    "huber",
    "linear_softmax_cross_entropy",
    "masked",
    "masked_mean",
    "newsvendor",
    "pinball",
    "sparse_categorical_crossentropy",
    "sparse_categorical_focal_crossentropy",
    "squared_error",
    "symmetric_crossentropy",
]
