"""Rows grouped by cluster, with noise as the last group."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

CHUNK = 16384  # number of rows at a time


class Groups(NamedTuple):
    """The nonempty clusters, noise last.

    Parameters
    ----------
    ids, sizes
        int64 (g,): id of each cluster, ascending, -1 for noise; and its number of rows.
    row_groups
        int64 (n,): index of each row's group, 0 to g - 1.
    """

    ids: np.ndarray
    sizes: np.ndarray
    row_groups: np.ndarray

    @property
    def names(self) -> list[str]:
        """Return the name of each group: its id, or noise."""
        return ["noise" if number < 0 else str(number) for number in self.ids.tolist()]

    def means(self, values: np.ndarray, rows: np.ndarray, chunk: int = CHUNK) -> np.ndarray:
        """Return the mean of each group, float64 (g, d); `rows` are the n grouped rows of (m, d) values."""
        sums = np.zeros((len(self.ids), values.shape[1]))
        for start in range(0, len(rows), chunk):
            part = np.asarray(values[rows[start : start + chunk]], np.float64)
            groups = self.row_groups[start : start + chunk]
            if len(self.ids) > chunk:  # if each row of noise is a cluster: only the groups of these rows
                present, groups = np.unique(groups, return_inverse=True)
                sums[present] += _sums(groups, part, len(present))
            else:
                sums += _sums(groups, part, len(self.ids))
        return np.asarray(sums / self.sizes[:, None])

    def largest(self, count: int) -> np.ndarray:
        """Return the indices of the `count` largest clusters and of noise, ascending."""
        clusters = np.flatnonzero(self.ids >= 0)
        selected = clusters[np.argsort(-self.sizes[clusters], kind="stable")[:count]]
        return np.sort(np.concatenate([selected, np.flatnonzero(self.ids < 0)]))


def _sums(groups: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Return the sum of each of `count` groups, float64 (count, d)."""
    return np.stack([np.bincount(groups, column, count) for column in values.T], axis=1)


def spread(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the standard deviation (ddof=0) of each column of (m, d) values over `rows`, float64 (d,)."""
    parts = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
    mean = sum(np.sum(values[part], axis=0, dtype=np.float64) for part in parts) / len(rows)
    squares = sum(np.sum((np.asarray(values[part], np.float64) - mean) ** 2, axis=0) for part in parts)
    return np.asarray(np.sqrt(squares / len(rows)))


def group_rows(assignments: np.ndarray) -> Groups:
    """Return the rows grouped by cluster."""
    assignments = np.asarray(assignments, np.int64)
    ids, row_groups, sizes = np.unique(assignments, return_inverse=True, return_counts=True)
    noise = int(ids[:1].sum() < 0)
    return Groups(np.roll(ids, -noise), np.roll(sizes, -noise), (row_groups - noise) % max(len(ids), 1))


def title_of_largest(title: str, shown: np.ndarray, groups: Groups) -> str:
    """Return the title of a figure of the groups `shown`, with a note if others are not shown."""
    clusters = int((groups.ids >= 0).sum())
    largest = int((groups.ids[shown] >= 0).sum())
    return title if largest == clusters else f"{title}, the {largest:,} largest of {clusters:,} clusters"


def unique_headings(names: Iterable[str], reserved: Iterable[str]) -> list[str]:
    """Return names as table headings different from the reserved ones: `total` becomes `total_`."""
    used, heads = set(reserved), []
    for name in names:
        while name in used:
            name = f"{name}_"
        used.add(name)
        heads.append(name)
    return heads
