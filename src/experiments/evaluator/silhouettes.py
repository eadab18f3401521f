"""The silhouette plot, and the silhouette of each cluster."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures.silhouette import half_interval, measured, silhouettes
from experiments.figures import Silhouettes as Profiles
from experiments.metric_names import names_of
from experiments.samples import Samples
from experiments.types import Clustering, Findings

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

PREFIX = "evaluator.silhouettes"
LEAST = 20  # smallest number of rows of a cluster in the sample, or all its rows


@dataclass(frozen=True)
class Silhouettes:
    """The silhouette plot, and size, mean silhouette and worst members of each cluster.

    `error` is half the 95 % interval of the mean over all members, 0 if all are measured. Noise rows are
    counted, but not measured. With fewer than two clusters, the figure is missing and a table has the reason.

    Parameters
    ----------
    sample
        Largest number of rows to measure; with more rows, a random sample, stratified by cluster with at
        least 20 rows of each.
    bars
        Approximate number of values in the figure; each represents the same number of rows.
    worst
        Number of members with the lowest silhouette that are listed for each cluster.
    seed
        Seed of the random sample.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "reduced", "clustering")
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = names_of("silhouettes")
    VERSION: ClassVar[int] = 2

    sample: int
    bars: int
    worst: int
    seed: int

    def __post_init__(self) -> None:
        for name in ("sample", "bars"):
            if getattr(self, name) < 1:
                raise ValueError(f"{PREFIX}.{name}={getattr(self, name)} is too few; use 1 or more")
        if self.worst < 0:
            raise ValueError(f"{PREFIX}.worst={self.worst} is not a number of members; use 0 or more")

    def check(self, samples: Samples) -> None:
        """Accept any samples."""

    def evaluate(
        self, *, ctx: Context, samples: Samples, reduced: np.ndarray, clustering: Clustering
    ) -> Findings:
        """Compute the silhouettes of the rows in clusters."""
        import pandas as pd
        from threadpoolctl import threadpool_limits

        assignments = np.asarray(clustering.assignments)
        inside = np.flatnonzero(assignments >= 0)
        clusters, sizes = np.unique(assignments[inside], return_counts=True)
        about: dict[str, object] = {
            "rows": len(inside),
            "noise, not measured": len(assignments) - len(inside),
        }
        if len(clusters) < 2:
            reason = f"undefined for {len(clusters)} clusters"
            log.warning("the silhouette plot is missing: %s", reason)
            return Findings({}, {"silhouettes_rows": _about_table(about | {"about": reason})})
        clustered = assignments[inside]
        rows = self._sample(clustered)
        with threadpool_limits(ctx.threads):
            points = reduced if len(inside) == len(assignments) else reduced[inside]
            scores = silhouettes(points, clustered, rows, self.seed)
        row_clusters = clustered[rows]
        members = [np.flatnonzero(row_clusters == cluster) for cluster in clusters]
        members = [part[np.argsort(-scores[part], kind="stable")] for part in members]
        means = np.array([scores[part].mean() for part in members])
        below = np.array([(scores[part] < 0).mean() for part in members])
        mean = float(np.average(means, weights=sizes))
        negative = float(np.average(below, weights=sizes))
        errors = np.array([half_interval(scores[part], n) for part, n in zip(members, sizes, strict=True)])
        about |= {
            "measured": len(rows),
            "mean": f"{mean:.5g}",
            "error of the mean": f"{np.linalg.norm(errors * sizes / sizes.sum()):.2g}",
            "below zero": f"{negative:.5g}",
            "about": measured(len(inside), self.sample),
        }
        ids = samples.ids[inside[rows]]
        worst = [", ".join(ids[part[::-1][: self.worst]]) for part in members]
        table = {"cluster": clusters, "size": sizes, "measured": [len(part) for part in members]}
        table |= {"mean": means, "error": errors, "below_zero": below}
        table |= {"lowest": [scores[part[-1]] for part in members]}
        shown = [scores[part[thinned(len(part), self._bars(len(part), len(rows)))]] for part in members]
        note = f"; without {len(assignments) - len(inside):,} noise points" * (len(inside) < len(assignments))
        title = f"Silhouettes of {len(inside):,} points in {len(clusters)} clusters{note}"
        counts = [len(values) for values in shown]
        plot = Profiles(title, clusters.tolist(), sizes.tolist(), counts, np.concatenate(shown), mean)
        tables = {
            "silhouettes": pd.DataFrame(table | {"worst": worst}),
            "silhouettes_rows": _about_table(about),
        }
        return Findings({"silhouette_below_zero": negative}, tables, {"silhouettes": plot})

    def _sample(self, clustered: np.ndarray) -> np.ndarray:
        """Return the rows to measure: all, or a random sample stratified by cluster."""
        if len(clustered) <= self.sample:
            return np.arange(len(clustered))
        rng, drawn = np.random.default_rng(self.seed), []
        order = np.argsort(clustered, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(clustered[order])) + 1):
            count = max(min(len(rows), LEAST), round(self.sample * len(rows) / len(clustered)))
            drawn.append(rng.choice(rows, min(count, len(rows)), replace=False))
        return np.sort(np.concatenate(drawn))

    def _bars(self, count: int, total: int) -> int:
        return max(2, round(count * min(1.0, self.bars / total)))


def thinned(count: int, most: int) -> np.ndarray:
    """Return at most `most` evenly spaced indices of `count` values, including the first and the last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def _about_table(about: dict[str, object]) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame({"figure": list(about), "value": [str(value) for value in about.values()]})
