"""The minimum spanning tree of mutual reachability: HDBSCAN and DBSCAN both read their clusters off it.

Its Boruvka search is fast_hdbscan's, whose work follows how the points lie. 25,557 points of 15 values took,
in a process's first call on two cores, beside scikit-learn's HDBSCAN (whose tree is no public value): 3.5 s
against 4.3 on what UMAP leaves of 233 blobs, 3.2 against 5.9 on a bent sheet of 3 dimensions, 10.2 against
6.3 where blobs fill all 15 (hdbscan: 4.1, 3.8 and 13.3). UMAP is what stands before a clustering by density
here, and a sweep makes the tree once. `benchmarks/density.py` has them all.

It is asked for the tree itself, as its own front door leaves the exact search beyond 30 values for an
approximate one. Which of several edges of equal length it takes is left to its threads; so edges are named
anew here, and equal points give equal trees whatever the threads did.
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
    """The tree and what was measured for it.

    Parameters
    ----------
    edges
        float64 (n - 1, 3): two rows and a length, shortest first.
    core, inner
        float64 (n,): how far a point reaches for so many others, and for one fewer.
    """

    edges: np.ndarray
    core: np.ndarray
    inner: np.ndarray


@dataclass(frozen=True)
class Reachability:
    """Everything of a clustering by density that its other settings do not change, so a sweep makes it once.

    Parameters
    ----------
    others
        The core distance of a point reaches so many others.

    Source
    ------
    McInnes, Healy, "Accelerated hierarchical density based clustering", 2017.
    """

    VERSION: ClassVar[int] = 3

    others: int

    def kept(self, points: np.ndarray, ctx: Context) -> ReachabilityTree:
        """Return the tree of float32 (n, p), from the store if any sweep left it there."""
        return ctx.fitted(self, lambda: self._tree(points, ctx.threads))

    def _tree(self, points: np.ndarray, threads: int) -> ReachabilityTree:
        announce("fast_hdbscan", "HDBSCAN")
        rows, power = rescaled(np.ascontiguousarray(points, np.float32))
        edges, near, core = fast_hdbscan.spanning_tree(rows, self.others, threads)
        tree = canonical(edges)
        tree[:, 2] = np.ldexp(tree[:, 2], power)
        if self.others == 1:  # where it gives zeros, which makes the same tree
            return ReachabilityTree(tree, _lengths(points, near[:, 0]), np.zeros(len(rows)))
        inner = _lengths(points, near[:, self.others - 2])
        return ReachabilityTree(tree, np.ldexp(core.astype(np.float64), power), inner)


def _lengths(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the distance, float64 (n,), of each point to the row given for it."""
    exact = points.astype(np.float64)
    return np.asarray(np.linalg.norm(exact - exact[others], axis=1))


def canonical(edges: np.ndarray) -> np.ndarray:
    """Name edges by the lowest rows of what they join, those of equal length in ascending order.

    Trees of equal lengths join the same groups at each length, and become equal.
    """
    edges = edges[np.argsort(edges[:, 2], kind="stable")]
    lowest = list(range(len(edges) + 1))  # of each row's group, through any number of steps

    def find(row: int) -> int:
        while lowest[row] != row:
            lowest[row] = lowest[lowest[row]]
            row = lowest[row]
        return row

    named = np.empty((len(edges), 3))
    starts = np.flatnonzero(np.diff(edges[:, 2], prepend=-1.0))
    for start, end in zip(starts, [*starts[1:], len(edges)], strict=True):
        before = set()  # the groups that edges of this length join
        for left, right in edges[start:end, :2].astype(np.int64).tolist():
            before |= {find(left), find(right)}
        for left, right in edges[start:end, :2].astype(np.int64).tolist():
            low, high = sorted((find(left), find(right)))
            lowest[high] = low
        joined = sorted((find(group), group) for group in before if find(group) != group)
        named[start:end, :2] = joined
        named[start:end, 2] = edges[start, 2]
    return named
