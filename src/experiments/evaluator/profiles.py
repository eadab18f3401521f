"""Cluster profiles of a table: the means of each cluster compared with those of the others."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures.groups import (
    Groups,
    group_rows,
    spread,
    title_of_largest,
    unique_headings,
)
from experiments.figures import DivergingHeatmap
from experiments.samples import Samples
from experiments.types import Clustering, Findings

if TYPE_CHECKING:
    import pandas as pd

PREFIX = "evaluator.profiles"
ALIKE = 4 * float(np.finfo(np.float32).eps)  # relative difference of equal means
DIGITS = 5  # digits of scores when sorting columns; ties stay in the order of the table
ORDER = "the columns are in the order of the difference of their means in standard deviations of the rows"


@dataclass(frozen=True)
class Profiles:
    """Mean of each column in each cluster, in its unit and as z-score across the clusters.

    The z-score of a cluster's mean is its difference from the unweighted mean of all cluster means, in
    standard deviations (ddof=0) of the cluster means. Noise is not a cluster and is ignored. A column with
    equal means has z-score 0 in all clusters, and a warning names it.

    Columns are in the order of their z-scores. With two clusters all z-scores are +1 or -1; then the order is
    that of the difference of the two means in standard deviations of the rows.

    Parameters
    ----------
    extremes
        Number of highest and of lowest columns of each cluster; if the table has fewer columns than both
        together, each is listed once.
    columns
        Largest number of columns of the heat map; with more columns there is none.
    clusters
        Largest number of clusters in the heat map; if there are more, the largest are shown, with a note in
        the title.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "embeddings", "clustering")
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = ()
    VERSION: ClassVar[int] = 3

    extremes: int
    columns: int
    clusters: int

    def __post_init__(self) -> None:
        if self.extremes < 1:
            raise ValueError(f"{PREFIX}.extremes={self.extremes} lists no column; use 1 or more")
        if self.columns < 0:
            raise ValueError(f"{PREFIX}.columns={self.columns} is not a number of columns; use 0 or more")
        if self.clusters < 1:
            raise ValueError(f"{PREFIX}.clusters={self.clusters} leaves no cluster; use 1 or more")

    def check(self, samples: Samples) -> None:
        """Raise ValueError if the samples are images, whose embeddings have no meaningful columns."""
        if samples.content.KIND != "vectors":
            raise ValueError(
                f"{PREFIX} describes clusters by the columns of a table, and {samples.name} has "
                f"{samples.content.KIND}; remove profiles, or use dataset=table"
            )

    def evaluate(
        self, *, ctx: Context, samples: Samples, embeddings: np.ndarray, clustering: Clustering
    ) -> Findings:
        """Compare the clusters; if there is only one, return its means only."""
        assignments = np.asarray(clustering.assignments)
        inside = np.flatnonzero(assignments >= 0)
        groups = group_rows(assignments[inside])
        means = groups.means(embeddings, inside)
        names = _names(samples, means.shape[1])
        tables = {"cluster_feature_centroids": _table(groups, means, names)}
        if len(groups.ids) < 2:
            reason = f"{PREFIX} compares no means, as it needs two clusters and there are {len(groups.ids)}"
            return Findings({}, tables, warnings=(reason,))
        scores, same = standardised(means)
        warnings = []
        if same.any():
            alike = ", ".join(names[column] for column in np.flatnonzero(same))
            warnings.append(f"{PREFIX}: all clusters have the same mean of {alike}; its z-scores are 0")
        ranks = scores
        if len(groups.ids) == 2:
            spreads = spread(embeddings, inside)
            ranks = np.where(same, 0.0, (means - means[::-1]) / np.where(same, 1.0, spreads))
            warnings.append(f"{PREFIX}: with two clusters every z-score is +1 or -1; {ORDER}")
        tables["cluster_explanations"] = self._explanations(groups, scores, ranks, names)
        figures = {}
        if len(names) <= self.columns:
            figures["cluster_feature_profiles_heatmap"] = self._heat_map(groups, scores, names, samples)
        else:
            warnings.append(
                f"{PREFIX}.columns={self.columns} is below the {len(names)} columns, so there is no heat map"
            )
        return Findings({}, tables, dict(figures), tuple(warnings))

    def _explanations(
        self, groups: Groups, scores: np.ndarray, ranks: np.ndarray, names: list[str]
    ) -> "pd.DataFrame":
        """Return a table of the highest and lowest columns of each cluster by `ranks`."""
        import pandas as pd

        order = np.argsort(-ranks.round(DIGITS), axis=1, kind="stable")
        d = len(names)
        counts = {"high": min(self.extremes, -(-d // 2)), "low": min(self.extremes, d // 2)}
        picked = {"high": order[:, : counts["high"]], "low": order[:, ::-1][:, : counts["low"]]}
        columns: dict[str, object] = {"cluster": groups.ids, "images": groups.sizes}
        texts = {
            side: [_text(indices[row], scores[row], names) for row in range(len(indices))]
            for side, indices in picked.items()
        }
        pairs = zip(texts["high"], texts["low"], strict=True)
        columns["explanation"] = [f"highest: {high}; lowest: {low}" for high, low in pairs]
        for side, indices in picked.items():
            for rank, column_of_cluster in enumerate(indices.T, 1):
                columns[f"{side}_{rank}"] = [names[column] for column in column_of_cluster]
                columns[f"{side}_{rank}_z"] = scores[np.arange(len(scores)), column_of_cluster]
        return pd.DataFrame(columns)

    def _heat_map(
        self, groups: Groups, scores: np.ndarray, names: list[str], samples: Samples
    ) -> DivergingHeatmap:
        shown = groups.largest(self.clusters)
        title = title_of_largest(f"Mean of each column in each cluster of {samples.name}", shown, groups)
        clusters = [groups.names[group] for group in shown]
        return DivergingHeatmap(title, names, clusters, scores[shown].T, "z-score across clusters")


def standardised(means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return z-scores float64 (k, d) of means across k clusters, and flags (d,) of equal means."""
    spread = means.std(axis=0)
    same = spread <= ALIKE * np.abs(means).max(axis=0)
    return np.where(same, 0.0, (means - means.mean(axis=0)) / np.where(same, 1.0, spread)), same


def _text(columns: np.ndarray, scores: np.ndarray, names: list[str]) -> str:
    return ", ".join(f"{names[column]} ({scores[column]:+.2f})" for column in columns) or "none"


def _names(samples: Samples, d: int) -> list[str]:
    """Return the names of the columns; d0, d1, ... if they have none."""
    return list(samples.columns) if len(samples.columns) == d else [f"d{column}" for column in range(d)]


def _table(groups: Groups, means: np.ndarray, names: list[str]) -> "pd.DataFrame":
    import pandas as pd

    columns = {"cluster": groups.ids, "images": groups.sizes}
    return pd.DataFrame(columns | dict(zip(unique_headings(names, columns), means.T, strict=True)))
