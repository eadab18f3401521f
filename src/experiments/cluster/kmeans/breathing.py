"""Breathing k-means: move superfluous centroids to the clusters of largest error.

A restart of k-means finds another local optimum. Breathing improves the current one at a fraction of the
cost.
"""

from collections.abc import Callable

import numpy as np

NUDGE = 0.01  # offset of a new centroid from its neighbour, relative to the root mean squared distance

# Runs Lloyd's iterations; returns centroids, squared distances and indices of each point's nearest two.
Converge = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


def breathe(centroids: np.ndarray, converge: Converge, breath: int, least: float, seed: int) -> np.ndarray:
    """Return centroids (k, p) of lower inertia.

    A breath adds `breath` centroids to the clusters of largest error, runs Lloyd's iterations, removes the
    same number of superfluous centroids, and iterates again. A breath that lowers the inertia by less than
    the share `least` is undone, and the next one has half as many centroids.

    Source
    ------
    Fritzke, "Breathing K-Means", 2020, which lowers the number of centroids by one instead of halving it.
    """
    rng = np.random.default_rng(seed)
    centroids, squared, ids = converge(centroids)
    while breath and squared[:, 0].sum() > 0:  # a negative sum is a rounding error, and has no square root
        new = _new_centroids(centroids, squared, ids, breath, rng)
        moved, moved_squared, moved_ids = exchange(centroids, new, converge)
        if moved_squared[:, 0].sum() < (1 - least) * squared[:, 0].sum():
            centroids, squared, ids = moved, moved_squared, moved_ids
        else:
            breath //= 2
    return centroids


def exchange(
    centroids: np.ndarray, new: np.ndarray, converge: Converge
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Add new centroids (b, p) and converge; remove the b most superfluous and converge again."""
    extended = converge(np.concatenate([centroids, new]))
    return converge(_without_superfluous(*extended, len(new)))


def _new_centroids(
    centroids: np.ndarray, squared: np.ndarray, ids: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Return a new centroid next to each of the `count` centroids with the largest summed error."""
    error = np.bincount(ids[:, 0], squared[:, 0], len(centroids))
    largest = centroids[np.argsort(-error, kind="stable")[:count]]
    nudge = NUDGE * np.sqrt(squared[:, 0].mean() / centroids.shape[1])
    moved: np.ndarray = largest + nudge * rng.standard_normal(largest.shape)
    return moved.astype(np.float32)


def _without_superfluous(
    centroids: np.ndarray, squared: np.ndarray, ids: np.ndarray, count: int
) -> np.ndarray:
    """Remove the `count` centroids with the smallest increase of the error.

    If possible, the centroid that takes over the points of a removed centroid is not removed itself.
    """
    loss = np.bincount(ids[:, 0], squared[:, 1] - squared[:, 0], len(centroids))
    heirs = np.full(len(centroids), -1)
    heirs[ids[:, 0]] = ids[:, 1]
    removed: list[int] = []
    required: set[int] = set()
    order = np.argsort(loss, kind="stable")
    for centroid in order:
        if len(removed) < count and centroid not in required:
            removed.append(int(centroid))
            required.add(int(heirs[centroid]))
    removed += [int(centroid) for centroid in order if centroid not in removed][: count - len(removed)]
    return np.ascontiguousarray(np.delete(centroids, removed, axis=0))
