"""The figure of k_selection: curves over k with the choice of each method marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.evaluator.k_methods.verdicts import Verdict
from experiments.figures import Bars, Figure, Lines, Panels

if TYPE_CHECKING:
    import pandas as pd


TICKS = 25  # largest number of k with a tick for each


@dataclass(frozen=True)
class Curve:
    """One panel: table columns by their names in the legend, and the methods whose choices are marked.

    `relative` divides each column by its first value, so that two fit into one panel.
    """

    title: str
    label: str
    columns: dict[str, str]
    methods: tuple[str, ...]
    relative: bool = False
    dashed: tuple[str, ...] = ()


PANELS = (
    Curve(
        "Elbow: distance to the nearest centre",
        "share of the value at the first k",
        {"mean distance": "mean_distance", "inertia": "inertia"},
        ("elbow_distance", "elbow_inertia"),
        relative=True,
    ),
    Curve("Silhouette", "mean silhouette", {"silhouette": "silhouette"}, ("silhouette",)),
    Curve(
        "Gap statistic", "gap", {"gap": "gap", "gap - s": "less_s"}, ("gap",),
        dashed=("gap - s",),
    ),
    Curve(
        "Stability: agreement of repeats",
        "mean pairwise ARI",
        {"other seeds": "stability_seeds", "bootstrap samples": "stability_bootstrap"},
        ("stability_seeds", "stability_bootstrap"),
    ),
    Curve(
        "Calinski-Harabasz", "index", {"index": "calinski_harabasz"}, ("calinski_harabasz",)
    ),
    Curve(
        "Davies-Bouldin (lower is better)", "index", {"index": "davies_bouldin"}, ("davies_bouldin",)
    ),
)  # fmt: skip


def curves(table: "pd.DataFrame", choices: Sequence[Verdict]) -> Panels:
    """Return a bar chart of the methods' k, then the curves over k; the table has a row per k."""
    chosen = {verdict.method: verdict.k for verdict in choices}
    rows = table.assign(less_s=table["gap"] - table["gap_s"])
    ticks = [str(k) for k in rows["k"]] if len(rows) <= TICKS else []
    figures: list[Figure] = []
    for curve in PANELS:
        values = {legend: rows[column] for legend, column in curve.columns.items()}
        if curve.relative:
            values = {legend: column / column.iloc[0] for legend, column in values.items()}
        lines = Lines(
            curve.title,
            "k",
            curve.label,
            rows["k"].astype(float).tolist(),
            {legend: column.where(np.isfinite(column)).tolist() for legend, column in values.items()},
            log_x=rows["k"].diff().nunique() > 1,  # a list such as 2, 5, 10, 50
            marks=_marks({method: chosen[method] for method in curve.methods}),
            ticks=ticks,
            dashed=list(curve.dashed),
        )
        figures.append(lines)
    made = [verdict for verdict in choices if verdict.k is not None]
    if made:
        names, ks = [verdict.method for verdict in made], [float(verdict.k or 0) for verdict in made]
        figures.insert(0, Bars("The k of each method", "method", "k", names, ks))
    return Panels(
        f"The k of {sum(choice.k is not None for choice in choices)} methods, and their curves", figures
    )


def _marks(chosen: dict[str, int | None]) -> dict[str, float]:
    """Return the chosen k by a label that names all methods that chose it."""
    by_k: dict[int, list[str]] = {}
    for method, k in chosen.items():
        if k is not None:
            by_k.setdefault(k, []).append(method)
    return {f"{', '.join(methods)}: k={k}": float(k) for k, methods in by_k.items()}
