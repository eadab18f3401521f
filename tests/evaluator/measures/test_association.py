"""Chi-square and Cramer's V against tables whose values are known."""

import numpy as np
import pytest
from scipy.stats.contingency import association as of_scipy

from experiments.evaluator.measures.association import association


def test_it_is_the_textbook_value_and_that_of_scipy():
    table = np.array([[10, 20], [30, 40]])  # 100 rows: 100 * (10 * 40 - 20 * 30)^2 / (30 * 70 * 40 * 60)
    found = association(table)
    assert found.chi_square == pytest.approx(100 * 200**2 / (30 * 70 * 40 * 60))
    assert found.p == pytest.approx(0.37300, abs=1e-5)
    assert found.cramers_v == pytest.approx(of_scipy(table, method="cramer"))
    assert found.few == 0


def test_groups_that_are_the_same_go_together_perfectly():
    found = association(np.diag([20, 30, 50]))
    assert found.cramers_v == pytest.approx(1)
    assert found.corrected == pytest.approx(1)
    assert found.p < 1e-30


def test_groups_that_have_nothing_to_do_with_each_other_have_none():
    found = association(np.outer([1, 2, 3], [10, 20]))
    assert (found.chi_square, found.cramers_v, found.corrected) == pytest.approx((0, 0, 0))
    assert found.p == pytest.approx(1)


def test_chance_makes_v_large_in_a_large_table_and_the_correction_takes_it_off():
    rng = np.random.default_rng(0)
    table = np.zeros((30, 20), int)
    np.add.at(table, (rng.integers(0, 30, 600), rng.integers(0, 20, 600)), 1)
    found = association(table)
    assert found.cramers_v > 0.2
    assert found.corrected < 0.08
    assert found.few == 1


def test_bergsmas_correction_is_his():
    table, n = np.array([[12, 3, 5], [4, 14, 2]]), 40
    found = association(table)
    phi = found.chi_square / n - 1 * 2 / 39
    assert found.corrected == pytest.approx(np.sqrt(phi / min(2 - 1 / 39 - 1, 3 - 4 / 39 - 1)))


def test_empty_rows_and_columns_count_for_nothing():
    table = np.array([[10, 20], [30, 40]])
    wider = np.zeros((4, 3), int)
    wider[np.ix_([0, 2], [1, 2])] = table
    assert association(wider) == association(table)


@pytest.mark.parametrize("table", [[[1, 2, 3]], [[1], [2]], [[0, 3], [0, 4]], [[5]]])
def test_one_row_or_column_says_nothing(table):
    assert association(np.array(table)) is None


def test_hardly_a_row_each_leaves_the_correction_undefined():
    assert np.isnan(association(np.eye(2, dtype=int)).corrected)
