"""Charts in plotly's own words: the traces and the layout that plotly.js draws."""

from itertools import pairwise
from typing import Any

import numpy as np

from experiments.figures.html.layout import (
    PIXELS,
    Plot,
    headed,
    named,
    numbers,
    plain,
    plane,
    rows_layout,
    upright,
)
from experiments.figures.specs import Bars, Contrasts, Dendrogram, Heatmap, Histogram, Lines, StackedBars
from experiments.figures.style import (
    ALL_TICKS,
    BAND,
    CONTRAST,
    MARKERS,
    ROW,
    SPOKEN,
    TALL,
    branches,
    font_size,
    longest,
    reach,
    row_height,
    said,
    stacked,
    styles,
)

HIGH_BAR = {"len": 400, "lenmode": "pixels", "y": 1, "yanchor": "top"}


def lines_traces(figure: Lines) -> Plot:
    """Draw curves over one x."""
    mode = "lines+markers" if len(figure.x) <= 30 else "lines"
    data: list[dict[str, Any]] = []
    for (name, values), (colour, _), symbol in zip(
        figure.series.items(),
        styles(len(figure.series)),
        list(MARKERS.values()) * len(figure.series),
        strict=False,
    ):
        line = {"color": colour, "dash": "dash" if name in figure.dashed else "solid"}
        marker = {"symbol": symbol, "size": 8}
        about = named(name) | {"mode": mode, "marker": marker, "line": line, "legendgroup": name}
        about["hovertemplate"] = "(%{x}, %{y})<extra>%{meta[0]}</extra>"
        data += _band(figure, name, colour)
        data.append({"x": numbers(figure.x), "y": numbers(values)} | about)
    layout = plane(figure, 5, figure.x_label, figure.y_label)
    layout["xaxis"]["type"] = "log" if figure.log_x else "linear"
    known = [value for values in figure.series.values() for value in values if value == value]
    if known and known[0] > 0 and min(known) == max(known) and not figure.low:
        layout["yaxis"]["range"] = [0, 2 * known[0]]  # else from one below it to one above
    if figure.ticks or len(figure.x) <= ALL_TICKS:
        ticks = [plain(tick) for tick in figure.ticks] or [f"{x:g}" for x in figure.x]
        layout["xaxis"] |= {"tickvals": figure.x, "ticktext": ticks}
    layout["shapes"] = [upright(x) for x in figure.marks.values()]
    layout["annotations"] = [
        {
            "x": float(np.log10(x)) if figure.log_x else x,  # shapes take x itself, annotations its logarithm
            "y": 0,
            "yref": "paper",
            "yanchor": "bottom",
            "xanchor": "right",
            "text": plain(name),
            "bgcolor": "rgba(255, 255, 255, 0.8)",
            "textangle": -90,
            "showarrow": False,
        }
        for name, x in figure.marks.items()
    ]
    return data, layout


def _band(figure: Lines, name: str, colour: str) -> list[dict[str, Any]]:
    """Return the band of a curve's interval, which hides with its curve; plotly leaves out what is nan."""
    ends = zip(figure.x, figure.low.get(name, ()), figure.high.get(name, ()), strict=False)
    known = [end for end in ends if end[1] == end[1] and end[2] == end[2]]
    if not known:
        return []
    x, low, high = map(list, zip(*known, strict=True))
    band = {"x": numbers([*x, *x[::-1]]), "y": numbers([*high, *low[::-1]]), "mode": "lines"}
    looks = {"fill": "toself", "fillcolor": colour, "opacity": BAND, "line": {"width": 0}}
    return [band | looks | {"legendgroup": name, "showlegend": False, "hoverinfo": "skip"}]


def bars_traces(figure: Bars) -> Plot:
    """Draw a bar for each name."""
    places = list(range(len(figure.names)))
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": numbers(figure.values),
        "y": places,
        "text": [said(value) for value in figure.values],
        "textposition": "outside",
        "hovertext": [plain(name) for name in figure.names],
        "hoverinfo": "text+x",
        "cliponaxis": False,
    }
    return [bars], rows_layout(figure, figure.names, figure.y_label, figure.x_label)


