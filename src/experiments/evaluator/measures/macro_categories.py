"""Macro-categories: groups of classes whose mean vectors are near each other."""

from dataclasses import dataclass

import numpy as np

from experiments.evaluator.protocol.scored_rows import check_labels, fit_rows
from experiments.samples import Samples


@dataclass(frozen=True, eq=False)
class ClassTree:
    """Ward's tree over the class means, of the classes that have rows.

    Parameters
    ----------
    classes
        int64 (c,): their labels, ascending.
    means
        float64 (c, p): their mean vectors.
    linkage
        float64 (c - 1, 4): scipy's linkage matrix.
    """

    classes: np.ndarray
    means: np.ndarray
    linkage: np.ndarray

    @property
    def height(self) -> float:
        """Return the height of the last merge."""
        return float(self.linkage[-1, 2])

    @property
    def order(self) -> np.ndarray:
        """Return the indices of `classes` from left to right in the tree, int64 (c,)."""
        from scipy.cluster.hierarchy import leaves_list

        return np.asarray(leaves_list(self.linkage), np.int64)

    def distances(self, indices: np.ndarray) -> np.ndarray:
        """Return the Euclidean distances between the means at these indices, float64 (m, m)."""
        from scipy.spatial.distance import cdist

        return np.asarray(cdist(self.means[indices], self.means[indices]))

    def groups_below(self, share: float) -> int:
        """Return the number of groups of a cut at this share of the height."""
        return 1 + int((self.linkage[:, 2] > share * self.height).sum())

    def cut(self, groups: int) -> np.ndarray:
        """Return the group of each of `classes`, int64 (c,), numbered in the order of `classes`.

        scipy's `cut_tree` is equivalent and takes thirty times as long.
        """
        c = len(self.classes)
        nodes = np.arange(c)
        for merge, (left, right) in enumerate(self.linkage[: c - groups, :2]):
            nodes[(nodes == left) | (nodes == right)] = c + merge
        _, first, group = np.unique(nodes, return_index=True, return_inverse=True)
        return np.asarray(np.argsort(np.argsort(first))[group])

    def categories(self, labels: np.ndarray, groups: int) -> np.ndarray:
        """Return the group of each row's label, int64 (n,)."""
        return self.cut(groups)[np.searchsorted(self.classes, labels)]


def class_tree(samples: Samples, reduced: np.ndarray, protocol: str) -> ClassTree:
    """Return the tree of the class means of float (n, p), over the rows that the protocol fits on.

    Source
    ------
    Ward, "Hierarchical grouping to optimize an objective function", 1963.
    """
    from scipy.cluster.hierarchy import linkage

    rows = fit_rows(samples, protocol)
    classes, row_classes = np.unique(np.asarray(samples.labels)[rows], return_inverse=True)
    sums = [np.bincount(row_classes, values) for values in reduced[rows].T]
    means = np.stack(sums, axis=1) / np.bincount(row_classes)[:, None]
    return ClassTree(classes, means, linkage(means, "ward"))


def check_classes(samples: Samples, prefix: str, protocol: str) -> None:
    """Raise ValueError unless there are two classes and each has a row that the protocol fits on."""
    labels = check_labels(samples, prefix, protocol)
    without = np.setdiff1d(labels, labels[fit_rows(samples, protocol)])
    if len(without):
        raise ValueError(
            f"{prefix} needs training rows of each class, and {samples.class_names[without[0]]} has none"
            f" ({len(without)} such classes); use a larger dataset.split.train, or protocol=published"
        )


def check_granularities(prefix: str, granularities: tuple[int, ...]) -> None:
    """Raise ValueError unless there are granularities, all different and 2 or more."""
    if not granularities or min(granularities) < 2 or len(set(granularities)) < len(granularities):
        raise ValueError(
            f"{prefix}.granularities={list(granularities)} are not different numbers of groups; use "
            "different ones, each 2 or more, such as [5,10]"
        )


def too_fine(granularity: int, classes: int) -> str:
    """Return the reason why a granularity is impossible; empty if it is possible."""
    return f"skipped: there are {classes} classes" if granularity > classes else ""
