"""Purity by k and by granularity of the classes, over all jobs of a sweep."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from experiments.comparison.seeds import SEED, over_seeds
from experiments.figures import Figure, Heatmap, Lines
from experiments.metric_names import Name, spelled
from experiments.metrics import CATALOGUE
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

K = "cluster.k"
PURITY, MACRO = "purity", "purity_macro_{groups}"
REFERENCES = {
    str(CATALOGUE[PURITY].ceiling): "ceiling of fine",
    str(CATALOGUE[PURITY].chance): "chance of fine",
}


def purity_grid(rows: "pd.DataFrame") -> Findings:
    """Return a table, a heat map and a line chart for each protocol, if the jobs differ in k; without `auto`.

    Parameters
    ----------
    rows
        A row per job from `summary.to_frame`; jobs with the same k are averaged.
    """
    import pandas as pd

    if K not in rows or PURITY not in rows:
        return Findings({})
    tables: dict[str, pd.DataFrame] = {}
    figures: dict[str, Figure] = {}
    done = rows[rows["status"] == "FINISHED"].dropna(subset=PURITY)
    done = done.assign(**{K: pd.to_numeric(done[K], errors="coerce")}).dropna(subset=K).astype({K: int})
    for protocol, jobs in done.groupby("protocol"):
        if jobs[K].nunique() > 1:
            suffix = f"_{protocol}" if done["protocol"].nunique() > 1 else ""
            tables[f"purity_grid{suffix}"], drawn = _of_protocol(jobs, str(protocol))
            figures |= {f"{name}{suffix}": figure for name, figure in drawn.items()}
    return Findings({}, tables, figures)


def _of_protocol(jobs: "pd.DataFrame", protocol: str) -> "tuple[pd.DataFrame, dict[str, Figure]]":
    parsed = [Name.parse(str(column)) for column in jobs.columns]
    granularities = sorted(int(name.at) for name in parsed if name.metric == MACRO and not name.rows)
    names = {spelled(MACRO, str(g)): str(g) for g in granularities}
    names[PURITY] = "fine"
    references = {name: label for name, label in REFERENCES.items() if name in jobs}
    means = jobs.groupby(K, sort=True)[[*names, *references]].mean().rename(columns=names | references)
    averaged = f", mean of {len(jobs) / len(means):g} jobs" if len(jobs) > len(means) else ""
    macro = " and their macro-categories" if granularities else ""
    title = f"Purity against the classes (fine){macro}, {protocol}{averaged}"
    fine = means[list(names.values())]
    grid = Heatmap(
        title, [f"k={k}" for k in means.index], list(fine.columns), fine.to_numpy(np.float64), PURITY
    )
    repeated = SEED in jobs and jobs[SEED].nunique() > 1
    low, high = _intervals(jobs, names | references) if repeated else ({}, {})
    over_k = Lines(
        title + ("; bands: 95 % interval" if low else ""),
        "k",
        PURITY,
        list(means.index),
        {str(name): means[name].tolist() for name in means.columns},
        log_x=True,
        dashed=list(references.values()),
        low=low,
        high=high,
    )
    return means.rename_axis("k").reset_index(), {"purity_grid": grid, "purity_over_k": over_k}


def _intervals(jobs: "pd.DataFrame", names: Mapping[str, str]) -> tuple[dict[str, list[float]], ...]:
    """Return the lower and upper ends of each curve's interval over the seeds."""
    intervals = over_seeds(jobs, K, list(names))
    return tuple(
        {names[name]: intervals[end][name].tolist() for name in names if intervals[end][name].notna().any()}
        for end in ("low", "high")
    )
