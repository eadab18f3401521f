"""Map coordinates of a report's samples."""

from collections.abc import Mapping

import numpy as np

from experiments.context import Context
from experiments.evaluator.pictures.layouts import FEWEST, TITLES, Pca, QuickTsne, cached_positions
from experiments.pipeline import Result

MAP_ORDER = ("umap", "tsne", "pca")  # in order of preference
MAX_TSNE = 5_000  # samples; with more, map=auto is PCA


def map_points(
    result: Result, rows: np.ndarray, ctx: Context, method: str, max_tsne: int = MAX_TSNE
) -> dict[str, np.ndarray]:
    """Return the coordinates of these rows on the maps of evaluators, else on a map that is computed here.

    Parameters
    ----------
    method
        tsne, pca, or auto: t-SNE of at most `max_tsne` samples, else PCA.

    Returns
    -------
    dict
        Float (rows, 2), by map title.
    """
    tables = {name: table for findings in result.findings.values() for name, table in findings.tables.items()}
    map_tables = {name: tables[f"map_{name}"] for name in MAP_ORDER if f"map_{name}" in tables}
    evaluator_maps = {
        TITLES[name]: table[["x", "y"]].to_numpy(np.float64)[rows]
        for name, table in map_tables.items()
        if len(table) == len(result.samples)
    }
    return evaluator_maps or _report_map(result, rows, ctx, method, max_tsne)


def why_pca(maps: Mapping[str, np.ndarray], n: int, method: str, max_tsne: int = MAX_TSNE) -> str:
    """Explain why the only map is a PCA, and how to get another; "" if there is another or PCA was chosen."""
    if list(maps) != [TITLES["pca"]] or method != "auto" or n <= max_tsne:
        return ""
    return (
        f"Two principal components, as there are more than {max_tsne:,} samples; separate groups may overlap "
        "here. map=tsne computes a t-SNE, evaluator=maps also a UMAP."
    )


def _report_map(
    result: Result, rows: np.ndarray, ctx: Context, method: str, max_tsne: int
) -> dict[str, np.ndarray]:
    order = np.sort(rows)
    points = result.reduced if len(order) == len(result.samples) else result.reduced[order]
    if method == "auto":
        method = "tsne" if len(points) <= max_tsne else "pca"
    if len(points) < FEWEST:  # too few for neighbourhoods
        method = "pca"
    coordinates = cached_positions(QuickTsne(0) if method == "tsne" else Pca(0), points, ctx)
    return {TITLES[method]: coordinates[np.searchsorted(order, rows)]}
