"""Draw a figure as a PNG, by matplotlib or Pillow: no browser, no state that another figure could inherit."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from experiments.figures.kinds import kind_of
from experiments.figures.png.canvas import DPI
from experiments.figures.png.images import encoded, join
from experiments.figures.specs import Figure, Panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas


class Drawing(NamedTuple):
    """A PNG, and how many of its rows of pixels the title takes; none of several panels, each has its own."""

    png: bytes
    top: int


def draw(figure: Figure, path: Path) -> Drawing:
    """Write the PNG of a figure to `path`; return it."""
    drawing = drawn(figure)
    path.write_bytes(drawing.png)
    return drawing


def drawn(figure: Figure) -> Drawing:
    """Return the PNG of a figure."""
    if isinstance(figure, Panels):
        return Drawing(join([drawn(panel).png for panel in figure.panels]), 0)
    paste = kind_of(figure).paste
    if paste is not None:
        paper = paste(figure)
        return Drawing(encoded(paper.image), paper.top)
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas, png = laid_out(figure), BytesIO()
    FigureCanvasAgg(canvas).print_png(png)  # type: ignore[no-untyped-call]  # savefig draws twice
    title = next((text for text in canvas.texts if text.get_text()), None)
    top = 0 if title is None else canvas.bbox.height - title.get_window_extent().y0
    return Drawing(png.getvalue(), round(float(top)))


def laid_out(figure: Figure) -> "Canvas":
    """Return matplotlib's own figure of a picture that is neither of several panels nor of images."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(dpi=DPI, layout="constrained")
    draw = kind_of(figure).draw
    if draw is None:
        raise TypeError(f"{type(figure).__name__} is pasted, not drawn")
    draw(figure, canvas)
    return canvas
