"""Draw a figure as a PNG with matplotlib: no browser, no state that another figure could inherit."""

from io import BytesIO
from pathlib import Path

from experiments.figures.kinds import kind_of
from experiments.figures.png.canvas import DPI
from experiments.figures.png.images import join
from experiments.figures.specs import Figure, Panels


def draw(figure: Figure, path: Path) -> None:
    """Write the PNG of a figure to `path`."""
    if isinstance(figure, Panels):
        join([_drawn(panel) for panel in figure.panels], path)
        return
    path.write_bytes(_drawn(figure))


def _drawn(figure: Figure) -> bytes:
    from matplotlib.figure import Figure as Canvas

    canvas, png = Canvas(dpi=DPI, layout="constrained"), BytesIO()
    kind_of(figure).draw(figure, canvas)
    canvas.savefig(png, format="png")
    return png.getvalue()
