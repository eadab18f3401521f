"""Silhouettes against a sample of each cluster's members agree with those against all."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import silhouette_samples

from experiments.evaluator.measures.sampled_silhouette import sampled_silhouettes
from experiments.evaluator.measures.silhouette import exact_silhouettes, half_interval, silhouettes

X, LABELS = load_digits(return_X_y=True)
X = X.astype(np.float32)


def blobs(n: int, width: int, apart: float) -> tuple[np.ndarray, np.ndarray]:
    """Return n points around 40 centres, and the nearest centre of each."""
    rng = np.random.default_rng(0)
    centres = apart * rng.standard_normal((40, width))
    points = centres[rng.integers(0, 40, n)] + rng.standard_normal((n, width))
    squared = (centres**2).sum(axis=1) - 2 * points @ centres.T
    return points.astype(np.float32), squared.argmin(axis=1)


def test_small_clusters_are_sampled_completely_and_agree_with_scikit_learn():
    assignments = np.where(np.arange(1797) < 300, 20 + np.arange(1797), LABELS)  # 300 clusters of one
    rows = np.arange(0, 1797, 2)
    expected = silhouette_samples(X.astype(np.float64), assignments)[rows]
    np.testing.assert_allclose(sampled_silhouettes(X, assignments, rows, seed=0), expected, atol=1e-9)


@pytest.mark.parametrize(("width", "apart"), [(2, 4.0), (32, 1.0)])
def test_the_error_from_members_is_small_compared_with_the_error_from_rows(width, apart):
    points, assignments = blobs(20_000, width, apart)  # 250 of 500 members
    rows = np.arange(0, 20_000, 20)
    exact = exact_silhouettes(points, assignments, rows)
    sampled = sampled_silhouettes(points, assignments, rows, seed=1)
    assert abs(sampled.mean() - exact.mean()) < 0.1 * half_interval(exact, 20_000)
    assert np.corrcoef(sampled, exact)[0, 1] > 0.999
    assert sampled.tolist() == sampled_silhouettes(points, assignments, rows, seed=1).tolist()
    assert sampled.tolist() != sampled_silhouettes(points, assignments, rows, seed=2).tolist()


def test_small_clusters_and_far_points_are_accurate():
    points, assignments = blobs(40_000, 8, 3.0)
    points[::1000] *= 1000  # fill values
    assignments[::100] = 40 + np.arange(400) // 2  # clusters of two
    rows = np.arange(0, 40_000, 40)
    exact = exact_silhouettes(points, assignments, rows)
    sampled = silhouettes(points, assignments, rows, seed=0)
    assert abs(sampled.mean() - exact.mean()) < 0.1 * half_interval(exact, 40_000)


@pytest.mark.parametrize("scale", [1e-15, 1e15])
def test_the_size_of_the_values_does_not_matter(scale):
    points, assignments = blobs(3_000, 4, 3.0)
    assignments[:5] = [50, 51, 52, 53, 54]
    rows = np.arange(0, 3_000, 10)
    expected = sampled_silhouettes(points, assignments, rows, seed=0)
    scaled = sampled_silhouettes((points * scale).astype(np.float32), assignments, rows, seed=0)
    np.testing.assert_allclose(scaled, expected, atol=1e-5)


def test_silhouettes_of_equal_points_are_zero():
    points, assignments = np.full((60, 3), 0.1, np.float32), np.repeat([0, 1, 2], 20)
    assert sampled_silhouettes(points, assignments, np.arange(60), seed=0).tolist() == [0] * 60
    assert sampled_silhouettes(points, np.arange(60) // 59, np.array([59]), seed=0).tolist() == [0]
