"""Calinski-Harabasz and Davies-Bouldin of many clusters beside scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import load_digits

from experiments.evaluator.measures import compactness

X, LABELS = load_digits(return_X_y=True)
X = X.astype(np.float32)


def test_thousands_of_clusters_of_noise_score_as_scikit_learn_scores_them(monkeypatch):
    assignments = np.where(np.arange(1797) < 600, 20 + np.arange(1797), LABELS)
    expected = (
        metrics.calinski_harabasz_score(X, assignments), metrics.davies_bouldin_score(X, assignments)
    )  # fmt: skip
    assert compactness.calinski_harabasz(X, assignments) == expected[0]
    monkeypatch.setattr(compactness, "FEW", 10)
    monkeypatch.setattr(compactness, "DISTANCES", 50_000)
    assert compactness.calinski_harabasz(X, assignments) == pytest.approx(expected[0], rel=1e-5)
    assert compactness.davies_bouldin(X, assignments) == pytest.approx(expected[1], rel=1e-5)
