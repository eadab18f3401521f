"""Move centroids from where they are hardly missed to where the error is largest.

Restarting k-means finds another local optimum; breathing leaves one, at a fraction of the cost.
"""

from collections.abc import Callable

import numpy as np

NUDGE = 0.01  # of the root mean squared distance: parts a new centroid from the one that it joins

# Brings centroids to rest; returns them, squared distance and number of each point's nearest two.
Settle = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


def breathe(centroids: np.ndarray, settle: Settle, breath: int, least: float, seed: int) -> np.ndarray:
    """Return centroids (k, p) of lower inertia.

    A breath adds centroids to the clusters of largest error, lets all settle, takes as many of the most
    superfluous away, and settles again. One that lowers the inertia by less than `least` of itself is undone,
    and the next takes half as many.

    Source
    ------
    Fritzke, "Breathing K-Means", 2020; halving instead of counting down by one is ours.
    """
    rng = np.random.default_rng(seed)
    centroids, squared, ids = settle(centroids)
    while breath and squared[:, 0].sum() > 0:  # below 0 it is rounding, and has no root
        new = _added(centroids, squared, ids, breath, rng)
        moved, moved_squared, moved_ids = exchange(centroids, new, settle)
        if moved_squared[:, 0].sum() < (1 - least) * squared[:, 0].sum():
            centroids, squared, ids = moved, moved_squared, moved_ids
        else:
            breath //= 2
    return centroids


def exchange(
    centroids: np.ndarray, new: np.ndarray, settle: Settle
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Add new centroids (b, p), let all settle, take the b most superfluous away and settle the rest."""
    fuller = settle(np.concatenate([centroids, new]))
    return settle(_without_superfluous(*fuller, len(new)))


def _added(
    centroids: np.ndarray, squared: np.ndarray, ids: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Return a new centroid beside each of those with the largest summed error."""
    error = np.bincount(ids[:, 0], squared[:, 0], len(centroids))
    beside = centroids[np.argsort(-error, kind="stable")[:count]]
    nudge = NUDGE * np.sqrt(squared[:, 0].mean() / centroids.shape[1])
    moved: np.ndarray = beside + nudge * rng.standard_normal(beside.shape)
    return moved.astype(np.float32)


def _without_superfluous(
    centroids: np.ndarray, squared: np.ndarray, ids: np.ndarray, count: int
) -> np.ndarray:
    """Leave out centroids whose points lose least by going to their second nearest.

    The second nearest of one that goes has to stay, while there is another choice.
    """
    loss = np.bincount(ids[:, 0], squared[:, 1] - squared[:, 0], len(centroids))
    heirs = np.full(len(centroids), -1)
    heirs[ids[:, 0]] = ids[:, 1]
    gone: list[int] = []
    kept: set[int] = set()
    order = np.argsort(loss, kind="stable")
    for centroid in order:
        if len(gone) < count and centroid not in kept:
            gone.append(int(centroid))
            kept.add(int(heirs[centroid]))
    gone += [int(centroid) for centroid in order if centroid not in gone][: count - len(gone)]
    return np.ascontiguousarray(np.delete(centroids, gone, axis=0))
