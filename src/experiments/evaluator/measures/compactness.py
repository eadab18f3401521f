"""Calinski-Harabasz and Davies-Bouldin, also of millions of points, and of as many clusters as noise has.

scikit-learn's look through all points once per cluster, sum float32 values, and hold the distances of all
pairs of centroids. Up to `MANY` points in `FEW` clusters they are called, so that the results are theirs.
A new metric gets `@compactness` here and a row in metrics.py, whose docstring has the steps.
"""

from collections.abc import Callable

import numpy as np

from experiments.evaluator.measures.extents import Extents, extents
from experiments.numerics.scale import exponents

MANY = 100_000
FEW = 1_000
SMALL = 10  # powers of two below 1 from which points are brought to size 1, as scikit-learn takes 1e-8 for 0
DISTANCES = 4_000_000  # of centroids held at a time: 32 MB

Compactness = Callable[[np.ndarray, np.ndarray, Extents | None], float]
COMPACTNESS: dict[str, Compactness] = {}  # every metric of points and assignments, by its name


def compactness(measure: Compactness) -> Compactness:
    """Have evaluator=internal give this metric."""
    COMPACTNESS[measure.__name__] = measure
    return measure


@compactness
def calinski_harabasz(points: np.ndarray, assignments: np.ndarray, known: Extents | None = None) -> float:
    """Return the variance between clusters over that within, each by its degrees of freedom.

    Parameters
    ----------
    known
        The clusters' extents, if they were measured before.

    Source
    ------
    Calinski, Harabasz, "A dendrite method for cluster analysis", 1974.
    """
    from sklearn import metrics

    if _few(assignments, known):
        return float(metrics.calinski_harabasz_score(points, assignments))
    of, sizes, means, squares, *_ = known or extents(points, assignments)
    n, k = len(of), len(sizes)
    within = float(squares.sum())
    between = float((sizes[:, None] * (means - np.average(means, axis=0, weights=sizes)) ** 2).sum())
    return 1.0 if within == 0 else between * (n - k) / (within * (k - 1))


@compactness
def davies_bouldin(points: np.ndarray, assignments: np.ndarray, known: Extents | None = None) -> float:
    """Return how wide two neighbouring clusters are against their distance, at worst, averaged; 0 is best.

    Parameters
    ----------
    known
        The clusters' extents, if they were measured before.

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
    worst += _worst(narrow, wide, means, widths)  # those as wide as a point are 0 to one another
    return worst / len(means)


def _few(assignments: np.ndarray, known: Extents | None) -> bool:
    if len(assignments) > MANY:
        return False
    return (len(known.sizes) if known else len(np.unique(assignments))) <= FEW


def _worst(clusters: np.ndarray, others: np.ndarray, means: np.ndarray, widths: np.ndarray) -> float:
    """Return the sum over these clusters of how they compare with the worst of some others."""
    from sklearn.metrics import euclidean_distances

    total = 0.0
    count = -(-len(clusters) * len(others) // DISTANCES)  # 0 where there is nothing to compare
    for batch in np.array_split(clusters, count) if count else ():
        distances = euclidean_distances(means[batch], means[others])
        distances[(batch[:, None] == others) | (distances == 0)] = np.inf
        total += float(((widths[batch, None] + widths[others]) / distances).max(axis=1).sum())
    return total
