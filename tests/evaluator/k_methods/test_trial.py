"""Which clusterings every k can be judged by."""

import numpy as np
import pytest
from tests.evaluator.stand_ins import Grouped
from tests.messages import numbers, says

from experiments.evaluator.k_methods.trial import check_distances

POINTS = np.array([[0, 0], [2, 0], [10, 0], [10, 6]], np.float32)
CENTRES = np.array([[1, 0], [10, 3]], np.float32)
OWN = np.array([0, 0, 1, 1])


def refused(grouped: Grouped, points: np.ndarray) -> bool:
    try:
        check_distances("Any", grouped, points)
    except ValueError:
        return True
    return False


def test_near_rows_are_accepted_whatever_a_clusterer_tells_of_them():
    assert not refused(Grouped(OWN), POINTS)
    assert not refused(Grouped(OWN, centroids=CENTRES, inertia=20.0), POINTS)
    assert refused(Grouped(OWN, centroids=CENTRES, inertia=0.5), POINTS)


def test_the_rounding_of_centroids_is_no_other_distance():
    ulp = np.spacing(np.float32(10))
    points = (np.float32(10) + ulp * np.array([[0], [1], [0], [1]])).astype(np.float32)
    centre = np.array([[10]], np.float32)  # of float64 it would be half an ulp more
    assert not refused(Grouped(OWN * 0, centroids=centre, inertia=float(ulp) ** 2), points)


def test_noise_and_other_distances_say_what_to_use():
    with pytest.raises(ValueError) as error:
        check_distances("Any", Grouped(np.array([0, -1, 1, 1])), POINTS)
    assert numbers(says(error, key="Any", use="cluster=faiss_kmeans")) == ["1", "4"]
    with pytest.raises(ValueError) as error:
        check_distances("Any", Grouped(OWN, centroids=CENTRES, inertia=0.5), POINTS)
    assert numbers(says(error, key="Any", use="reducer=l2")) == ["0.5", "20"]
