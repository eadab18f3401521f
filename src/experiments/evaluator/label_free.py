"""What clusters are worth without labels: their silhouette in one UMAP of the embedding."""

import logging
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures.silhouette import mean_silhouette
from experiments.evaluator.pictures.layouts import Planes, place
from experiments.metric_names import names_of
from experiments.samples import Samples
from experiments.types import Clustering, Findings

log = logging.getLogger(__name__)

PLACE = "evaluator.label_free"


@dataclass(frozen=True)
class LabelFree:
    """The silhouette of the assignments in the plane of UMAP, of the embedding and not of the reduced space.

    So runs that differ in reducer, clusterer or k are judged in the same space, whose UMAP is made once. It
    is that of the rows in clusters, and each row of noise counts as 0: throwing rows away gains nothing.
    `silhouette_umap_error` is half the 95 % interval of the value over all rows, 0 where that is exact.

    Parameters
    ----------
    n_neighbors, min_dist, metric
        Of UMAP.
    sample
        Rows whose silhouette is averaged; exact up to so many, of more rows so many are drawn at random.
    seed
        Of UMAP and of that draw.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("embeddings", "clustering")
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = names_of("label_free")
    VERSION: ClassVar[int] = 3

    n_neighbors: int
    min_dist: float
    metric: str
    sample: int
    seed: int

    def __post_init__(self) -> None:
        if self.sample < 1:
            raise ValueError(f"{PLACE}.sample={self.sample} is no number of rows; use 1 or more")
        self._planes.check(PLACE)

    @property
    def _planes(self) -> Planes:
        return Planes(self.n_neighbors, self.min_dist, self.metric, None, self.seed)

    def check(self, samples: Samples) -> None:
        """Raise ValueError if there are too few samples."""
        self._planes.check_count(PLACE, ("umap",), len(samples))

    def evaluate(self, *, ctx: Context, embeddings: np.ndarray, clustering: Clustering) -> Findings:
        """Score the assignments, if there are 2 to n - 1 clusters."""
        from threadpoolctl import threadpool_limits

        held = np.flatnonzero(np.asarray(clustering.assignments) >= 0)
        assignments = np.asarray(clustering.assignments)[held]
        n, k = len(held), len(np.unique(assignments))
        if not 2 <= k < n:
            log.warning("silhouette_umap is left out: undefined for %d clusters of %d rows", k, n)
            return Findings({})
        points = np.asarray(place(self._planes.of("umap"), embeddings, ctx))[held]
        with threadpool_limits(ctx.threads):
            silhouette = mean_silhouette(points, assignments, self.sample, self.seed)
        share = n / len(clustering.assignments)
        return Findings(
            {"silhouette_umap": silhouette.value * share, "silhouette_umap_error": silhouette.error * share}
        )
