"""The effect of the protocol: probe accuracy of the same embedding under `held_out` and `published`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiments.comparison.intervals import Interval, mean_interval, proportion_difference
from experiments.comparison.probes import embedding_keys, probe_names
from experiments.metric_names import Name, spelled
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

BOTH = ("held_out", "published")
SHARE = "{probe}_accuracy"  # metric: accuracy on the scored rows


def leakage(rows: "pd.DataFrame", swept: Sequence[str]) -> Findings:
    """Return a table of the probes' metrics under each protocol, and their difference.

    `difference` is published minus held_out, of the same embedding. With several seeds, its interval is
    Student's interval of the paired differences. With one seed, it is Newcombe's interval of two shares of
    scored rows (which ignores that the rows overlap); macro F1 is not a share and has no interval. Neither
    covers other splits of the data. Macro-categories are not compared, as their groups differ by protocol.

    Parameters
    ----------
    rows, swept
        As in `compare`; `protocol` is one of the swept settings.
    """
    import pandas as pd

    done = rows[rows["status"] == "FINISHED"]
    if set(done["protocol"]) < set(BOTH):
        return Findings({})
    config = [key for key in embedding_keys(swept) if key not in ("seed", "protocol")]
    table_rows: list[dict[str, Any]] = []
    for values, jobs in done.groupby(config, sort=True) if config else [((), done)]:
        setting = dict(zip(config, values, strict=True))
        table_rows += [setting | row for metric in _metrics(rows) if (row := _difference_row(jobs, metric))]
    return Findings({}, {"leakage": pd.DataFrame(table_rows)} if table_rows else {})


def _metrics(rows: "pd.DataFrame") -> list[str]:
    metrics = (SHARE, "{probe}_macro_f1")
    return [spelled(metric, probe) for probe in probe_names(rows.columns) for metric in metrics]


def _difference_row(jobs: "pd.DataFrame", metric: str) -> dict[str, Any]:
    """Return a row of the table; {} if a protocol lacks the metric."""
    seed_column = [jobs["seed"]] if "seed" in jobs else [jobs["status"]]
    means = jobs.groupby([*seed_column, "protocol"])[metric].mean().unstack()
    means = means.reindex(columns=list(BOTH)).dropna()
    if means.empty:
        return {}
    name = Name.parse(metric)
    interval, kind = mean_interval((means["published"] - means["held_out"]).to_numpy()), f"{len(means)} seeds"
    if len(means) == 1:
        scored = spelled("{probe}_scored", name.at)
        counted = name.metric == SHARE and scored in jobs
        counts = jobs.groupby("protocol")[scored].first() if counted else None
        interval, kind = _single_seed_difference(means.iloc[0], counts)
    row = {"figure": metric, "held_out": means["held_out"].mean(), "published": means["published"].mean()}
    return row | {"difference": interval.value, "low": interval.low, "high": interval.high, "over": kind}


def _single_seed_difference(shares: "pd.Series", counts: "pd.Series | None") -> tuple[Interval, str]:
    if counts is None:
        return mean_interval([shares["published"] - shares["held_out"]]), "one seed"
    n = {protocol: int(counts[protocol]) for protocol in BOTH}
    interval = proportion_difference(shares["published"], n["published"], shares["held_out"], n["held_out"])
    return interval, f"{n['published']} and {n['held_out']} rows"
