"""Compactness and separation of the clusters in the reduced space, without labels."""

import logging
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures.compactness import COMPACTNESS
from experiments.evaluator.measures.extents import extents
from experiments.evaluator.measures.noise import Treatment, share, treatments
from experiments.evaluator.measures.silhouette import mean_silhouette, measured
from experiments.metric_names import names_of, spelled
from experiments.samples import Samples
from experiments.types import Clustering, Findings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Internal:
    """Silhouette, Calinski-Harabasz, Davies-Bouldin, cluster sizes and inertia.

    Noise counts as one more cluster. If there is noise, there are also `noise_share`, and metrics with suffix
    `_no_noise` (rows in clusters only: too high for a clusterer that marks many rows as noise) and
    `_noise_singletons` (each row of noise is its own cluster). The geometric metrics need 2 to n - 1
    clusters; otherwise they are missing, with the reason in a table. Inertia is missing if the clusterer has
    none. `silhouette_error` is half the 95 % interval of the silhouette over all rows, 0 if it is exact.

    Parameters
    ----------
    sample
        Largest number of rows whose silhouette is averaged; with more rows, a random sample.
    seed
        Seed of the random sample.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("reduced", "clustering")
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = names_of("internal", rows=("",))
    VERSION: ClassVar[int] = 5

    sample: int
    seed: int

    def __post_init__(self) -> None:
        if self.sample < 1:
            raise ValueError(
                f"evaluator.internal.sample={self.sample} is not a number of rows; use 1 or more"
            )

    def check(self, samples: Samples) -> None:
        """Accept any samples."""

    def evaluate(self, *, ctx: Context, reduced: np.ndarray, clustering: Clustering) -> Findings:
        """Score the assignments; tables of cluster sizes, and of the rows of each metric."""
        import pandas as pd

        assignments = np.asarray(clustering.assignments)
        ids, counts = np.unique(assignments, return_counts=True)
        sizes = counts[ids >= 0]
        scores = {
            "clusters": float(len(sizes)),
            "smallest_cluster": float(sizes.min()) if len(sizes) else 0.0,
            "largest_cluster": float(sizes.max(initial=0)),
        }
        scores |= share(assignments)
        if clustering.inertia is not None:
            scores["inertia"] = clustering.inertia
        about: list[dict[str, Any]] = []
        for treatment in treatments(assignments):
            rows = treatment.rows if treatment.rows.all() else np.flatnonzero(treatment.rows)
            points = reduced if treatment.rows.all() else reduced[rows]
            geometry, notes = self._geometry(points, treatment.assignments[rows], ctx.threads, treatment)
            scores |= geometry
            about += notes
        tables = {
            "internal_sizes": pd.DataFrame({"cluster": ids, "size": counts, "share": counts / counts.sum()}),
            "internal_rows": pd.DataFrame(about),
        }
        return Findings(scores, tables)

    def _geometry(
        self, reduced: np.ndarray, assignments: np.ndarray, threads: int, treatment: Treatment
    ) -> tuple[dict[str, float], list[dict[str, Any]]]:
        """Return the metrics, if they are defined, and a description of the rows of each."""
        from threadpoolctl import threadpool_limits

        n, k = len(assignments), len(np.unique(assignments))
        undefined = "" if 2 <= k < n else f"undefined for {k} clusters of {n} rows"
        about = [
            {
                "figure": spelled(metric, noise=treatment.suffix),
                "space": "reduced",
                "rows": count,
                "about": (undefined or note) + treatment.about,
            }
            for metric, count, note in (
                ("silhouette", min(n, self.sample), measured(n, self.sample)),
                *((metric, n, "exact") for metric in COMPACTNESS),
            )
        ]
        if undefined:
            *others, last = (str(entry["figure"]) for entry in about)
            log.warning("%s and %s are missing: %s", ", ".join(others), last, undefined)
            return {}, about
        with threadpool_limits(threads):
            known = extents(reduced, assignments)
            silhouette = mean_silhouette(reduced, assignments, self.sample, self.seed, known)
            scores = {
                "silhouette": silhouette.value,
                "silhouette_error": silhouette.error,
                "silhouette_rows": float(silhouette.rows),
            }
            scores |= {
                metric: measure(reduced, assignments, known) for metric, measure in COMPACTNESS.items()
            }
        return {spelled(metric, noise=treatment.suffix): value for metric, value in scores.items()}, about
