"""Set up matplotlib figures: size, title, axis and row labels."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiments.figures.style import LEGEND_LETTERS, ROW_LETTERS, font_size, label_width, row_height, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

DPI = 110
WIDTH = 7.2  # inches, like all sizes in this module


def new_axis(canvas: "Canvas", title: str, width: float, height: float) -> Any:
    """Return an axis below a title; width and height of the figure are in inches."""
    canvas.set_size_inches(width, height)
    axis = canvas.subplots()
    axis.set_axisbelow(True)
    axis.grid(alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)
    canvas.suptitle(wrap_title(title, width), size=11)
    return axis


def wrap_title(title: str, width: float) -> str:
    """Wrap a title to a width in inches."""
    return escape_text(textwrap.fill(title, int(width * 11), break_on_hyphens=False))


def escape_text(text: str) -> str:
    """Escape a text for matplotlib.

    Text between two `$` would be set as mathematics. A legend skips names that start with `_`, so they get a
    zero-width space.
    """
    return ("\u200b" if text.startswith("_") else "") + text.replace("$", r"\$")


def new_row_axis(canvas: "Canvas", title: str, names: list[str], legend: Sequence[str] = ()) -> Any:
    """Return an axis with a labelled row for each name, large enough for all names and the legend."""
    rows_height = max(1.3, len(names) * row_height(len(names)), 0.19 * len(legend))
    labels_width = max(0.0, label_width(names) - 1) + max(0.0, label_width(legend, LEGEND_LETTERS) - 1)
    axis = new_axis(canvas, title, WIDTH + labels_width, rows_height + 1.1)
    axis.set_yticks(
        range(len(names)),
        [escape_text(shorten(name, ROW_LETTERS)) for name in names],
        size=font_size(len(names)),
    )
    return axis
