"""What each configuration gives over the seeds: mean, spread and interval."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiments.comparison.intervals import mean_interval
from experiments.kept import Findings

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
    config = list(dict.fromkeys([*(key for key in swept if key != SEED), "protocol"]))
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
