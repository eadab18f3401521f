"""Draw what shows every point: scatters, maps and silhouettes."""

from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.figures.canvas import WIDTH, axis_of, wrapped
from experiments.figures.looks import GROUPED, TALL, called, clusters, font_size, profiles, row_height, styles
from experiments.figures.specs import Map, Scatter, Silhouettes, Space

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

LISTED = 30  # clusters up to which a legend names them; of more the numbers of the largest stand on them
NUMBERED = 40


def draw_scatter(figure: Scatter, canvas: "Canvas") -> None:
    """Draw points by group, with a legend."""
    groups = np.array(figure.groups)
    names = list(dict.fromkeys(figure.groups))
    columns = -(-len(names) // 30)
    axis = axis_of(canvas, figure.title, WIDTH + 1.5 * columns, 5.4)
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


def draw_map(figure: Map, canvas: "Canvas") -> None:
    """Draw points by cluster, noise below the others."""
    groups = list(clusters(figure))
    listed = len(groups) <= LISTED
    large = sorted((len(rows) for cluster, rows, *_ in groups if cluster >= 0), reverse=True)[:NUMBERED]
    axis = axis_of(canvas, figure.title, WIDTH + 1.5 * listed, 6.2)
    size = 24 if len(figure.x) <= 500 else 9 if len(figure.x) <= 5000 else 4
    for cluster, rows, colour, marker in groups:
        x, y, name = figure.x[rows], figure.y[rows], called(cluster, len(rows))
        axis.scatter(x, y, s=size, c=colour, marker=marker, alpha=0.75, linewidths=0, label=name)
        if not listed and cluster >= 0 and len(rows) >= large[-1]:
            _number(axis, str(cluster), float(np.median(x)), float(np.median(y)))
    for x, y, text in zip(figure.x, figure.y, figure.beside, strict=False):
        axis.annotate(text, (x, y), xytext=(3, 2), textcoords="offset points", size=6.5)
    axis.set(xlabel=figure.x_label, ylabel=figure.y_label)
    axis.set_aspect("equal", adjustable="datalim")
    if listed:
        _list(axis, len(groups), size)


def draw_space(figure: Space, canvas: "Canvas") -> None:
    """Draw points of three dimensions as one sees them from above a corner."""
    groups = list(clusters(figure))
    listed = len(groups) <= LISTED
    canvas.set_size_inches(WIDTH + 1.5 * listed, 6.6)
    canvas.suptitle(wrapped(figure.title, canvas.get_figwidth()), size=11)
    axis: Any = canvas.add_subplot(projection="3d", computed_zorder=False)
    size = 20 if len(figure.x) <= 2000 else 8 if len(figure.x) <= 5000 else 3
    places = np.stack([figure.x, figure.y, figure.z], axis=1)
    for cluster, rows, colour, marker in groups:
        look = {"s": size, "c": colour, "marker": marker, "alpha": 0.7, "linewidths": 0}
        axis.scatter(*places[rows].T, **look, label=called(cluster, len(rows)))
    for place, text in zip(places, figure.beside, strict=False):
        axis.text(*place, f" {text}", size=6)
    axis.set(xlabel=figure.x_label, ylabel=figure.y_label, zlabel=figure.z_label)
    axis.set_box_aspect(np.maximum(np.ptp(places, axis=0), 0.05 * np.ptp(places) or 1.0), zoom=0.9)
    if listed:
        _list(axis, len(groups), size)


def draw_silhouettes(figure: Silhouettes, canvas: "Canvas") -> None:
    """Draw the profile of each cluster, and the mean of all as a line."""
    shapes = list(profiles(figure))
    height = shapes[-1][1] if shapes else 1.0
    axis = axis_of(canvas, figure.title, WIDTH, height + 1.1)
    for number, (top, bottom, values) in enumerate(shapes):
        edges = np.repeat(np.linspace(top, bottom, len(values) + 1), 2)[1:-1]
        axis.fill_betweenx(edges, 0, np.repeat(values, 2), color=GROUPED[number % len(GROUPED)], linewidth=0)
    middles = [(top + bottom) / 2 for top, bottom, _ in shapes]
    names = [called(*pair) for pair in zip(figure.clusters, figure.sizes, strict=True)]
    axis.set_yticks(middles, names, size=font_size(len(names)))
    axis.axvline(figure.mean, color="0.2", linestyle="--", linewidth=1)
    axis.set_ylim(height + row_height(len(names)) / 2, -row_height(len(names)) / 2)
    axis.set(xlabel=f"silhouette; the line is the mean of all, {figure.mean:.3g}", ylabel="cluster (size)")
    axis.tick_params(top=len(names) > TALL, labeltop=len(names) > TALL)
    axis.grid(visible=False, axis="y")


def _list(axis: Any, count: int, size: int) -> None:
    """Name the clusters beside the points."""
    how = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5), "frameon": False, "title": "cluster (size)"}
    axis.legend(**how, fontsize=font_size(count), markerscale=(30 / size) ** 0.5, handletextpad=0.2)


def _number(axis: Any, text: str, x: float, y: float) -> None:
    box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": 0.65, "linewidth": 0}
    axis.text(x, y, text, size=6, ha="center", va="center", bbox=box)
