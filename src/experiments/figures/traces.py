"""A picture in plotly's own words: the traces and the layout that plotly.js draws."""

from collections.abc import Iterable
from functools import singledispatch
from itertools import pairwise
from typing import Any

import numpy as np

from experiments.figures.looks import (
    ALL_TICKS,
    COLOURS,
    MARKERS,
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
    Heatmap,
    Histogram,
    Lines,
    Scatter,
)
from experiments.types import Figure

Plot = tuple[list[dict[str, Any]], dict[str, Any]]
PIXELS = 100  # an inch on a page
MANY = 5_000  # points from which WebGL draws them
HIGH_BAR = {"len": 400, "lenmode": "pixels", "y": 1, "yanchor": "top"}


@singledispatch
def traces(figure: Figure) -> Plot:
    """Return plotly's traces and layout of a picture."""
    raise TypeError(f"{type(figure).__name__} is no kind of picture")


@traces.register(Lines)
def _lines(figure: Lines) -> Plot:
    mode = "lines+markers" if len(figure.x) <= 30 else "lines"
    data = [
        {
            "x": _numbers(figure.x),
            "y": _numbers(values),
            "name": name,
            "mode": mode,
            "marker": {"symbol": symbol, "size": 8},
            "line": {"color": colour, "dash": "dash" if name in figure.dashed else "solid"},
        }
        for (name, values), (colour, _), symbol in zip(
            figure.series.items(),
            styles(len(figure.series)),
            list(MARKERS.values()) * len(figure.series),
            strict=False,
        )
    ]
    layout = _layout(figure, 5, figure.x_label, figure.y_label)
    layout["xaxis"]["type"] = "log" if figure.log_x else "linear"
    if figure.ticks or len(figure.x) <= ALL_TICKS:
        layout["xaxis"] |= {"tickvals": figure.x, "ticktext": figure.ticks or [f"{x:g}" for x in figure.x]}
    layout["shapes"] = [_upright(x) for x in figure.marks.values()]
    layout["annotations"] = [
        {
            "x": float(np.log10(x)) if figure.log_x else x,  # shapes take x itself, annotations its logarithm
            "y": 0,
            "yref": "paper",
            "yanchor": "bottom",
            "xanchor": "right",
            "text": name,
            "textangle": -90,
            "showarrow": False,
        }
        for name, x in figure.marks.items()
    ]
    return data, layout


@traces.register(Bars)
def _bars(figure: Bars) -> Plot:
    places = list(range(len(figure.names)))
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": _numbers(figure.values),
        "y": places,
        "text": [f"{value:.4g}" for value in figure.values],
        "textposition": "outside",
        "hovertext": figure.names,
        "hoverinfo": "text+x",
        "cliponaxis": False,
    }
    return [bars], _rows(figure, figure.names, figure.y_label, figure.x_label)


@traces.register(Histogram)
def _histogram(figure: Histogram) -> Plot:
    counts, edges = np.histogram(figure.values, bins=figure.bins)
    bars = {
        "type": "bar",
        "x": _numbers((edges[:-1] + edges[1:]) / 2),
        "y": counts.tolist(),
        "width": _numbers(np.diff(edges)),
        "hovertext": [f"{low:.6g} to {high:.6g}" for low, high in pairwise(edges)],
        "hoverinfo": "text+y",
        "marker": {"line": {"color": "white", "width": 0.5}},
    }
    return [bars], _layout(figure, 5, figure.x_label, "count")


