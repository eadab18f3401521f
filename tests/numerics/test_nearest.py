"""The nearest rows agree with a comparison of all pairs."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import pairwise_distances

from experiments.numerics.nearest import METRICS, TREE_WIDTH, nearest

BOTH = pytest.mark.parametrize("width", [2, TREE_WIDTH + 1])  # a k-d tree, and FAISS


@BOTH
def test_agrees_with_all_pairs_also_far_from_zero(width):
    points = (np.random.default_rng(0).normal(size=(200, width)) + 50).astype(np.float32)
    near, distances = nearest(points, points, 7, threads=1)
    pairs = cdist(points.astype(np.float64), points.astype(np.float64))
    np.testing.assert_array_equal(near, np.argsort(pairs, axis=1, kind="stable")[:, :7])
    np.testing.assert_allclose(distances, np.sort(pairs, axis=1)[:, :7], atol=1e-5)
    np.testing.assert_array_equal(near[:, 0], np.arange(200))
    assert not distances[:, 0].any()  # exactly 0, not a rounding error


@BOTH
def test_ties_are_broken_by_index(width):
    corners = np.eye(2, width, dtype=np.float32)
    near, distances = nearest(np.repeat(corners, 9, axis=0), corners, 4)
    np.testing.assert_array_equal(near, [[0, 1, 2, 3], [9, 10, 11, 12]])
    assert not distances.any()


@BOTH
@pytest.mark.parametrize("size", [2.0**-70, 1.0, 2.0**70])
def test_tight_groups_far_apart_keep_their_neighbours(width, size):
    """Products in float32 cannot distinguish the rows of such a group."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(5, width)) * 10
    points = (centres.repeat(60, axis=0) + rng.normal(size=(300, width)) * 1e-4).astype(np.float32)
    pairs = cdist(points.astype(np.float64), points.astype(np.float64))
    near, distances = nearest(points * np.float32(size), points * np.float32(size), 6)
    np.testing.assert_allclose(distances / size, np.sort(pairs, axis=1)[:, :6], rtol=1e-4)
    np.testing.assert_array_equal(near[:, 0], np.arange(300))


def test_no_queries_return_no_rows():
    near, distances = nearest(np.eye(4, dtype=np.float32), np.empty((0, 4), np.float32), 2)
    assert near.shape == distances.shape == (0, 2)


@pytest.mark.parametrize("metric", METRICS)
def test_neighbours_of_each_metric_agree_with_scikit_learn(metric):
    rows = np.random.default_rng(0).standard_normal((300, 20)).astype(np.float32) + 50 * (
        metric == "euclidean"
    )
    near, distances = nearest(rows, rows[:40], 12, metric)
    pairs = pairwise_distances(rows[:40].astype(np.float64), rows.astype(np.float64), metric=metric)
    np.testing.assert_array_equal(near, np.argsort(pairs, axis=1, kind="stable")[:, :12])
    np.testing.assert_allclose(distances, np.sort(pairs, axis=1)[:, :12], atol=1e-6)
    np.testing.assert_array_equal(near[:, 0], np.arange(40))
