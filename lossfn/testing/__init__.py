"""What is wrong with a loss that somebody wrote.

A wrong loss is silent: the model trains, and is worse. :func:`check_loss` takes any
loss, a function of ``(y_true, y_pred)``, one with ``labels=`` and ``logits=``, a
``keras.losses.Loss`` or the name of a Keras loss, and says what is wrong with it, which
input shows it, and how to mend it:

>>> import tensorflow as tf
>>> from lossfn.testing import check_loss
>>> def my_loss(y_true, y_pred):
...     return tf.reduce_mean(tf.square(y_true - y_pred))
>>> report = check_loss(my_loss, task="regression")
>>> report["one_value_per_example"].status
'failed'
>>> print(report["one_value_per_example"].seen)
A batch of 4 examples gives one number, 2.037.

``print(report)`` shows all of it, a notebook shows a table. From a shell, for a module
or a file, and with exit status 1 if a check fails::

    python -m lossfn.testing my_losses.py:my_loss --task regression

In pytest, with a test for each check::

    @parametrize_checks(my_loss, task="regression")
    def test_my_loss(check):
        check()

The losses of tf.nn and Keras, each with options that are fair to it, are in
:func:`library_losses`.

The checks, and what they ask:

``runs``
    Does the loss give real numbers, and the same ones when called again?
``one_value_per_example``
    Does every example get a loss of its own?
``no_broadcast``
    Are labels and predictions whose shapes differ refused, or lined up?
``no_broadcast_unknown_shapes``
    Are shapes that differ refused where a graph learns them as it runs?
``finite``
    Are value and gradient finite for extreme predictions?
``finite_16_bits``
    Are value and gradient finite in float16 and bfloat16?
``gradient``
    Is the gradient that of the value?
``gradient_at_kinks``
    Is the gradient right at 0, at ties and at the edges of clips?
``gradient_does_not_vanish``
    Does a prediction that is very wrong still have a gradient?
``second_derivative``
    Does the second derivative exist, and is it that of the gradient?
``least_at_target``
    Is the expected loss smallest at the truth, or at the declared target?
``zero_at_perfect``
    Is the loss 0 for a perfect prediction, and never negative?
``dtype_kept``
    Has the loss the dtype of the predictions?
``float64_precision``
    Is a float64 loss computed in float64?
``modes_agree``
    Do eager execution, a graph and XLA give the same?
``no_retracing``
    Do new batches and new values of a parameter build no new graph?
``neighbours``
    Is an example's loss its own, whatever else is in the batch and in what order?
``large_labels``
    Do large class indices stay exact?
``labels_out_of_range``
    Are impossible labels refused, or NaN for their example alone?
``labels_not_summing_to_one``
    Do dense labels that do not sum to one have the right gradient, or none?
``nan_stays_alone``
    Is NaN refused, or does it stay with its example, as NaN?
``sample_weights``
    Does weight 0 remove an example, and weight 2 count it twice?
``save_and_load``
    Does the loss come back from a saved model with its parameters?
``replicas_add_up``
    Do two halves of a batch combine to the whole?

Importing the package imports TensorFlow only when one of its names is used, so that the
command line is quick to help.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lossfn.testing._library import LibraryLoss, library_losses
    from lossfn.testing._outcomes import Check
    from lossfn.testing._pytest import parametrize_checks
    from lossfn.testing._report import LossCheckError, Report, Result
    from lossfn.testing._run import CHECKS, check_loss
    from lossfn.testing._tasks import TASKS

__all__ = [
    "CHECKS",
    "TASKS",
    "Check",
    "LibraryLoss",
    "LossCheckError",
    "Report",
    "Result",
    "check_loss",
    "library_losses",
    "parametrize_checks",
]

_PART_OF = {
    "CHECKS": "_run",
    "TASKS": "_tasks",
    "Check": "_outcomes",
    "LibraryLoss": "_library",
    "LossCheckError": "_report",
    "Report": "_report",
    "Result": "_report",
    "check_loss": "_run",
    "library_losses": "_library",
    "parametrize_checks": "_pytest",
}


def __getattr__(name: str) -> object:
    if name not in _PART_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PART_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
