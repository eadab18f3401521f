"""Chance levels: what clusters get that know nothing, a mean over permutations of the labels.

To give a metric one, write a function `<name>_chance` with `@chance_level`, its row in metrics.py, and
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
        int64 (c, k): of the clusters of two rows and more.
    alone
        int64 (c,): rows of each class that are a cluster each. Where each row of noise is one there are
        thousands, so they get no columns.
    classes
        int64 (c,): rows of each class, the same in every permutation.
    entropy
        Mean of the entropies of the classes and of the clusters in nats, the same in every permutation.
    """

    shared: np.ndarray
    alone: np.ndarray
    classes: np.ndarray
    entropy: float


ChanceLevel = Callable[[Counts], float]
CHANCE_LEVELS: dict[str, ChanceLevel] = {}  # by the name of the metric that holds the level


def chance_level(measure: ChanceLevel) -> ChanceLevel:
    """Have evaluator=external give this chance level."""
    CHANCE_LEVELS[measure.__name__] = measure
    return measure


def chance(
    labels: np.ndarray, assignments: np.ndarray, seed: int, names: Iterable[str] = CHANCE_LEVELS
) -> dict[str, float]:
    """Return chance levels by name: means over the same 20 permutations. There has to be a row."""
    _, label_of, classes = np.unique(labels, return_inverse=True, return_counts=True)
    _, cluster_of, sizes = np.unique(assignments, return_inverse=True, return_counts=True)
    large = sizes > 1
    rows = np.flatnonzero(large[cluster_of])
    columns = (np.cumsum(large) - 1)[cluster_of[rows]]
    alone = np.flatnonzero(~large[cluster_of])
    c, k = len(classes), int(large.sum())
    entropy = (_entropy(classes) + _entropy(sizes)) / 2
    rng = np.random.default_rng(seed)
    levels: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(PERMUTATIONS):
        shuffled = rng.permutation(label_of)
        shared = np.bincount(shuffled[rows] * k + columns, minlength=c * k).reshape(c, k)
        counts = Counts(shared, np.bincount(shuffled[alone], minlength=c), classes, entropy)
        for name, values in levels.items():
            values.append(CHANCE_LEVELS[name](counts))
    return {name: float(np.mean(values)) for name, values in levels.items()}


@chance_level
def acc_chance(counts: Counts) -> float:
    """Accuracy of the best one-to-one match; a class may have one of its own rows that are alone."""
    from scipy.optimize import linear_sum_assignment

    own = np.eye(len(counts.alone), dtype=np.int64)[:, counts.alone > 0]
    gains = np.hstack([counts.shared, own])
    return float(gains[linear_sum_assignment(gains, maximize=True)].sum() / counts.classes.sum())


@chance_level
def nmi_chance(counts: Counts) -> float:
    """Mutual information over the mean of both entropies."""
    if not counts.entropy:
        return 1.0
    n = counts.classes.sum()
    rows, columns = np.nonzero(counts.shared)
    cells, sizes = counts.shared[rows, columns], counts.shared.sum(axis=0)
    shared = cells @ np.log(n * cells / (counts.classes[rows] * sizes[columns]))
    information = (shared + counts.alone @ np.log(n / counts.classes)) / n
    return float(information) / counts.entropy


@chance_level
def purity_chance(counts: Counts) -> float:
    """Share of rows in their cluster's majority class."""
    majorities = counts.shared.max(axis=0, initial=0).sum() + counts.alone.sum()
    return float(majorities / counts.classes.sum())


def _entropy(sizes: np.ndarray) -> float:
    shares = sizes / sizes.sum()
    return float(-(shares @ np.log(shares)))
