"""Agglomerative clustering: merge the two nearest clusters until k remain.

scikit-learn's class wraps scipy's `linkage`. This module calls `linkage` itself to get the whole tree, which
is cached once and cut for each k. Memory: the distances of all pairs twice, in float64.
"""

import logging
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from experiments.cluster.kmeans.centroids import check_auto, check_finite, check_k, nearest
from experiments.cluster.linkage.cuts import cut, k_by_silhouette
from experiments.context import Context
from experiments.store.values import SavedFields

log = logging.getLogger(__name__)

LINKAGES = ("ward", "complete", "average")
GIB = 2**30


@dataclass(frozen=True, eq=False)
class Merges(SavedFields):
    """The tree as scipy's linkage matrix, float64 (n - 1, 4)."""

    merges: np.ndarray


@dataclass(frozen=True)
class Tree:
    """The part of the clustering that does not depend on k, so a sweep over k computes it once."""

    VERSION: ClassVar[int] = 1

    linkage: str

    def cached(self, points: np.ndarray, ctx: Context) -> Merges:
        """Return the tree of float32 (n, p), from the cache if possible."""
        return ctx.fitted(self, lambda: self._fit(points))

    def _fit(self, points: np.ndarray) -> Merges:
        import psutil
        from scipy.cluster.hierarchy import linkage

        needed, free = _memory(len(points)), psutil.virtual_memory().available
        if needed > free:
            log.warning(
                "cluster=agglomerative on %d samples needs %.1f GiB of memory and %.1f GiB are free; "
                "close other programs, or use fewer samples",
                len(points),
                needed / GIB,
                free / GIB,
            )
        return Merges(linkage(points.astype(np.float64), self.linkage))


@dataclass(frozen=True, eq=False)
class AgglomerativeClustering(SavedFields):
    """The clustering by a cut of the tree.

    Parameters
    ----------
    assignments
        int64 (n,), numbered in the order of their first rows.
    centroids
        float32 (k, p): the means of the clusters.
    inertia
        Sum of squared Euclidean distances of all n points to the mean of their cluster.
    """

    assignments: np.ndarray
    probabilities: None
    centroids: np.ndarray
    inertia: float

    def assign(self, reduced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Assign float32 (m, p) to the nearest mean: ids int64 (m,), Euclidean distance float32 (m,).

        The tree has no rule for new points. So a fitted row at the border of two clusters may get another id
        than in the tree (digits, k=10: 5.6 % with ward, 16 % with complete); `fit` logs the share if
        `hydra.verbose=true`.
        """
        ids, squared = nearest(self.centroids, reduced)
        return ids, np.sqrt(squared).astype(np.float32)


@dataclass(frozen=True)
class Agglomerative:
    """Merge the nearest clusters by Euclidean distance until k remain.

    Parameters
    ----------
    k
        Number of clusters, 1 to n, or `auto`: by the silhouette, as `k_by_silhouette` does.
    linkage
        Distance of two clusters: `ward`: growth of the inertia by their merge; `complete`: largest distance
        of their points; `average`: mean distance.

    Source
    ------
    Ward, "Hierarchical grouping to optimize an objective function", 1963; Muellner, "Modern hierarchical,
    agglomerative clustering algorithms", 2011 (nearest-neighbour chains).
    """

    VERSION: ClassVar[int] = 1

    k: Any
    linkage: str

    def __post_init__(self) -> None:
        check_auto(self, "k", 1)
        if self.linkage not in LINKAGES:
            raise ValueError(f"cluster.linkage={self.linkage} is not an option; use {', '.join(LINKAGES)}")

    def check(self, n: int) -> None:
        """Raise ValueError if k exceeds n, or the distances of all pairs exceed this machine's memory."""
        import psutil

        if self.k != "auto":
            check_k(self.k, n)
        needed, memory = _memory(n), psutil.virtual_memory().total
        if needed > memory:
            raise ValueError(
                f"cluster=agglomerative on {n} samples needs {needed / GIB:.1f} GiB, more than this "
                f"machine's {memory / GIB:.1f} GiB; use dataset.limit={int(np.sqrt(memory / 8))} or less, or "
                "cluster=faiss_kmeans"
            )

    def fit(self, reduced: np.ndarray, ctx: Context) -> AgglomerativeClustering:
        """Cluster float32 (n, p); reuse a cached tree."""
        from threadpoolctl import threadpool_limits

        self.check(len(reduced))
        check_finite(reduced)
        points = np.asarray(reduced, np.float32)
        with threadpool_limits(ctx.threads):
            merges = Tree(self.linkage).cached(points, ctx).merges if len(points) > 1 else np.empty((0, 4))
            k = k_by_silhouette(points, merges) if self.k == "auto" else self.k
            assignments = cut(merges, k)
            sizes = np.bincount(assignments)
            means = np.zeros((k, points.shape[1]))
            np.add.at(means, assignments, points)
            means /= sizes[:, None]
            inertia = float(((points - means[assignments]) ** 2).sum())
            clustering = AgglomerativeClustering(assignments, None, means.astype(np.float32), inertia)
            elsewhere = np.mean(clustering.assign(points)[0] != assignments)
        different = 1 + int((merges[:, 2] > 0).sum())
        if k > different:
            log.warning(
                "cluster.k=%d splits equal rows, as there are %d different rows; use cluster.k<=%d",
                k, different, different,
            )  # fmt: skip
        log.debug("%.1f %% of the rows are nearer to another cluster's mean", 100 * elsewhere)
        return clustering


def _memory(n: int) -> int:
    """Return the bytes of the distances of all pairs of n points, twice in float64."""
    return 2 * 8 * n * (n - 1) // 2
