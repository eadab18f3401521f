"""One k tried on the points, for every method."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from experiments.evaluator.gap import labels, log_w, spread
from experiments.evaluator.silhouette import silhouettes
from experiments.evaluator.stability import agreement, resampled
from experiments.types import Context

COLUMNS = (
    "mean_distance", "inertia", "silhouette", "calinski_harabasz", "davies_bouldin",
    "stability_seeds", "stability_bootstrap", "log_w",
)  # fmt: skip


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

    VERSION: ClassVar[int] = 1

    clusterer: Any
    light: Any
    seeds: int
    bootstraps: int
    sample: int
    seed: int

    def run(self, points: np.ndarray, ctx: Context) -> np.ndarray:
        """Return a value for each of COLUMNS, float64; nan where it is undefined."""
        whole = ctx.fitted(self.clusterer, lambda: self.clusterer.fit(points, ctx))
        assignments = np.asarray(whole.assignments)
        squares, distance = spread(points, assignments)
        again = [labels(one, points, ctx) for one in seeded(self.light, self.seeds)]
        rows = np.arange(len(points))
        samples = resampled(points, partial(self._resampled, ctx), self.bootstraps, self.seed)
        clusters = len(np.unique(assignments))
        return np.array(
            [
                distance,
                squares,
                *self._geometry(points, assignments, clusters),
                agreement([(rows, one) for one in again]) if clusters > 1 else np.nan,
                agreement(samples) if clusters > 1 else np.nan,
                log_w(squares),
            ]
        )

    def _resampled(self, ctx: Context, number: int, points: np.ndarray) -> np.ndarray:
        return labels(self.light, points, ctx.on(ctx.given, f"bootstrap {self.seed} {number}"))

    def _geometry(self, points: np.ndarray, assignments: np.ndarray, clusters: int) -> tuple[float, ...]:
        from sklearn import metrics

        n = len(points)
        if not 2 <= clusters < n:
            return np.nan, np.nan, np.nan
        rows = np.arange(n)
        if n > self.sample:
            rows = np.sort(np.random.default_rng(self.seed).choice(n, self.sample, replace=False))
        return (
            float(silhouettes(points, assignments, rows).mean()),
            float(metrics.calinski_harabasz_score(points, assignments)),
            float(metrics.davies_bouldin_score(points, assignments)),
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
