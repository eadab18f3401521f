"""Charts by matplotlib."""

from typing import TYPE_CHECKING

import numpy as np

from experiments.figures.png.canvas import WIDTH, axis_of, plain, rows_of
from experiments.figures.specs import Bars, Contrasts, Dendrogram, Heatmap, Histogram, Lines, StackedBars
from experiments.figures.style import (
    ALL_TICKS,
    BAND,
    CONTRAST,
    LEGEND,
    ROW,
    SPOKEN,
    TALL,
    branches,
    font_size,
    longest,
    reach,
    row_height,
    said,
    short,
    stacked,
    styles,
)

if TYPE_CHECKING:
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure as Canvas

LEGIBLE = 0.06  # of a bar: what a part needs to have its number written in it


def draw_lines(figure: Lines, canvas: "Canvas") -> None:
    """Draw curves over one x."""
    axis = axis_of(canvas, figure.title, WIDTH + (1.6 if len(figure.series) > 1 else 0), 4.2)
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
            label=plain(short(name, LEGEND)),
        )
        if name in figure.low:
            low, high = np.array(figure.low[name]), np.array(figure.high[name])
            axis.fill_between(figure.x, low, high, color=colour, alpha=BAND, linewidth=0)
    if figure.log_x:
        axis.set_xscale("log")
    if figure.ticks or len(figure.x) <= ALL_TICKS:
        axis.set_xticks(figure.x, [plain(tick) for tick in figure.ticks] or [f"{x:g}" for x in figure.x])
        axis.minorticks_off()
    for name, place in figure.marks.items():
        axis.axvline(place, color="0.4", linestyle=":", linewidth=1)
        axis.annotate(
            plain(f" {name} "),
            (place, 0),
            xycoords=("data", "axes fraction"),
            rotation=90,
            va="bottom",
            ha="right",
            size=8,
            bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1},
        )
    axis.set(xlabel=plain(figure.x_label), ylabel=plain(figure.y_label))
    if len(figure.series) > 1:
        axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)


def draw_bars(figure: Bars, canvas: "Canvas") -> None:
    """Draw a bar for each name."""
    axis = rows_of(canvas, figure.title, figure.names)
    bars = axis.barh(range(len(figure.names)), figure.values, height=0.8)
    axis.bar_label(bars, [said(value) for value in figure.values], padding=2, size=font_size(len(bars)))
    axis.set_ylim(len(bars) - 0.5, -0.5)
    axis.margins(x=0.08)
    axis.set(xlabel=plain(figure.y_label), ylabel=plain(figure.x_label))
    axis.tick_params(top=len(bars) > TALL, labeltop=len(bars) > TALL)
    axis.grid(visible=False, axis="y")


def draw_stacked_bars(figure: StackedBars, canvas: "Canvas") -> None:
    """Draw a bar for each name, cut into shares."""
    axis = rows_of(canvas, figure.title, figure.names, figure.parts)
    rows, left = np.arange(len(figure.names)), np.zeros(len(figure.names))
    for part, colour, shares in zip(figure.parts, stacked(figure), figure.shares.T, strict=True):
        bars = axis.barh(rows, shares, left=left, height=0.8, color=colour, label=plain(short(part, LEGEND)))
        if len(rows) <= TALL:
            told = [f"{share:.0%}" if share >= LEGIBLE else "" for share in shares]
            axis.bar_label(bars, told, label_type="center", size=font_size(len(rows)) - 2)
        left = left + shares
    axis.set(xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5))
    axis.set(xlabel=plain(figure.y_label), ylabel=plain(figure.x_label))
    axis.xaxis.set_major_formatter("{x:.0%}")
    axis.tick_params(top=len(rows) > TALL, labeltop=len(rows) > TALL)
    axis.grid(visible=False, axis="y")
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)


def draw_histogram(figure: Histogram, canvas: "Canvas") -> None:
    """Draw a bar for each bin."""
    axis = axis_of(canvas, figure.title, WIDTH, 4.2)
    axis.hist(figure.values, bins=figure.bins, edgecolor="white", linewidth=0.5)
    axis.set(xlabel=plain(figure.x_label), ylabel="count")


def draw_heatmap(figure: Heatmap, canvas: "Canvas") -> None:
    """Draw a cell for each row and column."""
    r, c = figure.values.shape
    spoken = r * c <= SPOKEN
    cell = (0.62, 0.4) if spoken else (row_height(max(r, c)),) * 2
    upright = max(map(len, figure.columns)) > (6 if spoken else 2)
    width = max(4.5, c * cell[0] + 2 + longest(figure.rows))
    height = max(3.2, r * cell[1] + 1.4 + upright * longest(figure.columns))
    axis = axis_of(canvas, figure.title, width, height)
    contrasts = isinstance(figure, Contrasts)
    image = axis.imshow(figure.values, aspect="auto", interpolation="nearest")
    if contrasts:
        image.set_cmap(_contrast())
        image.set_clim(-reach(figure), reach(figure))
    rows, columns = ([plain(short(name, ROW)) for name in names] for names in (figure.rows, figure.columns))
    axis.set_xticks(range(c), columns, size=font_size(c), rotation=90 if upright else 0)
    axis.set_yticks(range(r), rows, size=font_size(r))
    axis.set(xlabel=plain(figure.x_label), ylabel=plain(figure.y_label))
    axis.tick_params(top=r > TALL, labeltop=r > TALL)
    axis.grid(visible=False)
    canvas.colorbar(
        image,
        ax=axis,
        label=plain(figure.value_label),
        shrink=min(1.0, 6 / height),
        aspect=25,
        fraction=min(0.15, 1 / width),
        pad=0.2 / width,
    )
    for row, column in np.ndindex(r, c) if spoken else ():
        value = figure.values[row, column]
        if not np.isfinite(value):
            continue
        dark = abs(image.norm(value) - 0.5) > 0.38 if contrasts else image.norm(value) < 0.6
        told = f"{value:.2f}" if contrasts else f"{value:.3g}"
        axis.text(column, row, told, ha="center", va="center", size=8, color="white" if dark else "black")


def _contrast() -> "Colormap":
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("contrast", CONTRAST)


def draw_dendrogram(figure: Dendrogram, canvas: "Canvas") -> None:
    """Draw a tree."""
    from matplotlib.collections import LineCollection

    places, heights, colours, names = branches(figure)
    axis = rows_of(canvas, figure.title, names)
    joins = list(np.stack([heights, places], axis=-1))
    axis.add_collection(LineCollection(joins, colors=colours, linewidths=1.2))
    axis.axvline(figure.cut, color="0.2", linestyle="--", linewidth=1)
    axis.set_xlim(0, 1.03 * max(heights.max(initial=0), figure.cut))
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.grid(visible=False, axis="y")
    axis.set_xlabel(f"height, cut at {figure.cut:.4g}")
