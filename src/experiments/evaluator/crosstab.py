"""Which labels are in which cluster, and how far the two go together."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures.association import BELOW, FEW, association
from experiments.evaluator.measures.groups import Groups, cut, groups, headed
from experiments.figures import Figure, Heatmap, StackedBars
from experiments.figures.style import STACKED
from experiments.metric_names import names_of
from experiments.samples import Samples
from experiments.types import Clustering, Encoder, Findings, UnlabelledError

if TYPE_CHECKING:
    import pandas as pd

PLACE = "evaluator.crosstab"
TOTAL, ALL = "total", "all"
TAGS = 64  # tags up to which there is a heat map of them


@dataclass(frozen=True)
class Crosstab:
    """Counts and shares of each label in each cluster, their chi-square and Cramer's V, and shares of tags.

    All rows count, noise as one more cluster. `chi_square_p` is the chance of so large a chi-square if
    clusters and labels had nothing to do with each other; `cramers_v_corrected` is what to compare across k,
    as `cramers_v` grows with it. `cluster_tag_shares` is the mean of each further label, of which a sample
    may have several.

    Parameters
    ----------
    labels
        Labels in the picture with a colour of their own, the largest; the rest is `other`, and a label of
        this name beside it `other_`.
    clusters
        Bars in it at most, beside noise; of more clusters the largest are shown, and the title says so.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "encoder", "clustering")
    LABELLED: ClassVar[bool] = True
    METRICS: ClassVar[tuple[str, ...]] = names_of("crosstab")
    VERSION: ClassVar[int] = 2

    labels: int
    clusters: int

    def __post_init__(self) -> None:
        for name, what in (("labels", "label"), ("clusters", "bar")):
            if getattr(self, name) < 1:
                raise ValueError(f"{PLACE}.{name}={getattr(self, name)} leaves no {what}; use 1 or more")
        if self.labels > len(STACKED):
            raise ValueError(
                f"{PLACE}.labels={self.labels} exceeds the {len(STACKED)} colours that one can tell apart; "
                f"use {PLACE}.labels={len(STACKED)} or fewer"
            )

    def check(self, samples: Samples) -> None:
        """Raise ValueError if there are no labels."""
        if samples.labels is None:
            raise UnlabelledError(
                f"{PLACE} needs labels and {samples.name} has none; use evaluator=[internal,sizes], or bring "
                "labels with dataset.labels.path=..."
            )

    def evaluate(
        self, *, ctx: Context, samples: Samples, encoder: Encoder, clustering: Clustering
    ) -> Findings:
        """Count; the tables have a row for each cluster, noise after them, and one for all together."""
        found = groups(clustering.assignments)
        labels, of = np.unique(np.asarray(samples.labels), return_inverse=True)
        names = [samples.class_names[label] for label in labels]
        counts = np.zeros((len(found.ids), len(names)), np.int64)
        np.add.at(counts, (found.of, of), 1)
        metrics, warnings = _measured(counts, encoder)
        tables = _tables(found, names, counts)
        tables["image_clusters_with_labels"] = _images(samples, clustering)
        figures: dict[str, Figure] = {
            "cluster_label_distribution": self._distribution(found, names, counts, samples)
        }
        if samples.tags is not None and samples.tag_names:
            shares = found.means(samples.tags, np.arange(len(samples)))
            shares = np.vstack([shares, found.sizes @ shares / len(samples)])
            heads = headed(samples.tag_names, ("cluster", "images"))
            tables["cluster_tag_shares"] = _wide([*found.names, TOTAL], heads, shares)
            tables["cluster_tag_shares"].insert(1, "images", [*found.sizes.tolist(), len(samples)])
            if len(samples.tag_names) <= TAGS:
                figures["cluster_tag_shares"] = self._tags(found, samples, shares)
        return Findings(metrics, tables, figures, warnings)

    def _distribution(
        self, found: Groups, names: list[str], counts: np.ndarray, samples: Samples
    ) -> StackedBars:
        shown = found.largest(self.clusters)
        title = cut(f"Labels in each cluster of {samples.name}", shown, found)
        order = np.argsort(-counts.sum(axis=0), kind="stable")
        coloured, rest = np.sort(order[: self.labels]), order[self.labels :]
        rows = np.vstack([counts[shown], counts.sum(axis=0)])
        shares, parts = rows[:, coloured], [names[label] for label in coloured]
        if len(rest):
            shares = np.hstack([shares, rows[:, rest].sum(axis=1, keepdims=True)])
            parts = [*headed(parts, (StackedBars.OTHER,)), StackedBars.OTHER]  # a label may be called so
            title += f"; {len(rest):,} {'label is' if len(rest) == 1 else 'labels are together'} in "
            title += StackedBars.OTHER
        sizes, called = rows.sum(axis=1), [found.names[place] for place in shown] + [ALL]
        bars = [f"{name} ({size:,})" for name, size in zip(called, sizes.tolist(), strict=True)]
        shares = shares / sizes[:, None]
        return StackedBars(title, "cluster (size)", "share of its samples", bars, parts, shares)

    def _tags(self, found: Groups, samples: Samples, shares: np.ndarray) -> Heatmap:
        shown = found.largest(self.clusters)
        title = cut(f"Mean of each tag in each cluster of {samples.name}", shown, found)
        columns = [found.names[place] for place in shown] + [ALL]
        values = np.vstack([shares[shown], shares[-1:]]).T
        return Heatmap(title, list(samples.tag_names), columns, values, "mean")


