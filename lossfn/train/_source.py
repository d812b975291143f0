"""The two programs of the source, in TensorFlow 2."""

from __future__ import annotations

import functools

import tensorflow as tf

from lossfn import data
from lossfn.losses import newsvendor, squared_error
from lossfn.train import _adam, _problem
from lossfn.train._source_losses import source_cross_entropy, source_sales_cost
from lossfn.train._source_network import Activation, Network, SourceFit

_DATA_SEED = 1


def fit_source_classifier(
    *,
    loss: _problem.LossFunction = source_cross_entropy,
    hidden: Activation = tf.identity,
    output: Activation = tf.identity,
    bias: bool = False,
    steps: int = 5000,
    report_every: int = 1000,
    dtype: str = "float32",
    progress: bool = False,
) -> SourceFit:
    r"""Train the source's classifier: as it is, or mended part by part.

    The network has two inputs, three hidden units and one output,

    .. math:: a = \mathrm{output}\bigl(
            \mathrm{hidden}(x W_1 + b_1)\, W_2 + b_2 \bigr),

    and it is trained on the 128 points of :func:`lossfn.data.simulate_source_classes`
    with seed 1: 5000 steps of Adam with learning rate 0.001, on batches of 8, with the
    mean of the losses. The defaults are the source's: no activations, no biases, and
    its own loss. They give the numbers of :func:`lossfn.legacy.run_classifier`.

    The classes meet in the line :math:`x_1 + x_2 = 1`. With the identity, or a ReLU, on
    the hidden units and no bias, :math:`a(c\,x) = c\,a(x)` for every :math:`c > 0`
    before the last activation. Then all points on a ray from the origin get the same
    answer, and no training finds the line: it takes ``bias=True``.

    TensorFlow 1 drew the initial weights with an op seed of 1 and no graph seed. How
    TensorFlow 2 draws them again was found by trying:

    - ``tf.random.normal(shape, seed=1)`` draws other numbers in every process, and
      others again at every call. After ``tf.random.set_seed(s)`` it repeats itself,
      but as part of one sequence that every earlier call has moved on.
    - With ``s = 87654321``, which a TensorFlow 1 graph takes where no seed was set, the
      first call gives the old numbers, the second other ones.
    - ``tf.random.stateless_normal`` scrambles its seed and cannot give them.
    - The generator behind all of them is Philox. With the state ``[0, 1, 87654321]``
      (a counter of two words that starts at the op seed, and the graph seed as the
      key) ``tf.random.Generator`` gives the old numbers, whatever the global seed is
      and however often it is asked. That is what is done here.

    Args:
        loss: called as ``loss(y_true, y_pred)`` with labels and outputs of shape
            (B, 1). Returns one loss for each example, shape (B,) or (B, 1).
        hidden: applied to the hidden units, such as ``tf.nn.relu``.
        output: applied to the output, such as ``tf.sigmoid``. A loss that takes logits
            wants the identity.
        bias: whether the layers have biases, which start at 0.
        steps: the number of steps.
        report_every: the loss on all data is reported after the first step and then
            every so many steps.
        dtype: in which to compute, ``"float32"`` or ``"float64"``. The initial weights
            are the same numbers.
        progress: whether to show a bar, as in :func:`fit_adam`.

    Returns:
        The trained network and its reports.

    Raises:
        TypeError: if an argument has the wrong kind of value.
        ValueError: if a value is out of range, or the loss does not fit.

    Examples:
        >>> fit = fit_source_classifier(steps=1)
        >>> print(fit.initial_weights[1].ravel())
        [-0.8113182   1.4845988   0.06532937]
        >>> print(fit.steps, f"{fit.losses[0]:g}")
        [0] 0.0674925
    """
    network = Network(2, 3, 1, hidden=hidden, output=output, bias=bias, dtype=dtype)
    features, labels = data.simulate_source_classes(seed=_DATA_SEED)
    return network.fit(
        features,
        labels,
        loss=loss,
        reduction="mean",
        steps=steps,
        report_every=report_every,
        progress=progress,
    )


def fit_source_forecaster(
    *,
    underage_cost: float = 10.0,
    overage_cost: float = 1.0,
    loss: str = "source",
    steps: int = 5000,
    report_every: int = 1000,
    dtype: str = "float32",
    progress: bool = False,
) -> SourceFit:
    """Train the source's sales forecaster: a linear model with two weights.

    It is trained on the 128 examples of :func:`lossfn.data.simulate_source_sales` with
    seed 1: 5000 steps of Adam with learning rate 0.001, on batches of 8. The defaults
    are the source's and give the numbers of :func:`lossfn.legacy.run_forecaster`. The
    initial weights are drawn as for :func:`fit_source_classifier`.

    The loss has kinks, and steps of a constant length jump over them to and fro. So the
    weights do not settle: with the costs 1 and 10 the last rounding of a number changes
    their third digit.

    Args:
        underage_cost: the cost of a unit short, positive; the source's ``loss_less``.
        overage_cost: the cost of a unit left, positive; the source's ``loss_more``.
        loss: ``"source"``, :func:`source_sales_cost` summed over the batch;
            ``"newsvendor"``, :func:`lossfn.losses.newsvendor` summed over the batch,
            the same but where a forecast is exact; or ``"squared_error"``, the mean of
            :func:`lossfn.losses.squared_error`, which does not use the two costs.
        steps: the number of steps.
        report_every: the loss on all data is reported after the first step and then
            every so many steps. A sum over all data is 16 times one over a batch.
        dtype: in which to compute, ``"float32"`` or ``"float64"``.
        progress: whether to show a bar, as in :func:`fit_adam`.

    Returns:
        The trained model and its reports.

    Raises:
        TypeError: if an argument has the wrong kind of value.
        ValueError: if a value is out of range.

    Examples:
        Too few is the dear mistake here, so that the forecasts end above the mean of
        the sales, where both weights are 1:

        >>> fit = fit_source_forecaster(underage_cost=10.0, overage_cost=1.0)
        >>> print(fit.weights[0].ravel().round(2))
        [1.02 1.04]
    """
    function, reduction = _forecaster_loss(loss, underage_cost, overage_cost)
    network = Network(2, 1, dtype=dtype)
    features, sales = data.simulate_source_sales(seed=_DATA_SEED)
    return network.fit(
        features,
        sales,
        loss=function,
        reduction=reduction,
        steps=steps,
        report_every=report_every,
        progress=progress,
    )


def _forecaster_loss(
    name: str, underage_cost: float, overage_cost: float
) -> tuple[_problem.LossFunction, str]:
    """Return the loss and its reduction."""
    underage_cost = _adam.positive_number("underage_cost", underage_cost)
    overage_cost = _adam.positive_number("overage_cost", overage_cost)
    losses = {
        "source": functools.partial(
            source_sales_cost, loss_less=underage_cost, loss_more=overage_cost
        ),
        "newsvendor": functools.partial(
            newsvendor, underage_cost=underage_cost, overage_cost=overage_cost
        ),
        "squared_error": squared_error,
    }
    if name not in losses:
        raise ValueError(
            f"loss must be 'source', 'newsvendor' or 'squared_error', got {name!r}"
        )
    return losses[name], "mean" if name == "squared_error" else "sum"
