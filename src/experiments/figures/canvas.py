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
    canvas.suptitle(textwrap.fill(title, int(width * 11), break_on_hyphens=False), size=11)
    return axis


def rows_of(canvas: "Canvas", title: str, names: list[str]) -> Any:
    """Return an axis with a labelled row for each name, high enough to read them all."""
    axis = axis_of(canvas, title, WIDTH, max(2.4, len(names) * row_height(len(names)) + 1.1))
    axis.set_yticks(range(len(names)), names, size=font_size(len(names)))
    return axis
