"""A label-free score of clusters: their silhouette in the embeddings, rows scaled to length 1."""

import logging
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures.silhouette import mean_silhouette
from experiments.metric_names import names_of
from experiments.numerics.scale import unit_rows
from experiments.samples import Samples
from experiments.types import Clustering, Findings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabelFree:
    """The silhouette of the assignments in the embeddings, each of length 1, not in the reduced space.

    So runs that differ in reducer, clusterer or k are scored in one space, and a reducer that moves points
    together, such as `neighbours` or `umap`, does not raise its own score. Each row of noise counts as 0, so
    marking rows as noise does not raise the score either. `silhouette_embeddings_error` is half the 95 %
    interval of the value over all rows, 0 if it is exact.

    Parameters
    ----------
    sample
        Largest number of rows whose silhouette is averaged; with more rows, a random sample.
    seed
        Seed of the random sample.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("embeddings", "clustering")
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = names_of("label_free")
    VERSION: ClassVar[int] = 4

    sample: int
    seed: int

    def __post_init__(self) -> None:
        if self.sample < 1:
            raise ValueError(
                f"evaluator.label_free.sample={self.sample} is not a number of rows; use 1 or more"
            )

    def check(self, samples: Samples) -> None:
        """Accept all samples."""

    def evaluate(self, *, ctx: Context, embeddings: np.ndarray, clustering: Clustering) -> Findings:
        """Score the assignments, if there are 2 to n - 1 clusters."""
        from threadpoolctl import threadpool_limits

        inside = np.flatnonzero(np.asarray(clustering.assignments) >= 0)
        assignments = np.asarray(clustering.assignments)[inside]
        n, k = len(inside), len(np.unique(assignments))
        if not 2 <= k < n:
            log.warning("silhouette_embeddings is missing: undefined for %d clusters of %d rows", k, n)
            return Findings({})
        points = unit_rows(embeddings)[inside]
        with threadpool_limits(ctx.threads):
            silhouette = mean_silhouette(points, assignments, self.sample, self.seed)
        share = n / len(clustering.assignments)
        metrics = {"": silhouette.value * share, "_error": silhouette.error * share}
        return Findings({f"silhouette_embeddings{end}": value for end, value in metrics.items()})
