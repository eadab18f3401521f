"""Chi-square and Cramer's V against tables whose values are known."""

import numpy as np
import pytest
from scipy.stats.contingency import association as of_scipy

from experiments.evaluator.measures.association import association


def test_values_are_those_of_the_formula_and_of_scipy():
    table = np.array([[10, 20], [30, 40]])  # 100 rows: 100 * (10 * 40 - 20 * 30)^2 / (30 * 70 * 40 * 60)
    result = association(table)
    assert result.chi_square == pytest.approx(100 * 200**2 / (30 * 70 * 40 * 60))
    assert result.p == pytest.approx(0.37300, abs=1e-5)
    assert result.cramers_v == pytest.approx(of_scipy(table, method="cramer"))
    assert result.few == 0


def test_equal_groups_have_perfect_association():
    result = association(np.diag([20, 30, 50]))
    assert result.cramers_v == pytest.approx(1)
    assert result.corrected == pytest.approx(1)
    assert result.p < 1e-30


def test_independent_groups_have_no_association():
    result = association(np.outer([1, 2, 3], [10, 20]))
    assert (result.chi_square, result.cramers_v, result.corrected) == pytest.approx((0, 0, 0))
    assert result.p == pytest.approx(1)


def test_the_correction_removes_the_bias_of_v_in_a_large_table():
    rng = np.random.default_rng(0)
    table = np.zeros((30, 20), int)
    np.add.at(table, (rng.integers(0, 30, 600), rng.integers(0, 20, 600)), 1)
    result = association(table)
    assert result.cramers_v > 0.2
    assert result.corrected < 0.08
    assert result.few == 1


def test_the_correction_is_bergsmas():
    table, n = np.array([[12, 3, 5], [4, 14, 2]]), 40
    result = association(table)
    phi = result.chi_square / n - 1 * 2 / 39
    assert result.corrected == pytest.approx(np.sqrt(phi / min(2 - 1 / 39 - 1, 3 - 4 / 39 - 1)))


def test_empty_rows_and_columns_are_ignored():
    table = np.array([[10, 20], [30, 40]])
    wider = np.zeros((4, 3), int)
    wider[np.ix_([0, 2], [1, 2])] = table
    assert association(wider) == association(table)


@pytest.mark.parametrize("table", [[[1, 2, 3]], [[1], [2]], [[0, 3], [0, 4]], [[5]]])
def test_one_row_or_column_is_undefined(table):
    assert association(np.array(table)) is None


def test_too_few_rows_leave_the_correction_undefined():
    assert np.isnan(association(np.eye(2, dtype=int)).corrected)
