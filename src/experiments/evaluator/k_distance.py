"""The k-distance plot: sorted distances to the k-th neighbour, whose knee suggests eps for DBSCAN."""

import logging
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.k_methods.knee import knee
from experiments.figures import Lines
from experiments.metric_names import names_of
from experiments.numerics.nearest import nearest
from experiments.samples import Samples
from experiments.types import Findings

log = logging.getLogger(__name__)

CURVE_POINTS = 2_000  # largest number of points in the figure and the table


@dataclass(frozen=True)
class KDistance:
    """The smallest eps for which each row is a core point of DBSCAN, sorted, and the knee of that curve.

    Parameters
    ----------
    min_samples
        As in DBSCAN: number of points within eps, including the row itself; 2 or more.

    Source
    ------
    Ester, Kriegel, Sander, Xu, "A density-based algorithm for discovering clusters", 1996.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("reduced",)
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = names_of("k_distance")
    VERSION: ClassVar[int] = 2

    min_samples: int

    def __post_init__(self) -> None:
        if self.min_samples < 2:
            raise ValueError(
                f"evaluator.k_distance.min_samples={self.min_samples} is the row itself only; use 2 or more"
            )

    def check(self, samples: Samples) -> None:
        """Raise ValueError if there are fewer rows than `min_samples`."""
        if self.min_samples > len(samples):
            raise ValueError(
                f"evaluator.k_distance.min_samples={self.min_samples} exceeds the {len(samples)} samples; "
                f"use evaluator.k_distance.min_samples<={len(samples)}"
            )

    def evaluate(self, *, ctx: Context, reduced: np.ndarray) -> Findings:
        """Sort the distances; the table has the number of core points for some of them."""
        import pandas as pd

        _, distances = nearest(reduced, reduced, self.min_samples, threads=ctx.threads)
        distances = np.sort(distances[:, -1])
        n = len(distances)
        bend = knee(np.arange(n), distances[::-1])  # knee of the falling curve
        index = None if bend is None else n - 1 - bend
        shown = np.unique(np.linspace(0, n - 1, min(n, CURVE_POINTS)).round().astype(np.int64))
        counts = (shown + 1).tolist()
        reason = "" if index is not None else "undefined: the sorted distances have no knee"
        table = pd.DataFrame(
            {"core_rows": counts, "core_share": (shown + 1) / n, "distance": distances[shown]}
        )
        suggested = {
            "figure": ["k_distance_knee"],
            "space": ["reduced"],
            "rows": [n],
            "min_samples": [self.min_samples],
            "core_share": [np.nan if index is None else float(np.mean(distances <= distances[index]))],
            "about": [
                reason or "suggested cluster.eps: where the sorted distances are farthest below their chord"
            ],
        }
        if reason:
            log.warning("k_distance_knee is missing: %s", reason)
        marks = {} if index is None else {f"knee: eps={distances[index]:.4g}": float(index + 1)}
        curve = Lines(
            f"Distance to neighbour {self.min_samples - 1} of each row, sorted",
            "number of core points",
            "distance in the reduced space",
            [float(count) for count in counts],
            {"distance": distances[shown].tolist()},
            marks=marks,
        )
        metrics = {} if index is None else {"k_distance_knee": float(distances[index])}
        tables = {"k_distance": table, "k_distance_rows": pd.DataFrame(suggested)}
        return Findings(metrics, tables, {"k_distance": curve})
