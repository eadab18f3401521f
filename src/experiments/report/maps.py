"""Where the samples of a report are in the plane."""

from collections.abc import Mapping

import numpy as np

from experiments.context import Context
from experiments.evaluator.pictures.layouts import FEWEST, TITLES, Pca, QuickTsne, cached_positions
from experiments.pipeline import Result

FIRST = ("umap", "tsne", "pca")  # of which the first that an evaluator made is shown first
MOST = 5_000  # samples up to which map=auto is t-SNE


def maps(
    result: Result, rows: np.ndarray, ctx: Context, method: str, most: int = MOST
) -> dict[str, np.ndarray]:
    """Return where these rows are on the maps that evaluators made, else on one of the report's own.

    Parameters
    ----------
    method
        tsne, pca, or auto: t-SNE of at most `most` samples, else PCA.

    Returns
    -------
    dict
        Float (rows, 2) by the title of the map.
    """
    tables = {name: table for found in result.findings.values() for name, table in found.tables.items()}
    made = {name: tables[f"map_{name}"] for name in FIRST if f"map_{name}" in tables}
    drawn = {
        TITLES[name]: table[["x", "y"]].to_numpy(np.float64)[rows]
        for name, table in made.items()
        if len(table) == len(result.samples)
    }
    return drawn or _own(result, rows, ctx, method, most)


def why_pca(drawn: Mapping[str, np.ndarray], n: int, method: str, most: int = MOST) -> str:
    """Return why the only map is PCA's and how to get another, "" where it is not or was asked for."""
    if list(drawn) != [TITLES["pca"]] or method != "auto" or n <= most:
        return ""
    return (
        f"Two principal components, as there are more than {most:,} samples: groups that lie apart may cover "
        "each other here. map=tsne lays them out by t-SNE, evaluator=maps by UMAP too."
    )


def _own(result: Result, rows: np.ndarray, ctx: Context, method: str, most: int) -> dict[str, np.ndarray]:
    order = np.sort(rows)
    points = result.reduced if len(order) == len(result.samples) else result.reduced[order]
    if method == "auto":
        method = "tsne" if len(points) <= most else "pca"
    if len(points) < FEWEST:  # without neighbourhoods
        method = "pca"
    plane = cached_positions(QuickTsne(0) if method == "tsne" else Pca(0), points, ctx)
    return {TITLES[method]: plane[np.searchsorted(order, rows)]}
