"""How far the clusterings of one configuration agree over the seeds, whatever the labels say."""

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

MOST = 30  # seeds of a configuration that are compared: 435 pairs


def stability(
    rows: "pd.DataFrame", swept: Sequence[str], read: "Callable[[int], pd.DataFrame | None]"
) -> Findings:
    """Return the mean adjusted Rand index of the pairs of seeds, per configuration.

    Only pairs within a configuration are compared, and only clusterings of the same samples; noise (-1)
    counts as one more cluster. The table has `seeds`, `stability` with its interval, and the least pair.

    Parameters
    ----------
    rows, swept
        As in `compare`.
    read
        Gives the clustering of a row by its place, with columns id, hash and cluster, or None if it has none.
    """
    import pandas as pd

    if SEED not in swept:
        return Findings({})
    done = rows[rows["status"] == "FINISHED"]
    config = configuration(swept)
    found: list[dict[str, Any]] = []
    for values, jobs in done.groupby(config, sort=True):
        pairs = pairwise(_same([read(place) for place in jobs.index[:MOST]]))
        if len(jobs) > MOST:
            log.info("the stability of %s is that of its first %d seeds", values, MOST)
        if len(pairs) > 1:
            interval = jackknife(pairs)
            least = float(pairs[np.triu_indices(len(pairs), 1)].min())
            about = dict(zip(config, values, strict=True)) | {"seeds": len(pairs)}
            ends = {"low": interval.low, "high": min(interval.high, 1.0), "least": least}
            found.append(about | {"stability": interval.value} | ends)
    if not found:
        return Findings({})
    table = pd.DataFrame(found)
    return Findings({}, {"stability": table}, _chart(table, [key for key in config if key != "protocol"]))


def _chart(table: "pd.DataFrame", keys: Sequence[str]) -> dict[str, Figure]:
    """Draw the stability over the one setting that was swept beside the seed, if there is one."""
    if len(keys) != 1 or len(table) < 2:
        return {}
    values = in_order(table[keys[0]])
    numeric = all(isinstance(value, (int, float)) for value in values)
    places = [float(value) if numeric else float(place) for place, value in enumerate(values)]
    ends: dict[str, dict[str, list[float]]] = {"stability": {}, "low": {}, "high": {}}
    for protocol, rows in table.groupby("protocol"):
        each = rows.set_index(keys[0]).reindex(values)
        for end, curves in ends.items():
            if end == "stability" or each[end].notna().any():
                curves[str(protocol)] = each[end].to_list()
    title = "Stability over the seeds" + ("; bands: its 95 % interval" if ends["low"] else "")
    chart = Lines(
        title,
        keys[0],
        "mean ARI of two seeds",
        places,
        ends["stability"],
        log_x=min(places) > 0 and max(places) / min(places) >= 10,
        ticks=[str(value) for value in values],
        low=ends["low"],
        high=ends["high"],
    )
    return {"stability": chart}


def jackknife(pairs: np.ndarray) -> Interval:
    """Return the mean over all pairs and its interval; nan for its ends if there are two alone.

    Pairs that share a seed are not independent, so the interval is Student's over the jackknife's
    pseudo-values, one per seed.

    Parameters
    ----------
    pairs
        Float (s, s), symmetric; the diagonal is not looked at.

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


def _same(tables: "Sequence[pd.DataFrame | None]") -> list[np.ndarray]:
    """Return the clusterings of those that have the first one's samples."""
    left = [table for table in tables if table is not None]
    samples = [table[["id", "hash"]] for table in left]
    return [
        table["cluster"].to_numpy()
        for table, about in zip(left, samples, strict=True)
        if about.equals(samples[0])
    ]
