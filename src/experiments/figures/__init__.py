"""Pictures as values: each is kept with what was found, and drawn as a page and as a PNG."""

from experiments.figures.draw import Drawing, draw, drawn
from experiments.figures.page import page
from experiments.figures.specs import (
    Bars,
    Contrasts,
    Dendrogram,
    Grid,
    Heatmap,
    Histogram,
    Lines,
    Map,
    Panels,
    Scatter,
    Sheets,
    Silhouettes,
    Space,
    StackedBars,
)
from experiments.figures.sprites import pack
from experiments.figures.writing import write

__all__ = [
    "Bars",
    "Contrasts",
    "Dendrogram",
    "Drawing",
    "Grid",
    "Heatmap",
    "Histogram",
    "Lines",
    "Map",
    "Panels",
    "Scatter",
    "Sheets",
    "Silhouettes",
    "Space",
    "StackedBars",
    "draw",
    "drawn",
    "pack",
    "page",
    "write",
]
