"""Cross-tabulation of clusters and labels, with tests of their association."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures.association import BELOW, FEW, association
from experiments.evaluator.measures.groups import Groups, group_rows, title_of_largest, unique_headings
from experiments.figures import Figure, Heatmap, StackedBars
from experiments.figures.style import STACKED
from experiments.metric_names import names_of
from experiments.samples import Samples
from experiments.types import Clustering, Encoder, Findings, UnlabelledError

if TYPE_CHECKING:
    import pandas as pd

PREFIX = "evaluator.crosstab"
TOTAL, ALL = "total", "all"
TAGS = 64  # largest number of tags for a heat map


@dataclass(frozen=True)
class Crosstab:
    """Counts and shares of each label in each cluster, chi-square, Cramer's V, and shares of tags.

    All rows count, noise as one more cluster. `chi_square_p` is the probability of a chi-square this large
    if clusters and labels are independent. Across k compare `cramers_v_corrected`, as `cramers_v` grows with
    k. `cluster_tag_shares` has the mean of each tag; a sample may have several tags.

    Parameters
    ----------
    labels
        Number of labels with their own colour in the figure, the most frequent; all others are combined as
        `other`. A label called `other` is shown as `other_`.
    clusters
        Largest number of bars, without noise; if there are more clusters, the largest are shown, with a note
        in the title.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "encoder", "clustering")
    LABELLED: ClassVar[bool] = True
    METRICS: ClassVar[tuple[str, ...]] = names_of("crosstab")
    VERSION: ClassVar[int] = 2

    labels: int
    clusters: int

    def __post_init__(self) -> None:
        for name, noun in (("labels", "label"), ("clusters", "bar")):
            if getattr(self, name) < 1:
                raise ValueError(f"{PREFIX}.{name}={getattr(self, name)} leaves no {noun}; use 1 or more")
        if self.labels > len(STACKED):
            raise ValueError(
                f"{PREFIX}.labels={self.labels} exceeds the {len(STACKED)} distinguishable colours; "
                f"use {PREFIX}.labels={len(STACKED)} or fewer"
            )

    def check(self, samples: Samples) -> None:
        """Raise ValueError if there are no labels."""
        if samples.labels is None:
            raise UnlabelledError(
                f"{PREFIX} needs labels and {samples.name} has none; use evaluator=[internal,sizes], or "
                "add labels with dataset.labels.path=..."
            )

    def evaluate(
        self, *, ctx: Context, samples: Samples, encoder: Encoder, clustering: Clustering
    ) -> Findings:
        """Count labels and tags; tables have a row for each cluster, then noise, then the total."""
        groups = group_rows(clustering.assignments)
        labels, row_labels = np.unique(np.asarray(samples.labels), return_inverse=True)
        names = [samples.class_names[label] for label in labels]
        counts = np.zeros((len(groups.ids), len(names)), np.int64)
        np.add.at(counts, (groups.row_groups, row_labels), 1)
        metrics, warnings = _association(counts, encoder)
        tables = _tables(groups, names, counts)
        tables["image_clusters_with_labels"] = _images(samples, clustering)
        figures: dict[str, Figure] = {
            "cluster_label_distribution": self._distribution(groups, names, counts, samples)
        }
        if samples.tags is not None and samples.tag_names:
            shares = groups.means(samples.tags, np.arange(len(samples)))
            shares = np.vstack([shares, groups.sizes @ shares / len(samples)])
            heads = unique_headings(samples.tag_names, ("cluster", "images"))
            tables["cluster_tag_shares"] = _wide([*groups.names, TOTAL], heads, shares)
            tables["cluster_tag_shares"].insert(1, "images", [*groups.sizes.tolist(), len(samples)])
            if len(samples.tag_names) <= TAGS:
                figures["cluster_tag_shares"] = self._tags(groups, samples, shares)
        return Findings(metrics, tables, figures, warnings)

    def _distribution(
        self, groups: Groups, names: list[str], counts: np.ndarray, samples: Samples
    ) -> StackedBars:
        shown = groups.largest(self.clusters)
        title = title_of_largest(f"Labels in each cluster of {samples.name}", shown, groups)
        order = np.argsort(-counts.sum(axis=0), kind="stable")
        coloured, rest = np.sort(order[: self.labels]), order[self.labels :]
        rows = np.vstack([counts[shown], counts.sum(axis=0)])
        shares, parts = rows[:, coloured], [names[label] for label in coloured]
        if len(rest):
            shares = np.hstack([shares, rows[:, rest].sum(axis=1, keepdims=True)])
            parts = [*unique_headings(parts, (StackedBars.OTHER,)), StackedBars.OTHER]
            title += f"; {len(rest):,} {'label is' if len(rest) == 1 else 'labels are together'} in "
            title += StackedBars.OTHER
        sizes, bar_names = rows.sum(axis=1), [groups.names[group] for group in shown] + [ALL]
        bars = [f"{name} ({size:,})" for name, size in zip(bar_names, sizes.tolist(), strict=True)]
        shares = shares / sizes[:, None]
        return StackedBars(title, "cluster (size)", "share of its samples", bars, parts, shares)

    def _tags(self, groups: Groups, samples: Samples, shares: np.ndarray) -> Heatmap:
        shown = groups.largest(self.clusters)
        title = title_of_largest(f"Mean of each tag in each cluster of {samples.name}", shown, groups)
        columns = [groups.names[group] for group in shown] + [ALL]
        values = np.vstack([shares[shown], shares[-1:]]).T
        return Heatmap(title, list(samples.tag_names), columns, values, "mean")


