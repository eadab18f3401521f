"""How far each point is from the centre of its cluster."""

import numpy as np


def distances(reduced: np.ndarray, assignments: np.ndarray) -> np.ndarray:
    """Return the Euclidean distance of each row to the mean of its cluster, float64 (n,); nan for noise."""
    found = np.full(len(assignments), np.nan)
    order = np.argsort(assignments, kind="stable")
    starts = np.flatnonzero(np.diff(assignments[order], prepend=assignments[order][:1] - 1))
    for rows in np.split(order, starts[1:]):
        if len(rows) and assignments[rows[0]] >= 0:
            members = np.asarray(reduced[rows], np.float64)
            found[rows] = np.linalg.norm(members - members.mean(axis=0), axis=1)
    return found