def _measured(counts: np.ndarray, encoder: Encoder) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the metrics, those that are defined, and what makes them doubtful."""
    measured = association(counts)
    if measured is None:
        r, c = counts.shape
        why = f"undefined for {r} clusters and {c} labels, as both must be two or more"
        return {}, (f"{PLACE}: chi_square and cramers_v are {why}",)
    metrics = {
        "chi_square": measured.chi_square,
        "chi_square_p": measured.p,
        "cramers_v": measured.cramers_v,
        "cramers_v_corrected": measured.corrected,
    }
    warnings = []
    if np.isnan(measured.corrected):
        del metrics["cramers_v_corrected"]
        warnings.append(f"{PLACE}: cramers_v_corrected is undefined, as there is hardly a row for each label")
    if measured.few > BELOW:
        warnings.append(
            f"{PLACE}: chi_square_p is rough, as fewer than {FEW} rows are expected in {measured.few:.0%} of "
            "the cells; fewer clusters or labels give more"
        )
    if encoder.trained:
        warnings.append(f"{PLACE}: chi_square_p is of clusters whose backbone was trained on these labels")
    return metrics, tuple(warnings)


def _tables(found: Groups, names: list[str], counts: np.ndarray) -> "dict[str, pd.DataFrame]":
    """Make the table of counts, and those of the shares along its rows and columns."""
    whole = np.vstack([counts, counts.sum(axis=0)])
    whole = np.hstack([whole, whole.sum(axis=1, keepdims=True)])
    heads, clusters = headed(names, ("cluster", TOTAL)), found.names
    return {
        "cluster_label_crosstab": _wide([*clusters, TOTAL], [*heads, TOTAL], whole),
        "cluster_label_row_shares": _wide([*clusters, TOTAL], heads, whole[:, :-1] / whole[:, -1:]),
        "cluster_label_column_shares": _wide(clusters, [*heads, TOTAL], whole[:-1] / whole[-1]),
    }


def _wide(clusters: list[str], heads: list[str], values: np.ndarray) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame({"cluster": clusters} | dict(zip(heads, values.T, strict=True)))


def _images(samples: Samples, clustering: Clustering) -> "pd.DataFrame":
    """List every sample with its cluster, its label and its tags."""
    import pandas as pd

    table = pd.DataFrame({"image_id": samples.ids.astype(str), "cluster": np.asarray(clustering.assignments)})
    table["label"] = samples.label_names
    tags = () if samples.tags is None else np.asarray(samples.tags).T
    further = dict(zip(headed(samples.tag_names, ("image_id", "cluster", "label")), tags, strict=True))
    return table.assign(**further)
