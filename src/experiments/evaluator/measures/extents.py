"""Where the clusters are and how wide, found in two passes over the points in blocks."""

from typing import NamedTuple

import numpy as np

from experiments.evaluator.measures.groups import CHUNK, groups


class Extents(NamedTuple):
    """The clusters' sizes, centres and widths; every number among the assignments counts as a cluster.

    Parameters
    ----------
    of
        int64 (n,): which of the k clusters each point is in.
    sizes
        int64 (k,).
    means
        float64 (k, p): the centres.
    squares, distances, farthest
        float64 (k,): the squared distances of a cluster's points to its centre, summed; the distances,
        summed; and the largest distance.
    """

    of: np.ndarray
    sizes: np.ndarray
    means: np.ndarray
    squares: np.ndarray
    distances: np.ndarray
    farthest: np.ndarray


def extents(points: np.ndarray, assignments: np.ndarray) -> Extents:
    """Measure the clusters of (n, p) points."""
    clusters = groups(assignments)
    n, k = len(points), len(clusters.ids)
    means = clusters.means(points, np.arange(n))
    squares, distances, farthest = np.zeros(k), np.zeros(k), np.zeros(k)
    for start in range(0, n, CHUNK):
        of = clusters.of[start : start + CHUNK]
        offsets = points[start : start + CHUNK] - means[of]
        squared = np.einsum("nd,nd->n", offsets, offsets)
        lengths = np.sqrt(squared)
        squares += np.bincount(of, squared, k)
        distances += np.bincount(of, lengths, k)
        np.maximum.at(farthest, of, lengths)
    return Extents(clusters.of, clusters.sizes, means, squares, distances, farthest)
