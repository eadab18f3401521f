"""Which classes the clusters hold: drawn as far as one can read it, and whole as a table."""

from typing import TYPE_CHECKING

import numpy as np

from experiments.evaluator.measures.agreement import contingency
from experiments.figures import Heatmap
from experiments.pipeline import Result

if TYPE_CHECKING:
    import pandas as pd

NAME = "crosstab"
TABLE = "classes_in_clusters"
DENSE = 100  # classes and clusters up to which one can read the picture


def crosstab(result: Result, dense: int = DENSE) -> tuple[Heatmap, str] | None:
    """Draw which share of each cluster each class has; clusters stand by their majority class.

    Of more than `dense` classes or clusters the largest are drawn.

    Returns
    -------
    picture, note
        What the picture leaves out, "" for nothing; None without labels.
    """
    samples, rows = result.samples, result.samples.labelled
    if samples.labels is None:
        return None
    labels, clusters = np.asarray(samples.labels)[rows], np.asarray(result.clustering.assignments)[rows]
    counts = contingency(labels, clusters)
    names = [samples.class_names[label] for label in np.unique(labels)]
    columns = ["noise" if cluster < 0 else str(cluster) for cluster in np.unique(clusters)]
    shares = counts / counts.sum(axis=0)
    classes, shown = (_largest(counts.sum(axis=axis), dense) for axis in (1, 0))
    drawn = counts[np.ix_(classes, shown)]
    order = shown[np.argsort(drawn.argmax(axis=0), kind="stable")]
    picture = Heatmap(
        f"Classes in each cluster of {samples.name}",
        [names[label] for label in classes],
        [columns[place] for place in order],
        shares[np.ix_(classes, order)],
        "share of the cluster",
        "clusters, ordered by their majority class",
        "classes",
    )
    if drawn.shape == counts.shape:
        return picture, ""
    sides = zip(drawn.shape, counts.shape, ("classes", "clusters"), strict=True)
    told = " and ".join(
        f"the {part:,} largest of {whole:,} {what}" for part, whole, what in sides if part < whole
    )
    held = drawn.sum() / counts.sum()
    return (
        picture,
        f"Shown are {told}, {held:.1%} of the labelled samples; {TABLE}.csv, among the tables, has all.",
    )


def counted(result: Result) -> "pd.DataFrame | None":
    """Return a row for each class and cluster that share samples; None without labels."""
    import pandas as pd

    samples, rows = result.samples, result.samples.labelled
    if samples.labels is None:
        return None
    labels, clusters = np.asarray(samples.labels)[rows], np.asarray(result.clustering.assignments)[rows]
    pairs = np.stack([clusters, labels], axis=1)
    found, counts = np.unique(pairs, axis=0, return_counts=True)
    names = np.array(samples.class_names)[found[:, 1]]
    table = pd.DataFrame({"cluster": found[:, 0], "class": names, "samples": counts})
    return table.sort_values(["cluster", "samples"], ascending=[True, False], kind="stable")


def _largest(sizes: np.ndarray, most: int) -> np.ndarray:
    """Return the places of the largest, ascending."""
    return np.sort(np.argsort(-sizes, kind="stable")[:most])
