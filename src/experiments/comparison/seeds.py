"""Mean, spread and interval of each configuration over its seeds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiments.comparison.intervals import Interval, mean_interval
from experiments.comparison.order import in_order
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

SEED = "seed"
NOT_METRICS = ("protocol", "status", "seconds", "run_id")


def seeds(rows: "pd.DataFrame", swept: Sequence[str]) -> Findings:
    """Return one row per configuration and metric: n, mean, standard deviation, Student's 95 % interval."""
    import pandas as pd

    if SEED not in swept:
        return Findings({})
    done = rows[rows["status"] == "FINISHED"]
    config = configuration(swept)
    metrics = [name for name in rows if name not in (*config, SEED, *NOT_METRICS)]
    table_rows: list[dict[str, Any]] = []
    for values, jobs in done.groupby(config, sort=True):
        setting = dict(zip(config, values, strict=True))
        for name in metrics:
            scores = jobs[name].dropna().to_numpy()
            if len(scores):
                interval = mean_interval(scores)
                row = {"metric": name, "n": len(scores), "mean": interval.value}
                std = float(scores.std(ddof=1)) if len(scores) > 1 else float("nan")
                table_rows.append(setting | row | {"std": std, "low": interval.low, "high": interval.high})
    return Findings({}, {"seeds": pd.DataFrame(table_rows)} if table_rows else {})


def over_seeds(done: "pd.DataFrame", key: str, metrics: Sequence[str]) -> "dict[str, pd.DataFrame]":
    """Return frames of mean, low and high of each metric, indexed by the values of a swept setting.

    The values of each seed are averaged over all other settings, so a seed is one observation.
    """
    import pandas as pd

    repeated = done.groupby([key, SEED], sort=True)[list(metrics)].mean()
    ends: dict[str, dict[str, dict[Any, float]]] = {name: {} for name in Interval._fields}
    for metric in metrics:
        for value, scores in repeated[metric].dropna().groupby(level=0, sort=True):
            for end, number in mean_interval(scores.to_numpy())._asdict().items():
                ends[end].setdefault(metric, {})[value] = number
    values = in_order(repeated.index.get_level_values(0))
    return {end: pd.DataFrame(columns, index=pd.Index(values)) for end, columns in ends.items()}


def configuration(swept: Sequence[str]) -> list[str]:
    """Return the columns that define a configuration: protocol and swept settings except the seed."""
    return list(dict.fromkeys([*(key for key in swept if key != SEED), "protocol"]))
