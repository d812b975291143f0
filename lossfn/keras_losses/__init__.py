r"""The losses as ``keras.losses.Loss`` classes, for ``compile`` and ``fit``.

A class holds the parameters of the function of :mod:`lossfn.losses` that it is named
after, and calls it. What holds for all of them:

**Parameters** are checked when the loss is made, and fixed from then on: a compiled
model would not notice a change, so that setting one is an ``AttributeError``. A vector
is read back as a tuple. They are saved with a model, and so are the reduction and the
dtype; to load the model, import this module first.

**Predictions** have an axis of examples in front. What ``call`` returns is one loss per
example, and for sequences one per step: a loss of numbers or of yes-or-no labels is
averaged over the last axis, that of the outputs, and a loss of classes has used the
last axis up. Only predictions of shape ``(N,)`` have an output per example without an
axis of its own.

**Labels** have the shape that the function asks for; nothing is broadcast. ``fit``
passes labels on as they are, so that two differences are allowed: targets may lack a
last axis of size 1, ``(N,)`` for predictions of shape ``(N, 1)``, and class indices may
have one, ``(N, 1)`` for logits of shape ``(N, K)``. Integers and booleans serve as
numbers. Class indices are integers, or whole numbers in ``float32`` or ``float64``, and
never rounded to the dtype of the loss, in which a large index may become another.

**The dtype** is that of the result, ``float32`` unless ``keras.config.floatx()`` says
otherwise, under mixed precision too. 16-bit losses are computed and reduced in
``float32``, and rounded once.

**Sample weights** are finite and not negative, one for each example, of shape ``(N,)``
or ``(N, 1)``, or one for each loss that ``call`` returns: ``(N, T)`` for sequences. One
for each output is refused.

**Masks**: losses do not count where the ``_keras_mask`` of the predictions is False,
nor where the label is ``ignore_index``. Predictions, targets and weights there may be
anything, NaN too, and class indices any integer.

**Reductions** are those of Keras, with its denominators. With losses
:math:`\ell_i`, weights :math:`w_i` that are 1 if not given, and sums over those of the
:math:`n` losses that count:

=============================================  =================================
``"sum_over_batch_size"``, ``"mean"``          :math:`\sum w_i \ell_i / n`
``"mean_with_sample_weight"``                  :math:`\sum w_i \ell_i / \sum w_i`
``"sum"``                                      :math:`\sum w_i \ell_i`
``"none"``, None                               each :math:`w_i \ell_i`
=============================================  =================================

A mean over nothing is 0, and so is its gradient.
"""

from lossfn.keras_losses._binary import BinaryCrossentropy, BinaryFocalCrossentropy
from lossfn.keras_losses._classes import (
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    SparseCategoricalCrossentropy,
    SparseCategoricalFocalCrossentropy,
)
from lossfn.keras_losses._noise import GeneralizedCrossentropy, SymmetricCrossentropy
from lossfn.keras_losses._regression import Huber, Newsvendor, Pinball, SquaredError

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "GeneralizedCrossentropy",
    "Huber",
    "Newsvendor",
    "Pinball",
    "SparseCategoricalCrossentropy",
    "SparseCategoricalFocalCrossentropy",
    "SquaredError",
    "SymmetricCrossentropy",
]
