"""The minimum spanning tree of mutual reachability distances, which HDBSCAN and DBSCAN cut into clusters.

The tree is computed by fast_hdbscan's Boruvka search. Seconds of a process's first call on two cores, 25,557
points of 15 columns (`benchmarks/density.py`):

| points | fast_hdbscan | scikit-learn | hdbscan |
|---|---|---|---|
| UMAP of 233 blobs | 3.5 | 4.3 | 4.1 |
| a bent sheet of 3 dimensions | 3.2 | 5.9 | 3.8 |
| blobs in all 15 dimensions | 10.2 | 6.3 | 13.3 |

scikit-learn's tree is not public. The first line is the usual case: UMAP comes before density clustering.

The search is called directly, because fast_hdbscan's public class uses an approximate search beyond 30
columns. Which edges of equal length it chooses depends on the threads; `canonical` replaces them, so equal
points give equal trees.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.cluster.density import fast_hdbscan
from experiments.context import Context
from experiments.numerics.compiled import announce
from experiments.numerics.scale import rescaled
from experiments.store.values import SavedFields


@dataclass(frozen=True, eq=False)
class ReachabilityTree(SavedFields):
    """The tree and its core distances.

    Parameters
    ----------
    edges
        float64 (n - 1, 3): two rows and a length, shortest first.
    core_distance, inner_core_distance
        float64 (n,): distance of each point to its `min_samples`-th neighbour, and to the one before it.
    """

    edges: np.ndarray
    core_distance: np.ndarray
    inner_core_distance: np.ndarray


@dataclass(frozen=True)
class Reachability:
    """The part of density clustering that depends on `min_samples` only, so a sweep computes it once.

    Parameters
    ----------
    min_samples
        Neighbours within the core distance of a point, without the point itself.

    Source
    ------
    McInnes, Healy, "Accelerated hierarchical density based clustering", 2017.
    """

    VERSION: ClassVar[int] = 3

    min_samples: int

    def cached(self, points: np.ndarray, ctx: Context) -> ReachabilityTree:
        """Return the tree of float32 (n, p), from the cache if possible."""
        return ctx.fitted(self, lambda: self._fit(points, ctx.threads))

    def _fit(self, points: np.ndarray, threads: int) -> ReachabilityTree:
        announce("fast_hdbscan", "HDBSCAN")
        rows, power = rescaled(np.ascontiguousarray(points, np.float32))
        edges, near, core = fast_hdbscan.spanning_tree(rows, self.min_samples, threads)
        tree = canonical(edges)
        tree[:, 2] = np.ldexp(tree[:, 2], power)
        if self.min_samples == 1:  # fast_hdbscan returns zeros; the tree is the same
            return ReachabilityTree(tree, _distances(points, near[:, 0]), np.zeros(len(rows)))
        inner = _distances(points, near[:, self.min_samples - 2])
        return ReachabilityTree(tree, np.ldexp(core.astype(np.float64), power), inner)


def _distances(points: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """Return the distance of each point to its row in `neighbours`, float64 (n,)."""
    exact = points.astype(np.float64)
    return np.asarray(np.linalg.norm(exact - exact[neighbours], axis=1))


def canonical(edges: np.ndarray) -> np.ndarray:
    """Return the same tree for all minimum spanning trees of the same points.

    Such trees differ in edges of equal length, but in all of them the edges of one length join the same
    groups of rows. So these edges are replaced: they connect the lowest row of each group to the lowest row
    of all groups that it is joined with.

    Parameters
    ----------
    edges
        Float (n - 1, 3): two rows and a length.

    Returns
    -------
    ndarray
        float64 (n - 1, 3), shortest first.
    """
    edges = edges[np.argsort(edges[:, 2], kind="stable")]
    lowest = list(range(len(edges) + 1))  # links to the lowest row of the group (union-find)

    def lowest_row(row: int) -> int:
        while lowest[row] != row:
            lowest[row] = lowest[lowest[row]]
            row = lowest[row]
        return row

    replaced = np.empty((len(edges), 3))
    starts = np.flatnonzero(np.diff(edges[:, 2], prepend=-1.0))
    for start, end in zip(starts, [*starts[1:], len(edges)], strict=True):
        groups = set()  # the groups joined by edges of this length
        for left, right in edges[start:end, :2].astype(np.int64).tolist():
            groups |= {lowest_row(left), lowest_row(right)}
        for left, right in edges[start:end, :2].astype(np.int64).tolist():
            low, high = sorted((lowest_row(left), lowest_row(right)))
            lowest[high] = low
        joined = sorted((lowest_row(group), group) for group in groups if lowest_row(group) != group)
        replaced[start:end, :2] = joined
        replaced[start:end, 2] = edges[start, 2]
    return replaced
