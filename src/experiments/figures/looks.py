"""What both ways of drawing share: colours, markers, sizes that follow the count, branches of a tree."""

from collections.abc import Iterator

import numpy as np

from experiments.figures.specs import Dendrogram

COLOURS = (
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd",
    "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
)  # fmt: skip
GREY = "#7f7f7f"  # of what belongs to no group
MARKERS = {
    "o": "circle",
    "s": "square",
    "^": "triangle-up",
    "D": "diamond",
    "v": "triangle-down",
    "P": "cross",
    "X": "x",
    "*": "star",
    "p": "pentagon",
    "h": "hexagon",
}  # matplotlib's name: plotly's
SPOKEN = 300  # cells of a heat map up to which each shows its number
TALL = 60  # rows from which their scale stands on top
ALL_TICKS = 12  # values of x that get a tick each


def styles(n: int) -> Iterator[tuple[str, str]]:
    """Give a colour and a marker to each of n groups: the colours first, then other markers."""
    names = list(MARKERS)
    for number in range(n):
        yield COLOURS[number % len(COLOURS)], names[number // len(COLOURS) % len(names)]


def row_height(count: int) -> float:
    """Return the inches of each of so many labelled rows: many are set close."""
    return 0.28 if count <= 20 else 0.2 if count <= 60 else 0.14


def font_size(count: int) -> float:
    """Return the points of each of so many labels."""
    return 9 if count <= 20 else 8 if count <= 60 else 7


def branches(tree: Dendrogram) -> tuple[np.ndarray, np.ndarray, list[str], list[str]]:
    """Lay out a tree.

    Returns
    -------
    places, heights
        Float (c - 1, 4): the corners of each join, places in leaves from 0 to c - 1.
    colours
        Of each join: one a group below the cut, grey above it.
    names
        In the order of the leaves.
    """
    if len(tree.names) < 2:
        return np.empty((0, 4)), np.empty((0, 4)), [], tree.names
    from scipy.cluster.hierarchy import dendrogram

    found = dendrogram(tree.linkage, no_plot=True, color_threshold=tree.cut, above_threshold_color=GREY)
    groups = [colour for colour in COLOURS if colour != GREY]
    colours = [
        GREY if name == GREY else groups[int(name.removeprefix("C")) % len(groups)]
        for name in found["color_list"]
    ]
    places = (np.array(found["icoord"]) - 5) / 10
    return places, np.array(found["dcoord"]), colours, [tree.names[leaf] for leaf in found["leaves"]]
