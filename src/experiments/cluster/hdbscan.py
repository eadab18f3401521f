"""HDBSCAN: clusters at the densities at which each lasts longest; what belongs to none is noise."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from experiments.cluster.density import fast_hdbscan
from experiments.cluster.density.groups import check_density, lengths
from experiments.cluster.density.reachability import Reachability
from experiments.cluster.kmeans.centroids import check_finite, check_settings
from experiments.context import Context
from experiments.numerics.compiled import announce
from experiments.numerics.nearest import nearest
from experiments.store.values import SavedFields

METHODS = ("eom", "leaf")
ROUNDING = 1e-5  # of a row's length: a product in float32 differs so with the rows that come along
BATCH = 4_096  # points that are assigned at a time


@dataclass(frozen=True, eq=False)
class HdbscanClustering(SavedFields):
    """Points grouped by density, and what of the tree it takes to assign others.

    Parameters
    ----------
    assignments
        int64 (n,), -1 is noise.
    probabilities
        float32 (n,): how deep in its cluster a point is, 1 at its densest; 0 of noise. Equal points, whose
        density is infinite, are 1 and no measure of the others.
    points
        float32 (n, p) that were clustered.
    core
        float64 (n,): distance within which a point has min_samples - 1 others.
    home, leaves
        int64 and float64 (n,): the last branch that a point is in, and the density at which it leaves.
    parent, starts, names
        int64, float64 and int64 (b,): branch above, density at which a branch starts, and the cluster that
        it belongs to, -1 if none.
    """

    assignments: np.ndarray
    probabilities: np.ndarray
    centroids: None
    inertia: None
    min_samples: int
    points: np.ndarray
    core: np.ndarray
    home: np.ndarray
    leaves: np.ndarray
    parent: np.ndarray
    starts: np.ndarray
    names: np.ndarray

    def assign(self, reduced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Put each of float32 (m, p) into the cluster of the fitted point nearest by mutual reachability.

        It goes there if it is as dense as that cluster is somewhere, else it is noise; as hdbscan's
        `approximate_predict` does. A row that was fitted, but for rounding, keeps its assignment.

        Returns
        -------
        Ids int64 (m,), -1 is noise, and mutual reachability distance float32 (m,): the largest of the
        distance to that point, its core distance and the core distance of the row itself.
        """
        ids, distance = np.empty(len(reduced), np.int64), np.empty(len(reduced), np.float32)
        for start in range(0, len(reduced), BATCH):
            rows = slice(start, start + BATCH)
            ids[rows], distance[rows] = self._assigned(reduced[rows])
        return ids, distance

    def _assigned(self, reduced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        most = min(2 * self.min_samples + 1, len(self.points))
        rows, distances = nearest(self.points, reduced, most)
        same = distances[:, 0] <= ROUNDING * lengths(reduced)
        fitted = self.assignments[rows[:, 0]]
        shift = same[:, None]  # a fitted row is no neighbour of itself
        distances = np.where(shift, distances[:, 1:], distances[:, :-1])
        rows = np.where(shift, rows[:, 1:], rows[:, :-1])
        own = distances[:, [min(self.min_samples, most - 2)]]
        reach = np.maximum(np.maximum(distances, self.core[rows]), own)
        best = reach.argmin(axis=1)
        each = np.arange(len(rows))
        nearby, reach = rows[each, best], reach[each, best]
        density = np.divide(1, reach, out=np.full(len(reach), np.inf), where=reach > 0)
        branch = self._branch(nearby, density)
        ids = np.where(same, fitted, self.names[branch])
        return ids, reach.astype(np.float32)

    def _branch(self, nearby: np.ndarray, density: np.ndarray) -> np.ndarray:
        """Climb from the branch of each nearby point to the first that starts at a lower density."""
        branch = np.array(self.home[nearby])
        late = self.leaves[nearby] > density
        while True:
            up = late & (branch > 0) & (self.starts[branch] >= density)
            if not up.any():
                return branch
            branch[up] = self.parent[branch[up]]


@dataclass(frozen=True)
class Hdbscan:
    """HDBSCAN by Euclidean distance (of points of length 1, from `reducer=l2`, that orders as cosine does).

    Parameters
    ----------
    min_cluster_size
        Fewest points of a cluster, 2 or more.
    min_samples
        Others within a point's core distance; more make more points noise.
    cluster_selection_method
        `eom` takes the clusters that last longest, `leaf` the finest.
    cluster_selection_epsilon
        Clusters nearer to each other than this are one; 0 for none.
    allow_single_cluster
        Let all points be one cluster.

    Source
    ------
    Campello, Moulavi, Sander, "Density-based clustering based on hierarchical density estimates", 2013.
    """

    VERSION: ClassVar[int] = 4

    min_cluster_size: int
    min_samples: int
    cluster_selection_method: str
    cluster_selection_epsilon: float
    allow_single_cluster: bool

    def __post_init__(self) -> None:
        check_settings(self, ("min_samples",), ())
        if self.min_cluster_size < 2:
            raise ValueError(f"cluster.min_cluster_size={self.min_cluster_size} is no cluster; use 2 or more")
        if self.cluster_selection_method not in METHODS:
            raise ValueError(
                f"cluster.cluster_selection_method={self.cluster_selection_method} is not an option; "
                f"use {' or '.join(METHODS)}"
            )
        if not 0 <= self.cluster_selection_epsilon < np.inf:
            raise ValueError(
                f"cluster.cluster_selection_epsilon={self.cluster_selection_epsilon} is no distance; "
                "use 0 or more"
            )

    def check(self, n: int) -> None:
        """Raise ValueError if n points are too few."""
        check_density(self, "hdbscan", n)

    def fit(self, reduced: np.ndarray, ctx: Context) -> HdbscanClustering:
        """Cluster float32 (n, p), with the tree from the store if any sweep left it there."""
        announce("fast_hdbscan", "HDBSCAN")
        self.check(len(reduced))
        check_finite(reduced)
        points = np.array(reduced, np.float32)
        n, epsilon = len(points), self.cluster_selection_epsilon
        tree = Reachability(self.min_samples).kept(points, ctx)
        condensed = fast_hdbscan.condensed(tree.edges, self.min_cluster_size)
        chosen = fast_hdbscan.chosen(
            condensed,
            n,
            method=self.cluster_selection_method,
            allow_single_cluster=self.allow_single_cluster,
            epsilon=epsilon,
        )
        assignments = fast_hdbscan.labels(condensed, chosen, epsilon, n)
        probabilities = fast_hdbscan.depths(condensed, chosen, assignments)
        return HdbscanClustering(
            assignments,
            probabilities,
            None,
            None,
            self.min_samples,
            points,
            tree.inner,  # which is what approximate_predict reads for a core distance
            *_branches(condensed, chosen, n),
        )


def _branches(condensed: Any, chosen: np.ndarray, n: int) -> tuple[np.ndarray, ...]:
    """Return each point's last branch and the density at which it leaves, and each branch's own, from 0."""
    child, above = condensed.child, condensed.parent - n
    density = condensed.lambda_val.astype(np.float64)
    of_points = child < n
    home, leaves = np.zeros(n, np.int64), np.zeros(n)
    home[child[of_points]] = above[of_points]
    leaves[child[of_points]] = density[of_points]
    count = int(max(above.max(initial=0), child.max(initial=0) - n)) + 1
    parent, starts = np.zeros(count, np.int64), np.zeros(count)
    parent[child[~of_points] - n] = above[~of_points]
    starts[child[~of_points] - n] = density[~of_points]
    names = np.full(count, -1)
    names[np.sort(chosen) - n] = np.arange(len(chosen))
    for branch in range(1, count):  # branches come after those above them
        if names[branch] < 0:
            names[branch] = names[parent[branch]]
    return home, leaves, parent, starts, names
