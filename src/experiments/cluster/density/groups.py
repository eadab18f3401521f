"""Groups of points by density: their numbers, and how few points are too few."""

from typing import Any

import numpy as np

FEWEST = 6  # images below which a density says nothing


def lengths(rows: np.ndarray) -> np.ndarray:
    """Return the Euclidean length of each row, float64 (n,), also where float32 squares would overflow."""
    return np.asarray(np.linalg.norm(np.asarray(rows, np.float64), axis=1))


def numbered(roots: np.ndarray) -> np.ndarray:
    """Give groups the numbers 0, 1, ... in the order of their first rows: int64 (n,)."""
    _, first, groups = np.unique(roots, return_index=True, return_inverse=True)
    ranks: np.ndarray = np.argsort(np.argsort(first, kind="stable"), kind="stable")[groups]
    return ranks.astype(np.int64)


def check_density(stage: Any, name: str, n: int) -> None:
    """Raise ValueError if n points are too few to tell a density, or fewer than `stage` counts."""
    if n < FEWEST:
        raise ValueError(
            f"cluster={name} needs {FEWEST} samples or more to tell where they are dense, and there are {n}; "
            "use more samples, or cluster=agglomerative"
        )
    for setting in ("min_samples", "min_cluster_size"):
        value = getattr(stage, setting, 0)
        if value > n - 1:
            raise ValueError(
                f"cluster.{setting}={value} exceeds what {n} samples can hold; use cluster.{setting}<={n - 1}"
            )
