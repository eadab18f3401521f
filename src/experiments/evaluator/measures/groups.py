"""Who is in which cluster, with noise as the last group."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

CHUNK = 16384  # rows that are looked at together


class Groups(NamedTuple):
    """The clusters that have members, noise last.

    Parameters
    ----------
    ids, sizes
        int64 (g,): the number of each cluster, ascending, -1 for noise; and how many rows it has.
    of
        int64 (n,): which of the g groups each row is in.
    """

    ids: np.ndarray
    sizes: np.ndarray
    of: np.ndarray

    @property
    def names(self) -> list[str]:
        """Return what each group is called."""
        return ["noise" if number < 0 else str(number) for number in self.ids.tolist()]

    def means(self, values: np.ndarray, rows: np.ndarray, chunk: int = CHUNK) -> np.ndarray:
        """Return the mean of each group, float64 (g, d); `rows` says which of (m, d) are the n grouped."""
        sums = np.zeros((len(self.ids), values.shape[1]))
        for start in range(0, len(rows), chunk):
            part = np.asarray(values[rows[start : start + chunk]], np.float64)
            of = self.of[start : start + chunk]
            if len(self.ids) > chunk:  # millions of clusters of noise: those of these rows alone
                present, of = np.unique(of, return_inverse=True)
                sums[present] += _sums(of, part, len(present))
            else:
                sums += _sums(of, part, len(self.ids))
        return np.asarray(sums / self.sizes[:, None])

    def largest(self, most: int) -> np.ndarray:
        """Return the places of at most so many clusters, the largest, and of noise; ascending."""
        clusters = np.flatnonzero(self.ids >= 0)
        kept = clusters[np.argsort(-self.sizes[clusters], kind="stable")[:most]]
        return np.sort(np.concatenate([kept, np.flatnonzero(self.ids < 0)]))


def _sums(of: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Return the sum of each of `count` groups, float64 (count, d)."""
    return np.stack([np.bincount(of, column, count) for column in values.T], axis=1)


def spread(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the standard deviation (ddof=0) of each column of (m, d) over some rows, float64 (d,)."""
    parts = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
    mean = sum(np.sum(values[part], axis=0, dtype=np.float64) for part in parts) / len(rows)
    squares = sum(np.sum((np.asarray(values[part], np.float64) - mean) ** 2, axis=0) for part in parts)
    return np.asarray(np.sqrt(squares / len(rows)))


def groups(assignments: np.ndarray) -> Groups:
    """Group the rows by cluster."""
    assignments = np.asarray(assignments, np.int64)
    ids, of, sizes = np.unique(assignments, return_inverse=True, return_counts=True)
    noise = int(ids[:1].sum() < 0)
    return Groups(np.roll(ids, -noise), np.roll(sizes, -noise), (of - noise) % max(len(ids), 1))


def cut(title: str, shown: np.ndarray, found: Groups) -> str:
    """Say in a picture's title if it leaves clusters out."""
    clusters = int((found.ids >= 0).sum())
    largest = int((found.ids[shown] >= 0).sum())
    return title if largest == clusters else f"{title}, the {largest:,} largest of {clusters:,} clusters"


def headed(names: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Return names as headings of a table in which others are taken: `total` becomes `total_`."""
    used, heads = set(taken), []
    for name in names:
        while name in used:
            name = f"{name}_"
        used.add(name)
        heads.append(name)
    return heads
