"""Calinski-Harabasz and Davies-Bouldin, also of as many clusters as noise has points.

scikit-learn's look through all points once per cluster, and hold the distances of all pairs of centroids:
thousands of clusters take gigabytes. Up to `FEW` clusters they are called, so that their figures are theirs.
"""

import numpy as np

from experiments.numerics.scale import exponents

FEW = 1_000
SMALL = 10  # powers of two below 1 from which points are brought to size 1, as scikit-learn takes 1e-8 for 0
DISTANCES = 4_000_000  # of centroids held at a time: 32 MB


def calinski_harabasz(points: np.ndarray, assignments: np.ndarray) -> float:
    """Return the variance between clusters over that within, each by its degrees of freedom.

    Source
    ------
    Calinski, Harabasz, "A dendrite method for cluster analysis", 1974.
    """
    from sklearn import metrics

    if len(np.unique(assignments)) <= FEW:
        return float(metrics.calinski_harabasz_score(points, assignments))
    own, sizes, means = _means(points, assignments)
    n, k = len(points), len(means)
    within = float(((points - means[own]) ** 2).sum())
    between = float((sizes[:, None] * (means - points.mean(axis=0, dtype=np.float64)) ** 2).sum())
    return 1.0 if within == 0 else between * (n - k) / (within * (k - 1))


def davies_bouldin(points: np.ndarray, assignments: np.ndarray) -> float:
    """Return how wide two neighbouring clusters are against their distance, at worst, averaged; 0 is best.

    Source
    ------
    Davies, Bouldin, "A cluster separation measure", 1979.
    """
    from sklearn import metrics

    power = exponents(points, ordinary=SMALL)
    if power < 0:
        points = np.ldexp(points, -power)
    if len(np.unique(assignments)) <= FEW:
        return float(metrics.davies_bouldin_score(points, assignments))
    own, sizes, means = _means(points, assignments)
    widths = np.bincount(own, np.linalg.norm(points - means[own], axis=1)) / sizes
    means -= means.mean(axis=0)
    worst = [
        _worst(batch, means, widths)
        for batch in np.array_split(np.arange(len(means)), -(-(len(means) ** 2) // DISTANCES))
    ]
    return float(np.concatenate(worst).mean())


def _worst(batch: np.ndarray, means: np.ndarray, widths: np.ndarray) -> np.ndarray:
    from sklearn.metrics import euclidean_distances

    distances = euclidean_distances(means[batch], means)
    distances[np.arange(len(batch)), batch] = np.inf
    distances[distances == 0] = np.inf
    largest: np.ndarray = ((widths[batch, None] + widths) / distances).max(axis=1)
    return largest


def _means(points: np.ndarray, assignments: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    _, own, sizes = np.unique(assignments, return_inverse=True, return_counts=True)
    means = np.zeros((len(sizes), points.shape[1]))
    np.add.at(means, own, points)
    return own, sizes, means / sizes[:, None]
