"""Silhouettes of all cuts of a tree are those of each cut, and the first clear peak gives k."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage
from sklearn.datasets import load_digits
from sklearn.metrics import silhouette_score

from experiments.cluster.linkage.cuts import _first_peak, _tried, cut, k_by_silhouette, mean_silhouettes

X = load_digits().data[:200]


def groups(count: int, size: int, spread: float, seed: int = 0) -> np.ndarray:
    """Return points around `count` random centres."""
    rng = np.random.default_rng(seed)
    return np.repeat(10 * rng.standard_normal((count, 8)), size, axis=0) + spread * rng.standard_normal(
        (count * size, 8)
    )


@pytest.mark.parametrize("method", ["ward", "average"])
@pytest.mark.parametrize("block", [1, 40_000])
def test_silhouettes_are_those_of_scikit_learn(method, block):
    points = np.concatenate([X, X[:20]])  # equal rows too
    merges, ks = linkage(points, method), np.array([2, 7, 50, 200])
    expected = [silhouette_score(points, cut(merges, k)) for k in ks]
    np.testing.assert_allclose(mean_silhouettes(points, merges, ks, block), expected, atol=1e-6)


@pytest.mark.parametrize("count", [3, 12, 40])
def test_the_number_of_separate_groups_is_found(count):
    points = groups(count, 8, 0.5)
    k = k_by_silhouette(points, linkage(points, "ward"))
    assert abs(k / count - 1) <= 0.06  # k grows in steps of a tenth


def test_large_groups_are_found_though_pairs_in_them_are_nearer():
    rng = np.random.default_rng(0)
    points = np.repeat(groups(6, 25, 1.0), 2, axis=0)
    points += 1e-3 * rng.standard_normal(points.shape)
    merges = linkage(points, "ward")
    large, pairs = mean_silhouettes(points, merges, np.array([6, 150]))
    assert pairs > large
    assert k_by_silhouette(points, merges) == 6


@pytest.mark.parametrize(
    ("scores", "index"),
    [
        ([0.1, 0.3, 0.2, 0.4, 0.1], 1),  # the first peak
        ([0.1, 0.3, 0.29, 0.4, 0.1], 3),  # no peak: it falls by less than a twentieth
        ([0.1, 0.05, 0.4, 0.1], 2),  # less than half of the highest
        ([0.1, 0.398, 0.4, 0.1], 1),  # a peak is flat within a hundredth
        ([0.1, 0.2, 0.3], 2),
        ([-0.2, -0.3, -0.1, -0.4], 2),
    ],
)
def test_a_peak_is_high_enough_and_flat_and_followed_by_a_fall(scores, index):
    assert _first_peak(np.array(scores)) == index


def test_k_is_tried_in_steps_of_a_tenth_up_to_half_of_the_different_points():
    ks = _tried(1000)
    assert (ks[0], ks[-1]) == (2, 458)
    assert (np.diff(ks) <= 0.1 * ks[:-1] + 1).all()
    assert [_tried(n).tolist() for n in (1, 2, 3, 6)] == [[], [2], [2], [2, 3]]


def test_equal_points_are_one_cluster():
    assert k_by_silhouette(np.ones((5, 2)), linkage(np.ones((5, 2)), "ward")) == 1
    assert k_by_silhouette(np.ones((1, 2)), np.empty((0, 4))) == 1
