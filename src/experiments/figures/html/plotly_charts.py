"""Charts as traces and layouts for plotly.js."""

from itertools import pairwise
from typing import Any

import numpy as np

from experiments.figures.html.layout import (
    PIXELS,
    Plot,
    escape_html,
    json_numbers,
    rows_layout,
    title_layout,
    trace_name,
    vertical_line,
    xy_layout,
)
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
    MARKERS,
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
    tree_layout,
)

WIDE_CELLS = 12  # largest number of columns with wide cells; more fit a window of 1280 pixels
HIGH_BAR = {"len": 400, "lenmode": "pixels", "y": 1, "yanchor": "top"}


def lines_traces(figure: Lines) -> Plot:
    """Draw curves over one x."""
    mode = "lines+markers" if len(figure.x) <= 30 else "lines"
    data: list[dict[str, Any]] = []
    for (name, values), (colour, _), symbol in zip(
        figure.series.items(),
        group_styles(len(figure.series)),
        list(MARKERS.values()) * len(figure.series),
        strict=False,
    ):
        line = {"color": colour, "dash": "dash" if name in figure.dashed else "solid"}
        marker = {"symbol": symbol, "size": 8}
        style = trace_name(name) | {"mode": mode, "marker": marker, "line": line, "legendgroup": name}
        style["hovertemplate"] = "(%{x}, %{y})<extra>%{meta[0]}</extra>"
        data += _band(figure, name, colour)
        data.append({"x": json_numbers(figure.x), "y": json_numbers(values)} | style)
    layout = xy_layout(figure, 5, figure.x_label, figure.y_label)
    layout["xaxis"]["type"] = "log" if figure.log_x else "linear"
    finite = [value for values in figure.series.values() for value in values if value == value]
    if finite and finite[0] > 0 and min(finite) == max(finite) and not figure.low:
        layout["yaxis"]["range"] = [0, 2 * finite[0]]  # plotly would show 1 below to 1 above
    if figure.ticks or len(figure.x) <= MAX_X_TICKS:
        ticks = [escape_html(tick) for tick in figure.ticks] or [f"{x:g}" for x in figure.x]
        layout["xaxis"] |= {"tickvals": figure.x, "ticktext": ticks}
    layout["shapes"] = [vertical_line(x) for x in figure.marks.values()]
    layout["annotations"] = [
        {
            "x": float(np.log10(x)) if figure.log_x else x,  # on log axes, annotations take the logarithm
            "y": 0,
            "yref": "paper",
            "yanchor": "bottom",
            "xanchor": "right",
            "text": escape_html(name),
            "bgcolor": "rgba(255, 255, 255, 0.8)",
            "textangle": -90,
            "showarrow": False,
        }
        for name, x in figure.marks.items()
    ]
    return data, layout


def _band(figure: Lines, name: str, colour: str) -> list[dict[str, Any]]:
    """Return the band of a curve's interval, without nan; a click on the legend hides it with its curve."""
    ends = zip(figure.x, figure.low.get(name, ()), figure.high.get(name, ()), strict=False)
    finite = [end for end in ends if end[1] == end[1] and end[2] == end[2]]
    if not finite:
        return []
    x, low, high = map(list, zip(*finite, strict=True))
    band = {"x": json_numbers([*x, *x[::-1]]), "y": json_numbers([*high, *low[::-1]]), "mode": "lines"}
    style = {"fill": "toself", "fillcolor": colour, "opacity": BAND_OPACITY, "line": {"width": 0}}
    return [band | style | {"legendgroup": name, "showlegend": False, "hoverinfo": "skip"}]


