"""Spherical k-means on FAISS: clusters by cosine; rows of zeros are noise."""

import logging
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from experiments.cluster.faiss_kmeans import FaissKMeans
from experiments.cluster.kmeans.centroids import DISTANCES, batches, check_finite, check_k, nearest
from experiments.context import Context
from experiments.store.values import SavedFields

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class SphericalClustering(SavedFields):
    """The clustering by the centroid of largest cosine.

    Parameters
    ----------
    assignments
        int64 (n,): the centroid of largest cosine; -1 for a row of zeros.
    centroids
        float32 (k, p), of length 1.
    inertia
        Sum of 2 - 2 * cosine to the assigned centroid over all nonzero rows.
    """

    assignments: np.ndarray
    probabilities: None
    centroids: np.ndarray
    inertia: float

    def assign(self, reduced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Assign float32 (m, p) of any length to the centroid of largest cosine.

        Returns
        -------
        Ids int64 (m,) and distance float32 (m,), sqrt(2 - 2 * cosine); -1 and 1 for rows of zeros.
        """
        points, nonzero = directions(reduced)
        ids, squared = nearest(self.centroids, points)
        return np.where(nonzero, ids, -1), np.sqrt(squared).astype(np.float32)


@dataclass(frozen=True)
class SphericalKMeans:
    """k-means of rows scaled to length 1, with centroids of length 1.

    Accepts rows of any length. For rows of length 1, such as those of `reducer=l2`, `cluster=faiss_kmeans
    cluster.spherical=true` gives the same clusters. Settings are those of `FaissKMeans`.

    Source
    ------
    Dhillon, Modha, "Concept decompositions for large sparse text data using clustering", 2001.
    """

    VERSION: ClassVar[int] = 2

    k: int
    n_redo: Any
    breath: Any
    max_iter: int
    start_tolerance: float
    tolerance: float
    seed: int

    def __post_init__(self) -> None:
        self._faiss_kmeans()

    def _faiss_kmeans(self) -> FaissKMeans:
        return FaissKMeans(spherical=True, **{f.name: getattr(self, f.name) for f in fields(self)})

    def check(self, n: int) -> None:
        """Raise ValueError if k exceeds n."""
        check_k(self.k, n)

    def fit(self, reduced: np.ndarray, ctx: Context) -> SphericalClustering:
        """Cluster the directions of float32 (n, p)."""
        check_finite(reduced)
        points, nonzero = directions(reduced)
        if not nonzero.all():
            log.warning(
                "%d of %d rows are zero, have no direction and are noise", (~nonzero).sum(), len(nonzero)
            )
        check_k(self.k, int(nonzero.sum()))
        clustering = self._faiss_kmeans().fit(points if nonzero.all() else points[nonzero], ctx)
        assignments = np.full(len(points), -1)
        assignments[nonzero] = clustering.assignments
        return SphericalClustering(assignments, None, clustering.centroids, clustering.inertia)


def directions(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows scaled to length 1, float32 (n, p), and flags (n,), False for rows of zeros."""
    unit, flags = np.empty(rows.shape, np.float32), np.empty(len(rows), bool)
    for batch in batches(len(rows), max(1, DISTANCES // rows.shape[1])):
        largest = np.abs(rows[batch]).max(axis=1, keepdims=True)
        nonzero = largest > 0
        scaled = np.zeros(rows[batch].shape)  # divided by the largest value, so that squares cannot overflow
        np.divide(rows[batch], largest, out=scaled, where=nonzero)
        lengths = np.linalg.norm(scaled, axis=1, keepdims=True)
        unit[batch] = np.divide(scaled, lengths, out=scaled, where=nonzero)
        flags[batch] = nonzero[:, 0]
    return unit, flags
