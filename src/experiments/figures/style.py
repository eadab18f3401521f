"""What both ways of drawing share: colours, markers, sizes that follow the count, branches of a tree."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from experiments.figures.specs import Dendrogram, Heatmap, Map, Silhouettes, Space, StackedBars

COLOURS = (
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd",
    "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
)  # fmt: skip
GREY = "#7f7f7f"  # of what belongs to no group
GROUPED = (*(colour for colour in COLOURS if colour != GREY), "#7fff00")
NOISE = "#b8b8b8"
STACKED = (*GROUPED, "#aec7e8", "#ffbb78", "#98df8a")
CONTRAST = ("#2166ac", "#92c5de", "#ffffff", "#f4a582", "#b2182b")  # below zero, zero, above
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
PROFILES = 4.0  # inches that the silhouettes of all points share
BAND = 0.18  # how much of its colour the band of an interval has
ALL_TICKS = 12  # values of x that get a tick each
LEGEND, ROW = 30, 40  # letters of a name in a legend, and beside a row
LETTER = 0.07  # inches that a letter takes
CROWD = 55  # names beside points from which they are small, and have more room


def styles(n: int, colours: tuple[str, ...] = COLOURS) -> Iterator[tuple[str, str]]:
    """Give a colour and a marker to each of n groups: the colours first, then other markers."""
    names = list(MARKERS)
    for number in range(n):
        yield colours[number % len(colours)], names[number // len(colours) % len(names)]


def row_height(count: int) -> float:
    """Return the inches of each of so many labelled rows: many are set close."""
    return 0.28 if count <= 20 else 0.2 if count <= 60 else 0.14


def font_size(count: int) -> float:
    """Return the points of each of so many labels."""
    return 9 if count <= 20 else 8 if count <= 60 else 7


def short(text: str, most: int) -> str:
    """Leave out the middle of a text of more than so many letters."""
    half = most // 2
    return text if len(text) <= most else f"{text[: half - 1]}…{text[-half:]}"


def longest(names: Sequence[str], most: int = ROW) -> float:
    """Return the inches of the longest of these names, shortened to so many letters."""
    return LETTER * min(max(map(len, names), default=0), most)


def said(value: float) -> str:
    """Spell a value: whole numbers and those of five digits and more are whole, others have four digits."""
    whole = float(value).is_integer() or abs(value) >= 1e4
    return f"{value:,.0f}" if whole and abs(value) < 1e15 else f"{value:.4g}"


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
    colours = [
        GREY if name == GREY else GROUPED[int(name.removeprefix("C")) % len(GROUPED)]
        for name in found["color_list"]
    ]
    places = (np.array(found["icoord"]) - 5) / 10
    return places, np.array(found["dcoord"]), colours, [tree.names[leaf] for leaf in found["leaves"]]


def clusters(figure: Map) -> Iterator[tuple[int, np.ndarray, str, str]]:
    """Give number, rows, colour and marker of each cluster; grey noise first, to lie below the others."""
    ids = np.unique(figure.clusters)
    looks = dict(zip(ids[ids >= 0].tolist(), styles(len(ids), GROUPED), strict=False))
    for number in ids.tolist():
        colour, marker = looks.get(number, (NOISE, "o"))
        yield number, np.flatnonzero(figure.clusters == number), colour, marker


def proportions(figure: Space) -> list[float]:
    """Return the sides of the box of a space, the longest 1; what is flat keeps some height."""
    sides = np.array([np.ptp(values) if len(values) else 0.0 for values in (figure.x, figure.y, figure.z)])
    return [float(side) for side in np.maximum(sides / (sides.max() or 1.0), 0.05 if sides.any() else 1.0)]


def stacked(figure: StackedBars) -> list[str]:
    """Return a colour for each part; grey for what is left over."""
    parts = figure.parts
    return [NOISE if part == figure.OTHER and place == len(parts) - 1 else STACKED[place % len(STACKED)]
            for place, part in enumerate(parts)]  # fmt: skip


def reach(figure: Heatmap) -> float:
    """Return the largest distance from zero, and 1 where there is none."""
    return float(np.abs(figure.values[np.isfinite(figure.values)]).max(initial=0)) or 1.0


def called(cluster: int, size: int) -> str:
    """Name a cluster and its size."""
    return f"{'noise' if cluster < 0 else cluster} ({size:,})"


def profiles(figure: Silhouettes) -> Iterator[tuple[float, float, np.ndarray]]:
    """Give from where to where each cluster's profile reaches, in inches from the top, and its values.

    Heights follow the sizes, but each has room for its name.
    """
    line = row_height(len(figure.sizes))
    top, everything = 0.0, max(sum(figure.sizes), 1)
    ends = np.cumsum([0, *figure.counts])
    for size, (start, end) in zip(figure.sizes, pairwise(ends), strict=True):
        height = max(line, PROFILES * size / everything)
        yield top, top + height, figure.values[start:end]
        top += height + line / 8
