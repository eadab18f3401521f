"""Draw charts with matplotlib."""

from typing import TYPE_CHECKING

import numpy as np

from experiments.figures.png.canvas import WIDTH, escape_text, new_axis, new_row_axis
from experiments.figures.specs import (
    Bars,
    Dendrogram,
    DivergingHeatmap,
    Heatmap,
    Histogram,
    Lines,
    StackedBars,
)
from experiments.figures.style import (
    ANNOTATED_CELLS,
    BAND_OPACITY,
    DIVERGING,
    LEGEND_LETTERS,
    MAX_X_TICKS,
    ROW_LETTERS,
    TOP_AXIS_ROWS,
    font_size,
    format_value,
    group_styles,
    label_width,
    max_abs,
    part_colours,
    row_height,
    shorten,
    tree_layout,
)

if TYPE_CHECKING:
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure as Canvas

MIN_LABELLED_SHARE = 0.06  # parts of a bar with smaller shares have no number


def draw_lines(figure: Lines, canvas: "Canvas") -> None:
    """Draw curves over one x."""
    axis = new_axis(canvas, figure.title, WIDTH + (1.6 if len(figure.series) > 1 else 0), 4.2)
    for (name, values), (colour, _), marker in zip(
        figure.series.items(),
        group_styles(len(figure.series)),
        "os^DvPX*ph" * len(figure.series),
        strict=False,
    ):
        axis.plot(
            figure.x,
            values,
            color=colour,
            marker=marker if len(figure.x) <= 30 else None,
            markersize=5,
            linestyle="--" if name in figure.dashed else "-",
            label=escape_text(shorten(name, LEGEND_LETTERS)),
        )
        if name in figure.low:
            low, high = np.array(figure.low[name]), np.array(figure.high[name])
            axis.fill_between(figure.x, low, high, color=colour, alpha=BAND_OPACITY, linewidth=0)
    if figure.log_x:
        axis.set_xscale("log")
    if figure.ticks or len(figure.x) <= MAX_X_TICKS:
        axis.set_xticks(
            figure.x, [escape_text(tick) for tick in figure.ticks] or [f"{x:g}" for x in figure.x]
        )
        axis.minorticks_off()
    for name, x in figure.marks.items():
        axis.axvline(x, color="0.4", linestyle=":", linewidth=1)
        axis.annotate(
            escape_text(f" {name} "),
            (x, 0),
            xycoords=("data", "axes fraction"),
            rotation=90,
            va="bottom",
            ha="right",
            size=8,
            bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1},
        )
    axis.set(xlabel=escape_text(figure.x_label), ylabel=escape_text(figure.y_label))
    if len(figure.series) > 1:
        axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)


def draw_bars(figure: Bars, canvas: "Canvas") -> None:
    """Draw a bar for each name."""
    axis = new_row_axis(canvas, figure.title, figure.names)
    bars = axis.barh(range(len(figure.names)), figure.values, height=0.8)
    axis.bar_label(
        bars, [format_value(value) for value in figure.values], padding=2, size=font_size(len(bars))
    )
    axis.set_ylim(len(bars) - 0.5, -0.5)
    axis.margins(x=0.08)
    axis.set(xlabel=escape_text(figure.y_label), ylabel=escape_text(figure.x_label))
    axis.tick_params(top=len(bars) > TOP_AXIS_ROWS, labeltop=len(bars) > TOP_AXIS_ROWS)
    axis.grid(visible=False, axis="y")


