"""The pictures of a choice of k: a curve or two for each method, its verdict marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.evaluator.k_methods.verdicts import Verdict
from experiments.figures import Bars, Figure, Lines, Panels

if TYPE_CHECKING:
    import pandas as pd


NAMED = 25  # k that are each named below a curve; of more, round numbers are


@dataclass(frozen=True)
class Curve:
    """What a picture shows: columns of the table by their names in the legend, and whose verdicts.

    `relative` divides each column by its first value, so that two fit into one picture.
    """

    title: str
    label: str
    columns: dict[str, str]
    methods: tuple[str, ...]
    relative: bool = False
    dashed: tuple[str, ...] = ()


PICTURES = (
    Curve(
        "Elbow: distance to the nearest centre, and its square summed",
        "share of what the first k has",
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
        "Stability: agreement of repeated clusterings",
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


def curves(table: "pd.DataFrame", found: Sequence[Verdict]) -> Panels:
    """Draw a table with a row per k: the k of each method, then its curve over k."""
    chosen = {verdict.method: verdict.k for verdict in found}
    rows = table.assign(less_s=table["gap"] - table["gap_s"])
    ticks = [str(k) for k in rows["k"]] if len(rows) <= NAMED else []
    figures: list[Figure] = []
    for curve in PICTURES:
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
    told = [verdict for verdict in found if verdict.k is not None]
    if told:
        names, ks = [verdict.method for verdict in told], [float(verdict.k or 0) for verdict in told]
        figures.insert(0, Bars("The k of each method", "method", "k", names, ks))
    return Panels(f"The k of {len(found)} methods, and their curves", figures)


def _marks(chosen: dict[str, int | None]) -> dict[str, float]:
    """Name each k that was chosen once, by all the methods that chose it."""
    places: dict[int, list[str]] = {}
    for method, k in chosen.items():
        if k is not None:
            places.setdefault(k, []).append(method)
    return {f"{', '.join(methods)}: k={k}": float(k) for k, methods in places.items()}
