"""The real data sets, which ship inside scikit-learn and statsmodels."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple

import numpy as np

from lossfn import _check
from lossfn.data._seed import as_seed

# What three overlapping questions about a digit answer "yes" to. They are questions
# about the digit that was meant, not about the ink: a 4 that its writer left open at
# the top has a loop here all the same.
DIGIT_PROPERTIES: dict[str, tuple[int, ...]] = {
    "even": (0, 2, 4, 6, 8),
    "prime": (2, 3, 5, 7),
    "has a loop": (0, 4, 6, 8, 9),
}

_TEST_SHARE = 0.25
_DARKEST_PIXEL = 16.0
# In scikit-learn's coding of the breast cancer data 0 is malignant and 1 is benign.
_SKLEARN_MALIGNANT = 0


class Split(NamedTuple):
    """Features and labels, to train on and to test on.

    Attributes:
        x_train: features to train on, shape (N_train, D), float64.
        x_test: features to test on, shape (N_test, D), float64.
        y_train: labels to train on, their first axis N_train.
        y_test: labels to test on, their first axis N_test.

    Examples:
        >>> split = load_digits(seed=0)
        >>> split.x_train.shape, split.y_train.shape
        ((1347, 64), (1347,))
        >>> split.x_test.shape, split.y_test.shape
        ((450, 64), (450,))
    """

    x_train: np.ndarray
    x_test: np.ndarray
    y_train: np.ndarray
    y_test: np.ndarray


def load_digits(*, seed: int) -> Split:
    """Load scikit-learn's 1797 handwritten digits, to be told apart.

    An image of 8 by 8 pixels is a row of 64 features. A quarter of the images, drawn
    so that every digit keeps its share, is the test set.

    Args:
        seed: decides the split; an integer from 0 to 2**32 - 1.

    Returns:
        A split with ``x`` of shape (1347, 64) and (450, 64), float64, in [0, 1], the
        share of ink in the pixel (scikit-learn's values, from 0 to 16, divided by 16);
        and ``y`` of shape (1347,) and (450,), int64: the digit, from 0 to 9.

    Raises:
        TypeError: if ``seed`` is not an integer.
        ValueError: if ``seed`` is out of range.
        ImportError: if scikit-learn is not installed.

    Examples:
        >>> digits = load_digits(seed=0)
        >>> digits.x_train.shape, digits.y_test.shape
        ((1347, 64), (450,))

    References:
        E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI
        Machine Learning Repository, 1998. The copy in scikit-learn is its test set.
    """
    sklearn_digits = _sklearn_datasets().load_digits()
    ink = sklearn_digits.data.astype(np.float64) / _DARKEST_PIXEL
    return _stratified_split(ink, sklearn_digits.target.astype(np.int64), seed)


def load_digit_properties(*, seed: int) -> Split:
    """Load the digits with three labels that overlap: even, prime, has a loop.

    The labels are independent questions, not classes: 2 is even and prime, 8 is even
    and has a loop, 1 is none of the three. :data:`DIGIT_PROPERTIES` defines them.

    Args:
        seed: decides the split, which is that of :func:`load_digits`.

    Returns:
        A split with the features of :func:`load_digits` and ``y`` of shape (1347, 3)
        and (450, 3), float64, 0 or 1: one column for each of ``DIGIT_PROPERTIES``, in
        its order.

    Raises:
        TypeError: if ``seed`` is not an integer.
        ValueError: if ``seed`` is out of range.
        ImportError: if scikit-learn is not installed.

    Examples:
        >>> digits = load_digits(seed=0)
        >>> properties = load_digit_properties(seed=0)
        >>> list(DIGIT_PROPERTIES)
        ['even', 'prime', 'has a loop']
        >>> int(digits.y_train[0]), properties.y_train[0].tolist()
        (7, [0.0, 1.0, 0.0])

    References:
        E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI
        Machine Learning Repository, 1998.
    """
    return _relabelled(load_digits(seed=seed), _properties_of)


def load_digit_detector(*, digit: int, seed: int) -> Split:
    """Load the digits with one rare label: whether the image shows a given digit.

    About one image in ten does, so that the classes are imbalanced as they are in
    practice.

    Args:
        digit: the digit to detect, from 0 to 9.
        seed: decides the split, which is that of :func:`load_digits`.

    Returns:
        A split with the features of :func:`load_digits` and ``y`` of shape (1347,) and
        (450,), float64: 1 where the image shows ``digit``, else 0.

    Raises:
        TypeError: if ``digit`` or ``seed`` is not an integer.
        ValueError: if ``digit`` or ``seed`` is out of range.
        ImportError: if scikit-learn is not installed.

    Examples:
        >>> detector = load_digit_detector(digit=8, seed=0)
        >>> round(float(detector.y_train.mean()), 3)
        0.097

    References:
        E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI
        Machine Learning Repository, 1998.
    """
    digit = _check.whole_number("digit", digit, 0, 9)
    return _relabelled(
        load_digits(seed=seed), lambda digits: (digits == digit).astype(np.float64)
    )


def load_breast_cancer(*, seed: int) -> Split:
    r"""Load scikit-learn's 569 breast masses, with label 1 for a malignant one.

    scikit-learn codes malignant as 0 and benign as 1; here **1 is malignant**, the
    rarer class and the one to look for. With :math:`m` and :math:`s` the mean and
    the standard deviation of a feature over the *training* examples, the feature is

    .. math:: x = \frac{x_\text{measured} - m}{s}

    in both parts, so that nothing about the test set enters the training.

    Args:
        seed: decides the split, which keeps the share of malignant masses; an integer
            from 0 to 2**32 - 1.

    Returns:
        A split with ``x`` of shape (426, 30) and (143, 30), float64, in standard
        deviations from the training mean; and ``y`` of shape (426,) and (143,),
        float64: 1 for malignant, 0 for benign.

    Raises:
        TypeError: if ``seed`` is not an integer.
        ValueError: if ``seed`` is out of range.
        ImportError: if scikit-learn is not installed.

    Examples:
        >>> masses = load_breast_cancer(seed=0)
        >>> masses.x_train.shape, round(float(masses.y_train.mean()), 3)
        ((426, 30), 0.373)

    References:
        W. N. Street, W. H. Wolberg and O. L. Mangasarian, "Nuclear feature extraction
        for breast tumor diagnosis", Proc. SPIE 1905, 861-870, 1993.
    """
    sklearn_masses = _sklearn_datasets().load_breast_cancer()
    malignant = (sklearn_masses.target == _SKLEARN_MALIGNANT).astype(np.float64)
    split = _stratified_split(sklearn_masses.data.astype(np.float64), malignant, seed)
    mean, deviation = split.x_train.mean(axis=0), split.x_train.std(axis=0)
    return split._replace(
        x_train=(split.x_train - mean) / deviation,
        x_test=(split.x_test - mean) / deviation,
    )


class Engel(NamedTuple):
    """Income and spending on food of Engel's households, one entry for each.

    Attributes:
        income: a household's income, shape (235,), float64, in Belgian francs a year.
        food: what it spent on food, shape (235,), float64, in Belgian francs a year.

    Examples:
        >>> income, food = load_engel()
        >>> bool(np.all(food < income))
        True
    """

    income: np.ndarray
    food: np.ndarray


def load_engel() -> Engel:
    """Load what 235 working-class households in Belgium earned and spent on food.

    Ernst Engel collected the budgets in 1857 to show that the poorer a household, the
    larger the share of its income that food takes. The spread of the spending grows
    with the income, so that the data became the classic example of quantile
    regression.

    Returns:
        Income and food, each of shape (235,), float64, in Belgian francs a year, in
        the order of the file in statsmodels. Nothing is scaled or left out.

    Raises:
        ImportError: if statsmodels is not installed.

    Examples:
        >>> engel = load_engel()
        >>> engel.income.shape, engel.food.shape
        ((235,), (235,))
        >>> print(f"{engel.food.sum() / engel.income.sum():.2f} of all income")
        0.64 of all income

    References:
        R. Koenker and G. Bassett, "Robust Tests for Heteroscedasticity Based on
        Regression Quantiles", Econometrica 50(1), 43-61, 1982, which took the data
        from E. Engel, "Die Productions- und Consumtionsverhältnisse des Königreichs
        Sachsen", 1857.
    """
    households = _statsmodels_engel().load_pandas().data
    return Engel(
        income=households["income"].to_numpy(np.float64, copy=True),
        food=households["foodexp"].to_numpy(np.float64, copy=True),
    )


def _sklearn_datasets() -> ModuleType:
    try:
        from sklearn import datasets
    except ImportError as error:
        raise ImportError(
            "the data sets come from scikit-learn, which is not installed; "
            "pip install lossfn[data]"
        ) from error
    return datasets


def _statsmodels_engel() -> ModuleType:
    try:
        from statsmodels.datasets import engel
    except ImportError as error:
        raise ImportError(
            "Engel's data come from statsmodels, which is not installed; "
            "pip install lossfn[data]"
        ) from error
    return engel


def _stratified_split(features: np.ndarray, labels: np.ndarray, seed: int) -> Split:
    from sklearn.model_selection import train_test_split

    return Split(
        *train_test_split(
            features,
            labels,
            test_size=_TEST_SHARE,
            stratify=labels,
            random_state=as_seed(seed),
        )
    )


def _relabelled(split: Split, label: Callable[[np.ndarray], np.ndarray]) -> Split:
    return split._replace(y_train=label(split.y_train), y_test=label(split.y_test))


def _properties_of(digits: np.ndarray) -> np.ndarray:
    columns = [np.isin(digits, members) for members in DIGIT_PROPERTIES.values()]
    return np.stack(columns, axis=1).astype(np.float64)
