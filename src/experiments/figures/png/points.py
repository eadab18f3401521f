"""Draw what shows every point: scatters, maps and silhouettes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.figures.png.canvas import WIDTH, axis_of, plain, wrapped
from experiments.figures.specs import Map, Scatter, Silhouettes, Space
from experiments.figures.style import (
    CROWD,
    GROUPED,
    LEGEND,
    TALL,
    called,
    clusters,
    font_size,
    profiles,
    proportions,
    row_height,
    short,
    styles,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

TICKS = 6  # of the longest side of a space
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
            label=plain(short(name, LEGEND)),
        )
    axis.set(xlabel=plain(figure.x_label), ylabel=plain(figure.y_label))
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
    crowd = len(figure.beside) > CROWD
    width, height = (10.5, 10) if crowd else (WIDTH, 6.2)
    axis = axis_of(canvas, figure.title, width + 1.5 * listed, height)
    size = 24 if len(figure.x) <= 500 else 9 if len(figure.x) <= 5000 else 4
    for cluster, rows, colour, marker in groups:
        x, y, name = figure.x[rows], figure.y[rows], called(cluster, len(rows))
        axis.scatter(x, y, s=size, c=colour, marker=marker, alpha=0.75, linewidths=0, label=name)
    for cluster, rows in [] if listed else _largest(groups):
        _number(axis, cluster, np.median(figure.x[rows]), np.median(figure.y[rows]))
    for x, y, text in zip(figure.x, figure.y, figure.beside, strict=False):
        near = {"xytext": (3, 2), "textcoords": "offset points"}
        axis.annotate(plain(text), (x, y), **near, size=5.5 if crowd else 6.5)
    axis.set(xlabel=plain(figure.x_label), ylabel=plain(figure.y_label))
    axis.set_aspect("equal", adjustable="datalim")
    if listed:
        _list(axis, len(groups), size)


def draw_space(figure: Space, canvas: "Canvas") -> None:
    """Draw points of three dimensions as one sees them from above a corner."""
    from matplotlib.ticker import MaxNLocator, NullLocator

    groups = list(clusters(figure))
    listed = len(groups) <= LISTED
    canvas.set_size_inches(WIDTH + 1.5 * listed, 6.6)
    canvas.suptitle(wrapped(figure.title, canvas.get_figwidth()), size=11)
    cells = canvas.add_gridspec(1, 1 + listed, width_ratios=[WIDTH, 1.5][: 1 + listed])
    axis: Any = canvas.add_subplot(cells[0], projection="3d", computed_zorder=False)
    size = 20 if len(figure.x) <= 2000 else 8 if len(figure.x) <= 5000 else 3
    places = np.stack([figure.x, figure.y, figure.z], axis=1)
    for cluster, rows, colour, marker in groups:
        look = {"s": size, "c": colour, "marker": marker, "alpha": 0.7, "linewidths": 0}
        axis.scatter(*places[rows].T, **look, label=called(cluster, len(rows)))
    for cluster, rows in [] if listed else _largest(groups):
        _number(axis, cluster, *np.median(places[rows], axis=0))
    for place, text in zip(places, figure.beside, strict=False):
        axis.text(*place, plain(f" {text}"), size=5.5 if len(figure.beside) > CROWD else 6)
    labels = map(plain, (figure.x_label, figure.y_label, figure.z_label))
    axis.set(**dict(zip(("xlabel", "ylabel", "zlabel"), labels, strict=True)))
    sides = proportions(figure)
    axis.set_box_aspect(sides, zoom=0.85)
    for scale, side in zip((axis.xaxis, axis.yaxis, axis.zaxis), sides, strict=True):
        ticks = round(TICKS * side)
        scale.set_major_locator(MaxNLocator(ticks) if ticks else NullLocator())
        scale.labelpad = 8
    if listed:
        beside = canvas.add_subplot(cells[1])
        beside.axis("off")
        _list(beside, len(groups), size, axis)


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


def _list(axis: Any, count: int, size: int, drawn: Any = None) -> None:
    """Name the clusters beside the points; `drawn` is the axis of these, if it is another."""
    at = 0.0 if drawn else 1.0
    how = {"loc": "center left", "bbox_to_anchor": (at, 0.5), "frameon": False, "title": "cluster (size)"}
    handles, names = (drawn or axis).get_legend_handles_labels()
    how |= {"fontsize": font_size(count), "markerscale": (30 / size) ** 0.5, "handletextpad": 0.2}
    axis.legend(handles, names, **how)


def _largest(groups: Sequence[tuple[int, np.ndarray, str, str]]) -> list[tuple[int, np.ndarray]]:
    """Return number and rows of the largest clusters."""
    held = [(cluster, rows) for cluster, rows, *_ in groups if cluster >= 0]
    return sorted(held, key=lambda one: -len(one[1]))[:NUMBERED]


def _number(axis: Any, cluster: int, *place: float) -> None:
    box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": 0.65, "linewidth": 0}
    axis.text(*map(float, place), str(cluster), size=6, ha="center", va="center", bbox=box)
