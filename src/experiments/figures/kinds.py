"""Every kind of figure, with how it is drawn and what its page shows.

A new kind is a class in specs.py, a row here, and its name in __init__.py, from which all others import it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from experiments.figures.html.hover_card import Card, card
from experiments.figures.html.image_pages import grid_page, sheets_page
from experiments.figures.html.layout import Plot
from experiments.figures.html.traces import (
    bars_traces,
    dendrogram_traces,
    heatmap_traces,
    histogram_traces,
    lines_traces,
    stacked_bars_traces,
)
from experiments.figures.html.traces_points import map_traces, scatter_traces, silhouette_traces, space_traces
from experiments.figures.png.charts import (
    draw_bars,
    draw_dendrogram,
    draw_heatmap,
    draw_histogram,
    draw_lines,
    draw_stacked_bars,
)
from experiments.figures.png.images import Paper, paste_grid, paste_sheets
from experiments.figures.png.points import draw_map, draw_scatter, draw_silhouettes, draw_space
from experiments.figures.specs import (
    Bars,
    Contrasts,
    Dendrogram,
    Figure,
    Grid,
    Heatmap,
    Histogram,
    Lines,
    Map,
    Scatter,
    Sheets,
    Silhouettes,
    Space,
    StackedBars,
)


@dataclass(frozen=True)
class Kind:
    """How a kind of figure is drawn twice.

    Parameters
    ----------
    draw
        Draws it onto matplotlib's canvas, where nothing is pasted.
    paste
        Returns paper with images.
    plot
        Returns plotly's traces and layout.
    page
        Returns its whole page, where plotly draws none.
    card
        Returns what the page shows at the pointer; such a page zooms.
    """

    draw: Callable[[Any, Any], None] | None = None
    plot: Callable[[Any], Plot] | None = None
    page: Callable[[Any], str] | None = None
    paste: Callable[[Any], Paper] | None = None
    card: Callable[[Any], Card] | None = None


KINDS: dict[type[Figure], Kind] = {  # but for Panels, which are several of them
    Lines: Kind(draw_lines, lines_traces),
    Bars: Kind(draw_bars, bars_traces),
    StackedBars: Kind(draw_stacked_bars, stacked_bars_traces),
    Histogram: Kind(draw_histogram, histogram_traces),
    Heatmap: Kind(draw_heatmap, heatmap_traces),
    Contrasts: Kind(draw_heatmap, heatmap_traces),
    Dendrogram: Kind(draw_dendrogram, dendrogram_traces),
    Scatter: Kind(draw_scatter, scatter_traces),
    Map: Kind(draw_map, map_traces, card=card),
    Space: Kind(draw_space, space_traces, card=card),
    Silhouettes: Kind(draw_silhouettes, silhouette_traces),
    Grid: Kind(paste=paste_grid, page=grid_page),
    Sheets: Kind(paste=paste_sheets, page=sheets_page),
}


def kind_of(figure: Figure) -> Kind:
    """Return the kind of a figure."""
    kind = KINDS.get(type(figure))
    if kind is None:
        raise TypeError(f"{type(figure).__name__} has no row in figures/kinds.py")
    return kind


def traces(figure: Figure) -> Plot:
    """Return plotly's traces and layout of a figure."""
    plot = kind_of(figure).plot
    if plot is None:
        raise TypeError(f"{type(figure).__name__} has a page of its own, which plotly draws nothing of")
    return plot(figure)
