"""Data of the chapters: seed in, arrays out. Nothing is downloaded.

The real data sets ship inside scikit-learn, and are split the same way for the same
seed: each loader returns a :class:`Split`. They are an extra of the package:
``pip install lossfn[data]``.
"""

from lossfn.data._real import (
    DIGIT_PROPERTIES,
    Split,
    load_breast_cancer,
    load_digit_detector,
    load_digit_properties,
    load_digits,
)

__all__ = [
    "DIGIT_PROPERTIES",
    "Split",
    "load_breast_cancer",
    "load_digit_detector",
    "load_digit_properties",
    "load_digits",
]
