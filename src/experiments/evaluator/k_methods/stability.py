"""Stability: agreement of clusterings with different seeds or of different bootstrap samples."""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np

RowClusters = tuple[np.ndarray, np.ndarray]  # row indices, ascending, and their assignments


def agreement(clusterings: Sequence[RowClusters]) -> float:
    """Return the mean adjusted Rand index over all pairs of clusterings, each on their common rows.

    Source
    ------
    Hubert, Arabie, "Comparing partitions", 1985; Ben-Hur, Elisseeff, Guyon, "A stability based method for
    discovering structure in clustered data", 2002.
    """
    from sklearn.metrics import adjusted_rand_score

    values = []
    for (rows_a, clusters_a), (rows_b, clusters_b) in combinations(clusterings, 2):
        _, in_a, in_b = np.intersect1d(rows_a, rows_b, assume_unique=True, return_indices=True)
        values.append(adjusted_rand_score(clusters_a[in_a], clusters_b[in_b]))
    return float(np.mean(values)) if values else float("nan")


def resampled(
    points: np.ndarray, fit: Callable[[int, np.ndarray], np.ndarray], samples: int, seed: int
) -> list[RowClusters]:
    """Cluster bootstrap samples: n rows drawn with replacement, the same rows for every k."""
    clusterings = []
    for number in range(samples):
        drawn = np.random.default_rng((seed, number)).integers(len(points), size=len(points))
        rows, first = np.unique(drawn, return_index=True)
        clusterings.append((rows, fit(number, points[drawn])[first]))
    return clusterings
