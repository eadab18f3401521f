"""One k tried on the points, for every method."""

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
ALIKE = 0.01  # share by which two sums of the same squares may differ,
ROUNDING = 1e-9  # and share of the values' own squares


@dataclass(frozen=True)
class Trial:
    """What every method but the references needs of one k.

    Parameters
    ----------
    clusterer
        With its k; fitted once, for all methods.
    light
        The same with fewer starts, for what is fitted many times.
    seeds, bootstraps
        Light fits that are compared with each other.
    sample, seed
        Rows whose silhouette is averaged, drawn with this seed, as are the bootstrap samples.
    """

    VERSION: ClassVar[int] = 2

    clusterer: Any
    light: Any
    seeds: int
    bootstraps: int
    sample: int
    seed: int

    def run(self, points: np.ndarray, ctx: Context) -> np.ndarray:
        """Return a value for each of COLUMNS, float64; nan where it is undefined.

        Raises
        ------
        ValueError
            If the clusters are not groups of near rows, which is what every method looks for.
        """
        whole = ctx.fitted(self.clusterer, lambda: self.clusterer.fit(points, ctx))
        check_distances(type(self.clusterer).__name__, whole, points)
        assignments = np.asarray(whole.assignments)
        squares, distance = spread(points, assignments)
        again = [labels(one, points, ctx) for one in seeded(self.light, self.seeds)]
        rows = np.arange(len(points))
        clusters = len(np.unique(assignments))
        return np.array(
            [
                distance,
                squares,
                *self._geometry(points, assignments, clusters),
                agreement([(rows, one) for one in again]) if clusters > 1 else np.nan,
                self._bootstrapped(points, ctx) if clusters > 1 else np.nan,
                log_w(squares),
            ]
        )

    def _bootstrapped(self, points: np.ndarray, ctx: Context) -> float:
        """Return the agreement of bootstrap samples; nan if one cannot be clustered so, as rows repeat."""
        try:
            return agreement(resampled(points, partial(self._resampled, ctx), self.bootstraps, self.seed))
        except ValueError as error:
            log.warning("stability_bootstrap of k=%d is left out: %s", self.clusterer.k, error)
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


def check_distances(name: str, found: Clustering, points: np.ndarray) -> None:
    """Raise ValueError if a clusterer leaves noise, or groups by another distance than that of the rows."""
    noise = int((np.asarray(found.assignments) < 0).sum())
    if noise:
        raise ValueError(
            f"evaluator.k_selection tries {name}, which leaves {noise} of {len(points)} rows in no cluster; "
            "each k is judged by all rows: use data without rows of zeros, or cluster=faiss_kmeans"
        )
    if found.inertia is None or found.centroids is None:
        return
    own = np.asarray(found.centroids, np.float64)[found.assignments]
    squares = float(((points - own) ** 2).sum())
    whole = float(np.square(points, dtype=np.float64).sum())
    if abs(found.inertia - squares) > ALIKE * squares + ROUNDING * whole:
        raise ValueError(
            f"evaluator.k_selection tries {name}, which goes by another distance than that of the rows (its "
            f"inertia is {found.inertia:.4g}, theirs {squares:.4g}); each k is judged by theirs: use "
            "reducer=l2, or cluster=faiss_kmeans"
        )


def lighter(clusterer: Any, k: int, light: Mapping[str, Any]) -> Any:
    """Return the clusterer for this k, with those of the light settings that it has."""
    names = {f.name for f in fields(clusterer)}
    return replace(clusterer, k=k, **{name: value for name, value in light.items() if name in names})


def seeded(clusterer: Any, count: int) -> list[Any]:
    """Return the clusterer with `count` seeds, its own first; once if it draws nothing."""
    if "seed" not in {f.name for f in fields(clusterer)}:
        return [clusterer]
    return [replace(clusterer, seed=clusterer.seed + number) for number in range(count)]
