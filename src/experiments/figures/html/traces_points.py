"""Maps, scatters and silhouettes in plotly's own words."""

import numpy as np

from experiments.figures.html.layout import Plot, named, numbers, plain, plane, upright
from experiments.figures.specs import Map, Scatter, Silhouettes, Space
from experiments.figures.style import (
    CROWD,
    GROUPED,
    MARKERS,
    TALL,
    called,
    clusters,
    font_size,
    profiles,
    proportions,
    row_height,
    styles,
)

MANY = 5_000  # points from which WebGL draws them
TICKS = 8  # of the longest side of a space
FLUID = 2_000  # from which it draws a map, where one moves about
SOLIDS = ("circle", "square", "diamond", "cross", "x")  # the markers that there are in space


def scatter_traces(figure: Scatter) -> Plot:
    """Draw points by group."""
    groups, hover = np.array(figure.groups), np.array(figure.hover)
    names = list(dict.fromkeys(figure.groups))
    data = []
    for name, (colour, marker) in zip(names, styles(len(names)), strict=True):
        own = groups == name
        data.append(
            {
                "type": "scattergl" if len(groups) > MANY else "scatter",
                "mode": "markers",
                **named(str(name)),
                "x": numbers(figure.x[own]),
                "y": numbers(figure.y[own]),
                "text": [plain(text) for text in hover[own].tolist()],
                "hovertemplate": "(%{x}, %{y})<br>%{text}<extra>%{meta[0]}</extra>",
                "marker": {"color": colour, "symbol": MARKERS[marker], "size": 6, "opacity": 0.75},
            }
        )
    return data, plane(figure, 6.5, figure.x_label, figure.y_label)


def map_traces(figure: Map) -> Plot:
    """Draw points by cluster; each knows its row, for the page to tell what it is."""
    kind = "scattergl" if len(figure.x) > FLUID else "scatter"
    crowd = len(figure.beside) > CROWD
    size = 8 if len(figure.x) <= FLUID else 6 if len(figure.x) <= 3 * MANY else 4
    data = []
    for cluster, rows, colour, marker in clusters(figure):
        look = {"color": colour, "symbol": MARKERS[marker], "size": size, "opacity": 0.75}
        trace = {
            "type": kind,
            "mode": "markers+text" if figure.beside else "markers",
            "name": called(cluster, len(rows)),
            "x": numbers(figure.x[rows]),
            "y": numbers(figure.y[rows]),
            "customdata": rows.tolist(),
            "hoverinfo": "none",
            "marker": look,
            "legendrank": 2000 if cluster < 0 else 1000,
        }
        if figure.beside:
            beside = [plain(figure.beside[row]) for row in rows]
            trace |= {"text": beside, "textposition": "top center", "textfont": {"size": 9 if crowd else 10}}
        data.append(trace)
    layout = plane(figure, 11 if crowd else 7.5, figure.x_label, figure.y_label)
    layout["legend"] = {"title": {"text": "cluster (size)"}, "itemsizing": "constant"}
    layout["yaxis"] |= {"scaleanchor": "x"}  # a map's distances are the same both ways
    layout["showlegend"] = True
    return data, layout


def space_traces(figure: Space) -> Plot:
    """Draw points of three dimensions by cluster; each knows its row, as on a map."""
    size = 5 if len(figure.x) <= FLUID else 3 if len(figure.x) <= MANY else 2
    solids = SOLIDS if len(figure.x) <= FLUID else SOLIDS[1:]  # a circle is dozens of triangles to turn
    data = []
    for cluster, rows, colour, marker in clusters(figure):
        symbol = solids[list(MARKERS).index(marker) % len(solids)]
        trace = {
            "type": "scatter3d",
            "mode": "markers+text" if figure.beside else "markers",
            "name": called(cluster, len(rows)),
            "x": numbers(figure.x[rows]),
            "y": numbers(figure.y[rows]),
            "z": numbers(figure.z[rows]),
            "customdata": rows.tolist(),
            "hoverinfo": "none",
            "marker": {"color": colour, "symbol": symbol, "size": size},
            "legendrank": 2000 if cluster < 0 else 1000,
        }
        if figure.beside:
            trace |= {"text": [plain(figure.beside[row]) for row in rows], "textfont": {"size": 10}}
        data.append(trace)
    layout = plane(figure, 8, "", "")
    labels = {"x": figure.x_label, "y": figure.y_label, "z": figure.z_label}
    sides = dict(zip("xyz", proportions(figure), strict=True))  # aspectmode data lets a long one leave sight
    axes = {
        f"{name}axis": {"title": {"text": plain(label)}, "nticks": 1 + round(TICKS * sides[name])}
        for name, label in labels.items()
    }
    far = float(np.linalg.norm(list(sides.values()))) / 3**0.5  # nearer to what is long and thin
    layout["scene"] = axes | {"aspectmode": "manual", "aspectratio": sides, "dragmode": "orbit"}
    layout["scene"]["camera"] = {
        "eye": {"x": 1.6 * far, "y": 1.6 * far, "z": 1.1 * far}
    }  # all of it in sight
    layout["legend"] = {"title": {"text": "cluster (size)"}, "itemsizing": "constant"}
    layout["showlegend"] = True
    del layout["xaxis"], layout["yaxis"]
    return data, layout


def silhouette_traces(figure: Silhouettes) -> Plot:
    """Draw the profile of each cluster as bars without gaps."""
    names = [called(*pair) for pair in zip(figure.clusters, figure.sizes, strict=True)]
    x, y, width, colours, texts, middles, bottom = [], [], [], [], [], [], 0.0
    for number, (top, bottom, values) in enumerate(profiles(figure)):
        edges = np.linspace(top, bottom, len(values) + 1)
        x += numbers(values)
        y += numbers((edges[:-1] + edges[1:]) / 2)
        width += numbers(np.diff(edges))
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
    layout = plane(figure, max(3.0, bottom + 1.6), label, "cluster (size)")
    margin = row_height(len(names)) / 2
    layout["yaxis"] |= {
        "tickvals": numbers(middles),
        "ticktext": names,
        "tickfont": {"size": 1.3 * font_size(len(names))},
        "range": [bottom + margin, -margin],
        "showgrid": False,
    }
    layout["xaxis"]["side"] = "top" if len(names) > TALL else "bottom"
    layout["shapes"] = [upright(figure.mean)]
    return [bars], layout
