"""How compact and how well apart the clusters are in the reduced space, without any label."""

import logging
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from experiments.types import Clustering, Context, Findings, Samples

log = logging.getLogger(__name__)

DISTANCES = 4_000_000  # that the silhouette holds at a time: 32 MB


@dataclass(frozen=True)
class Internal:
    """Silhouette, Calinski-Harabasz, Davies-Bouldin and sizes; noise counts as one more cluster.

    The geometric figures are undefined, and left out with the reason in a table, unless there are 2 to n - 1
    clusters; inertia is there if the clusterer has one.

    Parameters
    ----------
    sample
        Rows whose silhouette is averaged; exact up to so many, of more rows so many are drawn at random.
    seed
        Of that draw.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("reduced", "clustering")
    METRICS: ClassVar[tuple[str, ...]] = (
        "silhouette", "silhouette_rows", "calinski_harabasz", "davies_bouldin",
        "inertia", "clusters", "smallest_cluster", "largest_cluster",
    )  # fmt: skip
    VERSION: ClassVar[int] = 1

    sample: int
    seed: int

    def __post_init__(self) -> None:
        if self.sample < 1:
            raise ValueError(f"evaluator.internal.sample={self.sample} is no number of rows; use 1 or more")

    def check(self, samples: Samples) -> None:
        """Accept any samples."""

    def evaluate(self, *, ctx: Context, reduced: np.ndarray, clustering: Clustering) -> Findings:
        """Score the assignments; the tables tell the sizes, and which rows each figure is about."""
        import pandas as pd

        assignments = np.asarray(clustering.assignments)
        ids, counts = np.unique(assignments, return_counts=True)
        found = counts[ids >= 0]
        scores = {
            "clusters": float(len(found)),
            "smallest_cluster": float(found.min(initial=len(assignments))),
            "largest_cluster": float(found.max(initial=0)),
        }
        if clustering.inertia is not None:
            scores["inertia"] = clustering.inertia
        geometry, about = self._geometry(reduced, assignments, ctx.threads)
        tables = {
            "cluster_sizes": pd.DataFrame({"cluster": ids, "size": counts, "share": counts / counts.sum()}),
            "internal_rows": pd.DataFrame(about),
        }
        return Findings(scores | geometry, tables)

    def _geometry(
        self, reduced: np.ndarray, assignments: np.ndarray, threads: int
    ) -> tuple[dict[str, float], list[dict[str, Any]]]:
        """Return the figures, if they are defined, and which rows each is about."""
        from sklearn import metrics
        from threadpoolctl import threadpool_limits

        n, k = len(assignments), len(np.unique(assignments))
        rows = np.arange(n)
        if n > self.sample:
            rows = np.sort(np.random.default_rng(self.seed).choice(n, self.sample, replace=False))
        undefined = "" if 2 <= k < n else f"undefined for {k} clusters of {n} rows"
        drawn = "exact" if len(rows) == n else "rows drawn at random, each against all rows"
        about = [
            {"figure": figure, "space": "reduced", "rows": count, "about": undefined or note}
            for figure, count, note in (
                ("silhouette", len(rows), drawn),
                ("calinski_harabasz", n, "exact"),
                ("davies_bouldin", n, "exact"),
            )
        ]
        if undefined:
            log.warning("silhouette, calinski_harabasz and davies_bouldin are left out: %s", undefined)
            return {}, about
        with threadpool_limits(threads):
            scores = {
                "silhouette": silhouette(reduced, assignments, rows),
                "silhouette_rows": float(len(rows)),
                "calinski_harabasz": float(metrics.calinski_harabasz_score(reduced, assignments)),
                "davies_bouldin": float(metrics.davies_bouldin_score(reduced, assignments)),
            }
        return scores, about


def silhouette(points: np.ndarray, assignments: np.ndarray, rows: np.ndarray) -> float:
    """Return the mean silhouette of these rows, each measured against all points.

    scikit-learn's `sample_size` measures the sample against itself, which thins the clusters out: on 25,557
    points in 233 clusters 10,000 rows gave .046 where all give .053. Where `rows` are all, both agree.

    Source
    ------
    Rousseeuw, "Silhouettes", 1987.
    """
    from sklearn.metrics import euclidean_distances

    _, own, sizes = np.unique(assignments, return_inverse=True, return_counts=True)
    by_cluster = points[np.argsort(own, kind="stable")].astype(np.float64)  # four times as fast as float32
    starts = np.cumsum(sizes) - sizes
    total = 0.0
    for batch in np.array_split(rows, min(len(rows), -(-len(rows) * len(points) // DISTANCES))):
        distances = euclidean_distances(points[batch].astype(np.float64), by_cluster)
        sums = np.add.reduceat(distances, starts, axis=1)
        each, home = np.arange(len(batch)), own[batch]
        within = sums[each, home] / np.maximum(sizes[home] - 1, 1)
        means = sums / sizes
        means[each, home] = np.inf
        between = means.min(axis=1)
        widest = np.maximum(within, between)
        scores = np.divide(between - within, widest, out=np.zeros_like(widest), where=widest > 0)
        total += float(scores[sizes[home] > 1].sum())
    return total / len(rows)
