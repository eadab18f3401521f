"""DBSCAN: a cluster is a chain of core points within eps of each other; points near none are noise."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.cluster.density.groups import check_density, renumber, row_lengths
from experiments.cluster.density.reachability import Reachability
from experiments.cluster.kmeans.centroids import check_finite, check_settings
from experiments.context import Context
from experiments.numerics.nearest import nearest
from experiments.store.values import SavedFields

ROUNDING = 1e-6  # relative rounding error of a float32 distance; makes points exactly eps apart neighbours
SAME = 1e-5  # rounding error of an embedding, relative to its length; varies with its batch


@dataclass(frozen=True, eq=False)
class DbscanClustering(SavedFields):
    """The clustering, with the core points for assigning new points.

    Parameters
    ----------
    assignments
        int64 (n,), -1 is noise.
    cores, core_ids
        float32 (c, p) and int64 (c,): the core points and their clusters.
    """

    assignments: np.ndarray
    probabilities: None
    centroids: None
    inertia: None
    eps: float
    cores: np.ndarray
    core_ids: np.ndarray

    def assign(self, reduced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Assign float32 (m, p) to the cluster of the nearest core point within eps.

        Fitted rows keep their assignment, because `fit` assigns border points by the same rule. In the paper,
        the cluster of a border point depends on the order of the rows.

        Returns
        -------
        Ids int64 (m,), -1 is noise, and distance to the nearest core point float32 (m,), inf if there is
        none. For a core point it is the distance to its nearest other core point, at most eps.
        """
        ids, distances = _nearest_cores(self.cores, self.core_ids, self.eps, reduced)
        first, second = distances.T
        same = (ids >= 0) & (first <= SAME * row_lengths(reduced))
        return ids, np.where(same, np.minimum(second, self.eps), first).astype(np.float32)


@dataclass(frozen=True)
class Dbscan:
    """DBSCAN by Euclidean distance, cut from a tree that a sweep over eps computes once.

    Parameters
    ----------
    eps
        Largest distance of neighbours, in units of the reduced space; `evaluator=k_distance` suggests one.
    min_samples
        Smallest number of points within eps of a core point, including itself.

    Source
    ------
    Ester, Kriegel, Sander, Xu, "A density-based algorithm for discovering clusters", 1996; Campello,
    Moulavi, Sander, "Density-based clustering based on hierarchical density estimates", 2013 (the cut).
    """

    VERSION: ClassVar[int] = 4

    eps: float
    min_samples: int

    def __post_init__(self) -> None:
        check_settings(self, ("min_samples",), ())
        if not 0 < self.eps < np.inf:
            raise ValueError(
                f"cluster.eps={self.eps} is not a distance; use more than 0, as evaluator=k_distance suggests"
            )

    def check(self, n: int) -> None:
        """Raise ValueError if n points are too few."""
        check_density(self, "dbscan", n)

    def fit(self, reduced: np.ndarray, ctx: Context) -> DbscanClustering:
        """Cluster float32 (n, p); memory grows linearly with n for every eps."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components
        from threadpoolctl import threadpool_limits

        self.check(len(reduced))
        check_finite(reduced)
        points = np.asarray(reduced, np.float32)
        n, reach = len(points), self.eps * (1 + ROUNDING)
        tree = Reachability(max(self.min_samples - 1, 1)).cached(points, ctx)
        edges = tree.edges[tree.edges[:, 2] <= reach]
        left, right = edges[:, :2].astype(np.int64).T
        _, groups = connected_components(
            coo_array((np.ones(len(edges)), (left, right)), (n, n)), directed=False
        )
        core = np.flatnonzero((tree.core_distance <= reach) | (self.min_samples == 1))
        ids = renumber(groups[core])
        with threadpool_limits(ctx.threads):
            assignments, _ = _nearest_cores(points[core], ids, self.eps, points)
        return DbscanClustering(assignments, None, None, None, self.eps, points[core], ids)


def _nearest_cores(
    cores: np.ndarray, core_ids: np.ndarray, eps: float, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the cluster of each point, and the distances (m, 2) to its nearest two core points."""
    distances = np.full((len(points), 2), np.inf)
    if not len(cores):
        return np.full(len(points), -1), distances
    count = min(2, len(cores))
    rows, distances[:, :count] = nearest(cores, points, count)
    ids = np.where(distances[:, 0] <= eps * (1 + ROUNDING), core_ids[rows[:, 0]], -1)
    return ids.astype(np.int64), distances