@traces.register(Heatmap)
def _heatmap(figure: Heatmap) -> Plot:
    r, c = figure.values.shape
    spoken = r * c <= SPOKEN
    cells = {
        "type": "heatmap",
        "z": [_numbers(row) for row in figure.values],
        "colorscale": "Viridis",
        "colorbar": {"title": {"text": figure.value_label, "side": "right"}} | (HIGH_BAR if r > TALL else {}),
        "x": figure.columns,
        "y": figure.rows,
        "hovertemplate": "%{y}, %{x}: %{z:.4g}<extra></extra>",
    }
    if spoken:
        cells |= {"texttemplate": "%{z:.3g}", "textfont": {"size": 12}}
    layout = _rows(figure, figure.rows, "", "")
    layout["xaxis"] |= {"type": "category", "tickvals": figure.columns, "ticktext": figure.columns}
    layout["yaxis"] |= {"type": "category", "tickvals": figure.rows}
    upright = max(map(len, figure.columns)) > (8 if spoken else 2)
    layout["xaxis"] |= {"tickangle": -90 if upright else 0}
    layout["xaxis"] |= {"tickfont": {"size": 1.3 * font_size(c)}, "showgrid": False}
    layout["width"] = PIXELS * max(5.0, c * (0.7 if spoken else row_height(max(r, c))) + 2.6)
    layout["height"] = PIXELS * max(3.4, r * (0.42 if spoken else row_height(max(r, c))) + 2)
    return [cells], layout


@traces.register(Scatter)
def _scatter(figure: Scatter) -> Plot:
    groups, hover = np.array(figure.groups), np.array(figure.hover)
    names = list(dict.fromkeys(figure.groups))
    data = []
    for name, (colour, marker) in zip(names, styles(len(names)), strict=True):
        own = groups == name
        data.append(
            {
                "type": "scattergl" if len(groups) > MANY else "scatter",
                "mode": "markers",
                "name": name,
                "x": _numbers(figure.x[own]),
                "y": _numbers(figure.y[own]),
                "text": hover[own].tolist(),
                "marker": {"color": colour, "symbol": MARKERS[marker], "size": 6, "opacity": 0.75},
            }
        )
    return data, _layout(figure, 6.5, figure.x_label, figure.y_label)


@traces.register(Dendrogram)
def _dendrogram(figure: Dendrogram) -> Plot:
    places, heights, colours, names = branches(figure)
    data = []
    for colour in dict.fromkeys(colours):
        own = np.flatnonzero([one == colour for one in colours])
        gap = np.full((len(own), 1), np.nan)  # between one join and the next
        data.append(
            {
                "mode": "lines",
                "x": _numbers(np.hstack([heights[own], gap]).ravel()),
                "y": _numbers(np.hstack([places[own], gap]).ravel()),
                "line": {"color": colour, "width": 1.5},
                "hoverinfo": "x",
                "showlegend": False,
            }
        )
    layout = _rows(figure, names, f"height, cut at {figure.cut:.4g}", "")
    layout["xaxis"]["range"] = [0, 1.03 * max(heights.max(initial=0), figure.cut)]
    layout["shapes"] = [_upright(figure.cut)]
    return data, layout


def _layout(figure: Figure, height: float, x: str, y: str) -> dict[str, Any]:
    axis = {"automargin": True, "gridcolor": "#e5e5e5", "zeroline": False}
    return {
        "title": {
            "text": figure.title,
            "x": 0,
            "xanchor": "left",
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "pad": {"t": 12, "l": 12, "b": 12},
            "automargin": True,
        },
        "height": PIXELS * height,
        "margin": {"t": 60, "r": 30, "b": 50, "l": 60},
        "hovermode": "closest",
        "colorway": COLOURS,
        "xaxis": axis | {"title": {"text": x, "standoff": 12}},
        "yaxis": axis | {"title": {"text": y, "standoff": 12}},
    }


def _rows(figure: Figure, names: list[str], x: str, y: str) -> dict[str, Any]:
    """Lay out a labelled row for each name, high enough to read them all."""
    layout = _layout(figure, max(3.0, len(names) * row_height(len(names)) + 1.4), x, y)
    layout["yaxis"] |= {
        "tickvals": list(range(len(names))),
        "ticktext": names,
        "tickfont": {"size": 1.3 * font_size(len(names))},
        "range": [len(names) - 0.5, -0.5],
        "showgrid": False,
    }
    layout["xaxis"]["side"] = "top" if len(names) > TALL else "bottom"
    return layout


def _upright(x: float) -> dict[str, Any]:
    line = {"dash": "dot", "width": 1, "color": "#444444"}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _numbers(values: Iterable[float]) -> list[float | None]:
    """Round to six figures, which no eye can tell from more; nan leaves a gap."""
    return [None if value != value else float(f"{value:.6g}") for value in map(float, values)]