def draw_stacked_bars(figure: StackedBars, canvas: "Canvas") -> None:
    """Draw a bar for each name, cut into shares."""
    axis = new_row_axis(canvas, figure.title, figure.names, figure.parts)
    rows, left = np.arange(len(figure.names)), np.zeros(len(figure.names))
    for part, colour, shares in zip(figure.parts, part_colours(figure), figure.shares.T, strict=True):
        bars = axis.barh(
            rows,
            shares,
            left=left,
            height=0.8,
            color=colour,
            label=escape_text(shorten(part, LEGEND_LETTERS)),
        )
        if len(rows) <= TOP_AXIS_ROWS:
            texts = [f"{share:.0%}" if share >= MIN_LABELLED_SHARE else "" for share in shares]
            axis.bar_label(bars, texts, label_type="center", size=font_size(len(rows)) - 2)
        left = left + shares
    axis.set(xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5))
    axis.set(xlabel=escape_text(figure.y_label), ylabel=escape_text(figure.x_label))
    axis.xaxis.set_major_formatter("{x:.0%}")
    axis.tick_params(top=len(rows) > TOP_AXIS_ROWS, labeltop=len(rows) > TOP_AXIS_ROWS)
    axis.grid(visible=False, axis="y")
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)


def draw_histogram(figure: Histogram, canvas: "Canvas") -> None:
    """Draw a bar for each bin."""
    axis = new_axis(canvas, figure.title, WIDTH, 4.2)
    axis.hist(figure.values, bins=figure.bins, edgecolor="white", linewidth=0.5)
    axis.set(xlabel=escape_text(figure.x_label), ylabel="count")


def draw_heatmap(figure: Heatmap, canvas: "Canvas") -> None:
    """Draw a cell for each row and column."""
    r, c = figure.values.shape
    annotated = r * c <= ANNOTATED_CELLS
    cell = (0.62, 0.4) if annotated else (row_height(max(r, c)),) * 2
    rotated = max(map(len, figure.columns)) > (6 if annotated else 2)
    width = max(4.5, c * cell[0] + 2 + label_width(figure.rows))
    height = max(3.2, r * cell[1] + 1.4 + rotated * label_width(figure.columns))
    axis = new_axis(canvas, figure.title, width, height)
    diverging = isinstance(figure, DivergingHeatmap)
    image = axis.imshow(figure.values, aspect="auto", interpolation="nearest")
    if diverging:
        image.set_cmap(_diverging_colours())
        image.set_clim(-max_abs(figure), max_abs(figure))
    rows, columns = (
        [escape_text(shorten(name, ROW_LETTERS)) for name in names] for names in (figure.rows, figure.columns)
    )
    axis.set_xticks(range(c), columns, size=font_size(c), rotation=90 if rotated else 0)
    axis.set_yticks(range(r), rows, size=font_size(r))
    axis.set(xlabel=escape_text(figure.x_label), ylabel=escape_text(figure.y_label))
    axis.tick_params(top=r > TOP_AXIS_ROWS, labeltop=r > TOP_AXIS_ROWS)
    axis.grid(visible=False)
    canvas.colorbar(
        image,
        ax=axis,
        label=escape_text(figure.value_label),
        shrink=min(1.0, 6 / height),
        aspect=25,
        fraction=min(0.15, 1 / width),
        pad=0.2 / width,
    )
    for row, column in np.ndindex(r, c) if annotated else ():
        value = figure.values[row, column]
        if not np.isfinite(value):
            continue
        dark = abs(image.norm(value) - 0.5) > 0.38 if diverging else image.norm(value) < 0.6
        text = f"{value:.2f}" if diverging else f"{value:.3g}"
        axis.text(column, row, text, ha="center", va="center", size=8, color="white" if dark else "black")


def _diverging_colours() -> "Colormap":
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("diverging", DIVERGING)


def draw_dendrogram(figure: Dendrogram, canvas: "Canvas") -> None:
    """Draw a tree."""
    from matplotlib.collections import LineCollection

    positions, heights, colours, names = tree_layout(figure)
    axis = new_row_axis(canvas, figure.title, names)
    joins = list(np.stack([heights, positions], axis=-1))
    axis.add_collection(LineCollection(joins, colors=colours, linewidths=1.2))
    axis.axvline(figure.cut, color="0.2", linestyle="--", linewidth=1)
    axis.set_xlim(0, 1.03 * max(heights.max(initial=0), figure.cut))
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.grid(visible=False, axis="y")
    axis.set_xlabel(f"height, cut at {figure.cut:.4g}")
