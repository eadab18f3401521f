"""Sizes, centres and widths of clusters beside numpy's, cluster by cluster."""

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
    for place in rng.integers(0, k, 5):
        members = points[assignments == numbers[place]].astype(np.float64)
        lengths = np.linalg.norm(members - members.mean(axis=0), axis=1)
        assert known.of[np.flatnonzero(assignments == numbers[place])[0]] == place
        np.testing.assert_allclose(known.means[place], members.mean(axis=0), atol=1e-12)
        measured = (known.squares[place], known.distances[place], known.farthest[place])
        np.testing.assert_allclose(measured, ((lengths**2).sum(), lengths.sum(), lengths.max()), atol=1e-9)
