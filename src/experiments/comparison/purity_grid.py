"""How purity depends on k and on the granularity of the classes, over all jobs of a sweep."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from experiments.comparison.seeds import SEED, over_seeds
from experiments.figures import Heatmap, Lines
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

K = "cluster.k"
MACRO = re.compile(r"purity_macro_(\d+)")
COMPARED = {"purity_ceiling": "ceiling of fine", "purity_chance": "chance of fine"}


def purity_grid(rows: "pd.DataFrame") -> Findings:
    """Return a table, a heat map and a line chart for each protocol, if the jobs differ in k.

    Parameters
    ----------
    rows
        One per job, as `summary.to_frame` makes them; jobs of equal k are averaged.
    """
    found = Findings({})
    if K not in rows or "purity" not in rows:
        return found
    done = rows[rows["status"] == "FINISHED"].dropna(subset="purity")
    for protocol, jobs in done.groupby("protocol"):
        if jobs[K].nunique() > 1:
            suffix = f"_{protocol}" if done["protocol"].nunique() > 1 else ""
            _add(found, jobs, str(protocol), suffix)
    return found


def _add(found: Findings, jobs: "pd.DataFrame", protocol: str, suffix: str) -> None:
    granularities = sorted(int(match[1]) for name in jobs.columns if (match := MACRO.fullmatch(str(name))))
    names = {f"purity_macro_{g}": str(g) for g in granularities}
    names["purity"] = "fine"
    compared = {name: label for name, label in COMPARED.items() if name in jobs}
    means = jobs.groupby(K, sort=True)[[*names, *compared]].mean().rename(columns=names | compared)
    averaged = f", mean of {len(jobs) / len(means):g} jobs each" if len(jobs) > len(means) else ""
    macro = " and their macro-categories" if granularities else ""
    title = f"Purity against the classes (fine){macro}; protocol {protocol}{averaged}"
    fine = means[list(names.values())]
    found.tables[f"purity_grid{suffix}"] = means.rename_axis("k").reset_index()
    found.figures[f"purity_grid{suffix}"] = Heatmap(
        title, [f"k={k}" for k in means.index], list(fine.columns), fine.to_numpy(np.float64), "purity"
    )
    repeated = SEED in jobs and jobs[SEED].nunique() > 1
    low, high = _ends(jobs, names | compared) if repeated else ({}, {})
    found.figures[f"purity_over_k{suffix}"] = Lines(
        title + ("; bands: 95 % interval over the seeds" if low else ""),
        "k",
        "purity",
        list(means.index),
        {str(name): means[name].tolist() for name in means.columns},
        log_x=True,
        dashed=list(compared.values()),
        low=low,
        high=high,
    )


def _ends(jobs: "pd.DataFrame", names: Mapping[str, str]) -> tuple[dict[str, list[float]], ...]:
    """Return the ends of each curve's interval over the seeds."""
    ends = over_seeds(jobs, K, list(names))
    return tuple(
        {names[name]: ends[end][name].tolist() for name in names if ends[end][name].notna().any()}
        for end in ("low", "high")
    )
