"""The sheet of paper that matplotlib draws on."""

import textwrap
from typing import TYPE_CHECKING, Any

from experiments.figures.looks import font_size, row_height

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

DPI = 110
WIDTH = 7.2  # inches, as all sizes here


def axis_of(canvas: "Canvas", title: str, width: float, height: float) -> Any:
    """Return an axis of so many inches under a title."""
    canvas.set_size_inches(width, height)
    axis = canvas.subplots()
    axis.set_axisbelow(True)
    axis.grid(alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)
    canvas.suptitle(wrapped(title, width), size=11)
    return axis


def wrapped(title: str, width: float) -> str:
    """Break a title into lines that fit so many inches."""
    return textwrap.fill(title, int(width * 11), break_on_hyphens=False)


def rows_of(canvas: "Canvas", title: str, names: list[str], *, beside: float = 0) -> Any:
    """Return an axis with a labelled row for each name, high enough to read all, and what is `beside`."""
    high = max(1.3, len(names) * row_height(len(names)), beside)
    axis = axis_of(canvas, title, WIDTH, high + 1.1)
    axis.set_yticks(range(len(names)), names, size=font_size(len(names)))
    return axis
