"""Distance of each point to the centre of its cluster."""

import numpy as np

BLOCK = 1 << 16  # number of rows at a time


def distances(reduced: np.ndarray, assignments: np.ndarray) -> np.ndarray:
    """Return the Euclidean distance of each row to the mean of its cluster, float64 (n,); nan for noise."""
    result = np.full(len(assignments), np.nan)
    order = np.argsort(assignments, kind="stable")
    starts = np.flatnonzero(np.diff(assignments[order], prepend=assignments[order][:1] - 1))
    for rows in np.split(order, starts[1:]):
        if len(rows) and assignments[rows[0]] >= 0:
            parts = np.split(rows, range(BLOCK, len(rows), BLOCK))
            centre = sum(np.asarray(reduced[part], np.float64).sum(axis=0) for part in parts) / len(rows)
            for part in parts:
                result[part] = np.linalg.norm(np.asarray(reduced[part], np.float64) - centre, axis=1)
    return result
