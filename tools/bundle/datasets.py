"""The real data of the chapters as CSV, where they come from, and their licences."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from io import StringIO

import numpy as np
from sklearn import datasets
from statsmodels.datasets import engel

README = """\
The data of the chapters
========================

Three data sets are real. `lossfn.data` takes them from installed packages; these are
the same numbers, not scaled and not split. Every other data set is simulated by
`lossfn.data` from a seed and is in no file.

digits.csv         1797 images of handwritten digits, 8 by 8 pixels. Columns: pixel_R_C
                   for row R and column C, the ink from 0 to 16; digit, from 0 to 9.
                   E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits,
                   UCI Machine Learning Repository, 1998, licence CC BY 4.0. From
                   scikit-learn {sklearn} (licence BSD 3-Clause).
                   lossfn.data.load_digits divides the ink by 16 and splits;
                   load_digit_properties and load_digit_detector relabel.

breast_cancer.csv  569 breast masses, 30 measurements of each. Columns: the
                   measurements' names; malignant, 1 or 0 (scikit-learn codes malignant
                   as 0; here it is 1).
                   W. Wolberg, O. Mangasarian, N. Street and W. Street, Breast Cancer
                   Wisconsin (Diagnostic), UCI Machine Learning Repository, 1995,
                   licence CC BY 4.0. From scikit-learn {sklearn} (licence BSD
                   3-Clause). lossfn.data.load_breast_cancer standardises and splits.

engel.csv          What 235 households in Belgium earned and spent on food. Columns:
                   income and food, in Belgian francs a year.
                   From R. Koenker and G. Bassett, Econometrica 50(1), 1982, after
                   E. Engel, 1857. Public domain, says statsmodels {statsmodels}
                   (licence BSD 3-Clause), which it is taken from.
                   lossfn.data.load_engel returns it as it is.
"""


def files() -> dict[str, bytes]:
    """Make the files: for each name its content."""
    readme = README.format(
        sklearn=version("scikit-learn"), statsmodels=version("statsmodels")
    )
    return {
        "README.txt": readme.encode(),
        "digits.csv": _digits(),
        "breast_cancer.csv": _breast_cancer(),
        "engel.csv": _engel(),
    }


def _digits() -> bytes:
    found = datasets.load_digits()
    names = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]
    rows = np.column_stack([found.data, found.target]).astype(int)
    return _csv([*names, "digit"], rows.tolist())


def _breast_cancer() -> bytes:
    found = datasets.load_breast_cancer()
    names = [name.replace(" ", "_") for name in found.feature_names]
    rows = [
        [*row, 1 - int(benign)]
        for row, benign in zip(found.data.tolist(), found.target, strict=True)
    ]
    return _csv([*names, "malignant"], rows)


def _engel() -> bytes:
    found = engel.load_pandas().data
    rows = found[["income", "foodexp"]].to_numpy(float).tolist()
    return _csv(["income", "food"], rows)


def _csv(header: Sequence[str], rows: Iterable[Sequence[float]]) -> bytes:
    """Write every number so that it is read back as the same number."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
