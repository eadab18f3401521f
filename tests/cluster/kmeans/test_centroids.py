"""Nearest centroids: known answers, and independence of the batches."""

import numpy as np
import pytest

from experiments.cluster.kmeans.centroids import DISTANCES, CentroidClustering, nearest


def test_known_distances():
    clustering = CentroidClustering.around(np.array([[0, 0], [10, 0]]), np.array([[3, 4], [10, 1], [5, 0]]))
    ids, distance = clustering.assign(np.array([[3, 4], [10, 1]], np.float32))
    np.testing.assert_array_equal(ids, [0, 1])
    np.testing.assert_array_equal(distance, [5, 1])
    np.testing.assert_array_equal(clustering.assignments, [0, 1, 0])  # the first of two at equal distance
    assert clustering.inertia == 25 + 1 + 25


def test_small_differences_far_from_the_origin_count():
    points = np.array([[1e6, 1e6], [1e6 + 1, 1e6]], np.float32)
    ids, squared = nearest(points, points)
    np.testing.assert_array_equal(ids, [0, 1])
    np.testing.assert_array_equal(squared, 0)


def test_batches_change_nothing():
    rng = np.random.default_rng(0)
    points, centroids = (
        rng.standard_normal((900, 4)).astype(np.float32),
        rng.standard_normal((DISTANCES // 400, 4)),
    )
    ids, squared = nearest(centroids, points)
    parts = [nearest(centroids, points[start : start + 100]) for start in range(0, 900, 100)]
    np.testing.assert_array_equal(ids, np.concatenate([ids for ids, _ in parts]))
    np.testing.assert_allclose(squared, np.concatenate([squared for _, squared in parts]), rtol=1e-12)


def test_inertia_is_summed_precisely():
    points = np.full((100_000, 1), 0.1, np.float32)
    clustering = CentroidClustering.around(np.zeros((1, 1)), points)
    assert clustering.inertia == pytest.approx(100_000 * float(np.float32(0.1)) ** 2, rel=1e-12)
