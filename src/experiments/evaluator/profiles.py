"""What is particular about each cluster of a table: its means, beside those of the others."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures.groups import Groups, cut, groups, headed, spread
from experiments.figures import DivergingHeatmap
from experiments.samples import Samples
from experiments.types import Clustering, Findings

if TYPE_CHECKING:
    import pandas as pd

PLACE = "evaluator.profiles"
ALIKE = 4 * float(np.finfo(np.float32).eps)  # means that differ by less, for their size, are the same
DIGITS = 5  # of what orders the columns: what float32 cannot tell apart is in the order of the table
ORDERED = "the columns are in the order of the difference of their means in standard deviations of the rows"


@dataclass(frozen=True)
class Profiles:
    """Mean of each column in each cluster, in its own unit and as z-score across the clusters.

    The z-score of a cluster's mean is its distance from the mean of all clusters' means, each counting once,
    in standard deviations of these (of all of them, ddof=0). Noise is no cluster and left out. A column whose
    means do not differ has z-score 0 everywhere, and a warning names it.

    Columns are named in the order of their z-scores. Of two clusters all of these are +1 or -1, which orders
    nothing: there the order is that of the difference of the two means in standard deviations of the rows.

    Parameters
    ----------
    extremes
        Highest and lowest columns of each cluster that are named; a table of fewer than twice as many names
        each column once.
    columns
        Columns up to which there is a heat map; of more no one could read it.
    clusters
        Clusters in the heat map; of more the largest are shown, and the title says so.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "embeddings", "clustering")
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = ()
    VERSION: ClassVar[int] = 2

    extremes: int
    columns: int
    clusters: int

    def __post_init__(self) -> None:
        if self.extremes < 1:
            raise ValueError(f"{PLACE}.extremes={self.extremes} names no column; use 1 or more")
        if self.columns < 0:
            raise ValueError(f"{PLACE}.columns={self.columns} is no number of columns; use 0 or more")
        if self.clusters < 1:
            raise ValueError(f"{PLACE}.clusters={self.clusters} leaves no cluster; use 1 or more")

    def check(self, samples: Samples) -> None:
        """Raise ValueError if the samples are images, of which no value means anything by itself."""
        if samples.content.KIND != "vectors":
            raise ValueError(
                f"{PLACE} describes clusters by the columns of a table, and {samples.name} holds "
                f"{samples.content.KIND}; leave profiles out, or use dataset=table"
            )

    def evaluate(
        self, *, ctx: Context, samples: Samples, embeddings: np.ndarray, clustering: Clustering
    ) -> Findings:
        """Describe each cluster; where there is no second one to compare it with, by its means alone."""
        assignments = np.asarray(clustering.assignments)
        inside = np.flatnonzero(assignments >= 0)
        found = groups(assignments[inside])
        means = found.means(embeddings, inside)
        names = _names(samples, means.shape[1])
        tables = {"cluster_feature_centroids": _table(found, means, names)}
        if len(found.ids) < 2:
            why = f"{PLACE} compares no means: there are {len(found.ids)} clusters, and it needs two"
            return Findings({}, tables, warnings=(why,))
        scores, same = standardised(means)
        warnings = []
        if same.any():
            alike = ", ".join(names[column] for column in np.flatnonzero(same))
            warnings.append(f"{PLACE}: all clusters have the same mean of {alike}; its z-scores are 0")
        ranks = scores
        if len(found.ids) == 2:
            spreads = spread(embeddings, inside)
            ranks = np.where(same, 0.0, (means - means[::-1]) / np.where(same, 1.0, spreads))
            warnings.append(f"{PLACE}: of two clusters every z-score is +1 or -1; {ORDERED}")
        tables["cluster_explanations"] = self._explained(found, scores, ranks, names)
        figures = {}
        if len(names) <= self.columns:
            figures["cluster_feature_profiles_heatmap"] = self._heat_map(found, scores, names, samples)
        else:
            warnings.append(
                f"{PLACE}.columns={self.columns} is below the {len(names)} columns, so there is no heat map"
            )
        return Findings({}, tables, dict(figures), tuple(warnings))

    def _explained(
        self, found: Groups, scores: np.ndarray, ranks: np.ndarray, names: list[str]
    ) -> "pd.DataFrame":
        """Name the highest and lowest columns of each cluster by `ranks`, in words and one by one."""
        import pandas as pd

        order = np.argsort(-ranks.round(DIGITS), axis=1, kind="stable")
        d = len(names)
        most = {"high": min(self.extremes, -(-d // 2)), "low": min(self.extremes, d // 2)}
        picked = {"high": order[:, : most["high"]], "low": order[:, ::-1][:, : most["low"]]}
        columns: dict[str, object] = {"cluster": found.ids, "images": found.sizes}
        said = {
            side: [_said(places[row], scores[row], names) for row in range(len(places))]
            for side, places in picked.items()
        }
        pairs = zip(said["high"], said["low"], strict=True)
        columns["explanation"] = [f"highest: {high}; lowest: {low}" for high, low in pairs]
        for side, places in picked.items():
            for place, own in enumerate(places.T, 1):
                columns[f"{side}_{place}"] = [names[column] for column in own]
                columns[f"{side}_{place}_z"] = scores[np.arange(len(own)), own]
        return pd.DataFrame(columns)

    def _heat_map(
        self, found: Groups, scores: np.ndarray, names: list[str], samples: Samples
    ) -> DivergingHeatmap:
        shown = found.largest(self.clusters)
        title = cut(f"Mean of each column in each cluster of {samples.name}", shown, found)
        clusters = [found.names[place] for place in shown]
        return DivergingHeatmap(title, names, clusters, scores[shown].T, "z-score across clusters")


def standardised(means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the z-scores float64 (k, d) of means across k clusters, and which columns do not differ."""
    spread = means.std(axis=0)
    same = spread <= ALIKE * np.abs(means).max(axis=0)
    return np.where(same, 0.0, (means - means.mean(axis=0)) / np.where(same, 1.0, spread)), same


def _said(places: np.ndarray, scores: np.ndarray, names: list[str]) -> str:
    return ", ".join(f"{names[place]} ({scores[place]:+.2f})" for place in places) or "none"


def _names(samples: Samples, d: int) -> list[str]:
    """Return what the columns are called; d0, d1, ... if nobody said."""
    return list(samples.columns) if len(samples.columns) == d else [f"d{column}" for column in range(d)]


def _table(found: Groups, means: np.ndarray, names: list[str]) -> "pd.DataFrame":
    import pandas as pd

    columns = {"cluster": found.ids, "images": found.sizes}
    return pd.DataFrame(columns | dict(zip(headed(names, columns), means.T, strict=True)))
