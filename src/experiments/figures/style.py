"""Style of pages and PNGs: colours, markers, sizes and number formats."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from experiments.figures.specs import Dendrogram, Heatmap, Map, Map3d, Silhouettes, StackedBars

COLOURS = (
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd",
    "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
)  # fmt: skip
GREY = "#7f7f7f"  # branches above a tree's cut
GROUPED = (*(colour for colour in COLOURS if colour != GREY), "#7fff00")
NOISE = "#b8b8b8"
STACKED = (*GROUPED, "#aec7e8", "#ffbb78", "#98df8a")
DIVERGING = ("#2166ac", "#92c5de", "#ffffff", "#f4a582", "#b2182b")  # negative, zero, positive
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
}  # matplotlib's name: plotly's name
ANNOTATED_CELLS = 300  # largest heat map that shows the values of its cells
TOP_AXIS_ROWS = 60  # charts with more rows have their axis on top
PROFILES_HEIGHT = 4.0  # inches of all silhouettes together
BAND_OPACITY = 0.18  # of the band of an interval
MAX_X_TICKS = 12  # largest number of x values with a tick each
LEGEND_LETTERS, ROW_LETTERS = 30, 40  # letters of a name in a legend and of a row label
LETTER_WIDTH = 0.07  # inches
CROWDED_NAMES = 55  # names next to points; more are written small, in a larger picture


def group_styles(n: int, colours: tuple[str, ...] = COLOURS) -> Iterator[tuple[str, str]]:
    """Yield colour and marker of n groups; markers change when all colours are used."""
    names = list(MARKERS)
    for number in range(n):
        yield colours[number % len(colours)], names[number // len(colours) % len(names)]


def row_height(count: int) -> float:
    """Return the height of each of `count` labelled rows in inches."""
    return 0.28 if count <= 20 else 0.2 if count <= 60 else 0.14


def font_size(count: int) -> float:
    """Return the font size of `count` labels in points."""
    return 9 if count <= 20 else 8 if count <= 60 else 7


def shorten(text: str, max_letters: int) -> str:
    """Shorten a text to `max_letters` by replacing its middle with an ellipsis."""
    half = max_letters // 2
    return text if len(text) <= max_letters else f"{text[: half - 1]}…{text[-half:]}"


def label_width(names: Sequence[str], max_letters: int = ROW_LETTERS) -> float:
    """Return the width of the longest name in inches, each shortened to `max_letters`."""
    return LETTER_WIDTH * min(max(map(len, names), default=0), max_letters)


def format_value(value: float) -> str:
    """Format a number: integers and values of 10,000 and more without decimals, others with four digits."""
    whole = float(value).is_integer() or abs(value) >= 1e4
    return f"{value:,.0f}" if whole and abs(value) < 1e15 else f"{value:.4g}"


def tree_layout(tree: Dendrogram) -> tuple[np.ndarray, np.ndarray, list[str], list[str]]:
    """Return the lines, colours and leaf names of a tree.

    Returns
    -------
    positions, heights
        Float (c - 1, 4): corners of each join; positions count leaves from 0 to c - 1.
    colours
        Colour of each join: one colour per group below the cut, grey above it.
    names
        Names in the order of the leaves.
    """
    if len(tree.names) < 2:
        return np.empty((0, 4)), np.empty((0, 4)), [], tree.names
    from scipy.cluster.hierarchy import dendrogram

    layout = dendrogram(tree.linkage, no_plot=True, color_threshold=tree.cut, above_threshold_color=GREY)
    colours = [
        GREY if name == GREY else GROUPED[int(name.removeprefix("C")) % len(GROUPED)]
        for name in layout["color_list"]
    ]
    positions = (np.array(layout["icoord"]) - 5) / 10
    return positions, np.array(layout["dcoord"]), colours, [tree.names[leaf] for leaf in layout["leaves"]]


def cluster_styles(figure: Map) -> Iterator[tuple[int, np.ndarray, str, str]]:
    """Yield number, rows, colour and marker of each cluster; grey noise is first, so it is drawn below."""
    ids = np.unique(figure.clusters)
    style_of = dict(zip(ids[ids >= 0].tolist(), group_styles(len(ids), GROUPED), strict=False))
    for number in ids.tolist():
        colour, marker = style_of.get(number, (NOISE, "o"))
        yield number, np.flatnonzero(figure.clusters == number), colour, marker


def box_sides(figure: Map3d) -> list[float]:
    """Return the relative sides of a 3-d plot's box: the longest is 1, the shortest at least 0.05."""
    sides = np.array([np.ptp(values) if len(values) else 0.0 for values in (figure.x, figure.y, figure.z)])
    return [float(side) for side in np.maximum(sides / (sides.max() or 1.0), 0.05 if sides.any() else 1.0)]


def part_colours(figure: StackedBars) -> list[str]:
    """Return the colour of each part; grey for the remainder."""
    parts = figure.parts
    return [NOISE if part == figure.OTHER and number == len(parts) - 1 else STACKED[number % len(STACKED)]
            for number, part in enumerate(parts)]  # fmt: skip


def max_abs(figure: Heatmap) -> float:
    """Return the largest absolute value; 1 if all are zero or none is finite."""
    return float(np.abs(figure.values[np.isfinite(figure.values)]).max(initial=0)) or 1.0


def cluster_label(cluster: int, size: int, name: str = "") -> str:
    """Return a cluster's number, or `noise`, with its name, if it has one, and its size."""
    short = shorten(name, LEGEND_LETTERS)
    return f"{'noise' if cluster < 0 else cluster}{f' {short}' * bool(name)} ({size:,})"


def map_label(figure: Map, cluster: int, size: int) -> str:
    """Return the text of a cluster in a map's legend."""
    return cluster_label(cluster, size, figure.cluster_names.get(str(cluster), ""))


def profiles(figure: Silhouettes) -> Iterator[tuple[float, float, np.ndarray]]:
    """Yield top, bottom and values of each cluster's profile, in inches from the top of the plot.

    Heights are proportional to cluster sizes, and at least one row.
    """
    row = row_height(len(figure.sizes))
    top, total = 0.0, max(sum(figure.sizes), 1)
    ends = np.cumsum([0, *figure.counts])
    for size, (start, end) in zip(figure.sizes, pairwise(ends), strict=True):
        height = max(row, PROFILES_HEIGHT * size / total)
        yield top, top + height, figure.values[start:end]
        top += height + row / 8
