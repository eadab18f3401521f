"""Rows of length 1."""

import numpy as np

from experiments.numerics.scale import BATCH
from experiments.reducer.l2 import L2


def test_rows_have_length_one_and_zero_rows_stay_zero(ctx):
    rows = np.array([[3, 4], [0, 0], [-2e30, 0], [1e-30, 1e-30]], np.float32)
    reduced = L2().fit(rows, ctx).transform(rows)
    np.testing.assert_allclose(reduced, [[0.6, 0.8], [0, 0], [-1, 0], [0.5**0.5] * 2], rtol=1e-6)


def test_distances_have_the_order_of_cosine_distances(ctx):
    rows = np.random.default_rng(0).standard_normal((50, 6)).astype(np.float32)
    reduced = L2().fit(rows, ctx).transform(rows).astype(np.float64)
    cosine = (rows @ rows[0]) / np.linalg.norm(rows, axis=1) / np.linalg.norm(rows[0])
    squared = ((reduced - reduced[0]) ** 2).sum(axis=1)
    np.testing.assert_allclose(squared, 2 - 2 * cosine, atol=1e-6)


def test_batches_change_nothing(ctx):
    rows = np.random.default_rng(0).standard_normal((2 * BATCH + 5, 2)).astype(np.float32)
    projection = L2().fit(rows, ctx)
    parts = [projection.transform(part) for part in np.array_split(rows, 7)]
    np.testing.assert_array_equal(projection.transform(rows), np.concatenate(parts))
