"""Centres, sizes and widths of clusters, computed in two passes over blocks of points."""

from typing import NamedTuple

import numpy as np

from experiments.evaluator.measures.groups import CHUNK, group_rows


class Extents(NamedTuple):
    """Sizes, centres and widths of the clusters; every value of the assignments counts as a cluster.

    Parameters
    ----------
    row_clusters
        int64 (n,): index of each point's cluster, 0 to k - 1.
    sizes
        int64 (k,).
    means
        float64 (k, p): the centres.
    squares, distances, farthest
        float64 (k,): sum of squared distances of a cluster's points to its centre, sum of distances, and
        largest distance.
    """

    row_clusters: np.ndarray
    sizes: np.ndarray
    means: np.ndarray
    squares: np.ndarray
    distances: np.ndarray
    farthest: np.ndarray


def extents(points: np.ndarray, assignments: np.ndarray) -> Extents:
    """Return the extents of the clusters of (n, p) points."""
    clusters = group_rows(assignments)
    n, k = len(points), len(clusters.ids)
    means = clusters.means(points, np.arange(n))
    squares, distances, farthest = np.zeros(k), np.zeros(k), np.zeros(k)
    for start in range(0, n, CHUNK):
        block = clusters.row_groups[start : start + CHUNK]
        offsets = points[start : start + CHUNK] - means[block]
        squared = np.einsum("nd,nd->n", offsets, offsets)
        lengths = np.sqrt(squared)
        squares += np.bincount(block, squared, k)
        distances += np.bincount(block, lengths, k)
        np.maximum.at(farthest, block, lengths)
    return Extents(clusters.row_groups, clusters.sizes, means, squares, distances, farthest)
