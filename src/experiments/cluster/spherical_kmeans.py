"""Spherical k-means: clusters of directions, by FAISS. What has no direction, a row of zeros, is noise."""

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
    """Directions grouped around directions.

    Parameters
    ----------
    assignments
        int64 (n,), each the centroid of largest cosine; -1 is a row of zeros.
    centroids
        float32 (k, p), of length 1.
    inertia
        2 - 2 * cosine to the own centroid, summed over all rows that have a direction.
    """

    assignments: np.ndarray
    probabilities: None
    centroids: np.ndarray
    inertia: float

    def assign(self, reduced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Put float32 (m, p) of any length to the centroid of largest cosine, rows of zeros to none.

        Returns
        -------
        Ids int64 (m,), -1 for rows of zeros, and distance float32 (m,): sqrt(2 - 2 * cosine); 1 for them.
        """
        points, some = directions(reduced)
        ids, squared = nearest(self.centroids, points)
        return np.where(some, ids, -1), np.sqrt(squared).astype(np.float32)


@dataclass(frozen=True)
class SphericalKMeans:
    """k-means of the rows' directions: they are brought to length 1, and so are the centroids.

    `cluster=faiss_kmeans cluster.spherical=true` is the same for rows that have length 1, such as those of
    `reducer=l2`; this takes rows of any length. The settings are those of `FaissKMeans`.

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
        self._inner()

    def _inner(self) -> FaissKMeans:
        return FaissKMeans(spherical=True, **{f.name: getattr(self, f.name) for f in fields(self)})

    def check(self, n: int) -> None:
        """Raise ValueError if k exceeds n."""
        check_k(self.k, n)

    def fit(self, reduced: np.ndarray, ctx: Context) -> SphericalClustering:
        """Cluster the directions of float32 (n, p)."""
        check_finite(reduced)
        points, some = directions(reduced)
        if not some.all():
            log.warning(
                "%d of %d rows are zero: they have no direction, and are noise", (~some).sum(), len(some)
            )
        check_k(self.k, int(some.sum()))
        found = self._inner().fit(points if some.all() else points[some], ctx)
        assignments = np.full(len(points), -1)
        assignments[some] = found.assignments
        return SphericalClustering(assignments, None, found.centroids, found.inertia)


def directions(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bring rows to length 1, float32 (n, p); zero ones stay, and the flags (n,) tell which are not."""
    unit, some = np.empty(rows.shape, np.float32), np.empty(len(rows), bool)
    for batch in batches(len(rows), max(1, DISTANCES // rows.shape[1])):
        largest = np.abs(rows[batch]).max(axis=1, keepdims=True)
        nonzero = largest > 0
        scaled = np.zeros(rows[batch].shape)  # by the largest value, so that squares cannot overflow
        np.divide(rows[batch], largest, out=scaled, where=nonzero)
        lengths = np.linalg.norm(scaled, axis=1, keepdims=True)
        unit[batch] = np.divide(scaled, lengths, out=scaled, where=nonzero)
        some[batch] = nonzero[:, 0]
    return unit, some
