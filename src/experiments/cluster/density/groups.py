"""Checks and numbering of the density-based clusterers."""

from typing import Any

import numpy as np

FEWEST = 6  # smallest number of samples for a density estimate


def row_lengths(rows: np.ndarray) -> np.ndarray:
    """Return the Euclidean length of each row, float64 (n,); large values do not overflow."""
    return np.asarray(np.linalg.norm(np.asarray(rows, np.float64), axis=1))


def renumber(groups: np.ndarray) -> np.ndarray:
    """Return the group of each row, numbered 0, 1, ... in the order of their first rows, int64 (n,)."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    ranks: np.ndarray = np.argsort(np.argsort(first, kind="stable"), kind="stable")[inverse]
    return ranks.astype(np.int64)


def check_density(stage: Any, name: str, n: int) -> None:
    """Raise ValueError if n points are too few for a density estimate, or for a setting of `stage`."""
    if n < FEWEST:
        raise ValueError(
            f"cluster={name} needs {FEWEST} samples or more to estimate their density, and there are {n}; "
            "use more samples, or cluster=agglomerative"
        )
    for setting in ("min_samples", "min_cluster_size"):
        value = getattr(stage, setting, 0)
        if value > n - 1:
            raise ValueError(
                f"cluster.{setting}={value} is too large for {n} samples; use cluster.{setting}<={n - 1}"
            )
