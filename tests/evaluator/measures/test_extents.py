"""Sizes, centres and widths of clusters agree with numpy's for single clusters."""

import numpy as np
import pytest

from experiments.evaluator.measures.extents import extents


@pytest.mark.parametrize(("n", "k"), [(40_000, 7), (60_000, 30_000)])
def test_each_cluster_is_measured(n, k):
    rng = np.random.default_rng(0)
    points = rng.standard_normal((n, 3)).astype(np.float32)
    assignments = np.concatenate([np.arange(k), rng.integers(0, k, n - k)]) - 1  # -1 counts as a cluster
    known = extents(points, assignments)
    numbers = np.roll(np.arange(k) - 1, -1)  # noise last
    assert known.sizes.tolist() == np.bincount(assignments + 1)[numbers + 1].tolist()
    for index in rng.integers(0, k, 5):
        members = points[assignments == numbers[index]].astype(np.float64)
        lengths = np.linalg.norm(members - members.mean(axis=0), axis=1)
        assert known.row_clusters[np.flatnonzero(assignments == numbers[index])[0]] == index
        np.testing.assert_allclose(known.means[index], members.mean(axis=0), atol=1e-12)
        measured = (known.squares[index], known.distances[index], known.farthest[index])
        np.testing.assert_allclose(measured, ((lengths**2).sum(), lengths.sum(), lengths.max()), atol=1e-9)
