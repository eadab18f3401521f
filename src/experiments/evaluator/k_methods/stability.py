"""How alike clusterings are that differ in their seed or in the rows that they were given."""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np

Labelled = tuple[np.ndarray, np.ndarray]  # row numbers, ascending, and their assignments


def agreement(clusterings: Sequence[Labelled]) -> float:
    """Return the mean adjusted Rand index over all pairs, each on the rows that both have.

    Source
    ------
    Hubert, Arabie, "Comparing partitions", 1985; Ben-Hur, Elisseeff, Guyon, "A stability based method for
    discovering structure in clustered data", 2002.
    """
    from sklearn.metrics import adjusted_rand_score

    found = []
    for (one, ours), (other, theirs) in combinations(clusterings, 2):
        _, left, right = np.intersect1d(one, other, assume_unique=True, return_indices=True)
        found.append(adjusted_rand_score(ours[left], theirs[right]))
    return float(np.mean(found)) if found else float("nan")


def resampled(
    points: np.ndarray, fit: Callable[[int, np.ndarray], np.ndarray], samples: int, seed: int
) -> list[Labelled]:
    """Cluster bootstrap samples: n rows drawn with replacement, the same for every k."""
    clusterings = []
    for number in range(samples):
        drawn = np.random.default_rng((seed, number)).integers(len(points), size=len(points))
        rows, once = np.unique(drawn, return_index=True)
        clusterings.append((rows, fit(number, points[drawn])[once]))
    return clusterings
