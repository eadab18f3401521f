"""How much the published protocol flatters: the same embedding under both, side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiments.comparison.intervals import Interval, mean_interval, proportion_difference
from experiments.comparison.probes import embedding_keys, probed
from experiments.metric_names import Name, spelled
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

BOTH = ("held_out", "published")
SHARE = "{probe}_accuracy"  # of the scored rows


def leakage(rows: "pd.DataFrame", swept: Sequence[str]) -> Findings:
    """Return a table of what the probes reach under each protocol, and the difference.

    `difference` is published minus held_out, of the same embedding. Over several seeds its interval is
    Student's of the paired differences; of one seed Newcombe's of the two shares of scored rows (the two
    samples overlap by chance, which it does not count), and macro F1, which is no share, has none. Both say
    nothing of another split of the data. Macro-categories are left out: each protocol has other groups.

    Parameters
    ----------
    rows, swept
        As in `compare`; the protocol is among what was swept.
    """
    import pandas as pd

    done = rows[rows["status"] == "FINISHED"]
    if set(done["protocol"]) < set(BOTH):
        return Findings({})
    config = [key for key in embedding_keys(swept) if key not in ("seed", "protocol")]
    found: list[dict[str, Any]] = []
    for values, jobs in done.groupby(config, sort=True) if config else [((), done)]:
        about = dict(zip(config, values, strict=True))
        found += [about | row for figure in _figures(rows) if (row := _compared(jobs, figure))]
    return Findings({}, {"leakage": pd.DataFrame(found)} if found else {})


def _figures(rows: "pd.DataFrame") -> list[str]:
    metrics = (SHARE, "{probe}_macro_f1")
    return [spelled(metric, probe) for probe in probed(rows.columns) for metric in metrics]


def _compared(jobs: "pd.DataFrame", figure: str) -> dict[str, Any]:
    """Return one row of the table; nothing where a protocol has no such figure."""
    by = [jobs["seed"]] if "seed" in jobs else [jobs["status"]]
    each = jobs.groupby([*by, "protocol"])[figure].mean().unstack()
    each = each.reindex(columns=list(BOTH)).dropna()
    if each.empty:
        return {}
    name = Name.parse(figure)
    interval, kind = mean_interval((each["published"] - each["held_out"]).to_numpy()), f"{len(each)} seeds"
    if len(each) == 1:
        scored = spelled("{probe}_scored", name.at)
        counted = name.metric == SHARE and scored in jobs
        counts = jobs.groupby("protocol")[scored].first() if counted else None
        interval, kind = _of_one(each.iloc[0], counts)
    row = {"figure": figure, "held_out": each["held_out"].mean(), "published": each["published"].mean()}
    return row | {"difference": interval.value, "low": interval.low, "high": interval.high, "over": kind}


def _of_one(shares: "pd.Series", counts: "pd.Series | None") -> tuple[Interval, str]:
    if counts is None:
        return mean_interval([shares["published"] - shares["held_out"]]), "one seed"
    n = {protocol: int(counts[protocol]) for protocol in BOTH}
    interval = proportion_difference(shares["published"], n["published"], shares["held_out"], n["held_out"])
    return interval, f"{n['published']} and {n['held_out']} rows"
