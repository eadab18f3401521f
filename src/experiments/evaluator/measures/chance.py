"""What clusters of the same sizes get that know nothing: the mean over permutations of the labels."""

from typing import NamedTuple

import numpy as np

from experiments.evaluator.measures.agreement import PERMUTATIONS


class Counts(NamedTuple):
    """Rows by class and cluster.

    Parameters
    ----------
    shared
        int64 (c, k): of the clusters of two rows and more.
    alone
        int64 (c,): rows of each class that are a cluster each. Where each row of noise is one there are
        thousands, so they get no columns.
    """

    shared: np.ndarray
    alone: np.ndarray


def chance(labels: np.ndarray, assignments: np.ndarray, seed: int) -> dict[str, float]:
    """Return `acc_chance`, `nmi_chance` and `purity_chance`: means over the same 20 permutations.

    There has to be a row.
    """
    _, label_of, classes = np.unique(labels, return_inverse=True, return_counts=True)
    _, cluster_of, sizes = np.unique(assignments, return_inverse=True, return_counts=True)
    large, n = sizes > 1, len(labels)
    rows = np.flatnonzero(large[cluster_of])
    columns = (np.cumsum(large) - 1)[cluster_of[rows]]
    alone = np.flatnonzero(~large[cluster_of])
    c, k = len(classes), int(large.sum())
    entropy = (_entropy(classes) + _entropy(sizes)) / 2
    rng = np.random.default_rng(seed)
    found: dict[str, list[float]] = {"acc_chance": [], "nmi_chance": [], "purity_chance": []}
    for _ in range(PERMUTATIONS):
        shuffled = rng.permutation(label_of)
        shared = np.bincount(shuffled[rows] * k + columns, minlength=c * k).reshape(c, k)
        counts = Counts(shared, np.bincount(shuffled[alone], minlength=c))
        found["acc_chance"].append(_matched(counts) / n)
        found["nmi_chance"].append(_information(counts, classes) / entropy if entropy else 1.0)
        found["purity_chance"].append(_majorities(counts) / n)
    return {name: float(np.mean(values)) for name, values in found.items()}


def _matched(counts: Counts) -> int:
    """Count the rows in the best one-to-one match; a class may have one of its own rows that are alone."""
    from scipy.optimize import linear_sum_assignment

    own = np.eye(len(counts.alone), dtype=np.int64)[:, counts.alone > 0]
    gains = np.hstack([counts.shared, own])
    return int(gains[linear_sum_assignment(gains, maximize=True)].sum())


def _majorities(counts: Counts) -> int:
    return int(counts.shared.max(axis=0, initial=0).sum() + counts.alone.sum())


def _information(counts: Counts, classes: np.ndarray) -> float:
    """Return the mutual information in nats."""
    n = classes.sum()
    rows, columns = np.nonzero(counts.shared)
    held, sizes = counts.shared[rows, columns], counts.shared.sum(axis=0)
    shared = held @ np.log(n * held / (classes[rows] * sizes[columns]))
    return float((shared + counts.alone @ np.log(n / classes)) / n)


def _entropy(sizes: np.ndarray) -> float:
    shares = sizes / sizes.sum()
    return float(-(shares @ np.log(shares)))
