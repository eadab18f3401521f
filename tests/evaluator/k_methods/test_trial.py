"""Clusterings that k_selection accepts."""

import numpy as np
import pytest
from tests.evaluator.stand_ins import FakeClustering
from tests.messages import numbers, says

from experiments.evaluator.k_methods.trial import check_distances

POINTS = np.array([[0, 0], [2, 0], [10, 0], [10, 6]], np.float32)
CENTRES = np.array([[1, 0], [10, 3]], np.float32)
CLUSTERS = np.array([0, 0, 1, 1])


def is_refused(grouped: FakeClustering, points: np.ndarray) -> bool:
    try:
        check_distances("Any", grouped, points)
    except ValueError:
        return True
    return False


def test_euclidean_clusters_are_accepted_with_and_without_centroids():
    assert not is_refused(FakeClustering(CLUSTERS), POINTS)
    assert not is_refused(FakeClustering(CLUSTERS, centroids=CENTRES, inertia=20.0), POINTS)
    assert is_refused(FakeClustering(CLUSTERS, centroids=CENTRES, inertia=0.5), POINTS)


def test_rounding_of_centroids_does_not_count_as_another_distance():
    ulp = np.spacing(np.float32(10))
    points = (np.float32(10) + ulp * np.array([[0], [1], [0], [1]])).astype(np.float32)
    centre = np.array([[10]], np.float32)  # half an ulp less than in float64
    assert not is_refused(FakeClustering(CLUSTERS * 0, centroids=centre, inertia=float(ulp) ** 2), points)


def test_noise_and_other_distances_are_refused_with_advice():
    with pytest.raises(ValueError) as error:
        check_distances("Any", FakeClustering(np.array([0, -1, 1, 1])), POINTS)
    assert numbers(says(error, key="Any", use="cluster=faiss_kmeans")) == ["1", "4"]
    with pytest.raises(ValueError) as error:
        check_distances("Any", FakeClustering(CLUSTERS, centroids=CENTRES, inertia=0.5), POINTS)
    assert numbers(says(error, key="Any", use="reducer=l2")) == ["0.5", "20"]
