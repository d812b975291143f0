"""Training for the demos: they return what was found, and nothing here plots.

:func:`fit_linear` finds the minimum of a convex loss by Newton's method, so that the
result depends on the problem alone: not on a seed, a learning rate or a number of
epochs.
"""

from lossfn.train._linear import LinearFit, fit_linear

__all__ = ["LinearFit", "fit_linear"]
