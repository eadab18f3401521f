"""What each configuration gives over the seeds: mean, spread and interval."""

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
    found: list[dict[str, Any]] = []
    for values, jobs in done.groupby(config, sort=True):
        about = dict(zip(config, values, strict=True))
        for name in metrics:
            each = jobs[name].dropna().to_numpy()
            if len(each):
                interval = mean_interval(each)
                row = {"metric": name, "n": len(each), "mean": interval.value}
                std = float(each.std(ddof=1)) if len(each) > 1 else float("nan")
                found.append(about | row | {"std": std, "low": interval.low, "high": interval.high})
    return Findings({}, {"seeds": pd.DataFrame(found)} if found else {})


def over_seeds(done: "pd.DataFrame", key: str, metrics: Sequence[str]) -> "dict[str, pd.DataFrame]":
    """Return mean, low and high of each metric over the values of a swept setting: frames indexed by it.

    The mean over the other settings is one observation a seed, so the interval is over the seeds alone.
    """
    import pandas as pd

    repeated = done.groupby([key, SEED], sort=True)[list(metrics)].mean()
    ends: dict[str, dict[str, dict[Any, float]]] = {name: {} for name in Interval._fields}
    for metric in metrics:
        for value, each in repeated[metric].dropna().groupby(level=0, sort=True):
            for end, found in mean_interval(each.to_numpy())._asdict().items():
                ends[end].setdefault(metric, {})[value] = found
    values = in_order(repeated.index.get_level_values(0))
    return {end: pd.DataFrame(found, index=pd.Index(values)) for end, found in ends.items()}


def configuration(swept: Sequence[str]) -> list[str]:
    """Return the columns that tell one configuration from another: what was swept but the seed."""
    return list(dict.fromkeys([*(key for key in swept if key != SEED), "protocol"]))
