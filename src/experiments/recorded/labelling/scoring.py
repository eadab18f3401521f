"""Agreement of recorded clusters with labels, before and after corrections."""

from typing import TYPE_CHECKING

import numpy as np

from experiments.evaluator.measures.agreement import METRICS
from experiments.evaluator.measures.groups import unique_headings
from experiments.metric_names import MAIN

if TYPE_CHECKING:
    import pandas as pd

SCORES = [str(name) for name in MAIN if name.metric in METRICS and name.row.headlined and not name.rows]
NOISE, TOTAL = "noise", "total"


def scores(labels: np.ndarray, clusters: np.ndarray) -> dict[str, float]:
    """Return agreement metrics of the labelled rows, and the number of these rows.

    Noise counts as one more cluster, as in `evaluator=external`.

    Parameters
    ----------
    labels
        Names, "" for none: (n,).
    """
    has_label = labels != ""
    metrics = {"labelled": float(has_label.sum())}
    if has_label.any():
        _, numbers = np.unique(labels[has_label].astype(str), return_inverse=True)
        metrics |= {name: METRICS[name](numbers, clusters[has_label]) for name in SCORES}
    return metrics


def crosstab(labels: np.ndarray, clusters: np.ndarray) -> "pd.DataFrame":
    """Count labelled rows by cluster and label, with totals."""
    import pandas as pd

    has_label = labels != ""
    names, columns = np.unique(labels[has_label].astype(str), return_inverse=True)
    numbers, rows = np.unique(clusters[has_label], return_inverse=True)
    counts = np.zeros((len(numbers), len(names)), np.int64)
    np.add.at(counts, (rows, columns), 1)
    table = pd.DataFrame(counts, columns=unique_headings(list(map(str, names)), ("cluster", TOTAL)))
    table[TOTAL] = counts.sum(axis=1)
    table.loc[len(table)] = table.sum()
    table.insert(0, "cluster", [*(NOISE if number < 0 else str(number) for number in numbers), TOTAL])
    return table
