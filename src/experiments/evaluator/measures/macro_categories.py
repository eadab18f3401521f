"""Macro-categories: classes grouped by how near their mean vectors are."""

from dataclasses import dataclass

import numpy as np

from experiments.evaluator.protocol.scored_rows import check_labels, visible
from experiments.samples import Samples


@dataclass(frozen=True, eq=False)
class ClassTree:
    """Ward's tree over the mean vectors of the classes that have rows.

    Parameters
    ----------
    classes
        int64 (c,), the labels that have rows, ascending.
    means
        float64 (c, p), their mean vectors.
    linkage
        float64 (c - 1, 4), as scipy gives it.
    """

    classes: np.ndarray
    means: np.ndarray
    linkage: np.ndarray

    @property
    def height(self) -> float:
        """Return the height at which the last two groups meet."""
        return float(self.linkage[-1, 2])

    @property
    def order(self) -> np.ndarray:
        """Return the places in `classes` from left to right in the tree, int64 (c,)."""
        from scipy.cluster.hierarchy import leaves_list

        return np.asarray(leaves_list(self.linkage), np.int64)

    def distances(self, places: np.ndarray) -> np.ndarray:
        """Return the Euclidean distances between these means, float64 (m, m)."""
        from scipy.spatial.distance import cdist

        return np.asarray(cdist(self.means[places], self.means[places]))

    def groups_below(self, share: float) -> int:
        """Count the groups that a cut at this share of the height leaves."""
        return 1 + int((self.linkage[:, 2] > share * self.height).sum())

    def cut(self, groups: int) -> np.ndarray:
        """Return the group of each of `classes`, int64 (c,), for exactly so many, numbered as they appear.

        scipy's `cut_tree` finds the same in thirty times the time.
        """
        c = len(self.classes)
        nodes = np.arange(c)
        for merge, (one, other) in enumerate(self.linkage[: c - groups, :2]):
            nodes[(nodes == one) | (nodes == other)] = c + merge
        _, first, group = np.unique(nodes, return_index=True, return_inverse=True)
        return np.asarray(np.argsort(np.argsort(first))[group])

    def categories(self, labels: np.ndarray, groups: int) -> np.ndarray:
        """Return the group of each row, int64 (n,)."""
        return self.cut(groups)[np.searchsorted(self.classes, labels)]


def class_tree(samples: Samples, reduced: np.ndarray, protocol: str) -> ClassTree:
    """Link the class means of float (n, p), taken over the rows that may be seen.

    Source
    ------
    Ward, "Hierarchical grouping to optimize an objective function", 1963.
    """
    from scipy.cluster.hierarchy import linkage

    rows = visible(samples, protocol)
    classes, own = np.unique(np.asarray(samples.labels)[rows], return_inverse=True)
    sums = [np.bincount(own, values) for values in reduced[rows].T]
    means = np.stack(sums, axis=1) / np.bincount(own)[:, None]
    return ClassTree(classes, means, linkage(means, "ward"))


def check_classes(samples: Samples, place: str, protocol: str) -> None:
    """Raise ValueError unless every class has a row that may be seen, and there are two."""
    labels = check_labels(samples, place, protocol)
    without = np.setdiff1d(labels, labels[visible(samples, protocol)])
    if len(without):
        raise ValueError(
            f"{place} takes class means over training rows, and {samples.class_names[without[0]]} has none"
            f" ({len(without)} such); use a larger dataset.split.train, or protocol=published"
        )


def check_granularities(place: str, granularities: tuple[int, ...]) -> None:
    """Raise ValueError unless there are granularities, each of two groups or more, none twice."""
    if not granularities or min(granularities) < 2 or len(set(granularities)) < len(granularities):
        raise ValueError(
            f"{place}.granularities={list(granularities)} are no numbers of groups; use different ones, each "
            "2 or more, such as [5,10]"
        )


def too_fine(granularity: int, classes: int) -> str:
    """Say why there is no such granularity; empty if there is."""
    return f"left out: there are {classes} classes" if granularity > classes else ""
