"""Silhouettes agree with scikit-learn's; the interval of a sample's mean contains the mean of all."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import silhouette_samples

from experiments.evaluator.measures.silhouette import (
    exact_silhouettes,
    half_interval,
    mean_silhouette,
    measured,
    silhouettes,
)

X, LABELS = load_digits(return_X_y=True)
X = X.astype(np.float32)


def test_each_silhouette_agrees_with_scikit_learn():
    assignments = np.where(np.arange(1797) < 3, 20 + np.arange(1797), LABELS)  # three clusters of one
    rows = np.arange(0, 1797, 7)
    expected = silhouette_samples(X, assignments)[rows]
    np.testing.assert_allclose(silhouettes(X, assignments, rows, 0), expected, atol=1e-5)
    np.testing.assert_allclose(exact_silhouettes(X, assignments, rows, 50_000), expected, atol=1e-5)


def test_silhouettes_of_equal_points_are_zero():
    points, assignments = np.zeros((6, 2), np.float32), np.array([0, 0, 0, 1, 1, 1])
    assert silhouettes(points, assignments, np.arange(6), 0).tolist() == [0] * 6


def test_the_mean_of_all_rows_is_exact_and_that_of_a_sample_has_an_interval():
    everything = mean_silhouette(X, LABELS, 10_000, 0)
    assert everything == (pytest.approx(silhouette_samples(X, LABELS).mean()), 0, 1797)
    means = [mean_silhouette(X, LABELS, 300, seed) for seed in range(40)]
    inside = [abs(mean.value - everything.value) <= mean.error for mean in means]
    assert sum(inside) >= 34  # 38 are expected
    assert all(mean.rows == 300 and 0.01 < mean.error < 0.02 for mean in means)


def test_the_interval_has_the_finite_population_correction():
    values = np.array([0.0, 1.0, 0.0, 1.0])
    assert half_interval(values, 4) == 0
    assert half_interval(values, 8) == pytest.approx(1.96 * np.sqrt(1 / 3) / 2 * np.sqrt(0.5), rel=1e-4)
    assert half_interval(values[:1], 8) == pytest.approx(
        1.96 * np.sqrt(7 / 8), rel=1e-4
    )  # one row has no variance


def test_the_description_depends_on_the_method():
    assert measured(10, 10) == "exact"
    assert len({measured(n, 10) for n in (10, 11, 30_000, 30_001)}) == 3
    assert measured(11, 10) == measured(30_000, 10)
