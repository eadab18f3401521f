"""Result and checks of all k-means clusterers."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import numpy as np

from experiments.context import Context
from experiments.numerics.scale import rescaled
from experiments.store.values import SavedFields

log = logging.getLogger(__name__)

DISTANCES = 4_000_000  # float64 distances in memory at a time: 32 MB


@dataclass(frozen=True, eq=False)
class CentroidClustering(SavedFields):
    """The clustering by the nearest centroid.

    Parameters
    ----------
    assignments
        int64 (n,): index of the nearest centroid.
    probabilities
        None, as k-means has none.
    centroids
        float32 (k, p).
    inertia
        Sum of squared Euclidean distances of all n points to their nearest centroid.
    """

    assignments: np.ndarray
    probabilities: None
    centroids: np.ndarray
    inertia: float

    @classmethod
    def around(cls, centroids: np.ndarray, reduced: np.ndarray) -> "CentroidClustering":
        """Return the assignment of all points to the nearest centroids; warn of empty clusters."""
        assignments, squared = nearest(centroids, reduced)
        warn_empty(len(centroids), assignments, reduced)
        return cls(assignments, None, np.array(centroids, np.float32), float(squared.sum()))

    def assign(self, reduced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Assign float32 (m, p) to the nearest centroids: ids int64 (m,), Euclidean distance float32 (m,)."""
        ids, squared = nearest(self.centroids, reduced)
        return ids, np.sqrt(squared).astype(np.float32)


def nearest(centroids: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest centroid of each point (the first in a tie): ids (m,), squared distance (m,).

    Computed in float64 relative to the centroids' mean, because points far from the origin lose digits.
    """
    middle = centroids.mean(axis=0, dtype=np.float64)
    centred = centroids - middle
    half_norms = np.einsum("kp,kp->k", centred, centred) / 2
    ids = np.empty(len(points), np.int64)
    squared = np.empty(len(points), np.float64)
    for rows in batches(len(points), max(1, DISTANCES // max(centred.shape))):
        batch = points[rows] - middle
        ids[rows] = np.argmax(batch @ centred.T - half_norms, axis=1)
        squared[rows] = ((batch - centred[ids[rows]]) ** 2).sum(axis=1)
    return ids, squared


def rescale_points(
    fit: Callable[[Any, np.ndarray, Context], CentroidClustering],
) -> Callable[[Any, np.ndarray, Context], CentroidClustering]:
    """Decorate `fit` of a float32 k-means: scale its points to about 1, and scale the result back."""

    @wraps(fit)
    def fit_rescaled(stage: Any, reduced: np.ndarray, ctx: Context) -> CentroidClustering:
        points, power = rescaled(reduced)
        if not power or getattr(stage, "spherical", False):  # requires length 1
            return fit(stage, reduced, ctx)
        clustering = fit(stage, points, ctx)
        centroids, inertia = np.ldexp(clustering.centroids, power), np.ldexp(clustering.inertia, 2 * power)
        return replace(clustering, centroids=centroids, inertia=float(inertia))

    return fit_rescaled


def warn_empty(k: int, assignments: np.ndarray, points: np.ndarray) -> None:
    """Warn of empty clusters, and suggest a k."""
    empty = k - len(np.unique(assignments))
    if not empty:
        return
    different = len(np.unique(points, axis=0))
    limit = f"<={different}, the number of different rows" if different < k else f"<={k - empty}"
    log.warning("%d of cluster.k=%d clusters are empty; use cluster.k%s", empty, k, limit)


def check_settings(stage: Any, counts: tuple[str, ...], shares: tuple[str, ...]) -> None:
    """Raise ValueError if a setting of `counts` is below 1, or one of `shares` is not between 0 and 1."""
    for name in counts:
        if getattr(stage, name) < 1:
            raise ValueError(f"cluster.{name}={getattr(stage, name)} is below 1; use 1 or more")
    for name in shares:
        if not 0 <= getattr(stage, name) < 1:
            raise ValueError(
                f"cluster.{name}={getattr(stage, name)} is not a share; use 0 to 1, such as 1e-5"
            )


def check_auto(stage: Any, name: str, least: int) -> None:
    """Raise ValueError unless the setting is `auto` or an integer, `least` or more."""
    value = getattr(stage, name)
    if value != "auto" and not (type(value) is int and value >= least):
        raise ValueError(
            f"cluster.{name}={value} is neither auto nor an integer of at least {least}; "
            f"use cluster.{name}=auto, or {least} or more"
        )


def check_k(k: int, n: int) -> None:
    """Raise ValueError if k exceeds n."""
    if k > n:
        raise ValueError(f"cluster.k={k} exceeds the {n} samples; use cluster.k<={n} or more samples")


def check_finite(reduced: np.ndarray) -> None:
    """Raise ValueError if a value is nan or inf."""
    if not np.isfinite([reduced.min(), reduced.max()]).all():
        bad = len(reduced) - int(np.isfinite(reduced).all(axis=1).sum())
        raise ValueError(
            f"{bad} of {len(reduced)} rows to cluster have nan or inf; "
            "use a backbone whose training converged, or data without missing values"
        )


def batches(n: int, size: int) -> Iterator[slice]:
    """Return slices of `size` rows that cover n rows."""
    return (slice(start, start + size) for start in range(0, n, size))
