"""Figures as data: cached with the findings, and drawn as an HTML page and as a PNG."""

from experiments.figures.draw import Drawing, draw_png, save_png
from experiments.figures.page import html_page
from experiments.figures.save import save_figures
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
    Panels,
    Scatter,
    Silhouettes,
    StackedBars,
)
from experiments.figures.sprites import pack

__all__ = [
    "Bars",
    "Dendrogram",
    "DivergingHeatmap",
    "Drawing",
    "Figure",
    "Heatmap",
    "Histogram",
    "ImageGrid",
    "ImageSheets",
    "Lines",
    "Map",
    "Map3d",
    "Panels",
    "Scatter",
    "Silhouettes",
    "StackedBars",
    "draw_png",
    "html_page",
    "pack",
    "save_figures",
    "save_png",
]
