"""Columns are standardised to mean 0 and variance 1."""

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from tests.messages import says

from experiments.reducer.standardize import BATCH, Standardize

WINE = load_wine().data.astype(np.float32)


def test_agrees_with_scikit_learn(ctx):
    projection = Standardize().fit(WINE[:100], ctx)
    expected = StandardScaler().fit(WINE[:100].astype(np.float64)).transform(WINE)
    np.testing.assert_allclose(projection.transform(WINE), expected, rtol=1e-5, atol=1e-5)


def test_a_column_that_was_constant_in_fit_becomes_zero(ctx):
    rows = np.array([[1, 0.1], [2, 0.1], [3, 0.1]], np.float32)
    projection = Standardize().fit(rows, ctx)
    np.testing.assert_array_equal(projection.transform(rows)[:, 1], 0)
    np.testing.assert_array_equal(projection.transform(np.array([[2, 9]], np.float32)), [[0, 0]])


def test_a_small_variance_far_from_zero_is_exact(ctx):
    rows = (10_000 + np.random.default_rng(0).standard_normal((500, 1))).astype(np.float32)
    reduced = Standardize().fit(rows, ctx).transform(rows)
    assert reduced.mean() == pytest.approx(0, abs=1e-5)
    assert reduced.std() == pytest.approx(1, abs=1e-5)


def test_batches_change_nothing(ctx):
    rows = np.random.default_rng(0).standard_normal((2 * BATCH + 5, 2)).astype(np.float32) * [1, 9] + [0, 50]
    rows = rows.astype(np.float32)
    expected = StandardScaler().fit_transform(rows.astype(np.float64))
    np.testing.assert_allclose(Standardize().fit(rows, ctx).transform(rows), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_numbers_are_refused(ctx, value):
    rows = WINE.copy()
    rows[3, 5] = value
    with pytest.raises(ValueError) as error:
        Standardize().fit(rows, ctx)
    says(error, key="reducer=standardize", use="nan or inf")
