"""What plotly's layouts of all pictures have in common."""

from collections.abc import Iterable
from typing import Any

from experiments.figures.looks import COLOURS, TALL, font_size, row_height
from experiments.kept import Figure

Plot = tuple[list[dict[str, Any]], dict[str, Any]]
PIXELS = 100  # an inch on a page


def plane(figure: Figure, height: float, x: str, y: str) -> dict[str, Any]:
    """Lay out two axes of these names, so many inches high."""
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


def rows_layout(figure: Figure, names: list[str], x: str, y: str) -> dict[str, Any]:
    """Lay out a labelled row for each name, high enough to read them all."""
    layout = plane(figure, max(3.0, len(names) * row_height(len(names)) + 1.4), x, y)
    layout["yaxis"] |= {
        "tickvals": list(range(len(names))),
        "ticktext": names,
        "tickfont": {"size": 1.3 * font_size(len(names))},
        "range": [len(names) - 0.5, -0.5],
        "showgrid": False,
    }
    layout["xaxis"]["side"] = "top" if len(names) > TALL else "bottom"
    return layout


def upright(x: float) -> dict[str, Any]:
    """Describe a dotted line at x from bottom to top."""
    line = {"dash": "dot", "width": 1, "color": "#444444"}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def numbers(values: Iterable[float]) -> list[float | None]:
    """Round to six figures, which no eye can tell from more; nan leaves a gap."""
    return [None if value != value else float(f"{value:.6g}") for value in map(float, values)]
