"""The sheet of paper that matplotlib draws on."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiments.figures.style import LEGEND, ROW, font_size, longest, row_height, short

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
    return plain(textwrap.fill(title, int(width * 11), break_on_hyphens=False))


def plain(text: str) -> str:
    """Spell a text so that matplotlib shows it as it is.

    Two `$` would be mathematics, and a legend leaves out what begins with `_`: a space of no width stands
    before it.
    """
    return ("\u200b" if text.startswith("_") else "") + text.replace("$", r"\$")


def rows_of(canvas: "Canvas", title: str, names: list[str], legend: Sequence[str] = ()) -> Any:
    """Return an axis with a labelled row for each name, with room to read all, and for a legend."""
    high = max(1.3, len(names) * row_height(len(names)), 0.19 * len(legend))
    beside = max(0.0, longest(names) - 1) + max(0.0, longest(legend, LEGEND) - 1)
    axis = axis_of(canvas, title, WIDTH + beside, high + 1.1)
    axis.set_yticks(
        range(len(names)), [plain(short(name, ROW)) for name in names], size=font_size(len(names))
    )
    return axis
