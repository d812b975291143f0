"""The gallery of broken losses: mistakes that people make, one in each loss.

Where they come from: formulas of textbooks and manuals, TensorFlow 1 and PyTorch code
moved over, tutorials of Keras, and questions in its forums.
"""

from __future__ import annotations

from tests import (
    broken_derivatives,
    broken_keras,
    broken_meaning,
    broken_modes,
    broken_numbers,
    broken_results,
)
from tests.broken import Broken, ids

BROKEN: list[Broken] = [
    *broken_results.ROWS,
    *broken_numbers.ROWS,
    *broken_derivatives.ROWS,
    *broken_meaning.ROWS,
    *broken_modes.ROWS,
    *broken_keras.ROWS,
]
BY_NAME = {row.name: row for row in BROKEN}

__all__ = ["BROKEN", "BY_NAME", "Broken", "ids"]
