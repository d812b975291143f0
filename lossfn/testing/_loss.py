"""A loss in any of its forms, called in one way."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf


class NoGradientError(Exception):
    """The predictions have no gradient: the loss left TensorFlow on the way."""


class NoNumbersError(TypeError):
    """The loss gave no real numbers; the message says what, after "it"."""


class Loss:
    """What somebody wrote, as a function of ``(y_true, y_pred)``."""

    def __init__(self, loss: object, parameters: Mapping[str, object] | None = None):
        """Find out which form the loss has.

        Args:
            loss: A function, a Keras loss or its class, or the name of one.
            parameters: Keywords of the function, or of the class.
        """
        self.parameters = dict(parameters or {})
        self.keras, self.function = _found(loss, self.parameters)
        self.name = _name_of(loss)
        self._by_keyword = self.keras is None and _takes_labels_and_logits(
            self.function
        )
        self._of_dtype: dict[str, keras.Loss] = {}

    def __call__(self, y_true: object, y_pred: tf.Tensor) -> object:
        """Return what the loss returns, a Keras loss not reduced and in the dtype."""
        if self.keras is not None:
            return self.in_dtype(y_pred.dtype.name)(y_true, y_pred)
        return self.with_parameters(y_true, y_pred, **self.parameters)

    def with_parameters(
        self, y_true: object, y_pred: object, **parameters: object
    ) -> object:
        """Call the function with other parameters."""
        if self._by_keyword:
            return self.function(labels=y_true, logits=y_pred, **parameters)
        return self.function(y_true, y_pred, **parameters)

    def in_dtype(self, dtype: str) -> keras.Loss:
        """Return the Keras loss, computed in a dtype and not reduced."""
        if dtype not in self._of_dtype:
            self._of_dtype[dtype] = _remade(self.keras, dtype)
        return self._of_dtype[dtype]

    def for_keras(self) -> keras.Loss:
        """Return the loss as Keras uses it: reduced, and with sample weights."""
        if self.keras is not None:
            return self.keras
        return _FunctionLoss(self)


class _FunctionLoss(keras.Loss):
    """A function as ``compile`` wraps it."""

    def __init__(self, loss: Loss):
        super().__init__(name="function")
        self._loss = loss

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return self._loss(y_true, y_pred)

    def __call__(
        self, y_true: object, y_pred: object, sample_weight: object = None
    ) -> tf.Tensor:
        # Keras casts class indices to a float; functions are given what they asked for.
        values = self.call(y_true, y_pred)
        return _Reduction()(values, values, sample_weight)


class _Reduction(keras.Loss):
    """Keras' weights and mean, for losses that are there already."""

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return y_pred


def _found(
    loss: object, parameters: Mapping[str, object]
) -> tuple[keras.Loss | None, Callable | None]:
    if isinstance(loss, str):
        loss = _named(loss)
    if isinstance(loss, type) and issubclass(loss, keras.Loss):
        _check_names(loss, parameters, _needed(loss, parameters))
        return loss(**parameters), None
    if isinstance(loss, keras.Loss):
        if parameters:
            raise TypeError(
                "parameters must be given to the loss when it is made, "
                f"got {parameters} for an instance of {type(loss).__name__}"
            )
        return loss, None
    if not callable(loss):
        raise TypeError(
            "loss must be a function of labels and predictions, a keras.losses.Loss, "
            f"or the name of one, got {loss!r}"
        )
    _check_names(loss, parameters)
    return None, loss


def _named(name: str) -> object:
    """Return the function or the class of a name that Keras knows."""
    registered = keras.saving.get_registered_object(name)
    if registered is not None:
        return registered
    try:
        loss = keras.losses.get(name)
    except ValueError:
        raise ValueError(
            f"loss must be a name that Keras knows, got {name!r}"
        ) from None
    return type(loss) if isinstance(loss, keras.Loss) else loss


def _check_names(
    called: Callable, parameters: Mapping[str, object], missing: Sequence[str] = ()
) -> None:
    """Refuse keywords that a function or a class does not have, or needs."""
    if missing:
        raise TypeError(
            f"parameters must have {', '.join(missing)} for {_name_of(called)}, "
            f"got {parameters}"
        )
    known = signature_of(called)
    takes_all = any(each.kind is each.VAR_KEYWORD for each in known.values())
    for name in parameters:
        if known and not takes_all and name not in known:
            raise TypeError(
                f"parameters must be keywords of {_name_of(called)}, got {name!r}"
            )


def _needed(made: type, parameters: Mapping[str, object]) -> list[str]:
    """Return what the constructor cannot do without and is not given."""
    return [
        name
        for name, each in signature_of(made).items()
        if each.default is each.empty
        and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
        and name not in parameters
    ]


def _name_of(loss: object) -> str:
    if isinstance(loss, str):
        return loss
    inner = loss.func if isinstance(loss, functools.partial) else loss
    function = getattr(inner, "python_function", inner)
    name = getattr(function, "__name__", None)
    # An object may have any attribute.
    name = name if isinstance(name, str) else type(inner).__name__
    return name.removesuffix("_v2")


def signature_of(function: Callable) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a function, none if it does not tell."""
    try:
        function = getattr(function, "python_function", function)
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


def _takes_labels_and_logits(function: Callable) -> bool:
    return {"labels", "logits"} <= set(signature_of(function))


def _remade(loss: keras.Loss, dtype: str) -> keras.Loss:
    """Return a loss that is not reduced and has the dtype, else the same.

    A copy keeps parameters that ``get_config`` forgets. A class that fixes its
    attributes does not let a copy be changed: it has to know its parameters, or is
    changed behind its back.
    """
    # Not copy.copy, which goes through saving and loading.
    made = object.__new__(type(loss))
    vars(made).update(vars(loss))
    changed = {"reduction": None, "dtype": dtype}
    try:
        keras.Loss.__init__(made, name=loss.name, **changed)
        return made
    except Exception:
        vars(made).update(vars(loss))
    try:
        return type(loss).from_config({**loss.get_config(), **changed})
    except Exception:
        vars(made).update(vars(keras.Loss(name=loss.name, **changed)))
        return made


def tensors(
    y_true: np.ndarray, y_pred: np.ndarray, dtype: str
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return labels and predictions in a dtype; class indices stay integers."""
    y_true, y_pred = tf.constant(y_true), tf.constant(y_pred)
    if y_true.dtype.is_floating:
        y_true = tf.cast(y_true, dtype)
    return y_true, tf.cast(y_pred, dtype)


def as_losses(result: object) -> tf.Tensor:
    """Return what a loss returned as a tensor of real numbers, or NoNumbersError."""
    try:
        losses = tf.convert_to_tensor(result)
    except Exception:
        raise NoNumbersError(f"gave {_described(result)}, not a tensor") from None
    if not losses.dtype.is_floating:
        raise NoNumbersError(
            f"gave a tensor of {losses.dtype.name}, not of real numbers"
        )
    return losses


def _described(result: object) -> str:
    if result is None:
        return "None"
    name = type(result).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def gradient_of(
    loss: Callable[[tf.Tensor, tf.Tensor], object],
    y_true: tf.Tensor,
    y_pred: tf.Tensor,
    *,
    zero_if_none: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the losses and the gradient of their sum by the predictions."""
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        losses = as_losses(loss(y_true, y_pred))
    gradient = tape.gradient(losses, y_pred)
    if gradient is None and zero_if_none:
        gradient = tf.zeros_like(y_pred)
    if gradient is None:
        raise NoGradientError(
            "the gradient is None: the loss left TensorFlow on the way"
        )
    return losses, tf.convert_to_tensor(gradient)
