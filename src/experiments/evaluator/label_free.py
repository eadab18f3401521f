"""A label-free score of clusters: their silhouette in one UMAP of the embeddings."""

import logging
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures.silhouette import mean_silhouette
from experiments.evaluator.pictures.layouts import LayoutSettings, cached_positions
from experiments.metric_names import names_of
from experiments.samples import Samples
from experiments.types import Clustering, Findings

log = logging.getLogger(__name__)

PREFIX = "evaluator.label_free"


@dataclass(frozen=True)
class LabelFree:
    """The silhouette of the assignments in a 2-D UMAP of the embeddings, not of the reduced space.

    So runs that differ in reducer, clusterer or k are scored in the same space, whose UMAP is computed
    once. Each row of noise counts as 0, so marking rows as noise does not raise the score.
    `silhouette_umap_error` is half the 95 % interval of the value over all rows, 0 if it is exact.

    Parameters
    ----------
    n_neighbors, min_dist, metric
        Settings of UMAP.
    sample
        Largest number of rows whose silhouette is averaged; with more rows, a random sample.
    seed
        Seed of UMAP and of the random sample.
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
            raise ValueError(f"{PREFIX}.sample={self.sample} is not a number of rows; use 1 or more")
        self._layouts.check(PREFIX)

    @property
    def _layouts(self) -> LayoutSettings:
        return LayoutSettings(self.n_neighbors, self.min_dist, self.metric, None, self.seed)

    def check(self, samples: Samples) -> None:
        """Raise ValueError if there are too few samples."""
        self._layouts.check_count(PREFIX, ("umap",), len(samples))

    def evaluate(self, *, ctx: Context, embeddings: np.ndarray, clustering: Clustering) -> Findings:
        """Score the assignments, if there are 2 to n - 1 clusters."""
        from threadpoolctl import threadpool_limits

        inside = np.flatnonzero(np.asarray(clustering.assignments) >= 0)
        assignments = np.asarray(clustering.assignments)[inside]
        n, k = len(inside), len(np.unique(assignments))
        if not 2 <= k < n:
            log.warning("silhouette_umap is missing: undefined for %d clusters of %d rows", k, n)
            return Findings({})
        points = np.asarray(cached_positions(self._layouts.method("umap"), embeddings, ctx))[inside]
        with threadpool_limits(ctx.threads):
            silhouette = mean_silhouette(points, assignments, self.sample, self.seed)
        share = n / len(clustering.assignments)
        return Findings(
            {"silhouette_umap": silhouette.value * share, "silhouette_umap_error": silhouette.error * share}
        )
