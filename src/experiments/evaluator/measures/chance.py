"""Chance levels: mean values of a metric over random permutations of the labels.

To add one for a metric, write a function `<name>_chance` with `@chance_level`, its row in metrics.py, and
`chance="<name>_chance"` in the metric's own row there.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

PERMUTATIONS = 20


class Counts(NamedTuple):
    """Rows by class and cluster, after one permutation of the labels.

    Parameters
    ----------
    shared
        int64 (c, k): rows by class and cluster, for clusters of two or more rows.
    single_rows
        int64 (c,): rows of each class that are clusters of one row. There are thousands of these if each
        row of noise is a cluster, so they have no columns.
    classes
        int64 (c,): rows of each class; equal for all permutations.
    entropy
        Mean entropy of classes and clusters in nats; equal for all permutations.
    """

    shared: np.ndarray
    single_rows: np.ndarray
    classes: np.ndarray
    entropy: float


ChanceLevel = Callable[[Counts], float]
CHANCE_LEVELS: dict[str, ChanceLevel] = {}  # by the metric name of the level


def chance_level(measure: ChanceLevel) -> ChanceLevel:
    """Register a chance level for evaluator=external, under its function name."""
    CHANCE_LEVELS[measure.__name__] = measure
    return measure


def chance(
    labels: np.ndarray, assignments: np.ndarray, seed: int, names: Iterable[str] = CHANCE_LEVELS
) -> dict[str, float]:
    """Return chance levels by name: means over the same 20 permutations of one row or more."""
    _, row_classes, classes = np.unique(labels, return_inverse=True, return_counts=True)
    _, row_clusters, sizes = np.unique(assignments, return_inverse=True, return_counts=True)
    large = sizes > 1
    rows = np.flatnonzero(large[row_clusters])
    columns = (np.cumsum(large) - 1)[row_clusters[rows]]
    single_rows = np.flatnonzero(~large[row_clusters])
    c, k = len(classes), int(large.sum())
    entropy = (_entropy(classes) + _entropy(sizes)) / 2
    rng = np.random.default_rng(seed)
    levels: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(PERMUTATIONS):
        shuffled = rng.permutation(row_classes)
        shared = np.bincount(shuffled[rows] * k + columns, minlength=c * k).reshape(c, k)
        counts = Counts(shared, np.bincount(shuffled[single_rows], minlength=c), classes, entropy)
        for name, values in levels.items():
            values.append(CHANCE_LEVELS[name](counts))
    return {name: float(np.mean(values)) for name, values in levels.items()}


@chance_level
def acc_chance(counts: Counts) -> float:
    """Accuracy of the best one-to-one match; a class can match one of its clusters of one row."""
    from scipy.optimize import linear_sum_assignment

    single_clusters = np.eye(len(counts.single_rows), dtype=np.int64)[:, counts.single_rows > 0]
    gains = np.hstack([counts.shared, single_clusters])
    return float(gains[linear_sum_assignment(gains, maximize=True)].sum() / counts.classes.sum())


@chance_level
def nmi_chance(counts: Counts) -> float:
    """Mutual information divided by the mean of both entropies."""
    if not counts.entropy:
        return 1.0
    n = counts.classes.sum()
    rows, columns = np.nonzero(counts.shared)
    cells, sizes = counts.shared[rows, columns], counts.shared.sum(axis=0)
    shared = cells @ np.log(n * cells / (counts.classes[rows] * sizes[columns]))
    information = (shared + counts.single_rows @ np.log(n / counts.classes)) / n
    return float(information) / counts.entropy


@chance_level
def purity_chance(counts: Counts) -> float:
    """Share of rows in their cluster's majority class."""
    majorities = counts.shared.max(axis=0, initial=0).sum() + counts.single_rows.sum()
    return float(majorities / counts.classes.sum())


def _entropy(sizes: np.ndarray) -> float:
    shares = sizes / sizes.sum()
    return float(-(shares @ np.log(shares)))
