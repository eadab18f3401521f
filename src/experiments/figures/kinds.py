"""The registry of figure kinds, with the functions that draw them.

A new kind is a class in specs.py, a row here, and its name in __init__.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from experiments.figures.html.hover_card import HoverCard, hover_card
from experiments.figures.html.image_pages import grid_page, sheets_page
from experiments.figures.html.layout import Plot
from experiments.figures.html.plotly_charts import (
    bars_traces,
    dendrogram_traces,
    heatmap_traces,
    histogram_traces,
    lines_traces,
    stacked_bars_traces,
)
from experiments.figures.html.plotly_points import map3d_traces, map_traces, scatter_traces, silhouette_traces
from experiments.figures.png.charts import (
    draw_bars,
    draw_dendrogram,
    draw_heatmap,
    draw_histogram,
    draw_lines,
    draw_stacked_bars,
)
from experiments.figures.png.images import Paper, paste_grid, paste_sheets
from experiments.figures.png.points import draw_map, draw_scatter, draw_silhouettes
from experiments.figures.specs import (
    Bars,
    Dendrogram,
    DivergingHeatmap,
    Figure,
    Heatmap,
    Histogram,
    ImageGrid,
    ImageSheets,
    Lines,
    Map,
    Map3d,
    Scatter,
    Silhouettes,
    StackedBars,
)


@dataclass(frozen=True)
class Kind:
    """The drawing functions of a kind: `draw` or `paste` for the PNG, `plot` or `page` for the page.

    Parameters
    ----------
    draw
        Draws on a matplotlib figure.
    paste
        Returns a sheet of paper with images, for kinds that Pillow draws.
    plot
        Returns plotly's traces and layout.
    page
        Returns the whole page, for kinds that plotly does not draw.
    card
        Returns the images and texts of the hover card; a page with a card zooms by the mouse wheel.
    """

    draw: Callable[[Any, Any], None] | None = None
    plot: Callable[[Any], Plot] | None = None
    page: Callable[[Any], str] | None = None
    paste: Callable[[Any], Paper] | None = None
    card: Callable[[Any], HoverCard] | None = None


KINDS: dict[type[Figure], Kind] = {  # without Panels, which contain other kinds
    Lines: Kind(draw_lines, lines_traces),
    Bars: Kind(draw_bars, bars_traces),
    StackedBars: Kind(draw_stacked_bars, stacked_bars_traces),
    Histogram: Kind(draw_histogram, histogram_traces),
    Heatmap: Kind(draw_heatmap, heatmap_traces),
    DivergingHeatmap: Kind(draw_heatmap, heatmap_traces),
    Dendrogram: Kind(draw_dendrogram, dendrogram_traces),
    Scatter: Kind(draw_scatter, scatter_traces),
    Map: Kind(draw_map, map_traces, card=hover_card),
    Map3d: Kind(plot=map3d_traces, card=hover_card),  # no PNG: from one side, three dimensions are two
    Silhouettes: Kind(draw_silhouettes, silhouette_traces),
    ImageGrid: Kind(paste=paste_grid, page=grid_page),
    ImageSheets: Kind(paste=paste_sheets, page=sheets_page),
}


def kind_of(figure: Figure) -> Kind:
    """Return the kind of a figure."""
    kind = KINDS.get(type(figure))
    if kind is None:
        raise TypeError(f"{type(figure).__name__} has no row in figures/kinds.py; add one")
    return kind


def plotly_traces(figure: Figure) -> Plot:
    """Return plotly's traces and layout of a figure."""
    plot = kind_of(figure).plot
    if plot is None:
        raise TypeError(f"{type(figure).__name__} has no function `plot` in figures/kinds.py; use its `page`")
    return plot(figure)
