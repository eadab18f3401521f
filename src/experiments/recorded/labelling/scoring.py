"""How well recorded clusters agree with labels, before and after they were corrected."""

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
    """Return the agreement of the rows that have a label, and how many these are.

    Noise counts as one more cluster, as in `evaluator=external`.

    Parameters
    ----------
    labels
        Names, "" for none: (n,).
    """
    there = labels != ""
    found = {"labelled": float(there.sum())}
    if there.any():
        _, numbers = np.unique(labels[there].astype(str), return_inverse=True)
        found |= {name: METRICS[name](numbers, clusters[there]) for name in SCORES}
    return found


def crosstab(labels: np.ndarray, clusters: np.ndarray) -> "pd.DataFrame":
    """Count rows by cluster and label, with totals; rows without a label are left out."""
    import pandas as pd

    there = labels != ""
    names, columns = np.unique(labels[there].astype(str), return_inverse=True)
    numbers, rows = np.unique(clusters[there], return_inverse=True)
    counts = np.zeros((len(numbers), len(names)), np.int64)
    np.add.at(counts, (rows, columns), 1)
    table = pd.DataFrame(counts, columns=unique_headings(list(map(str, names)), ("cluster", TOTAL)))
    table[TOTAL] = counts.sum(axis=1)
    table.loc[len(table)] = table.sum()
    table.insert(0, "cluster", [*(NOISE if number < 0 else str(number) for number in numbers), TOTAL])
    return table