def _association(counts: np.ndarray, encoder: Encoder) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the metrics that are defined, and warnings."""
    result = association(counts)
    if result is None:
        r, c = counts.shape
        reason = f"undefined for {r} clusters and {c} labels, as both must be two or more"
        return {}, (f"{PREFIX}: chi_square and cramers_v are {reason}",)
    metrics = {
        "chi_square": result.chi_square,
        "chi_square_p": result.p,
        "cramers_v": result.cramers_v,
        "cramers_v_corrected": result.corrected,
    }
    warnings = []
    if np.isnan(result.corrected):
        del metrics["cramers_v_corrected"]
        warnings.append(
            f"{PREFIX}: cramers_v_corrected is undefined, as there are too few rows for so many labels"
        )
    if result.few > BELOW:
        warnings.append(
            f"{PREFIX}: chi_square_p is approximate, as fewer than {FEW} rows are expected in "
            f"{result.few:.0%} of the cells; use fewer clusters or labels"
        )
    if encoder.trained:
        warnings.append(f"{PREFIX}: chi_square_p is optimistic, as the backbone was trained on these labels")
    return metrics, tuple(warnings)


def _tables(groups: Groups, names: list[str], counts: np.ndarray) -> "dict[str, pd.DataFrame]":
    """Return the table of counts, and its shares along rows and along columns."""
    totals = np.vstack([counts, counts.sum(axis=0)])
    totals = np.hstack([totals, totals.sum(axis=1, keepdims=True)])
    heads, clusters = unique_headings(names, ("cluster", TOTAL)), groups.names
    return {
        "cluster_label_crosstab": _wide([*clusters, TOTAL], [*heads, TOTAL], totals),
        "cluster_label_row_shares": _wide([*clusters, TOTAL], heads, totals[:, :-1] / totals[:, -1:]),
        "cluster_label_column_shares": _wide(clusters, [*heads, TOTAL], totals[:-1] / totals[-1]),
    }


def _wide(clusters: list[str], heads: list[str], values: np.ndarray) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame({"cluster": clusters} | dict(zip(heads, values.T, strict=True)))


def _images(samples: Samples, clustering: Clustering) -> "pd.DataFrame":
    """Return a table of all samples with their cluster, label and tags."""
    import pandas as pd

    table = pd.DataFrame({"image_id": samples.ids.astype(str), "cluster": np.asarray(clustering.assignments)})
    table["label"] = samples.label_names
    tags = () if samples.tags is None else np.asarray(samples.tags).T
    tag_columns = dict(
        zip(unique_headings(samples.tag_names, ("image_id", "cluster", "label")), tags, strict=True)
    )
    return table.assign(**tag_columns)