def bars_traces(figure: Bars) -> Plot:
    """Draw a bar for each name."""
    rows = list(range(len(figure.names)))
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": json_numbers(figure.values),
        "y": rows,
        "text": [format_value(value) for value in figure.values],
        "textposition": "outside",
        "hovertext": [escape_html(name) for name in figure.names],
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
            **trace_name(part),
            "x": json_numbers(shares),
            "y": rows,
            "marker": {"color": colour},
            "texttemplate": "%{x:.0%}",
            "textposition": "inside",
            "insidetextanchor": "middle",
            "textangle": 0,  # hide values that do not fit horizontally
            "customdata": [escape_html(name) for name in figure.names],
            "hovertemplate": "%{customdata}: %{x:.1%} %{meta[0]}<extra></extra>",
        }
        for part, colour, shares in zip(figure.parts, part_colours(figure), figure.shares.T, strict=True)
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
        "x": json_numbers((edges[:-1] + edges[1:]) / 2),
        "y": counts.tolist(),
        "width": json_numbers(np.diff(edges)),
        "hovertext": [f"{low:.6g} to {high:.6g}" for low, high in pairwise(edges)],
        "hoverinfo": "text+y",
        "marker": {"line": {"color": "white", "width": 0.5}},
    }
    return [bars], xy_layout(figure, 5, figure.x_label, "count")


def heatmap_traces(figure: Heatmap) -> Plot:
    """Draw a cell for each row and column."""
    r, c = figure.values.shape
    annotated = r * c <= ANNOTATED_CELLS
    rows, columns = ([escape_html(name) for name in names] for names in (figure.rows, figure.columns))
    cells: dict[str, Any] = {
        "type": "heatmap",
        "z": [json_numbers(row) for row in figure.values],
        "colorscale": "Viridis",
        "colorbar": {"title": {"text": escape_html(figure.value_label), "side": "right"}}
        | (HIGH_BAR if r > TOP_AXIS_ROWS else {}),
        "x": columns,
        "y": rows,
        "hovertemplate": "%{y}, %{x}: %{z:.4g}<extra></extra>",
    }
    if isinstance(figure, DivergingHeatmap):
        scale = np.linspace(0, 1, len(DIVERGING)).tolist()
        cells["colorscale"] = list(zip(scale, DIVERGING, strict=True))
        cells |= {"zmin": -max_abs(figure), "zmax": max_abs(figure)}
    if annotated:
        precision = ".2f" if isinstance(figure, DivergingHeatmap) else ".3g"
        cells |= {"texttemplate": f"%{{z:{precision}}}", "textfont": {"size": 12}}
    layout = rows_layout(figure, figure.rows, figure.x_label, figure.y_label)
    layout["xaxis"] |= {"type": "category", "tickvals": columns}
    layout["xaxis"] |= {"ticktext": [escape_html(name, ROW_LETTERS) for name in figure.columns]}
    layout["yaxis"] |= {"type": "category", "tickvals": rows}
    rotated = max(map(len, figure.columns)) > (8 if annotated else 2)
    layout["xaxis"] |= {"tickangle": -90 if rotated else 0}
    layout["xaxis"] |= {"tickfont": {"size": 1.3 * font_size(c)}, "showgrid": False}
    across, down = (0.7 if c <= WIDE_CELLS else 0.5, 0.42) if annotated else (row_height(max(r, c)),) * 2
    layout["width"] = PIXELS * max(7.2, c * across + 2.2 + label_width(figure.rows))
    layout["height"] = PIXELS * max(3.4, r * down + 1.8 + rotated * label_width(figure.columns))
    layout |= title_layout(figure.title, layout["width"])
    return [cells], layout


def dendrogram_traces(figure: Dendrogram) -> Plot:
    """Draw a tree."""
    positions, heights, colours, names = tree_layout(figure)
    data = []
    for colour in dict.fromkeys(colours):
        joins = np.flatnonzero([join_colour == colour for join_colour in colours])
        gap = np.full((len(joins), 1), np.nan)  # between two joins
        data.append(
            {
                "mode": "lines",
                "x": json_numbers(np.hstack([heights[joins], gap]).ravel()),
                "y": json_numbers(np.hstack([positions[joins], gap]).ravel()),
                "line": {"color": colour, "width": 1.5},
                "hoverinfo": "x",
                "showlegend": False,
            }
        )
    layout = rows_layout(figure, names, f"height, cut at {figure.cut:.4g}", "")
    layout["xaxis"]["range"] = [0, 1.03 * max(heights.max(initial=0), figure.cut)]
    layout["shapes"] = [vertical_line(figure.cut)]
    return data, layout
