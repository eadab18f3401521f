"""What each method says of which k, and where they disagree."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.evaluator.k_methods.gap import first
from experiments.evaluator.k_methods.knee import knee

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Verdict:
    """The k that a method chooses by its rule, or None."""

    method: str
    k: int | None
    rule: str


def verdicts(table: "pd.DataFrame", within: float) -> list[Verdict]:
    """Ask every method.

    Parameters
    ----------
    table
        A row per k, ascending, with the columns of a trial, and `gap` and `gap_s`.
    within
        How far below the best stability the largest k may lie that is still chosen.

    Source
    ------
    Rousseeuw, "Silhouettes", 1987; Calinski, Harabasz, "A dendrite method for cluster analysis", 1974;
    Davies, Bouldin, "A cluster separation measure", 1979; knee, gap and stability: see their modules.
    """
    ks = table["k"].to_numpy()
    columns = {name: table[name].to_numpy(float) for name in table}
    bend = "where the curve lies farthest below the chord between its ends"
    found = [
        Verdict("elbow_distance", _at(ks, knee(ks, columns["mean_distance"])), bend),
        Verdict("elbow_inertia", _at(ks, knee(ks, columns["inertia"])), bend),
        Verdict("silhouette", _at(ks, _best(columns["silhouette"])), "highest"),
        Verdict(
            "gap",
            _at(ks, first(columns["gap"], columns["gap_s"])),
            "smallest k whose gap is at least that of the next k less its s",
        ),
        Verdict("calinski_harabasz", _at(ks, _best(columns["calinski_harabasz"])), "highest"),
        Verdict("davies_bouldin", _at(ks, _best(-columns["davies_bouldin"])), "lowest"),
    ]
    rule = f"largest k within {within:g} of the highest mean ARI"
    for name in ("stability_seeds", "stability_bootstrap"):
        found.append(Verdict(name, _at(ks, _last(columns[name], within)), rule))
    return found


def sentence(found: list[Verdict]) -> str:
    """Say in one sentence what most methods choose, and which others do not."""
    told = [verdict for verdict in found if verdict.k is not None]
    counts = Counter(verdict.k for verdict in told)
    if not counts:
        return "no method finds a k"
    most = max(counts.values())
    leading = sorted(k for k, count in counts.items() if k is not None and count == most)
    text = f"k={' or '.join(map(str, leading))} by {most} of {len(found)} methods"
    others = [f"{verdict.method} {verdict.k}" for verdict in told if verdict.k not in leading]
    others += [f"{verdict.method} none" for verdict in found if verdict.k is None]
    return f"{text}; {', '.join(others)}" if others else text


def _best(values: np.ndarray) -> int | None:
    return None if np.isnan(values).all() else int(np.nanargmax(values))


def _last(values: np.ndarray, within: float) -> int | None:
    if np.isnan(values).all():
        return None
    return int(np.flatnonzero(values >= np.nanmax(values) - within)[-1])


def _at(ks: np.ndarray, position: int | None) -> int | None:
    return None if position is None else int(ks[position])
