"""How well each cluster's members sit in it, cluster by cluster."""

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

PLACE = "evaluator.silhouettes"
LEAST = 20  # rows of a cluster that are measured where it has so many


@dataclass(frozen=True)
class Silhouettes:
    """The silhouette plot, and the mean, size and worst members of each cluster.

    `error` is half the 95 % interval of the mean over all members, 0 where all are measured. Noise is left
    out, its rows are counted; left out as a whole, with the reason in the table, unless there are two
    clusters.

    Parameters
    ----------
    sample
        Rows that are measured, each against all that are in a cluster; of more rows so many are drawn at
        random, of each cluster its share, and 20 at least.
    bars
        Values that the picture shows, about; each stands for as many.
    worst
        Members with the lowest silhouette that are named for each cluster.
    seed
        Of the draw.
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
                raise ValueError(f"{PLACE}.{name}={getattr(self, name)} is too few; use 1 or more")
        if self.worst < 0:
            raise ValueError(f"{PLACE}.worst={self.worst} is no number of members; use 0 or more")

    def check(self, samples: Samples) -> None:
        """Accept any samples."""

    def evaluate(
        self, *, ctx: Context, samples: Samples, reduced: np.ndarray, clustering: Clustering
    ) -> Findings:
        """Measure the members of the clusters."""
        import pandas as pd
        from threadpoolctl import threadpool_limits

        assignments = np.asarray(clustering.assignments)
        inside = np.flatnonzero(assignments >= 0)
        clusters, sizes = np.unique(assignments[inside], return_counts=True)
        about: dict[str, object] = {"rows": len(inside), "noise, left out": len(assignments) - len(inside)}
        if len(clusters) < 2:
            reason = f"undefined for {len(clusters)} clusters"
            log.warning("the silhouette plot is left out: %s", reason)
            return Findings({}, {"silhouettes_rows": _told(about | {"about": reason})})
        own = assignments[inside]
        rows = self._drawn(own)
        with threadpool_limits(ctx.threads):
            points = reduced if len(inside) == len(assignments) else reduced[inside]
            scores = silhouettes(points, own, rows, self.seed)
        of = own[rows]
        members = [np.flatnonzero(of == cluster) for cluster in clusters]
        members = [one[np.argsort(-scores[one], kind="stable")] for one in members]
        means = np.array([scores[one].mean() for one in members])
        below = np.array([(scores[one] < 0).mean() for one in members])
        mean = float(np.average(means, weights=sizes))
        negative = float(np.average(below, weights=sizes))
        errors = np.array(
            [half_interval(scores[own_rows], n) for own_rows, n in zip(members, sizes, strict=True)]
        )
        about |= {
            "measured": len(rows),
            "mean": f"{mean:.5g}",
            "error of the mean": f"{np.linalg.norm(errors * sizes / sizes.sum()):.2g}",
            "below zero": f"{negative:.5g}",
            "about": measured(len(inside), self.sample),
        }
        ids = samples.ids[inside[rows]]
        worst = [", ".join(ids[one[::-1][: self.worst]]) for one in members]
        table = {"cluster": clusters, "size": sizes, "measured": [len(one) for one in members]}
        table |= {"mean": means, "error": errors, "below_zero": below}
        table |= {"lowest": [scores[one[-1]] for one in members]}
        shown = [scores[one[thinned(len(one), self._share(len(one), len(rows)))]] for one in members]
        note = f"; noise left out, {len(assignments) - len(inside):,} points" * (
            len(inside) < len(assignments)
        )
        title = f"Silhouettes of {len(inside):,} points in {len(clusters)} clusters{note}"
        counts = [len(values) for values in shown]
        plot = Profiles(title, clusters.tolist(), sizes.tolist(), counts, np.concatenate(shown), mean)
        tables = {"silhouettes": pd.DataFrame(table | {"worst": worst}), "silhouettes_rows": _told(about)}
        return Findings({"silhouette_below_zero": negative}, tables, {"silhouettes": plot})

    def _drawn(self, own: np.ndarray) -> np.ndarray:
        """Draw the rows to measure: all, or of each cluster its share."""
        if len(own) <= self.sample:
            return np.arange(len(own))
        rng, drawn = np.random.default_rng(self.seed), []
        order = np.argsort(own, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(own[order])) + 1):
            count = max(min(len(rows), LEAST), round(self.sample * len(rows) / len(own)))
            drawn.append(rng.choice(rows, min(count, len(rows)), replace=False))
        return np.sort(np.concatenate(drawn))

    def _share(self, count: int, everything: int) -> int:
        return max(2, round(count * min(1.0, self.bars / everything)))


def thinned(count: int, most: int) -> np.ndarray:
    """Return the places of at most so many of a sorted row of `count`, from its first to its last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def _told(about: dict[str, object]) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame({"figure": list(about), "value": [str(value) for value in about.values()]})
