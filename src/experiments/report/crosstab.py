"""The cross table of classes and clusters, as a heat map and as a table."""

from typing import TYPE_CHECKING

import numpy as np

from experiments.evaluator.measures.agreement import contingency
from experiments.figures import Heatmap
from experiments.pipeline import Result

if TYPE_CHECKING:
    import pandas as pd

CROSSTAB = "crosstab"
TABLE_NAME = "classes_in_clusters"
MAX_DRAWN = 100  # classes and clusters; a larger heat map would be unreadable


def draw_crosstab(result: Result, max_drawn: int = MAX_DRAWN) -> tuple[Heatmap, str] | None:
    """Return a heat map of the share of each class in each cluster; None without labels.

    It has the `max_drawn` largest classes and clusters.

    Returns
    -------
    heatmap, note
        The note lists what the heat map omits; "" for nothing.
    """
    samples, rows = result.samples, result.samples.labelled
    if samples.labels is None:
        return None
    labels, clusters = np.asarray(samples.labels)[rows], np.asarray(result.clustering.assignments)[rows]
    counts = contingency(labels, clusters)
    names = [samples.class_names[label] for label in np.unique(labels)]
    columns = ["noise" if cluster < 0 else str(cluster) for cluster in np.unique(clusters)]
    shares = counts / counts.sum(axis=0)
    rows_drawn, columns_drawn = (_largest(counts.sum(axis=axis), max_drawn) for axis in (1, 0))
    counts_drawn = counts[np.ix_(rows_drawn, columns_drawn)]
    order = columns_drawn[np.argsort(counts_drawn.argmax(axis=0), kind="stable")]
    heatmap = Heatmap(
        f"Classes in each cluster of {samples.name}",
        [names[label] for label in rows_drawn],
        [columns[column] for column in order],
        shares[np.ix_(rows_drawn, order)],
        "share of the cluster",
        "clusters, ordered by their majority class",
        "classes",
    )
    if counts_drawn.shape == counts.shape:
        return heatmap, ""
    sizes = zip(counts_drawn.shape, counts.shape, ("classes", "clusters"), strict=True)
    parts = " and ".join(
        f"the {drawn:,} largest of {whole:,} {kind}" for drawn, whole, kind in sizes if drawn < whole
    )
    share = counts_drawn.sum() / counts.sum()
    return (
        heatmap,
        f"This shows {parts}, {share:.1%} of the labelled samples; the table {TABLE_NAME}.csv has all.",
    )


def count_table(result: Result) -> "pd.DataFrame | None":
    """Return the sample count of each class in each cluster, without zeros; None without labels."""
    import pandas as pd

    samples, rows = result.samples, result.samples.labelled
    if samples.labels is None:
        return None
    labels, clusters = np.asarray(samples.labels)[rows], np.asarray(result.clustering.assignments)[rows]
    rows_of_pairs = np.stack([clusters, labels], axis=1)
    pairs, counts = np.unique(rows_of_pairs, axis=0, return_counts=True)
    names = np.array(samples.class_names)[pairs[:, 1]]
    table = pd.DataFrame({"cluster": pairs[:, 0], "class": names, "samples": counts})
    return table.sort_values(["cluster", "samples"], ascending=[True, False], kind="stable")


def _largest(sizes: np.ndarray, count: int) -> np.ndarray:
    """Return the indices of the `count` largest, ascending."""
    return np.sort(np.argsort(-sizes, kind="stable")[:count])
