"""Distances to the centres of clusters."""

import numpy as np
import pytest

from experiments.evaluator.pictures.centres import distances


def test_a_centre_is_the_mean_of_its_members_and_noise_has_none():
    points = np.array([[0, 0], [9, 9], [4, 0], [7, 7], [5, 5]], np.float32)
    found = distances(points, np.array([3, -1, 3, 0, -1]))
    np.testing.assert_allclose(found, [2, np.nan, 2, 0, np.nan])


@pytest.mark.parametrize("assignment", [-1, 0])
def test_one_group_alone(assignment):
    found = distances(np.ones((3, 2), np.float32), np.full(3, assignment))
    assert np.isnan(found).all() if assignment < 0 else not found.any()


def test_a_cluster_of_very_many_is_measured_in_parts():
    points = np.arange(140_000, dtype=np.float32)[:, None]
    found = distances(points, np.arange(140_000) % 2)
    np.testing.assert_array_equal(found[::2], np.abs(points[::2, 0] - 69_999))
