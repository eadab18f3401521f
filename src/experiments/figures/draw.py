"""Draw figures as PNGs with matplotlib or Pillow, without a browser and without global state."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from experiments.figures.kinds import kind_of
from experiments.figures.png.canvas import DPI
from experiments.figures.png.images import encode_png, join_pngs
from experiments.figures.specs import Figure, Panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas


class Drawing(NamedTuple):
    """A PNG with the height of its title in pixels; 0 for panels, which have a title each."""

    png: bytes
    title_height: int


def save_png(figure: Figure, path: Path) -> Drawing:
    """Write the PNG of a figure to `path` and return it."""
    drawing = draw_png(figure)
    path.write_bytes(drawing.png)
    return drawing


def has_png(figure: Figure) -> bool:
    """Return True if figures of this kind have a PNG; maps in three dimensions have a page alone."""
    if isinstance(figure, Panels):
        return all(map(has_png, figure.panels))
    kind = kind_of(figure)
    return kind.draw is not None or kind.paste is not None


def draw_png(figure: Figure) -> Drawing:
    """Return the PNG of a figure."""
    if isinstance(figure, Panels):
        return Drawing(join_pngs([draw_png(panel).png for panel in figure.panels]), 0)
    paste = kind_of(figure).paste
    if paste is not None:
        paper = paste(figure)
        return Drawing(encode_png(paper.image), paper.title_height)
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas, png = draw_canvas(figure), BytesIO()
    FigureCanvasAgg(canvas).print_png(png)  # type: ignore[no-untyped-call]  # savefig draws twice
    title = next((text for text in canvas.texts if text.get_text()), None)
    title_height = 0 if title is None else canvas.bbox.height - title.get_window_extent().y0
    return Drawing(png.getvalue(), round(float(title_height)))


def draw_canvas(figure: Figure) -> "Canvas":
    """Return the matplotlib figure of a chart; not for panels and images."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(dpi=DPI, layout="constrained")
    draw_on = kind_of(figure).draw
    if draw_on is None:
        raise TypeError(
            f"{type(figure).__name__} has no function `draw` in figures/kinds.py; use its `paste`"
        )
    draw_on(figure, canvas)
    return canvas
