"""Breathing leaves a local optimum in which Lloyd's iterations end."""

import numpy as np
import pytest

from experiments.cluster.kmeans.breathing import breathe

CENTRES = np.array([[0, 0], [100, 0], [0, 100], [100, 100]], np.float32)
POINTS = np.repeat(CENTRES, 50, axis=0) + np.random.default_rng(0).standard_normal((200, 2)).astype(
    np.float32
)
LOCAL_OPTIMUM = np.array(
    [[-1, 0], [1, 0], [100, 0], [50, 100]], np.float32
)  # two share a group, two groups share one


def converge(centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Run Lloyd's iterations in numpy."""
    for _ in range(20):
        squared = ((POINTS[:, None] - centroids) ** 2).sum(axis=2)
        near = squared.argmin(axis=1)
        groups = [POINTS[near == cluster] for cluster in range(len(centroids))]
        centroids = np.array(
            [g.mean(axis=0) if len(g) else c for g, c in zip(groups, centroids, strict=True)]
        )
    squared = ((POINTS[:, None] - centroids) ** 2).sum(axis=2)
    ids = np.argsort(squared, axis=1)[:, :2]
    return centroids, np.take_along_axis(squared, ids, axis=1), ids


def inertia(centroids: np.ndarray) -> float:
    return float(converge(centroids)[1][:, 0].sum())


@pytest.mark.parametrize("breath", [1, 2, 4])
def test_a_breath_leaves_a_local_optimum(breath):
    assert inertia(LOCAL_OPTIMUM) > 100_000
    centroids = breathe(LOCAL_OPTIMUM, converge, breath, 1e-4, seed=0)
    assert inertia(centroids) < 500
    for centre in CENTRES:
        assert np.abs(centroids - centre).max(axis=1).min() < 1


def test_breath_zero_is_plain_lloyd():
    np.testing.assert_array_equal(
        breathe(LOCAL_OPTIMUM, converge, 0, 1e-4, seed=0), converge(LOCAL_OPTIMUM)[0]
    )


def test_it_never_raises_the_inertia_and_is_repeatable():
    start = POINTS[:7].copy()
    once, again = (breathe(start, converge, 4, 1e-4, seed=3) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert once.shape == start.shape
    assert inertia(once) <= inertia(start)
