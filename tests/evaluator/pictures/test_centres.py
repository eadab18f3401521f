"""Distances to the centres of clusters."""

import numpy as np
import pytest

from experiments.evaluator.pictures.centres import distances


def test_a_centre_is_the_mean_of_its_members_and_noise_has_none():
    points = np.array([[0, 0], [9, 9], [4, 0], [7, 7], [5, 5]], np.float32)
    result = distances(points, np.array([3, -1, 3, 0, -1]))
    np.testing.assert_allclose(result, [2, np.nan, 2, 0, np.nan])


@pytest.mark.parametrize("assignment", [-1, 0])
def test_a_single_group(assignment):
    result = distances(np.ones((3, 2), np.float32), np.full(3, assignment))
    assert np.isnan(result).all() if assignment < 0 else not result.any()


def test_a_very_large_cluster_is_measured_in_blocks():
    points = np.arange(140_000, dtype=np.float32)[:, None]
    result = distances(points, np.arange(140_000) % 2)
    np.testing.assert_array_equal(result[::2], np.abs(points[::2, 0] - 69_999))
