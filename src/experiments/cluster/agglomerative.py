"""Agglomerative clustering: the two nearest groups become one, until k are left.

scikit-learn's unstructured tree is scipy's `linkage`, so scipy is called itself: it gives the whole tree,
which is kept and cut for each k. Both hold the distances of all pairs twice, in float64.
"""

import logging
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.cluster.density.groups import numbered
from experiments.cluster.kmeans.centroids import check_finite, check_k, check_settings, nearest
from experiments.context import Context
from experiments.store.values import SavedFields

log = logging.getLogger(__name__)

LINKAGES = ("ward", "complete", "average")
GIB = 2**30


@dataclass(frozen=True, eq=False)
class Merges(SavedFields):
    """scipy's tree, float64 (n - 1, 4): the two groups that merge, their distance, the points in both."""

    merges: np.ndarray


@dataclass(frozen=True)
class Tree:
    """Everything of an agglomerative clustering that k does not change, so a sweep over k makes it once."""

    VERSION: ClassVar[int] = 1

    linkage: str

    def kept(self, points: np.ndarray, ctx: Context) -> Merges:
        """Return the tree of float32 (n, p), from the store if any sweep left it there."""
        return ctx.fitted(self, lambda: self._tree(points))

    def _tree(self, points: np.ndarray) -> Merges:
        import psutil
        from scipy.cluster.hierarchy import linkage

        need, free = _bytes(len(points)), psutil.virtual_memory().available
        if need > free:
            log.warning(
                "cluster=agglomerative on %d samples takes %.1f GiB of memory and %.1f are free; close other "
                "programs, or use fewer samples",
                len(points),
                need / GIB,
                free / GIB,
            )
        return Merges(linkage(points.astype(np.float64), self.linkage))


@dataclass(frozen=True, eq=False)
class AgglomerativeClustering(SavedFields):
    """Points grouped by cutting a tree.

    Parameters
    ----------
    assignments
        int64 (n,), numbered in the order of their first rows.
    centroids
        float32 (k, p): the means.
    inertia
        Squared Euclidean distances to the mean of the own cluster, summed over all n points.
    """

    assignments: np.ndarray
    probabilities: None
    centroids: np.ndarray
    inertia: float

    def assign(self, reduced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Put float32 (m, p) to the nearest mean: ids int64 (m,), Euclidean distance float32 (m,).

        The tree knows no new points. So fitted rows at the border of two clusters may get another id than
        the tree gave them (digits, k=10: 5.6 % with ward, 16 % with complete); `fit` logs how many.
        """
        ids, squared = nearest(self.centroids, reduced)
        return ids, np.sqrt(squared).astype(np.float32)


@dataclass(frozen=True)
class Agglomerative:
    """Merge by Euclidean distance until k clusters are left.

    Parameters
    ----------
    k
        Number of clusters, 1 to n.
    linkage
        Which groups are near: `ward` by how little the inertia grows, `complete` by their farthest points,
        `average` by the mean distance.

    Source
    ------
    Ward, "Hierarchical grouping to optimize an objective function", 1963; Muellner, "Modern hierarchical,
    agglomerative clustering algorithms", 2011 (the chains of nearest neighbours).
    """

    VERSION: ClassVar[int] = 1

    k: int
    linkage: str

    def __post_init__(self) -> None:
        check_settings(self, ("k",), ())
        if self.linkage not in LINKAGES:
            raise ValueError(f"cluster.linkage={self.linkage} is not an option; use {', '.join(LINKAGES)}")

    def check(self, n: int) -> None:
        """Raise ValueError if k exceeds n, or the pairs of n points exceed this machine's memory."""
        import psutil

        check_k(self.k, n)
        need, memory = _bytes(n), psutil.virtual_memory().total
        if need > memory:
            raise ValueError(
                f"cluster=agglomerative on {n} samples takes {need / GIB:.1f} GiB, more than this machine's "
                f"{memory / GIB:.1f}; use dataset.limit={int(np.sqrt(memory / 8))} or less, or "
                "cluster=faiss_kmeans"
            )

    def fit(self, reduced: np.ndarray, ctx: Context) -> AgglomerativeClustering:
        """Cluster float32 (n, p), with the tree from the store if any sweep left it there."""
        from threadpoolctl import threadpool_limits

        self.check(len(reduced))
        check_finite(reduced)
        points = np.asarray(reduced, np.float32)
        with threadpool_limits(ctx.threads):
            merges = Tree(self.linkage).kept(points, ctx).merges if len(points) > 1 else np.empty((0, 4))
            assignments = cut(merges, self.k)
            sizes = np.bincount(assignments)
            means = np.zeros((self.k, points.shape[1]))
            np.add.at(means, assignments, points)
            means /= sizes[:, None]
            inertia = float(((points - means[assignments]) ** 2).sum())
            clustering = AgglomerativeClustering(assignments, None, means.astype(np.float32), inertia)
            elsewhere = np.mean(clustering.assign(points)[0] != assignments)
        different = 1 + int((merges[:, 2] > 0).sum())
        if self.k > different:
            log.warning(
                "cluster.k=%d splits equal rows, as %d rows are different; use cluster.k<=%d",
                self.k, different, different,
            )  # fmt: skip
        log.info("%.1f %% of the rows are nearer to another cluster's mean", 100 * elsewhere)
        return clustering


def cut(merges: np.ndarray, k: int) -> np.ndarray:
    """Undo the last k - 1 merges: the cluster of each point, int64 (n,)."""
    n = len(merges) + 1
    group = np.arange(2 * n - 1)
    pairs = merges[: n - k, :2].astype(np.int64)
    for new in range(n + len(pairs) - 1, n - 1, -1):  # from the top down, so that each learns its last group
        group[pairs[new - n]] = group[new]
    return numbered(group[:n])


def _bytes(n: int) -> int:
    return 2 * 8 * n * (n - 1) // 2
