"""Data of the chapters: seed in, arrays out. Nothing is downloaded.

The real data sets ship inside scikit-learn and statsmodels, which are an extra of the
package: ``pip install lossfn[data]``. Those of scikit-learn are split the same way for
the same seed: each loader returns a :class:`Split`. The ``simulate_`` functions draw
from a rule that is known, so that a model can be held against the truth.
"""

from lossfn.data._real import (
    DIGIT_PROPERTIES,
    Engel,
    Split,
    load_breast_cancer,
    load_digit_detector,
    load_digit_properties,
    load_digits,
    load_engel,
)
from lossfn.data._simulated import (
    DailySales,
    simulate_daily_sales,
    simulate_source_classes,
    simulate_source_sales,
)

__all__ = [
    "DIGIT_PROPERTIES",
    "DailySales",
    "Engel",
    "Split",
    "load_breast_cancer",
    "load_digit_detector",
    "load_digit_properties",
    "load_digits",
    "load_engel",
    "simulate_daily_sales",
    "simulate_source_classes",
    "simulate_source_sales",
]
