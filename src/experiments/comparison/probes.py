"""The probes of an embedding beside each other, and which of them tells the classes apart best."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from experiments.comparison.order import sorted_by
from experiments.metric_names import Name, spelled
from experiments.metrics import CATALOGUE
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

FIGURES = {  # their names in the table
    metric: metric.removeprefix("{probe}_")
    for metric in CATALOGUE
    if metric.startswith("{probe}_") and metric != "{probe}_iterations"
}


def probed(columns: Iterable[str]) -> list[str]:
    """Return the probes that these metrics are of."""
    columns = list(columns)
    trained = [Name.parse(column) for column in columns]
    found = [name.at for name in trained if name.metric == "{probe}_train_accuracy"]
    return [probe for probe in found if spelled("{probe}_gap", probe) in columns]


def embedding_keys(swept: Sequence[str]) -> list[str]:
    """Return the swept keys that can change what a probe finds in an embedding: all but the clusterer's."""
    return [key for key in swept if key.partition(".")[0] != "cluster"]


def probes(rows: "pd.DataFrame", swept: Sequence[str]) -> Findings:
    """Return a table of each probe of each embedding; `best` marks the highest accuracy on scored rows.

    Swept settings of a probe have a column, which is empty for the other probes.
    """
    import pandas as pd

    known = probed(rows.columns)
    done = rows[rows["status"] == "FINISHED"]
    keys = list(dict.fromkeys([*embedding_keys(swept), "protocol"]))
    if not known or done.empty:
        return Findings({})
    parts = []
    for name in known:
        columns = {spelled(metric, name): figure for metric, figure in FIGURES.items()}
        columns = {metric: figure for metric, figure in columns.items() if metric in rows}
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
