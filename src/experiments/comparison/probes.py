"""The probes of an embedding beside each other, and which of them tells the classes apart best."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from experiments.comparison.order import sorted_by
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

TRAINED = re.compile(r"(\w+)_train_accuracy")
FIGURES = (
    "train_accuracy", "accuracy", "gap",
    "macro_precision", "macro_recall", "macro_f1", "weighted_precision", "weighted_recall", "weighted_f1",
    "class_mean", "class_median", "class_std", "scored", "trained_on", "converged",
)  # fmt: skip


def names(columns: Iterable[str]) -> list[str]:
    """Name the probes that these metrics are of."""
    columns = list(columns)
    found = [match[1] for column in columns if (match := TRAINED.fullmatch(column))]
    return [name for name in found if f"{name}_gap" in columns]


def embedding_keys(swept: Sequence[str]) -> list[str]:
    """Return the swept keys that can change what a probe finds in an embedding: all but the clusterer's."""
    return [key for key in swept if key.partition(".")[0] != "cluster"]


def probes(rows: "pd.DataFrame", swept: Sequence[str]) -> Findings:
    """Return a table of each probe of each embedding; `best` marks the highest accuracy on scored rows.

    Swept settings of a probe have a column, which is empty for the other probes.
    """
    import pandas as pd

    known = names(rows.columns)
    done = rows[rows["status"] == "FINISHED"]
    keys = list(dict.fromkeys([*embedding_keys(swept), "protocol"]))
    if not known or done.empty:
        return Findings({})
    parts = []
    for name in known:
        columns = {f"{name}_{figure}": figure for figure in FIGURES if f"{name}_{figure}" in rows}
        part = done[[*keys, *columns]].rename(columns=columns).dropna(subset="accuracy")
        others = [key for key in keys if key.startswith("evaluator.") and key.split(".")[1] != name]
        part[others] = ""
        part.insert(len(keys), "probe", name)
        parts.append(part.drop_duplicates())
    table = sorted_by(pd.concat(parts), keys)
    embedding = [key for key in keys if not key.startswith("evaluator.")]
    best = table.groupby(embedding)["accuracy"].idxmax()
    table.insert(len(keys) + 1, "best", table.index.isin(best))
    return Findings({}, {"probes": table})
