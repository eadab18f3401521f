"""The silhouette of each point."""

from collections.abc import Iterator

import numpy as np

DISTANCES = 4_000_000  # held at a time: 32 MB


def silhouettes(points: np.ndarray, assignments: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the silhouette of these rows, float64 (m,), each measured against all points.

    0 for the only member of a cluster. Every number among the assignments counts as a cluster.

    scikit-learn's `sample_size` measures the sample against itself, which thins the clusters out: on 25,557
    points in 233 clusters 10,000 rows gave .046 where all give .053. Where `rows` are all, both agree.

    Source
    ------
    Rousseeuw, "Silhouettes", 1987.
    """
    from sklearn.metrics import euclidean_distances

    _, own, sizes = np.unique(assignments, return_inverse=True, return_counts=True)
    by_cluster = points[np.argsort(own, kind="stable")].astype(np.float64)  # four times as fast as float32
    starts = np.cumsum(sizes) - sizes
    found = [np.empty(0)]
    for batch in _batches(rows, len(points)):
        distances = euclidean_distances(points[batch].astype(np.float64), by_cluster)
        sums = np.add.reduceat(distances, starts, axis=1)
        each, home = np.arange(len(batch)), own[batch]
        within = sums[each, home] / np.maximum(sizes[home] - 1, 1)
        means = sums / sizes
        means[each, home] = np.inf
        between = means.min(axis=1)
        widest = np.maximum(within, between)
        scores = np.divide(between - within, widest, out=np.zeros_like(widest), where=widest > 0)
        found.append(np.where(sizes[home] > 1, scores, 0.0))
    return np.concatenate(found)


def _batches(rows: np.ndarray, n: int) -> Iterator[np.ndarray]:
    count = max(1, min(len(rows), -(-len(rows) * n // DISTANCES)))
    yield from np.array_split(rows, count)
