"""Training for the demos: they return what was found, and nothing here plots.

:func:`fit_linear` finds the minimum of a convex loss by Newton's method, so that the
result depends on the problem alone: not on a seed, a learning rate or a number of
epochs. :func:`fit_quantiles` does so for the pinball loss, which has kinks, and proves
that it is the minimum. :func:`fit_adam` trains any variables under any loss, in
minibatches. :func:`fit_quantile_network` trains a small network that predicts several
quantiles at once, and can keep them from crossing. The two ``fit_source_`` functions
are the source's programs in TensorFlow 2, which :mod:`lossfn.legacy` runs as they were.
"""

from lossfn.train._adam import AdamFit, fit_adam
from lossfn.train._linear import LinearFit, fit_linear
from lossfn.train._quantile import QuantileFit, fit_quantiles
from lossfn.train._quantile_network import QuantileNetwork, fit_quantile_network
from lossfn.train._repeated import NetworkFits, fit_networks
from lossfn.train._source import fit_source_classifier, fit_source_forecaster
from lossfn.train._source_losses import source_cross_entropy, source_sales_cost
from lossfn.train._source_network import SourceFit

__all__ = [
    "AdamFit",
    "LinearFit",
    "NetworkFits",
    "QuantileFit",
    "QuantileNetwork",
    "SourceFit",
    "fit_adam",
    "fit_linear",
    "fit_networks",
    "fit_quantile_network",
    "fit_quantiles",
    "fit_source_classifier",
    "fit_source_forecaster",
    "source_cross_entropy",
    "source_sales_cost",
]
