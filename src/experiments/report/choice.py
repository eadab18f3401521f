"""Which pictures of a sweep its report draws, and what they are called there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from experiments.figures import Heatmap, ImageGrid, ImageSheets, Lines, Map
from experiments.figures.specs import Figure

GRID, CURVES = "purity_grid", "purity_over_k"  # of `comparison.purity_grid`
FINE, CLASSES = "fine", "classes"  # the classes beside their macro-categories, and where there are none


def chosen(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """Return what plotly draws; a grid of one granularity is left out, as the curves over k show it."""
    drawn = {
        name: each for name, each in figures.items() if not isinstance(each, (ImageGrid, Map, ImageSheets))
    }
    return {name: _called(name, each) for name, each in drawn.items() if not _one_wide(name, each)}


def _one_wide(name: str, figure: Figure) -> bool:
    return name.startswith(GRID) and isinstance(figure, Heatmap) and len(figure.columns) == 1


def _called(name: str, figure: Figure) -> Figure:
    """Call the classes that, where there are no categories above them."""
    if not (name.startswith(CURVES) and isinstance(figure, Lines) and all(FINE in s for s in figure.series)):
        return figure

    def named(values: Mapping[str, Any]) -> dict[str, Any]:
        return {series.replace(FINE, CLASSES): value for series, value in values.items()}

    return replace(
        figure,
        title=figure.title.replace(f" ({FINE})", ""),
        series=named(figure.series),
        dashed=list(named(dict.fromkeys(figure.dashed))),
        low=named(figure.low),
        high=named(figure.high),
    )
