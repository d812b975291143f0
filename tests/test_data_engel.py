"""Engel's households are those of statsmodels, and tell what they are known for."""

import sys

import numpy as np
import pytest
from statsmodels.datasets import engel as statsmodels_engel
from statsmodels.regression.quantile_regression import QuantReg

from lossfn import data


@pytest.fixture(scope="module")
def engel():
    return data.load_engel()


def test_the_households_are_those_of_statsmodels_in_their_order(engel):
    table = statsmodels_engel.load_pandas().data
    assert engel.income.tolist() == table["income"].tolist()
    assert engel.food.tolist() == table["foodexp"].tolist()


def test_income_and_food_are_vectors_of_floats(engel):
    assert engel._fields == ("income", "food")
    for column in engel:
        assert column.shape == (235,)
        assert column.dtype == np.float64
        assert np.all(column > 0)


def test_a_change_of_one_copy_does_not_reach_the_next(engel):
    copy = data.load_engel()
    copy.food[0] = -1
    assert data.load_engel().food[0] == engel.food[0] > 0


def test_the_median_line_is_the_published_one(engel):
    """R's quantreg, whose data these are, prints 81.48225 and 0.56018 for them."""
    design = np.column_stack([np.ones(235), engel.income])
    fit = QuantReg(engel.food, design).fit(q=0.5)
    np.testing.assert_allclose(fit.params, [81.48225, 0.56018], rtol=1e-5)


def test_the_poorer_half_spends_the_larger_share_on_food(engel):
    poor = engel.income < np.median(engel.income)
    share = engel.food / engel.income
    assert share[poor].mean() > share[~poor].mean()


def test_the_spread_of_the_spending_grows_with_the_income(engel):
    order = np.argsort(engel.income)
    line = np.polynomial.Polynomial.fit(engel.income, engel.food, 1)
    residuals = np.abs(engel.food - line(engel.income))[order]
    assert residuals[-80:].mean() > 2 * residuals[:80].mean()


def test_without_statsmodels_the_error_says_what_to_install(monkeypatch):
    # None in sys.modules is how Python marks a module that cannot be imported.
    monkeypatch.setitem(sys.modules, "statsmodels.datasets", None)
    with pytest.raises(ImportError) as caught:
        data.load_engel()
    assert str(caught.value) == (
        "Engel's data come from statsmodels, which is not installed; "
        "pip install lossfn[data]"
    )
