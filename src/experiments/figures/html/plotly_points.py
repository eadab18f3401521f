"""Maps, scatter plots and silhouette plots as traces and layouts for plotly.js."""

import numpy as np

from experiments.figures.html.layout import (
    Plot,
    escape_html,
    json_numbers,
    trace_name,
    vertical_line,
    xy_layout,
)
from experiments.figures.specs import Map, Map3d, Scatter, Silhouettes
from experiments.figures.style import (
    CROWDED_NAMES,
    GROUPED,
    MARKERS,
    TOP_AXIS_ROWS,
    box_sides,
    cluster_label,
    cluster_styles,
    font_size,
    group_styles,
    map_label,
    profiles,
    row_height,
)

MANY_POINTS = 5_000  # more points than this are drawn with WebGL
TICKS = 8  # on the longest side of a 3-d plot
FLUID_POINTS = 2_000  # more points of a map than this are drawn with WebGL, for fast panning
SYMBOLS_3D = ("circle", "square", "diamond", "cross", "x")  # markers that plotly has in 3-d plots


def scatter_traces(figure: Scatter) -> Plot:
    """Draw points by group."""
    groups, hover = np.array(figure.groups), np.array(figure.hover)
    names = list(dict.fromkeys(figure.groups))
    data = []
    for name, (colour, marker) in zip(names, group_styles(len(names)), strict=True):
        rows = groups == name
        data.append(
            {
                "type": "scattergl" if len(groups) > MANY_POINTS else "scatter",
                "mode": "markers",
                **trace_name(str(name)),
                "x": json_numbers(figure.x[rows]),
                "y": json_numbers(figure.y[rows]),
                "text": [escape_html(text) for text in hover[rows].tolist()],
                "hovertemplate": "(%{x}, %{y})<br>%{text}<extra>%{meta[0]}</extra>",
                "marker": {"color": colour, "symbol": MARKERS[marker], "size": 6, "opacity": 0.75},
            }
        )
    return data, xy_layout(figure, 6.5, figure.x_label, figure.y_label)


def map_traces(figure: Map) -> Plot:
    """Draw points by cluster; `customdata` has the row of each point, for the hover card."""
    kind = "scattergl" if len(figure.x) > FLUID_POINTS else "scatter"
    crowded = len(figure.point_names) > CROWDED_NAMES
    size = 8 if len(figure.x) <= FLUID_POINTS else 6 if len(figure.x) <= 3 * MANY_POINTS else 4
    data = []
    for cluster, rows, colour, marker in cluster_styles(figure):
        style = {"color": colour, "symbol": MARKERS[marker], "size": size, "opacity": 0.75}
        trace = {
            "type": kind,
            "mode": "markers+text" if figure.point_names else "markers",
            "name": escape_html(map_label(figure, cluster, len(rows))),
            "x": json_numbers(figure.x[rows]),
            "y": json_numbers(figure.y[rows]),
            "customdata": rows.tolist(),
            "hoverinfo": "none",
            "marker": style,
            "legendrank": 2000 if cluster < 0 else 1000,
        }
        if figure.point_names:
            texts = [escape_html(figure.point_names[row]) for row in rows]
            trace |= {"text": texts, "textposition": "top center", "textfont": {"size": 9 if crowded else 10}}
        data.append(trace)
    layout = xy_layout(figure, 11 if crowded else 7.5, figure.x_label, figure.y_label)
    layout["legend"] = {"title": {"text": "cluster (size)"}, "itemsizing": "constant"}
    layout["yaxis"] |= {"scaleanchor": "x"}  # equal scales, as distances matter
    layout["showlegend"] = True
    return data, layout


def map3d_traces(figure: Map3d) -> Plot:
    """Draw points in three dimensions by cluster; `customdata` has the row of each point."""
    size = 5 if len(figure.x) <= FLUID_POINTS else 3 if len(figure.x) <= MANY_POINTS else 2
    symbols = SYMBOLS_3D if len(figure.x) <= FLUID_POINTS else SYMBOLS_3D[1:]  # circles are slow to rotate
    data = []
    for cluster, rows, colour, marker in cluster_styles(figure):
        symbol = symbols[list(MARKERS).index(marker) % len(symbols)]
        trace = {
            "type": "scatter3d",
            "mode": "markers+text" if figure.point_names else "markers",
            "name": escape_html(map_label(figure, cluster, len(rows))),
            "x": json_numbers(figure.x[rows]),
            "y": json_numbers(figure.y[rows]),
            "z": json_numbers(figure.z[rows]),
            "customdata": rows.tolist(),
            "hoverinfo": "none",
            "marker": {"color": colour, "symbol": symbol, "size": size},
            "legendrank": 2000 if cluster < 0 else 1000,
        }
        if figure.point_names:
            trace |= {
                "text": [escape_html(figure.point_names[row]) for row in rows],
                "textfont": {"size": 10},
            }
        data.append(trace)
    layout = xy_layout(figure, 8, "", "")
    labels = {"x": figure.x_label, "y": figure.y_label, "z": figure.z_label}
    sides = dict(zip("xyz", box_sides(figure), strict=True))  # aspectmode=data would hide ends of a long side
    axes = {
        f"{name}axis": {"title": {"text": escape_html(label)}, "nticks": 1 + round(TICKS * sides[name])}
        for name, label in labels.items()
    }
    distance = float(np.linalg.norm(list(sides.values()))) / 3**0.5  # closer to long thin boxes
    layout["scene"] = axes | {"aspectmode": "manual", "aspectratio": sides, "dragmode": "orbit"}
    eye = {"x": 1.6 * distance, "y": 1.6 * distance, "z": 1.1 * distance}  # shows the whole box
    layout["scene"]["camera"] = {"eye": eye}
    layout["legend"] = {"title": {"text": "cluster (size)"}, "itemsizing": "constant"}
    layout["showlegend"] = True
    del layout["xaxis"], layout["yaxis"]
    return data, layout


def silhouette_traces(figure: Silhouettes) -> Plot:
    """Draw the profile of each cluster as bars without gaps."""
    names = [cluster_label(*pair) for pair in zip(figure.clusters, figure.sizes, strict=True)]
    x, y, width, colours, texts, middles, bottom = [], [], [], [], [], [], 0.0
    for number, (top, bottom, values) in enumerate(profiles(figure)):
        edges = np.linspace(top, bottom, len(values) + 1)
        x += json_numbers(values)
        y += json_numbers((edges[:-1] + edges[1:]) / 2)
        width += json_numbers(np.diff(edges))
        colours += [GROUPED[number % len(GROUPED)]] * len(values)
        texts += [f"cluster {names[number]}"] * len(values)
        middles.append((top + bottom) / 2)
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": x,
        "y": y,
        "width": width,
        "marker": {"color": colours, "line": {"width": 0}},
        "hovertext": texts,
        "hoverinfo": "text+x",
    }
    label = f"silhouette; the line is the mean of all, {figure.mean:.3g}"
    layout = xy_layout(figure, max(3.0, bottom + 1.6), label, "cluster (size)")
    margin = row_height(len(names)) / 2
    layout["yaxis"] |= {
        "tickvals": json_numbers(middles),
        "ticktext": names,
        "tickfont": {"size": 1.3 * font_size(len(names))},
        "range": [bottom + margin, -margin],
        "showgrid": False,
    }
    layout["xaxis"]["side"] = "top" if len(names) > TOP_AXIS_ROWS else "bottom"
    layout["shapes"] = [vertical_line(figure.mean)]
    return [bars], layout
