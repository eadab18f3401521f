"""Silhouettes of each point beside scikit-learn's."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import silhouette_samples

from experiments.evaluator.measures import silhouette

X, LABELS = load_digits(return_X_y=True)
X = X.astype(np.float32)


def test_each_silhouette_is_scikit_learns(monkeypatch):
    assignments = np.where(np.arange(1797) < 3, 20 + np.arange(1797), LABELS)  # three clusters of one
    rows = np.arange(0, 1797, 7)
    expected = silhouette_samples(X, assignments)[rows]
    np.testing.assert_allclose(silhouette.silhouettes(X, assignments, rows), expected, atol=1e-5)
    monkeypatch.setattr(silhouette, "DISTANCES", 50_000)
    np.testing.assert_allclose(silhouette.silhouettes(X, assignments, rows), expected, atol=1e-5)


def test_silhouettes_of_repeated_points_are_numbers():
    points, assignments = np.zeros((6, 2), np.float32), np.array([0, 0, 0, 1, 1, 1])
    assert silhouette.silhouettes(points, assignments, np.arange(6)).tolist() == [0] * 6
