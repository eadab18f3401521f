"""The k that each method chooses, and a summary of their agreement."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.evaluator.k_methods.gap import first_sufficient
from experiments.evaluator.k_methods.knee import knee

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Verdict:
    """The choice of a method: its k, or None, and its rule."""

    method: str
    k: int | None
    rule: str


def verdicts(table: "pd.DataFrame", within: float) -> list[Verdict]:
    """Return the choice of every method.

    Parameters
    ----------
    table
        A row per k, ascending, with the columns of a trial, and `gap` and `gap_s`.
    within
        Stability chooses the largest k whose stability is at most this far below the best.

    Source
    ------
    Rousseeuw, "Silhouettes", 1987; Calinski, Harabasz, "A dendrite method for cluster analysis", 1974;
    Davies, Bouldin, "A cluster separation measure", 1979; knee, gap and stability: see their modules.
    """
    ks = table["k"].to_numpy()
    columns = {name: table[name].to_numpy(float) for name in table}
    bend = "where the curve is farthest below the chord between its ends"
    choices = [
        Verdict("elbow_distance", _at(ks, knee(ks, columns["mean_distance"])), bend),
        Verdict("elbow_inertia", _at(ks, knee(ks, columns["inertia"])), bend),
        Verdict("silhouette", _at(ks, _best(columns["silhouette"])), "highest"),
        Verdict(
            "gap",
            _at(ks, first_sufficient(columns["gap"], columns["gap_s"])),
            "smallest k whose gap is at least that of the next k minus its s",
        ),
        Verdict("calinski_harabasz", _at(ks, _best(columns["calinski_harabasz"])), "highest"),
        Verdict("davies_bouldin", _at(ks, _best(-columns["davies_bouldin"])), "lowest"),
    ]
    rule = f"largest k within {within:g} of the highest mean ARI"
    for name in ("stability_seeds", "stability_bootstrap"):
        choices.append(Verdict(name, _at(ks, _last(columns[name], within)), rule))
    return choices


def sentence(choices: list[Verdict], largest: int) -> str:
    """Return a sentence: the k of most methods, the choices of the others, and what a larger k could change.

    Parameters
    ----------
    largest
        The largest k that was tried.
    """
    made = [verdict for verdict in choices if verdict.k is not None]
    counts = Counter(verdict.k for verdict in made)
    if not counts:
        return "no method chooses a k"
    most = max(counts.values())
    leading = sorted(k for k, count in counts.items() if k is not None and count == most)
    text = f"k={' or '.join(map(str, leading))} by {most} of {len(choices)} methods"
    if 2 * most <= len(choices):
        text = f"the methods disagree: {text}"
    if most < len(choices):
        text += f" ({', '.join(verdict.method for verdict in made if verdict.k in leading)})"
    others = [f"{verdict.method} {verdict.k}" for verdict in made if verdict.k not in leading]
    others += [f"{verdict.method} none" for verdict in choices if verdict.k is None]
    text = f"{text}; {', '.join(others)}" if others else text
    if any(verdict.k in (None, largest) for verdict in choices):
        text += f"; a larger evaluator.k_selection.k_max than {largest} may change this"
    return text


def _best(values: np.ndarray) -> int | None:
    return None if np.isnan(values).all() else int(np.nanargmax(values))


def _last(values: np.ndarray, within: float) -> int | None:
    if np.isnan(values).all():
        return None
    return int(np.flatnonzero(values >= np.nanmax(values) - within)[-1])


def _at(ks: np.ndarray, position: int | None) -> int | None:
    return None if position is None else int(ks[position])
