"""Select and rename the figures of a sweep for its report."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from experiments.figures import Heatmap, ImageGrid, ImageSheets, Lines, Map
from experiments.figures.specs import Figure

GRID, CURVES = "purity_grid", "purity_over_k"  # figures of `comparison.purity_grid`
FINE, CLASSES = "fine", "classes"  # names of the classes with and without macro-categories


def select_figures(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """Return the figures that plotly draws, without grids of one column, which repeat the curves over k."""
    plotted = {
        name: figure
        for name, figure in figures.items()
        if not isinstance(figure, (ImageGrid, Map, ImageSheets)) and not _is_single_column_grid(name, figure)
    }
    return {name: _rename_fine(name, figure) for name, figure in plotted.items()}


def _is_single_column_grid(name: str, figure: Figure) -> bool:
    return name.startswith(GRID) and isinstance(figure, Heatmap) and len(figure.columns) == 1


def _rename_fine(name: str, figure: Figure) -> Figure:
    """Rename series `fine` to `classes` if there are no macro-categories."""
    if not (name.startswith(CURVES) and isinstance(figure, Lines) and all(FINE in s for s in figure.series)):
        return figure

    def renamed(values: Mapping[str, Any]) -> dict[str, Any]:
        return {series.replace(FINE, CLASSES): value for series, value in values.items()}

    return replace(
        figure,
        title=figure.title.replace(f" ({FINE})", ""),
        series=renamed(figure.series),
        dashed=list(renamed(dict.fromkeys(figure.dashed))),
        low=renamed(figure.low),
        high=renamed(figure.high),
    )
