"""Stability: agreement of the clusterings of a configuration over its seeds, without labels."""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.comparison.agreement import pairwise
from experiments.comparison.intervals import Interval, mean_interval
from experiments.comparison.order import in_order
from experiments.comparison.seeds import SEED, configuration
from experiments.figures import Figure, Lines
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

MAX_SEEDS = 30  # with 435 pairs


def stability(
    rows: "pd.DataFrame", swept: Sequence[str], read: "Callable[[int], pd.DataFrame | None]"
) -> Findings:
    """Return the mean adjusted Rand index over all pairs of seeds, for each configuration.

    Only clusterings of the same samples are compared; noise (-1) counts as one more cluster. The table has
    the number of `seeds`, `stability` with its interval, and `least`, the lowest index of a pair.

    Parameters
    ----------
    rows, swept
        As in `compare`.
    read Function that returns the clustering of a row by its index, with columns id, hash and cluster, or
    None.
    """
    import pandas as pd

    if SEED not in swept:
        return Findings({})
    done = rows[rows["status"] == "FINISHED"]
    config = configuration(swept)
    table_rows: list[dict[str, Any]] = []
    for values, jobs in done.groupby(config, sort=True):
        pairs = pairwise(_of_same_samples([read(row) for row in jobs.index[:MAX_SEEDS]]))
        if len(jobs) > MAX_SEEDS:
            log.info("the stability of %s is computed from its first %d seeds", values, MAX_SEEDS)
        if len(pairs) > 1:
            interval = jackknife(pairs)
            lowest = float(pairs[np.triu_indices(len(pairs), 1)].min())
            setting = dict(zip(config, values, strict=True)) | {"seeds": len(pairs)}
            ends = {"low": interval.low, "high": min(interval.high, 1.0), "least": lowest}
            table_rows.append(setting | {"stability": interval.value} | ends)
    if not table_rows:
        return Findings({})
    table = pd.DataFrame(table_rows)
    return Findings({}, {"stability": table}, _chart(table, [key for key in config if key != "protocol"]))


def _chart(table: "pd.DataFrame", keys: Sequence[str]) -> dict[str, Figure]:
    """Return a chart of stability over the swept setting; {} unless exactly one was swept."""
    if len(keys) != 1 or len(table) < 2:
        return {}
    values = in_order(table[keys[0]])
    numeric = all(isinstance(value, (int, float)) for value in values)
    x = [float(value) if numeric else float(position) for position, value in enumerate(values)]
    ends: dict[str, dict[str, list[float]]] = {"stability": {}, "low": {}, "high": {}}
    for protocol, rows in table.groupby("protocol"):
        protocol_rows = rows.set_index(keys[0]).reindex(values)
        for end, curves in ends.items():
            if end == "stability" or protocol_rows[end].notna().any():
                curves[str(protocol)] = protocol_rows[end].to_list()
    title = "Stability over the seeds" + ("; bands: its 95 % interval" if ends["low"] else "")
    chart = Lines(
        title,
        keys[0],
        "mean ARI of two seeds",
        x,
        ends["stability"],
        log_x=min(x) > 0 and max(x) / min(x) >= 10,
        ticks=[str(value) for value in values],
        low=ends["low"],
        high=ends["high"],
    )
    return {"stability": chart}


def jackknife(pairs: np.ndarray) -> Interval:
    """Return the mean over all pairs and its interval, whose ends are nan for two seeds.

    Pairs that share a seed are not independent, so the interval is Student's over the jackknife's
    pseudo-values, one per seed.

    Parameters
    ----------
    pairs
        Float (s, s), symmetric; the diagonal is ignored.

    Source
    ------
    Arvesen, "Jackknifing U-statistics", 1969.
    """
    s = len(pairs)
    sums = pairs.sum(axis=1) - pairs.diagonal()
    mean = float(sums.sum() / (s * (s - 1)))
    if s < 3:
        return Interval(mean, np.nan, np.nan)
    without = (sums.sum() - 2 * sums) / ((s - 1) * (s - 2))
    return mean_interval(s * mean - (s - 1) * without)


def _of_same_samples(tables: "Sequence[pd.DataFrame | None]") -> list[np.ndarray]:
    """Return the assignments of all clusterings that have the same samples as the first."""
    clusterings = [table for table in tables if table is not None]
    samples = [table[["id", "hash"]] for table in clusterings]
    return [
        table["cluster"].to_numpy()
        for table, table_samples in zip(clusterings, samples, strict=True)
        if table_samples.equals(samples[0])
    ]
