"""Pictures as values: each is kept with what was found, and drawn as a page and as a PNG."""

from experiments.figures.drawing import draw
from experiments.figures.paging import page
from experiments.figures.specs import (
    Bars,
    Dendrogram,
    Grid,
    Heatmap,
    Histogram,
    Lines,
    Map,
    Scatter,
    Sheets,
    Silhouettes,
)
from experiments.figures.sprites import pack
from experiments.figures.writing import write

__all__ = [
    "Bars",
    "Dendrogram",
    "Grid",
    "Heatmap",
    "Histogram",
    "Lines",
    "Map",
    "Scatter",
    "Sheets",
    "Silhouettes",
    "draw",
    "pack",
    "page",
    "write",
]
