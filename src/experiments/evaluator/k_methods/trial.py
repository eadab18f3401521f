"""The metrics of one k, the input of all methods."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.k_methods.gap import labels, log_w, spread
from experiments.evaluator.k_methods.stability import agreement, resampled
from experiments.evaluator.measures.compactness import calinski_harabasz, davies_bouldin
from experiments.evaluator.measures.extents import extents
from experiments.evaluator.measures.silhouette import mean_silhouette
from experiments.types import Clustering

log = logging.getLogger(__name__)

COLUMNS = (
    "mean_distance", "inertia", "silhouette", "silhouette_error", "calinski_harabasz", "davies_bouldin",
    "stability_seeds", "stability_bootstrap", "log_w",
)  # fmt: skip
ALIKE = 0.01  # tolerance of a clusterer's inertia, relative to the sum of squared distances,
ROUNDING = 1e-9  # plus this share of the sum of squared values


@dataclass(frozen=True)
class Trial:
    """The metrics of one k, without those of the references of the gap statistic.

    Parameters
    ----------
    clusterer
        The clusterer with this k, fitted once for all methods.
    light
        The same clusterer with cheaper settings, for repeated fits.
    seeds, bootstraps
        Number of light fits that are compared: with other seeds, and of bootstrap samples.
    sample, seed
        Largest number of rows whose silhouette is averaged; seed of that sample and of bootstrap samples.
    """

    VERSION: ClassVar[int] = 2

    clusterer: Any
    light: Any
    seeds: int
    bootstraps: int
    sample: int
    seed: int

    def run(self, points: np.ndarray, ctx: Context) -> np.ndarray:
        """Return a value for each of COLUMNS, float64; nan if it is undefined.

        Raises
        ------
        ValueError
            If the clusterer marks noise or uses another distance, for which the methods are undefined.
        """
        clustering = ctx.fitted(self.clusterer, lambda: self.clusterer.fit(points, ctx))
        check_distances(type(self.clusterer).__name__, clustering, points)
        assignments = np.asarray(clustering.assignments)
        squares, distance = spread(points, assignments)
        repeats = [labels(clusterer, points, ctx) for clusterer in seeded(self.light, self.seeds)]
        rows = np.arange(len(points))
        clusters = len(np.unique(assignments))
        return np.array(
            [
                distance,
                squares,
                *self._geometry(points, assignments, clusters),
                agreement([(rows, repeat) for repeat in repeats]) if clusters > 1 else np.nan,
                self._bootstrapped(points, ctx) if clusters > 1 else np.nan,
                log_w(squares),
            ]
        )

    def _bootstrapped(self, points: np.ndarray, ctx: Context) -> float:
        """Return the agreement of bootstrap samples; nan if a sample has too few different rows for k."""
        try:
            return agreement(resampled(points, partial(self._resampled, ctx), self.bootstraps, self.seed))
        except ValueError as error:
            log.warning("stability_bootstrap of k=%d is missing: %s", self.clusterer.k, error)
            return np.nan

    def _resampled(self, ctx: Context, number: int, points: np.ndarray) -> np.ndarray:
        return labels(
            self.light, points, ctx.with_input(ctx.input_key, trial=f"bootstrap {self.seed} {number}")
        )

    def _geometry(self, points: np.ndarray, assignments: np.ndarray, clusters: int) -> tuple[float, ...]:
        if not 2 <= clusters < len(points):
            return np.nan, np.nan, np.nan, np.nan
        known = extents(points, assignments)
        silhouette = mean_silhouette(points, assignments, self.sample, self.seed, known)
        return (
            silhouette.value,
            silhouette.error,
            calinski_harabasz(points, assignments, known),
            davies_bouldin(points, assignments, known),
        )


def check_distances(name: str, clustering: Clustering, points: np.ndarray) -> None:
    """Raise ValueError if a clusterer has noise, or another distance than the Euclidean one."""
    noise = int((np.asarray(clustering.assignments) < 0).sum())
    if noise:
        raise ValueError(
            f"evaluator.k_selection needs clusters without noise, and {name} marks {noise} of {len(points)} "
            "rows as noise; use data without rows of zeros, or cluster=faiss_kmeans"
        )
    if clustering.inertia is None or clustering.centroids is None:
        return
    centres = np.asarray(clustering.centroids, np.float64)[clustering.assignments]
    squares = float(((points - centres) ** 2).sum())
    total = float(np.square(points, dtype=np.float64).sum())
    if abs(clustering.inertia - squares) > ALIKE * squares + ROUNDING * total:
        raise ValueError(
            f"evaluator.k_selection needs Euclidean distances, and {name} uses another one (its inertia is "
            f"{clustering.inertia:.4g}, the sum of squared Euclidean distances {squares:.4g}); use "
            "reducer=l2, or cluster=faiss_kmeans"
        )


def lighter(clusterer: Any, k: int, light: Mapping[str, Any]) -> Any:
    """Return the clusterer with this k, and with the light settings that it has."""
    names = {f.name for f in fields(clusterer)}
    return replace(clusterer, k=k, **{name: value for name, value in light.items() if name in names})


def seeded(clusterer: Any, count: int) -> list[Any]:
    """Return the clusterer with `count` seeds, its own seed first; once if it has no seed."""
    if "seed" not in {f.name for f in fields(clusterer)}:
        return [clusterer]
    return [replace(clusterer, seed=clusterer.seed + number) for number in range(count)]
