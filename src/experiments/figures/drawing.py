"""Draw a picture as a PNG with matplotlib: no browser, no state that another picture could inherit."""

import textwrap
from functools import singledispatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.figures.looks import (
    ALL_TICKS,
    SPOKEN,
    TALL,
    branches,
    font_size,
    row_height,
    styles,
)
from experiments.figures.specs import (
    Bars,
    Dendrogram,
    Grid,
    Heatmap,
    Histogram,
    Lines,
    Scatter,
)
from experiments.types import Figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

DPI = 110
WIDTH = 7.2  # inches, as all sizes here


def draw(figure: Figure, path: Path) -> None:
    """Write the PNG of a picture to `path`."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(dpi=DPI, layout="constrained")
    _onto(figure, canvas)
    canvas.savefig(path, format="png")


@singledispatch
def _onto(figure: Figure, canvas: "Canvas") -> None:
    raise TypeError(f"{type(figure).__name__} is no kind of picture")


@_onto.register(Lines)
def _lines(figure: Lines, canvas: "Canvas") -> None:
    axis = _axis(canvas, figure.title, WIDTH + (1.6 if len(figure.series) > 1 else 0), 4.2)
    for (name, values), (colour, _), marker in zip(
        figure.series.items(), styles(len(figure.series)), "os^DvPX*ph" * len(figure.series), strict=False
    ):
        axis.plot(
            figure.x,
            values,
            color=colour,
            marker=marker if len(figure.x) <= 30 else None,
            markersize=5,
            linestyle="--" if name in figure.dashed else "-",
            label=name,
        )
    if figure.log_x:
        axis.set_xscale("log")
    if figure.ticks or len(figure.x) <= ALL_TICKS:
        axis.set_xticks(figure.x, figure.ticks or [f"{x:g}" for x in figure.x])
        axis.minorticks_off()
    for name, place in figure.marks.items():
        axis.axvline(place, color="0.4", linestyle=":", linewidth=1)
        axis.annotate(
            f" {name} ",
            (place, 0),
            xycoords=("data", "axes fraction"),
            rotation=90,
            va="bottom",
            ha="right",
            size=8,
        )
    axis.set(xlabel=figure.x_label, ylabel=figure.y_label)
    if len(figure.series) > 1:
        axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)


@_onto.register(Bars)
def _bars(figure: Bars, canvas: "Canvas") -> None:
    axis = _rows(canvas, figure.title, figure.names)
    bars = axis.barh(range(len(figure.names)), figure.values, height=0.8)
    axis.bar_label(bars, [f"{value:.4g}" for value in figure.values], padding=2, size=font_size(len(bars)))
    axis.set_ylim(len(bars) - 0.5, -0.5)
    axis.margins(x=0.08)
    axis.set(xlabel=figure.y_label, ylabel=figure.x_label)
    axis.tick_params(top=len(bars) > TALL, labeltop=len(bars) > TALL)
    axis.grid(visible=False, axis="y")


@_onto.register(Histogram)
def _histogram(figure: Histogram, canvas: "Canvas") -> None:
    axis = _axis(canvas, figure.title, WIDTH, 4.2)
    axis.hist(figure.values, bins=figure.bins, edgecolor="white", linewidth=0.5)
    axis.set(xlabel=figure.x_label, ylabel="count")


@_onto.register(Heatmap)
def _heatmap(figure: Heatmap, canvas: "Canvas") -> None:
    r, c = figure.values.shape
    spoken = r * c <= SPOKEN
    cell = (0.62, 0.4) if spoken else (row_height(max(r, c)),) * 2
    width, height = max(4.5, c * cell[0] + 2.5), max(3.2, r * cell[1] + 1.6)
    axis = _axis(canvas, figure.title, width, height)
    image = axis.imshow(figure.values, aspect="auto", interpolation="nearest")
    upright = max(map(len, figure.columns)) > (6 if spoken else 2)
    axis.set_xticks(range(c), figure.columns, size=font_size(c), rotation=90 if upright else 0)
    axis.set_yticks(range(r), figure.rows, size=font_size(r))
    axis.tick_params(top=r > TALL, labeltop=r > TALL)
    axis.grid(visible=False)
    canvas.colorbar(
        image,
        ax=axis,
        label=figure.value_label,
        shrink=min(1.0, 6 / height),
        aspect=25,
        fraction=min(0.15, 1 / width),
        pad=0.2 / width,
    )
    for row, column in np.ndindex(r, c) if spoken else ():
        value = figure.values[row, column]
        dark = image.norm(value) < 0.6
        axis.text(
            column, row, f"{value:.3g}", ha="center", va="center", size=8, color="white" if dark else "black"
        )


@_onto.register(Scatter)
def _scatter(figure: Scatter, canvas: "Canvas") -> None:
    groups = np.array(figure.groups)
    names = list(dict.fromkeys(figure.groups))
    columns = -(-len(names) // 30)
    axis = _axis(canvas, figure.title, WIDTH + 1.5 * columns, 5.4)
    size = 20 if len(groups) <= 500 else 9 if len(groups) <= 5000 else 3
    for name, (colour, marker) in zip(names, styles(len(names)), strict=True):
        own = groups == name
        axis.scatter(
            figure.x[own],
            figure.y[own],
            s=size,
            c=colour,
            marker=marker,
            alpha=0.75,
            linewidths=0,
            label=name,
        )
    axis.set(xlabel=figure.x_label, ylabel=figure.y_label)
    if len(names) > 1:
        axis.legend(
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
            frameon=False,
            ncols=columns,
            fontsize=font_size(len(names)),
            scatterpoints=1,
            markerscale=(30 / size) ** 0.5,
            handletextpad=0.2,
        )


@_onto.register(Dendrogram)
def _dendrogram(figure: Dendrogram, canvas: "Canvas") -> None:
    from matplotlib.collections import LineCollection

    places, heights, colours, names = branches(figure)
    axis = _rows(canvas, figure.title, names)
    joins = list(np.stack([heights, places], axis=-1))
    axis.add_collection(LineCollection(joins, colors=colours, linewidths=1.2))
    axis.axvline(figure.cut, color="0.2", linestyle="--", linewidth=1)
    axis.set_xlim(0, 1.03 * max(heights.max(initial=0), figure.cut))
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.grid(visible=False, axis="y")
    axis.set_xlabel(f"height, cut at {figure.cut:.4g}")


@_onto.register(Grid)
def _grid(figure: Grid, canvas: "Canvas") -> None:
    columns = min(figure.columns, len(figure.images)) or 1
    rows = -(-len(figure.images) // columns) or 1
    axis = _axis(canvas, figure.title, max(4.0, 1.35 * columns), 1.5 * rows + 0.5)
    smooth = "antialiased" if figure.images.shape[1] >= 64 else "nearest"
    for number, (image, caption) in enumerate(zip(figure.images, figure.captions, strict=True)):
        row, column = divmod(number, columns)
        left, top = column * 1.1, row * 1.25
        axis.imshow(image, extent=(left, left + 1, top + 1, top), interpolation=smooth)
        short = caption if len(caption) <= 20 else f"{caption[:9]}…{caption[-10:]}"
        axis.text(left + 0.5, top + 1.03, short, ha="center", va="top", size=7.5)
    axis.set(xlim=(-0.05, columns * 1.1 - 0.05), ylim=(rows * 1.25, -0.05), aspect="equal")
    axis.axis("off")


def _axis(canvas: "Canvas", title: str, width: float, height: float) -> Any:
    canvas.set_size_inches(width, height)
    axis = canvas.subplots()
    axis.set_axisbelow(True)
    axis.grid(alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)
    canvas.suptitle(textwrap.fill(title, int(width * 11), break_on_hyphens=False), size=11)
    return axis


def _rows(canvas: "Canvas", title: str, names: list[str]) -> Any:
    """Return an axis with a labelled row for each name, high enough to read them all."""
    axis = _axis(canvas, title, WIDTH, max(2.4, len(names) * row_height(len(names)) + 1.1))
    axis.set_yticks(range(len(names)), names, size=font_size(len(names)))
    return axis
