"""Draw a figure as a PNG with matplotlib: no browser, no state that another figure could inherit."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.figures.kinds import kind_of
from experiments.figures.png.canvas import DPI
from experiments.figures.png.images import join
from experiments.figures.specs import Figure, Panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas


def draw(figure: Figure, path: Path) -> None:
    """Write the PNG of a figure to `path`."""
    path.write_bytes(picture(figure))


def picture(figure: Figure) -> bytes:
    """Return the PNG of a figure."""
    if isinstance(figure, Panels):
        return join([_drawn(panel) for panel in figure.panels])
    return _drawn(figure)


def laid_out(figure: Figure) -> "Canvas":
    """Return matplotlib's own figure of a picture that is not of several panels."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(dpi=DPI, layout="constrained")
    kind_of(figure).draw(figure, canvas)
    return canvas


def _drawn(figure: Figure) -> bytes:
    png = BytesIO()
    laid_out(figure).savefig(png, format="png")
    return png.getvalue()
