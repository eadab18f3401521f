"""What plotly's layouts of all pictures have in common."""

import html
import textwrap
from collections.abc import Iterable
from typing import Any

from experiments.figures.specs import Figure
from experiments.figures.style import COLOURS, LEGEND, ROW, TALL, font_size, row_height, short

Plot = tuple[list[dict[str, Any]], dict[str, Any]]
PIXELS = 100  # an inch on a page
WIDE = 1000  # pixels that a title is given where the page follows the window
BUTTONS = 250  # pixels of plotly's buttons, beside the title
LETTER, LINE = 8.5, 22  # pixels of a letter and of a line of a title


def plain(text: str, most: int = 0) -> str:
    """Spell a text, of at most so many letters if any are named, for plotly, which reads all text as HTML."""
    return html.escape(short(text, most) if most else text, quote=False)


def headed(text: str, width: float = WIDE) -> dict[str, Any]:
    """Lay out a title in lines that fit so many pixels beside plotly's buttons, and the margin they need.

    Not by plotly's automargin, which moves a title of several lines out of sight.
    """
    lines = textwrap.wrap(text, int((width - BUTTONS) / LETTER), break_on_hyphens=False)
    place = {"x": 0, "xanchor": "left", "yref": "container", "y": 1, "yanchor": "top"}
    words = {"text": "<br>".join(map(plain, lines)), "pad": {"t": 12, "l": 12, "b": 12}}
    return {
        "title": place | words,
        "margin": {"t": 38 + LINE * max(1, len(lines)), "r": 30, "b": 50, "l": 60},
    }


def named(name: str) -> dict[str, Any]:
    """Name a trace, short in the legend and whole at the pointer, which hover templates call `%{meta[0]}`."""
    return {"name": plain(name, LEGEND), "meta": [plain(name)]}


def plane(figure: Figure, height: float, x: str, y: str) -> dict[str, Any]:
    """Lay out two axes of these names, so many inches high."""
    axis = {"automargin": True, "gridcolor": "#e5e5e5", "zeroline": False}
    return headed(figure.title) | {
        "height": PIXELS * height,
        "hovermode": "closest",
        "colorway": COLOURS,
        "xaxis": axis | {"title": {"text": plain(x), "standoff": 12}},
        "yaxis": axis | {"title": {"text": plain(y), "standoff": 12}},
    }


def rows_layout(figure: Figure, names: list[str], x: str, y: str) -> dict[str, Any]:
    """Lay out a labelled row for each name, high enough to read them all."""
    layout = plane(figure, max(3.0, len(names) * row_height(len(names)) + 1.4), x, y)
    layout["yaxis"] |= {
        "tickvals": list(range(len(names))),
        "ticktext": [plain(name, ROW) for name in names],
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
