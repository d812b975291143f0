"""What labels and predictions a loss takes, and the examples to try it on.

Every method returns NumPy arrays in float64, labels that are class indices in int64.
An example is a row: a list of examples is a list of batches of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lossfn import _check

# The label and what is predicted of it, for each task, and its usual number of outputs.
_TASKS = {
    "binary_logits": ("binary", "logits", 1),
    "binary_probabilities": ("binary", "probabilities", 1),
    "multilabel_logits": ("binary", "logits", 3),
    "multilabel_probabilities": ("binary", "probabilities", 3),
    "onehot_logits": ("onehot", "logits", 3),
    "onehot_probabilities": ("onehot", "probabilities", 3),
    "sparse_logits": ("sparse", "logits", 3),
    "sparse_probabilities": ("sparse", "probabilities", 3),
    "regression": ("number", "numbers", 1),
    "positive_regression": ("number", "positive numbers", 1),
    "quantile": ("number", "numbers", 1),
}
TASKS = tuple(_TASKS)

# What holds for a thousand outputs holds for more, and a batch of each class fits.
MOST_OUTPUTS = 1000
# Of many outputs so many are looked at: the first, where labels are, and the last.
FIRST, LAST = 6, 2
# Where clips are usually put, as probabilities.
CLIPS = (1e-7, 1e-10)
# The largest float32 below 1, as far from 1 as a float32 probability can be told.
ALMOST_ONE = 1 - 2.0**-24


class Example(NamedTuple):
    """A batch of labels and predictions."""

    y_true: np.ndarray
    y_pred: np.ndarray


class Task(NamedTuple):
    """A task with a number of outputs: the size of the predictions' last axis."""

    name: str
    label: str
    prediction: str
    outputs: int

    @property
    def of_classes(self) -> bool:
        """Whether the last axis holds the classes of one example."""
        return self.label in ("onehot", "sparse")

    @property
    def elementwise(self) -> bool:
        """Whether each output may have a loss of its own."""
        return not self.of_classes

    def as_predictions(self, logits: np.ndarray) -> np.ndarray:
        """Turn logits into what this task predicts."""
        if self.prediction != "probabilities":
            return logits
        if self.of_classes:
            exponentials = np.exp(logits - logits.max(-1, keepdims=True))
            return exponentials / exponentials.sum(-1, keepdims=True)
        return 1 / (1 + np.exp(-logits))

    def class_label(self, classes: np.ndarray) -> np.ndarray:
        """Turn class indices into labels."""
        classes = np.asarray(classes, np.int64)
        return np.eye(self.outputs)[classes] if self.label == "onehot" else classes

    def batch(self, count: int, seed: int = 0) -> Example:
        """Return examples on smooth ground: nothing is extreme, tied, or whole."""
        generator = np.random.default_rng(seed)
        drawn = generator.standard_normal((count, self.outputs))
        predictions = self._short_predictions(1.5 * drawn)
        if self.of_classes:
            return Example(
                self.class_label(np.arange(count) % self.outputs), predictions
            )
        if self.label == "binary":
            return Example(np.indices(drawn.shape).sum(0) % 2.0, predictions)
        targets = 2 * generator.standard_normal(drawn.shape)
        if self.prediction == "positive numbers":
            targets, predictions = np.exp(targets / 4), _short(np.exp(drawn / 2))
        return Example(_beside(_short(targets), predictions), predictions)

    def extremes(self) -> Iterator[Example]:
        """Yield predictions as extreme as they get, simple ones first."""
        if self.of_classes:
            yield from self._extreme_classes()
        elif self.label == "binary":
            logits = (0.0, 100.0, -100.0, 1e4, -1e4)
            for prediction in logits if self.prediction == "logits" else (0.0, 1.0):
                yield self._filled(0.0, prediction)
                yield self._filled(1.0, prediction)
        else:
            small = 1e-4 if self.prediction == "positive numbers" else -1e4
            for prediction in (2.0, 2.0078125, 1e4, small):
                yield self._filled(2.0, prediction)

    def _extreme_classes(self) -> Iterator[Example]:
        rest = [0.0] * (self.outputs - 2)
        if self.prediction == "probabilities":
            yield self._row(0, np.full(self.outputs, 1 / self.outputs))
            yield self._row(0, [1.0, 0.0, *rest])
            yield self._row(0, [0.0, 1.0, *rest])
            return
        yield self._row(0, [0.0, 0.0, *rest])
        for first, second in ((100, 0), (0, 100), (1e4, 0), (-1e4, 0), (1e4, 1e4)):
            yield self._row(0, [first, second, *rest])
        yield self._row(0, [1e4, -1e4, *rest])
        yield self._row(0, [-1e4, 1e4, *rest])

    def kinks(self) -> Iterator[Example]:
        """Yield points where losses have kinks and libraries have errors."""
        rest = [0.0] * (self.outputs - 2)
        if self.of_classes and self.prediction == "logits":
            for row in ([0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [2.0, 0.0], [0.0, 1.0]):
                yield self._row(0, [*row, *rest])
                yield self._row(1, [*row, *rest])
        elif self.of_classes:
            yield self._row(0, np.full(self.outputs, 1 / self.outputs))
            for clip in CLIPS:
                others = (1 - clip) / (self.outputs - 1)
                yield self._row(0, [clip, *[others] * (self.outputs - 1)])
        elif self.label == "binary":
            logits = (0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0)
            edges = (0.5, *CLIPS, 1 - CLIPS[0])
            for prediction in logits if self.prediction == "logits" else edges:
                yield self._filled(0.0, prediction)
                yield self._filled(1.0, prediction)
        else:
            for error in (0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0):
                yield self._filled(3.0, 3.0 + error)

    def wrong(self) -> Iterator[tuple[Example, Example]]:
        """Yield a wrong prediction, and one that is wrong by much more."""
        rest = [0.0] * (self.outputs - 2)
        if self.of_classes and self.prediction == "logits":
            for far in (30.0, 100.0):
                yield self._row(0, [0.0, 3.0, *rest]), self._row(0, [0.0, far, *rest])
        elif self.of_classes:
            others = [1 / (self.outputs - 1)] * (self.outputs - 1)
            yield (
                self._row(0, [0.1, *(0.9 * np.array(others))]),
                self._row(0, [1e-8, *others]),
            )
        elif self.label == "binary" and self.prediction == "logits":
            for far in (30.0, 100.0):
                yield self._filled(1.0, -3.0), self._filled(1.0, -far)
                yield self._filled(0.0, 3.0), self._filled(0.0, far)
        elif self.label == "binary":
            yield self._filled(1.0, 0.1), self._filled(1.0, 1e-8)
            yield self._filled(0.0, 0.9), self._filled(0.0, ALMOST_ONE)
        else:
            yield self._filled(3.0, 6.0), self._filled(3.0, 103.0)
            if self.prediction == "numbers":
                yield self._filled(3.0, 6.0), self._filled(3.0, 10003.0)
                yield self._filled(3.0, 0.0), self._filled(3.0, -9997.0)

    def perfect(self) -> Iterator[Example]:
        """Yield predictions that leave nothing to improve."""
        sure = 100.0 if self.prediction == "logits" else 1.0
        if self.of_classes:
            for index in looked_at(self.outputs):
                yield self._row(index, sure * np.eye(self.outputs)[index])
        elif self.label == "binary":
            yield self._filled(1.0, sure)
            yield self._filled(0.0, -sure if self.prediction == "logits" else 0.0)
        else:
            for number in (3.0, 0.25, 100.0):
                yield self._filled(number, number)

    def out_of_range(self) -> Iterator[Example]:
        """Yield labels that no example can have, beside ordinary predictions."""
        prediction = self.batch(1).y_pred
        if self.label == "sparse":
            for index in (self.outputs, -7):
                yield Example(np.array([index]), prediction)
        elif self.label == "onehot":
            row = [-1.0, 2.0, *[0.0] * (self.outputs - 2)]
            yield Example(np.array([row]), prediction)
        elif self.label == "binary":
            for label in (2.0, -1.0, 255.0):
                yield Example(np.full((1, self.outputs), label), prediction)

    def _short_predictions(self, logits: np.ndarray) -> np.ndarray:
        predictions = self.as_predictions(logits)
        if self.prediction != "probabilities":
            return _short(predictions)
        if not self.of_classes:
            return np.clip(_short(predictions), 0.01, 0.99)
        short = _short(predictions)
        short[:, -1] = 1 - short[:, :-1].sum(1)
        # Many small ones, rounded, leave nothing for the last.
        return short if (short > 0.005).all() else predictions

    def _filled(self, label: float, prediction: float) -> Example:
        shape = (1, self.outputs)
        return Example(np.full(shape, label), np.full(shape, prediction))

    def _row(self, index: int, prediction: object) -> Example:
        return Example(
            self.class_label([index]), np.asarray([prediction], dtype=np.float64)
        )


def looked_at(outputs: int) -> list[int]:
    """Return the outputs whose derivatives are compared: all, unless they are many."""
    return [i for i in range(outputs) if i < FIRST or i >= outputs - LAST]


def _short(values: np.ndarray) -> np.ndarray:
    """Round to what a reader can type, and not to where a loss may have a kink."""
    rounded = np.round(values, 2)
    return np.where(rounded % 0.25 == 0, rounded + 0.03, rounded)


def _beside(targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Move targets to where no error is one at which a loss may have a kink."""
    hundredths = np.round(100 * (targets - predictions))
    return _short(np.where(hundredths % 25 == 0, targets + 0.11, targets))


def task_named(name: str, outputs: int | None) -> Task:
    """Return a task, with its usual number of outputs if none is given."""
    if not isinstance(name, str):
        raise TypeError(f"task must be the name of a task, got {name!r}")
    if name not in _TASKS:
        raise ValueError(f"task must be one of {', '.join(TASKS)}, got {name!r}")
    label, prediction, usual = _TASKS[name]
    least = 2 if label in ("onehot", "sparse") else 1
    outputs = _check.whole_number(
        "outputs", usual if outputs is None else outputs, least, MOST_OUTPUTS
    )
    return Task(name, label, prediction, outputs)
