"""HDBSCAN: the density-based clusters that persist longest; points in none are noise."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from experiments.cluster.density import fast_hdbscan
from experiments.cluster.density.groups import check_density, row_lengths
from experiments.cluster.density.reachability import Reachability
from experiments.cluster.kmeans.centroids import check_finite, check_settings
from experiments.context import Context
from experiments.numerics.compiled import announce
from experiments.numerics.nearest import nearest
from experiments.store.values import SavedFields

METHODS = ("eom", "leaf")
ROUNDING = 1e-5  # rounding error of an embedding, relative to its length; varies with its batch
BATCH = 4_096  # number of points assigned at a time


@dataclass(frozen=True, eq=False)
class HdbscanClustering(SavedFields):
    """The clustering, and the part of the tree that assigns new points.

    Parameters
    ----------
    assignments
        int64 (n,), -1 is noise.
    probabilities
        float32 (n,): membership strength, 1 for the densest points of a cluster, 0 for noise. Equal points
        have infinite density and strength 1, and do not scale the strengths of others.
    points
        float32 (n, p): the clustered points.
    core_distance
        float64 (n,): distance of a point to its neighbour number min_samples - 1.
    last_branch, exit_density
        int64 and float64 (n,): the last branch that contains a point, and the density at which it leaves.
    parent, birth_density, branch_label
        int64, float64 and int64 (b,): parent branch, density at which a branch starts, and its cluster, -1 if
        none.
    """

    assignments: np.ndarray
    probabilities: np.ndarray
    centroids: None
    inertia: None
    min_samples: int
    points: np.ndarray
    core_distance: np.ndarray
    last_branch: np.ndarray
    exit_density: np.ndarray
    parent: np.ndarray
    birth_density: np.ndarray
    branch_label: np.ndarray

    def assign(self, reduced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Assign float32 (m, p) to the cluster of the nearest fitted point by mutual reachability.

        As hdbscan's `approximate_predict`: a row less dense than every part of that cluster is noise. Fitted
        rows (up to rounding) keep their assignment.

        Returns
        -------
        Ids int64 (m,), -1 is noise, and mutual reachability distance float32 (m,): the largest of the
        distance to that point, its core distance and the core distance of the row itself.
        """
        ids, distance = np.empty(len(reduced), np.int64), np.empty(len(reduced), np.float32)
        for start in range(0, len(reduced), BATCH):
            rows = slice(start, start + BATCH)
            ids[rows], distance[rows] = self._assign_batch(reduced[rows])
        return ids, distance

    def _assign_batch(self, reduced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        most = min(2 * self.min_samples + 1, len(self.points))
        rows, distances = nearest(self.points, reduced, most)
        same = distances[:, 0] <= ROUNDING * row_lengths(reduced)
        fitted = self.assignments[rows[:, 0]]
        shift = same[:, None]  # a fitted row is not its own neighbour
        distances = np.where(shift, distances[:, 1:], distances[:, :-1])
        rows = np.where(shift, rows[:, 1:], rows[:, :-1])
        new_core_distance = distances[:, [min(self.min_samples, most - 2)]]
        reach = np.maximum(np.maximum(distances, self.core_distance[rows]), new_core_distance)
        best = reach.argmin(axis=1)
        indices = np.arange(len(rows))
        neighbours, reach = rows[indices, best], reach[indices, best]
        density = np.divide(1, reach, out=np.full(len(reach), np.inf), where=reach > 0)
        branch = self._branch(neighbours, density)
        ids = np.where(same, fitted, self.branch_label[branch])
        return ids, reach.astype(np.float32)

    def _branch(self, neighbours: np.ndarray, density: np.ndarray) -> np.ndarray:
        """Return each neighbour's last branch, or its first ancestor that starts below the density."""
        branch = np.array(self.last_branch[neighbours])
        sparser = self.exit_density[neighbours] > density
        while True:
            up = sparser & (branch > 0) & (self.birth_density[branch] >= density)
            if not up.any():
                return branch
            branch[up] = self.parent[branch[up]]


@dataclass(frozen=True)
class Hdbscan:
    """HDBSCAN by Euclidean distance; after `reducer=l2` that is equivalent to cosine distance.

    Parameters
    ----------
    min_cluster_size
        Smallest size of a cluster, 2 or more.
    min_samples
        Neighbours within a point's core distance; a larger number makes more points noise.
    cluster_selection_method
        `eom` selects the clusters that persist longest (excess of mass), `leaf` the finest.
    cluster_selection_epsilon
        Clusters nearer to each other than this distance are merged; 0: none.
    allow_single_cluster
        Allow one cluster of all points.

    Source
    ------
    Campello, Moulavi, Sander, "Density-based clustering based on hierarchical density estimates", 2013.
    """

    VERSION: ClassVar[int] = 5

    min_cluster_size: int
    min_samples: int
    cluster_selection_method: str
    cluster_selection_epsilon: float
    allow_single_cluster: bool

    def __post_init__(self) -> None:
        check_settings(self, ("min_samples",), ())
        if self.min_cluster_size < 2:
            raise ValueError(f"cluster.min_cluster_size={self.min_cluster_size} is too small; use 2 or more")
        if self.cluster_selection_method not in METHODS:
            raise ValueError(
                f"cluster.cluster_selection_method={self.cluster_selection_method} is not an option; "
                f"use {' or '.join(METHODS)}"
            )
        if not 0 <= self.cluster_selection_epsilon < np.inf:
            raise ValueError(
                f"cluster.cluster_selection_epsilon={self.cluster_selection_epsilon} is not a distance; "
                "use 0 or more"
            )

    def check(self, n: int) -> None:
        """Raise ValueError if n points are too few."""
        check_density(self, "hdbscan", n)

    def fit(self, reduced: np.ndarray, ctx: Context) -> HdbscanClustering:
        """Cluster float32 (n, p); reuse a cached tree."""
        announce("fast_hdbscan", "HDBSCAN")
        self.check(len(reduced))
        check_finite(reduced)
        points = np.array(reduced, np.float32)
        n, epsilon = len(points), self.cluster_selection_epsilon
        tree = Reachability(self.min_samples).cached(points, ctx)
        condensed = fast_hdbscan.condensed_tree(tree.edges, self.min_cluster_size)
        clusters = fast_hdbscan.select_clusters(
            condensed,
            n,
            method=self.cluster_selection_method,
            allow_single_cluster=self.allow_single_cluster,
            epsilon=epsilon,
        )
        assignments = fast_hdbscan.assign_points(condensed, clusters, epsilon, n)
        probabilities = fast_hdbscan.membership_strengths(condensed, clusters, assignments)
        return HdbscanClustering(
            assignments,
            probabilities,
            None,
            None,
            self.min_samples,
            points,
            tree.inner_core_distance,  # as in approximate_predict
            *_branches(condensed, clusters, n),
        )


def _branches(condensed: Any, clusters: np.ndarray, n: int) -> tuple[np.ndarray, ...]:
    """Return last_branch, exit_density, parent, birth_density and branch_label of `HdbscanClustering`."""
    child, above = condensed.child, condensed.parent - n
    density = condensed.lambda_val.astype(np.float64)
    is_point = child < n
    last_branch, exit_density = np.zeros(n, np.int64), np.zeros(n)
    last_branch[child[is_point]] = above[is_point]
    exit_density[child[is_point]] = density[is_point]
    count = int(max(above.max(initial=0), child.max(initial=0) - n)) + 1
    parent, birth_density = np.zeros(count, np.int64), np.zeros(count)
    parent[child[~is_point] - n] = above[~is_point]
    birth_density[child[~is_point] - n] = density[~is_point]
    branch_label = np.full(count, -1)
    branch_label[np.sort(clusters) - n] = np.arange(len(clusters))
    for branch in range(1, count):  # a branch comes after its parent
        if branch_label[branch] < 0:
            branch_label[branch] = branch_label[parent[branch]]
    return last_branch, exit_density, parent, birth_density, branch_label
