"""Calinski-Harabasz and Davies-Bouldin of many points and clusters agree with scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import load_digits

from experiments.evaluator.measures import compactness

X, LABELS = load_digits(return_X_y=True)
X = X.astype(np.float32)


def test_scores_of_many_clusters_agree_with_scikit_learn():
    assignments = np.where(np.arange(1797) < 1200, 20 + np.arange(1797), LABELS)
    assert compactness.calinski_harabasz(X, LABELS) == metrics.calinski_harabasz_score(X, LABELS)
    assert compactness.davies_bouldin(X, LABELS) == metrics.davies_bouldin_score(X, LABELS)
    assert compactness.calinski_harabasz(X, assignments) == pytest.approx(
        metrics.calinski_harabasz_score(X, assignments), rel=1e-5
    )
    assert compactness.davies_bouldin(X, assignments) == pytest.approx(
        metrics.davies_bouldin_score(X, assignments), rel=1e-5
    )


def test_scores_of_many_points_agree_with_scikit_learn():
    repeated, labels = np.tile(X[:, ::8], (60, 1)), np.tile(LABELS, 60)  # 107,820 points
    assert compactness.calinski_harabasz(repeated, labels) == pytest.approx(
        metrics.calinski_harabasz_score(repeated.astype(np.float64), labels), rel=1e-9
    )
    assert compactness.davies_bouldin(repeated, labels) == pytest.approx(
        metrics.davies_bouldin_score(repeated.astype(np.float64), labels), rel=1e-9
    )


def test_davies_bouldin_of_clusters_of_one_point_is_zero():
    assert compactness.davies_bouldin(X[:1100], np.arange(1100)) == 0
