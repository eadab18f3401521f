"""Parts of plotly layouts that all figures share."""

import html
import textwrap
from collections.abc import Iterable
from typing import Any

from experiments.figures.specs import Figure
from experiments.figures.style import (
    COLOURS,
    LEGEND_LETTERS,
    ROW_LETTERS,
    TOP_AXIS_ROWS,
    font_size,
    row_height,
    shorten,
)

Plot = tuple[list[dict[str, Any]], dict[str, Any]]
PIXELS = 100  # per inch
PAGE_WIDTH = 1000  # width of a title in pixels, if the figure is as wide as the window
BUTTONS_WIDTH = 250  # pixels of plotly's buttons next to the title
LETTER, LINE = 8.5, 22  # pixels of a letter and of a line of a title


def escape_html(text: str, max_letters: int = 0) -> str:
    """Escape a text for plotly, which reads texts as HTML; shorten it to `max_letters` unless 0."""
    return html.escape(shorten(text, max_letters) if max_letters else text, quote=False)


def title_layout(text: str, width: float = PAGE_WIDTH) -> dict[str, Any]:
    """Return the layout of a title, wrapped to fit next to plotly's buttons, with its margin.

    plotly's automargin would move a title of several lines out of sight.
    """
    lines = textwrap.wrap(text, int((width - BUTTONS_WIDTH) / LETTER), break_on_hyphens=False)
    position = {"x": 0, "xanchor": "left", "yref": "container", "y": 1, "yanchor": "top"}
    content = {"text": "<br>".join(map(escape_html, lines)), "pad": {"t": 12, "l": 12, "b": 12}}
    return {
        "title": position | content,
        "margin": {"t": 38 + LINE * max(1, len(lines)), "r": 30, "b": 50, "l": 60},
    }


def trace_name(name: str) -> dict[str, Any]:
    """Return a trace's name, shortened for the legend and in full as `%{meta[0]}` for hover templates."""
    return {"name": escape_html(name, LEGEND_LETTERS), "meta": [escape_html(name)]}


def xy_layout(figure: Figure, height: float, x_label: str, y_label: str) -> dict[str, Any]:
    """Return a layout with two labelled axes, `height` inches high."""
    axis = {"automargin": True, "gridcolor": "#e5e5e5", "zeroline": False}
    return title_layout(figure.title) | {
        "height": PIXELS * height,
        "hovermode": "closest",
        "colorway": COLOURS,
        "xaxis": axis | {"title": {"text": escape_html(x_label), "standoff": 12}},
        "yaxis": axis | {"title": {"text": escape_html(y_label), "standoff": 12}},
    }


def rows_layout(figure: Figure, names: list[str], x_label: str, y_label: str) -> dict[str, Any]:
    """Return a layout with a labelled row for each name, high enough to read all names."""
    layout = xy_layout(figure, max(3.0, len(names) * row_height(len(names)) + 1.4), x_label, y_label)
    layout["yaxis"] |= {
        "tickvals": list(range(len(names))),
        "ticktext": [escape_html(name, ROW_LETTERS) for name in names],
        "tickfont": {"size": 1.3 * font_size(len(names))},
        "range": [len(names) - 0.5, -0.5],
        "showgrid": False,
    }
    layout["xaxis"]["side"] = "top" if len(names) > TOP_AXIS_ROWS else "bottom"
    return layout


def vertical_line(x: float) -> dict[str, Any]:
    """Return a vertical dotted line at x."""
    line = {"dash": "dot", "width": 1, "color": "#444444"}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def json_numbers(values: Iterable[float]) -> list[float | None]:
    """Return numbers for JSON, rounded to six digits to save bytes; None for nan, which leaves a gap."""
    return [None if value != value else float(f"{value:.6g}") for value in map(float, values)]
