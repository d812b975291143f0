"""What the loss classes share: parameters, shapes, masks, weights, saving."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import ClassVar

import keras
import tensorflow as tf

from lossfn import _check, _tensors, losses
from lossfn.keras_losses import _parameters, _shapes


class FunctionLoss(keras.Loss):
    """A function of :mod:`lossfn.losses` with its parameters, for Keras.

    A subclass names the function, says in ``_checks`` what each parameter may be, and
    has an ``__init__`` whose keywords are the parameters and then ``reduction``,
    ``name`` and ``dtype``. How labels and predictions are lined up is left to the
    classes below.
    """

    _function: ClassVar[Callable[..., tf.Tensor]]
    _checks: ClassVar[Mapping[str, _parameters.Check]] = {}

    def __init__(
        self, *, reduction: str | None, name: str, dtype: object, **parameters: object
    ):
        """Check the parameters and fix them."""
        dtype = keras.config.floatx() if dtype is None else dtype
        self._policy = keras.dtype_policies.get(dtype)
        super().__init__(name=name, reduction=reduction, dtype=self._policy)
        if not tf.as_dtype(self.dtype).is_floating:
            raise TypeError(f"dtype must be a floating dtype, got {self.dtype}")
        if not isinstance(self.name, str):
            raise TypeError(f"name must be a string, got {name!r}")
        # A 16-bit loss is rounded once, at the end.
        self._computing = _tensors.computing_dtype(tf.as_dtype(self.dtype))
        self._reduce = _Reduction(
            reduction=reduction, name="reduction", dtype=self._computing.name
        )
        for parameter, value in parameters.items():
            value = _parameters.fixed(parameter, value)
            self._checks[parameter](parameter, value, self._computing)
            setattr(self, parameter, value)
        self._names = tuple(parameters)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse a change that a compiled model would not notice."""
        made = "_names" in self.__dict__
        if made and name in ("reduction", *self._names):
            raise AttributeError(
                f"{name} is fixed when the loss is made: make a new "
                f"{type(self).__name__} and compile the model again"
            )
        super().__setattr__(name, value)

    @property
    def parameters(self) -> dict[str, object]:
        """What the function is called with, by name; vectors are tuples."""
        return {name: getattr(self, name) for name in self._names}

    def __call__(
        self, y_true: object, y_pred: object, sample_weight: object = None
    ) -> tf.Tensor:
        """Return the reduced loss.

        Args:
            y_true: Labels or targets, one for each prediction.
            y_pred: Predictions. Where their Keras mask is False, neither they nor
                their labels have a part in the loss.
            sample_weight: One number for each example, or for each loss that
                :meth:`call` returns; not negative. None stands for 1 everywhere.

        Returns:
            A scalar, or what :meth:`call` returns, weighted, if there is no reduction.
        """
        mask = getattr(y_pred, "_keras_mask", None)
        y_true, y_pred = self.aligned(y_true, y_pred)
        if mask is not None:
            mask = self._checked_mask(mask, y_pred)
        values = self.call(y_true, y_pred, mask)
        mask = self.counted(y_true, mask)
        if sample_weight is not None:
            sample_weight, valid = _shapes.weights_of(values, sample_weight, mask)
            values = _tensors.nan_unless(values, valid)
        return self._reduced(values, sample_weight, mask)

    def call(
        self, y_true: object, y_pred: object, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Return one loss per example, neither weighted nor reduced.

        Args:
            y_true: Labels or targets, one for each prediction.
            y_pred: Predictions.
            mask: Booleans, one for each loss. Where False the loss is 0, whatever the
                arguments are there.

        Returns:
            The losses, in the dtype of the loss, or in float32 if that has 16 bits.
        """
        y_true, y_pred = self.aligned(y_true, y_pred)
        if mask is None:
            return self._function(y_true, y_pred, **self.parameters)
        return losses.masked(
            self._function, y_true, y_pred, mask=mask, **self.parameters
        )

    def aligned(self, y_true: object, y_pred: object) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the arguments as the function takes them."""
        raise NotImplementedError

    def shape_of_losses(self, y_pred: tf.Tensor) -> tf.TensorShape:
        """Return the shape of what :meth:`call` makes of predictions."""
        return y_pred.shape[:-1]

    def counted(self, y_true: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor | None:
        """Return which losses count, None for all of them."""
        return mask

    def get_config(self) -> dict[str, object]:
        """Return the keywords that make an equal loss."""
        config = {
            name: _parameters.as_lists(value) for name, value in self.parameters.items()
        }
        return {**config, **super().get_config(), "dtype": self._dtype_config()}

    def _dtype_config(self) -> object:
        if type(self._policy) is keras.DTypePolicy:
            return self._policy.name
        return keras.dtype_policies.serialize(self._policy)

    def __repr__(self) -> str:
        """Write the call that makes an equal loss."""
        usual = {
            "reduction": "sum_over_batch_size",
            "name": inspect.signature(type(self)).parameters["name"].default,
            "dtype": keras.config.floatx(),
        }
        shown = [
            f"{keyword}={value!r}"
            for keyword, value in self.get_config().items()
            if keyword in self.parameters or value != usual.get(keyword)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def _predictions(self, y_pred: object, *, axes: str, least: int) -> tf.Tensor:
        """Return predictions that have examples, and deeper than any parameter."""
        y_pred = _shapes.as_numbers("y_pred", y_pred, self._computing)
        shape = _check.shape_text(y_pred.shape)
        if y_pred.shape.rank < least:
            raise ValueError(f"y_pred must have {axes}, got shape {shape}")
        for name, value in self.parameters.items():
            received = _parameters.shape(value)
            if len(received) >= y_pred.shape.rank:
                raise ValueError(
                    f"{name} must have fewer axes than y_pred, "
                    f"got shape {_check.shape_text(received)} "
                    f"for y_pred of shape {shape}"
                )
        return y_pred

    def _checked_mask(self, mask: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        name = "the mask of y_pred"
        mask = _shapes.known_rank(name, tf.cast(mask, tf.bool))
        _check.same_shape(name, mask.shape, "the losses", self.shape_of_losses(y_pred))
        return mask

    def _reduced(
        self, values: tf.Tensor, weights: tf.Tensor | None, mask: tf.Tensor | None
    ) -> tf.Tensor:
        # This is how Keras passes a mask on.
        values._keras_mask = mask
        reduced = self._reduce(values, values, weights)
        if self.reduction not in (None, "none"):
            # Of no examples at all Keras returns an empty vector.
            reduced = tf.reduce_sum(reduced)
        return tf.cast(reduced, self.dtype)


def registered(cls: type[FunctionLoss]) -> type[FunctionLoss]:
    """Let Keras find the class when it loads a model."""
    keras.saving.register_keras_serializable("lossfn")(cls)
    return cls


class _Reduction(keras.Loss):
    """The reductions of Keras, for losses that are there already.

    So the denominators, and what they are in a distributed step, stay those of Keras.
    Labels do not pass through Keras, which casts them to the dtype of the loss.
    """

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Return the losses, which came as predictions."""
        return y_pred


class LossPerOutput(FunctionLoss):
    """A loss of every output, averaged over the last axis, that of the outputs."""

    def aligned(self, y_true: object, y_pred: object) -> tuple[tf.Tensor, tf.Tensor]:
        """Return both as floats, of one shape."""
        y_pred = self._predictions(y_pred, axes="an axis of examples", least=1)
        if y_pred.shape.rank > 1 and y_pred.shape[-1] == 0:
            shape = _check.shape_text(y_pred.shape)
            raise ValueError(f"y_pred must have at least one output, got shape {shape}")
        y_true = _shapes.as_numbers("y_true", y_true, self._computing)
        return _shapes.with_last_axis(y_true, y_pred), y_pred

    def shape_of_losses(self, y_pred: tf.Tensor) -> tf.TensorShape:
        """Return the shape of what :meth:`call` makes of predictions."""
        return y_pred.shape if y_pred.shape.rank == 1 else y_pred.shape[:-1]

    def call(
        self, y_true: object, y_pred: object, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Return the mean over the outputs of each example."""
        y_true, y_pred = self.aligned(y_true, y_pred)
        if y_pred.shape.rank == 1:
            return super().call(y_true, y_pred, mask)
        if mask is not None:
            mask = _tensors.of_first_axes("mask", mask, "y_pred", y_pred)
            mask = tf.broadcast_to(mask, tf.shape(y_pred))
        return tf.reduce_mean(super().call(y_true, y_pred, mask), -1)


class LossPerClass(FunctionLoss):
    """A loss of a row of logits, given a weight for each class."""

    def aligned(self, y_true: object, y_pred: object) -> tuple[tf.Tensor, tf.Tensor]:
        """Return both as floats."""
        y_pred = self._logits(y_pred)
        return _shapes.as_numbers("y_true", y_true, self._computing), y_pred

    def _logits(self, y_pred: object) -> tf.Tensor:
        axes = "an axis of examples and one of classes"
        return self._predictions(y_pred, axes=axes, least=2)


class LossOfIndex(LossPerClass):
    """A loss of a row of logits, given the index of the class."""

    def aligned(self, y_true: object, y_pred: object) -> tuple[tf.Tensor, tf.Tensor]:
        """Return class indices, which never become floats, and logits."""
        y_pred = self._logits(y_pred)
        labels = _shapes.as_indices("y_true", y_true)
        return _shapes.without_last_axis(labels, y_pred), y_pred

    def counted(self, y_true: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor | None:
        """Return which losses count: those whose label is not the index to ignore."""
        if self.ignore_index is None:
            return mask
        of_label = tf.cast(y_true, tf.int64) != self.ignore_index
        return of_label if mask is None else mask & of_label
