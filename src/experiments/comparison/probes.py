"""A table of the probes of each embedding, with the best one marked."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from experiments.comparison.order import sorted_by
from experiments.metric_names import Name, spelled
from experiments.metrics import CATALOGUE
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {  # metrics, and their columns in the table
    metric: metric.removeprefix("{probe}_")
    for metric in CATALOGUE
    if metric.startswith("{probe}_") and metric != "{probe}_iterations"
}


def probe_names(columns: Iterable[str]) -> list[str]:
    """Return the names of the probes with metrics in these columns."""
    columns = list(columns)
    parsed = [Name.parse(column) for column in columns]
    names = [name.at for name in parsed if name.metric == "{probe}_train_accuracy"]
    return [probe for probe in names if spelled("{probe}_gap", probe) in columns]


def embedding_keys(swept: Sequence[str]) -> list[str]:
    """Return the swept keys that can change a probe's metrics: all but the clusterer's."""
    return [key for key in swept if key.partition(".")[0] != "cluster"]


def probes(rows: "pd.DataFrame", swept: Sequence[str]) -> Findings:
    """Return a row for each probe of each embedding; `best` marks the highest accuracy on scored rows.

    A swept setting of a probe is a column that is empty for the other probes.
    """
    import pandas as pd

    known = probe_names(rows.columns)
    done = rows[rows["status"] == "FINISHED"]
    keys = list(dict.fromkeys([*embedding_keys(swept), "protocol"]))
    if not known or done.empty:
        return Findings({})
    parts = []
    for name in known:
        columns = {spelled(metric, name): column for metric, column in COLUMNS.items()}
        columns = {metric: column for metric, column in columns.items() if metric in rows}
        part = done[[*keys, *columns]].rename(columns=columns).dropna(subset="accuracy")
        other_keys = [key for key in keys if key.startswith("evaluator.") and key.split(".")[1] != name]
        part[other_keys] = ""
        part.insert(len(keys), "probe", name)
        parts.append(part.drop_duplicates())
    table = sorted_by(pd.concat(parts), keys)
    embedding = [key for key in keys if not key.startswith("evaluator.")]
    best = table.groupby(embedding)["accuracy"].idxmax()
    table.insert(len(keys) + 1, "best", table.index.isin(best))
    return Findings({}, {"probes": table})