def stacked_bars_traces(figure: StackedBars) -> Plot:
    """Draw a bar for each name, cut into shares."""
    rows = list(range(len(figure.names)))
    data = [
        {
            "type": "bar",
            "orientation": "h",
            **named(part),
            "x": numbers(shares),
            "y": rows,
            "marker": {"color": colour},
            "texttemplate": "%{x:.0%}",
            "textposition": "inside",
            "insidetextanchor": "middle",
            "textangle": 0,  # where there is no room for that there is no number
            "customdata": [plain(name) for name in figure.names],
            "hovertemplate": "%{customdata}: %{x:.1%} %{meta[0]}<extra></extra>",
        }
        for part, colour, shares in zip(figure.parts, stacked(figure), figure.shares.T, strict=True)
    ]
    layout = rows_layout(figure, figure.names, figure.y_label, figure.x_label)
    layout |= {"barmode": "stack", "bargap": 0.2, "uniformtext": {"mode": "hide", "minsize": 9}}
    layout["xaxis"] |= {"range": [0, 1], "tickformat": ".0%"}
    layout["legend"] = {"traceorder": "normal"}
    layout["height"] = max(layout["height"], PIXELS * (0.2 * len(figure.parts) + 1.4))
    return data, layout


def histogram_traces(figure: Histogram) -> Plot:
    """Draw a bar for each bin."""
    counts, edges = np.histogram(figure.values, bins=figure.bins)
    bars = {
        "type": "bar",
        "x": numbers((edges[:-1] + edges[1:]) / 2),
        "y": counts.tolist(),
        "width": numbers(np.diff(edges)),
        "hovertext": [f"{low:.6g} to {high:.6g}" for low, high in pairwise(edges)],
        "hoverinfo": "text+y",
        "marker": {"line": {"color": "white", "width": 0.5}},
    }
    return [bars], plane(figure, 5, figure.x_label, "count")


def heatmap_traces(figure: Heatmap) -> Plot:
    """Draw a cell for each row and column."""
    r, c = figure.values.shape
    spoken = r * c <= SPOKEN
    rows, columns = ([plain(name) for name in names] for names in (figure.rows, figure.columns))
    cells: dict[str, Any] = {
        "type": "heatmap",
        "z": [numbers(row) for row in figure.values],
        "colorscale": "Viridis",
        "colorbar": {"title": {"text": plain(figure.value_label), "side": "right"}}
        | (HIGH_BAR if r > TALL else {}),
        "x": columns,
        "y": rows,
        "hovertemplate": "%{y}, %{x}: %{z:.4g}<extra></extra>",
    }
    if isinstance(figure, Contrasts):
        scale = np.linspace(0, 1, len(CONTRAST)).tolist()
        cells["colorscale"] = list(zip(scale, CONTRAST, strict=True))
        cells |= {"zmin": -reach(figure), "zmax": reach(figure)}
    if spoken:
        precision = ".2f" if isinstance(figure, Contrasts) else ".3g"
        cells |= {"texttemplate": f"%{{z:{precision}}}", "textfont": {"size": 12}}
    layout = rows_layout(figure, figure.rows, figure.x_label, figure.y_label)
    layout["xaxis"] |= {"type": "category", "tickvals": columns}
    layout["xaxis"] |= {"ticktext": [plain(name, ROW) for name in figure.columns]}
    layout["yaxis"] |= {"type": "category", "tickvals": rows}
    upright = max(map(len, figure.columns)) > (8 if spoken else 2)
    layout["xaxis"] |= {"tickangle": -90 if upright else 0}
    layout["xaxis"] |= {"tickfont": {"size": 1.3 * font_size(c)}, "showgrid": False}
    across, down = (0.7, 0.42) if spoken else (row_height(max(r, c)),) * 2
    layout["width"] = PIXELS * max(7.2, c * across + 2.2 + longest(figure.rows))
    layout["height"] = PIXELS * max(3.4, r * down + 1.8 + upright * longest(figure.columns))
    layout |= headed(figure.title, layout["width"])
    return [cells], layout


def dendrogram_traces(figure: Dendrogram) -> Plot:
    """Draw a tree."""
    places, heights, colours, names = branches(figure)
    data = []
    for colour in dict.fromkeys(colours):
        own = np.flatnonzero([one == colour for one in colours])
        gap = np.full((len(own), 1), np.nan)  # between one join and the next
        data.append(
            {
                "mode": "lines",
                "x": numbers(np.hstack([heights[own], gap]).ravel()),
                "y": numbers(np.hstack([places[own], gap]).ravel()),
                "line": {"color": colour, "width": 1.5},
                "hoverinfo": "x",
                "showlegend": False,
            }
        )
    layout = rows_layout(figure, names, f"height, cut at {figure.cut:.4g}", "")
    layout["xaxis"]["range"] = [0, 1.03 * max(heights.max(initial=0), figure.cut)]
    layout["shapes"] = [upright(figure.cut)]
    return data, layout
