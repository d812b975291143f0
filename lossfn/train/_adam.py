"""Minibatch training with Adam, with every step inside TensorFlow's graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from lossfn import _check
from lossfn.train import _problem

_BETA_1 = 0.9
_BETA_2 = 0.999
# A progress bar moves this many times, whatever the reports.
_TICKS = 100


@dataclass(frozen=True)
class AdamFit:
    """What :func:`fit_adam` reports; what was learnt stays in the variables.

    Attributes:
        steps: how many steps had been made at each of R reports, shape (R,), int64.
            The first is 0, and the last is the number of all steps.
        losses: the loss on all data at each report, reduced as in training, shape
            (R,), float64. A loss that stops being finite shows here as it is.

    Examples:
        >>> fit = AdamFit(steps=np.array([0, 500]), losses=np.array([4.0, 1.0]))
        >>> print(f"The loss fell by {fit.losses[0] - fit.losses[-1]}")
        The loss fell by 3.0
    """

    steps: np.ndarray
    losses: np.ndarray


def fit_adam(
    predict: _problem.Predict,
    variables: Sequence[tf.Variable],
    features: np.ndarray,
    labels: np.ndarray,
    *,
    loss: _problem.LossFunction,
    steps: int,
    batch_size: int,
    learning_rate: float = 0.001,
    epsilon: float = 1e-7,
    reduction: str = "mean",
    report_every: int | None = None,
    progress: bool = False,
) -> AdamFit:
    r"""Train variables with Adam, on minibatches in the order of the data.

    Step :math:`t = 1, 2, \dots` takes the next :math:`B` of the :math:`N` examples, and
    the first ones again after the last. Nothing is shuffled: a step starts at example
    :math:`s = (t - 1) B \bmod N`, and takes those before :math:`\min(s + B, N)`. With
    the gradient :math:`g_t` of the reduced loss, and :math:`m_0 = v_0 = 0`, every
    weight :math:`w` follows

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1)\, g_t, \qquad
        v_t = \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2, \\
        w_t &= w_{t-1} - \eta\, \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}\,
            \frac{m_t}{\sqrt{v_t} + \varepsilon},

    with :math:`\beta_1 = 0.9` and :math:`\beta_2 = 0.999`. A step moves a weight by
    about :math:`\eta` at most, however large the gradient is, so that with a constant
    :math:`\eta` the weights do not settle on a minimum but jitter around it.

    All steps between two reports run in one call of a ``tf.function``, which is traced
    once. ``predict`` and ``loss`` are traced as they are, without AutoGraph: a branch
    on the value of a tensor is ``tf.where`` or ``tf.cond``, not ``if``.

    Args:
        predict: takes features, shape (B, ...), and returns predictions, shape (B,) or
            (B, ...), made with the variables.
        variables: what is trained, in place; ``model.trainable_variables`` too.
        features: shape (N, ...), float32 or float64, finite. The variables, the
            predictions and the losses have the same dtype.
        labels: what ``loss`` takes, their first axis N. Floating labels are converted
            to the dtype of the features; others are passed on as they are.
        loss: called as ``loss(y_true, y_pred)``. Returns one loss for each example,
            shape (B,), or one for each prediction, of the shape of ``y_pred``.
        steps: the number of steps.
        batch_size: :math:`B`, at most N.
        learning_rate: :math:`\eta`, positive.
        epsilon: :math:`\varepsilon`, positive. The default is that of Keras; that of
            ``tf.compat.v1.train.AdamOptimizer`` is 1e-8.
        reduction: ``"mean"`` or ``"sum"``: what becomes of the losses of a batch, and
            in a report of those of all data.
        report_every: the loss on all data is reported before the first step and every
            so many steps; None for the first and the last report only.
        progress: whether to show a bar on stderr. The environment variable
            ``TQDM_DISABLE=1``, set before the import, turns it off too.

    Returns:
        The reports.

    Raises:
        TypeError: if an argument has the wrong kind of value, or dtypes differ.
        ValueError: if a value is out of range, a shape does not fit, the loss is not
            finite before the first step, or a variable has no gradient.

    Examples:
        A line through two points, by squared error:

        >>> slope = tf.Variable(0.0)
        >>> fit = fit_adam(
        ...     lambda x: slope * x,
        ...     [slope],
        ...     features=np.float32([1.0, 2.0]),
        ...     labels=np.float32([3.0, 6.0]),
        ...     loss=lambda y_true, y_pred: tf.square(y_pred - y_true),
        ...     steps=500,
        ...     batch_size=2,
        ...     learning_rate=0.1,
        ... )
        >>> print(fit.steps, f"{slope.numpy():.3f}")
        [  0 500] 3.000

    References:
        D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", 3rd
        International Conference on Learning Representations, 2015; the form above is
        the one at the end of its section 2.
    """
    steps = _check.whole_number("steps", steps, 1)
    every = steps if report_every is None else report_every
    every = _check.whole_number("report_every", every, 1)
    problem = _problem.checked(
        predict, variables, features, labels, loss=loss, reduction=reduction
    )
    return minimise(
        problem,
        report_at=[*range(0, steps, every), steps],
        batch_size=batch_size,
        learning_rate=learning_rate,
        epsilon=epsilon,
        progress=progress,
    )


def minimise(
    problem: _problem.Problem,
    *,
    report_at: Sequence[int],
    batch_size: int,
    learning_rate: float,
    epsilon: float,
    progress: bool,
) -> AdamFit:
    """Make as many steps as the last report asks for."""
    adam = Adam(problem.variables, learning_rate=learning_rate, epsilon=epsilon)
    size = _check.whole_number("batch_size", batch_size, 1, len(problem.features))

    def one_step(step: tf.Tensor) -> tuple[tf.Tensor]:
        features, labels = problem.batch(step, size)
        with tf.GradientTape() as tape:
            value = problem.value(features, labels)
        adam.step(tape.gradient(value, problem.variables))
        return (step + 1,)

    def steps_between(first: tf.Tensor, last: tf.Tensor) -> None:
        tf.while_loop(lambda step: step < last, one_step, (first,))

    def value() -> tf.Tensor:
        return problem.value(problem.features, problem.labels)

    # Traced here and not at the first call: TensorFlow would take a fit in a loop for
    # one function that is traced again and again, and warn.
    count = tf.TensorSpec((), tf.int64)
    make_steps = _graph(steps_between, count, count)
    value_on_all = _graph(value)

    losses, done = [], 0
    with _bar(report_at[-1], progress) as bar:
        piece = report_at[-1] if bar.disable else -(-report_at[-1] // _TICKS)
        for report in report_at:
            for last in [*range(done + piece, report, piece), report]:
                make_steps(tf.constant(done, tf.int64), tf.constant(last, tf.int64))
                bar.update(last - done)
                done = last
            losses.append(float(value_on_all()))
    return AdamFit(np.array(report_at, np.int64), np.array(losses, np.float64))


def _graph(function: Callable, *signature: tf.TensorSpec) -> Callable:
    graph = tf.function(function, autograph=False)
    return graph.get_concrete_function(*signature)


def _bar(steps: int, progress: bool) -> tqdm:
    # Told nothing about disable, tqdm looks for TQDM_DISABLE in the environment.
    return tqdm(total=steps, **({} if progress else {"disable": True}))


class Adam:
    """The state of Adam, and its step.

    The step is TensorFlow's own kernel, the one that ``tf.compat.v1`` calls too, so
    that both give the same bits. ``keras.optimizers.Adam`` computes the same formula
    from other operations, and rounds 0.999 to float32 in one of its two places only,
    which changes the length of the first steps by 7e-6 of it.
    """

    def __init__(
        self, variables: list[tf.Variable], *, learning_rate: float, epsilon: float
    ) -> None:
        dtype = variables[0].dtype
        self.variables = variables
        self.means = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
        self.squares = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
        self.settings = {
            "lr": tf.constant(positive_number("learning_rate", learning_rate), dtype),
            "beta1": tf.constant(_BETA_1, dtype),
            "beta2": tf.constant(_BETA_2, dtype),
            "epsilon": tf.constant(positive_number("epsilon", epsilon), dtype),
        }
        self.beta_1_power = tf.Variable(self.settings["beta1"])
        self.beta_2_power = tf.Variable(self.settings["beta2"])

    def step(self, gradients: Sequence[tf.Tensor]) -> None:
        for variable, mean, square, gradient in zip(
            self.variables, self.means, self.squares, gradients, strict=True
        ):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=mean.handle,
                v=square.handle,
                beta1_power=self.beta_1_power,
                beta2_power=self.beta_2_power,
                grad=tf.convert_to_tensor(gradient),
                **self.settings,
            )
        self.beta_1_power.assign(self.beta_1_power * self.settings["beta1"])
        self.beta_2_power.assign(self.beta_2_power * self.settings["beta2"])


def positive_number(name: str, value: object) -> float:
    number = _check.positive(name, value)
    if number.ndim:
        shape = _check.shape_text(number.shape)
        raise ValueError(f"{name} must be a scalar, got shape {shape}")
    return float(number)
