"""The nearest points beside a plain comparison of all pairs."""

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances

from experiments.numerics.neighbours_of_points import TREE_WIDTH, nearest


@pytest.mark.parametrize("width", [2, TREE_WIDTH + 1])
def test_they_are_those_of_a_plain_comparison_also_far_from_zero(width):
    points = (np.random.default_rng(0).normal(size=(200, width)) + 50).astype(np.float32)
    distances, near = nearest(points, 7, 1)
    pairs = pairwise_distances(points.astype(np.float64))
    np.testing.assert_array_equal(near, np.argsort(pairs, axis=1, kind="stable")[:, :7])
    np.testing.assert_allclose(distances, np.sort(pairs, axis=1)[:, :7], atol=1e-5)
    np.testing.assert_array_equal(near[:, 0], np.arange(200))
