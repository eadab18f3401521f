"""Calinski-Harabasz and Davies-Bouldin, also for millions of points and clusters.

scikit-learn's functions pass over all points once per cluster, sum float32 values, and keep the distances of
all pairs of centroids in memory. They are called for up to `MANY` points in `FEW` clusters, so these results
are equal. A new metric gets `@compactness` here and a row in metrics.py, whose docstring has the steps.
"""

from collections.abc import Callable

import numpy as np

from experiments.evaluator.measures.extents import Extents, extents
from experiments.numerics.scale import exponents

MANY = 100_000
FEW = 1_000
SMALL = 10  # points below 2**-10 are scaled to 1, because scikit-learn sets distances below 1e-8 to 0
DISTANCES = 4_000_000  # number of distances of centroids in memory at a time: 32 MB

Compactness = Callable[[np.ndarray, np.ndarray, Extents | None], float]
COMPACTNESS: dict[str, Compactness] = {}  # by metric name


def compactness(measure: Compactness) -> Compactness:
    """Register a metric for evaluator=internal, under its function name."""
    COMPACTNESS[measure.__name__] = measure
    return measure


@compactness
def calinski_harabasz(points: np.ndarray, assignments: np.ndarray, known: Extents | None = None) -> float:
    """Return the ratio of the variances between and within clusters, each per degree of freedom.

    Parameters
    ----------
    known
        The clusters' extents, if already computed.

    Source
    ------
    Calinski, Harabasz, "A dendrite method for cluster analysis", 1974.
    """
    from sklearn import metrics

    if _few(assignments, known):
        return float(metrics.calinski_harabasz_score(points, assignments))
    row_clusters, sizes, means, squares, *_ = known or extents(points, assignments)
    n, k = len(row_clusters), len(sizes)
    within = float(squares.sum())
    between = float((sizes[:, None] * (means - np.average(means, axis=0, weights=sizes)) ** 2).sum())
    return 1.0 if within == 0 else between * (n - k) / (within * (k - 1))


@compactness
def davies_bouldin(points: np.ndarray, assignments: np.ndarray, known: Extents | None = None) -> float:
    """Return the mean, over clusters, of the largest ratio of widths to distance with another; 0 is best.

    Parameters
    ----------
    known
        The clusters' extents, if already computed.

    Source
    ------
    Davies, Bouldin, "A cluster separation measure", 1979.
    """
    from sklearn import metrics

    if _few(assignments, known):
        power = exponents(points, ordinary=SMALL)
        points = np.ldexp(points, -power) if power < 0 else points
        return float(metrics.davies_bouldin_score(points, assignments))
    known = known or extents(points, assignments)
    widths = known.distances / known.sizes
    means = known.means - known.means.mean(axis=0)
    wide, narrow = np.flatnonzero(widths > 0), np.flatnonzero(widths == 0)
    worst = _worst(wide, np.arange(len(means)), means, widths)
    worst += _worst(narrow, wide, means, widths)  # the ratio of two clusters of width 0 is 0
    return worst / len(means)


def _few(assignments: np.ndarray, known: Extents | None) -> bool:
    if len(assignments) > MANY:
        return False
    return (len(known.sizes) if known else len(np.unique(assignments))) <= FEW


def _worst(clusters: np.ndarray, others: np.ndarray, means: np.ndarray, widths: np.ndarray) -> float:
    """Return the sum over `clusters` of their largest ratio of widths to distance with one of `others`."""
    from sklearn.metrics import euclidean_distances

    total = 0.0
    count = -(-len(clusters) * len(others) // DISTANCES)  # 0 if one of them is empty
    for batch in np.array_split(clusters, count) if count else ():
        distances = euclidean_distances(means[batch], means[others])
        distances[(batch[:, None] == others) | (distances == 0)] = np.inf
        total += float(((widths[batch, None] + widths[others]) / distances).max(axis=1).sum())
    return total
