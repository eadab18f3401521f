"""Draw scatter plots, maps and silhouette plots with matplotlib."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.figures.png.canvas import WIDTH, escape_text, new_axis
from experiments.figures.specs import Map, Scatter, Silhouettes
from experiments.figures.style import (
    CROWDED_NAMES,
    GROUPED,
    LEGEND_LETTERS,
    TOP_AXIS_ROWS,
    cluster_label,
    cluster_styles,
    font_size,
    group_styles,
    map_label,
    profiles,
    row_height,
    shorten,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

MAX_LEGEND = 30  # clusters in a legend; if there are more, the plot numbers the largest
MAX_NUMBERED = 40


def draw_scatter(figure: Scatter, canvas: "Canvas") -> None:
    """Draw points by group, with a legend."""
    groups = np.array(figure.groups)
    names = list(dict.fromkeys(figure.groups))
    columns = -(-len(names) // 30)
    axis = new_axis(canvas, figure.title, WIDTH + 1.5 * columns, 5.4)
    size = 20 if len(groups) <= 500 else 9 if len(groups) <= 5000 else 3
    for name, (colour, marker) in zip(names, group_styles(len(names)), strict=True):
        rows = groups == name
        axis.scatter(
            figure.x[rows],
            figure.y[rows],
            s=size,
            c=colour,
            marker=marker,
            alpha=0.75,
            linewidths=0,
            label=escape_text(shorten(name, LEGEND_LETTERS)),
        )
    axis.set(xlabel=escape_text(figure.x_label), ylabel=escape_text(figure.y_label))
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


def draw_map(figure: Map, canvas: "Canvas") -> None:
    """Draw points by cluster, noise below the others."""
    groups = list(cluster_styles(figure))
    with_legend = len(groups) <= MAX_LEGEND
    crowded = len(figure.point_names) > CROWDED_NAMES
    width, height = (10.5, 10) if crowded else (WIDTH, 6.2)
    axis = new_axis(canvas, figure.title, width + 1.5 * with_legend, height)
    size = 24 if len(figure.x) <= 500 else 9 if len(figure.x) <= 5000 else 4
    for cluster, rows, colour, marker in groups:
        x, y, name = figure.x[rows], figure.y[rows], escape_text(map_label(figure, cluster, len(rows)))
        axis.scatter(x, y, s=size, c=colour, marker=marker, alpha=0.75, linewidths=0, label=name)
    for cluster, rows in [] if with_legend else _largest(groups):
        _add_number(axis, cluster, np.median(figure.x[rows]), np.median(figure.y[rows]))
    for x, y, text in zip(figure.x, figure.y, figure.point_names, strict=False):
        offset = {"xytext": (3, 2), "textcoords": "offset points"}
        axis.annotate(escape_text(text), (x, y), **offset, size=5.5 if crowded else 6.5)
    axis.set(xlabel=escape_text(figure.x_label), ylabel=escape_text(figure.y_label))
    axis.set_aspect("equal", adjustable="datalim")
    if with_legend:
        _add_legend(axis, len(groups), size)


def draw_silhouettes(figure: Silhouettes, canvas: "Canvas") -> None:
    """Draw the profile of each cluster, and the mean of all as a line."""
    outlines = list(profiles(figure))
    height = outlines[-1][1] if outlines else 1.0
    axis = new_axis(canvas, figure.title, WIDTH, height + 1.1)
    for number, (top, bottom, values) in enumerate(outlines):
        edges = np.repeat(np.linspace(top, bottom, len(values) + 1), 2)[1:-1]
        axis.fill_betweenx(edges, 0, np.repeat(values, 2), color=GROUPED[number % len(GROUPED)], linewidth=0)
    middles = [(top + bottom) / 2 for top, bottom, _ in outlines]
    names = [cluster_label(*pair) for pair in zip(figure.clusters, figure.sizes, strict=True)]
    axis.set_yticks(middles, names, size=font_size(len(names)))
    axis.axvline(figure.mean, color="0.2", linestyle="--", linewidth=1)
    axis.set_ylim(height + row_height(len(names)) / 2, -row_height(len(names)) / 2)
    axis.set(xlabel=f"silhouette; the line is the mean of all, {figure.mean:.3g}", ylabel="cluster (size)")
    axis.tick_params(top=len(names) > TOP_AXIS_ROWS, labeltop=len(names) > TOP_AXIS_ROWS)
    axis.grid(visible=False, axis="y")


def _add_legend(axis: Any, count: int, size: int, points_axis: Any = None) -> None:
    """Add a legend of the clusters to `axis`; `points_axis` is the axis of the points if different."""
    left = 0.0 if points_axis else 1.0
    options = {
        "loc": "center left",
        "bbox_to_anchor": (left, 0.5),
        "frameon": False,
        "title": "cluster (size)",
    }
    handles, names = (points_axis or axis).get_legend_handles_labels()
    options |= {"fontsize": font_size(count), "markerscale": (30 / size) ** 0.5, "handletextpad": 0.2}
    axis.legend(handles, names, **options)


def _largest(groups: Sequence[tuple[int, np.ndarray, str, str]]) -> list[tuple[int, np.ndarray]]:
    """Return number and rows of the largest clusters, without noise."""
    real = [(cluster, rows) for cluster, rows, *_ in groups if cluster >= 0]
    return sorted(real, key=lambda pair: -len(pair[1]))[:MAX_NUMBERED]


def _add_number(axis: Any, cluster: int, *position: float) -> None:
    box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": 0.65, "linewidth": 0}
    axis.text(*map(float, position), str(cluster), size=6, ha="center", va="center", bbox=box)
