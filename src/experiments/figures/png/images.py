"""Draw what shows images: grids and contact sheets."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from experiments.figures.png.canvas import axis_of, plain
from experiments.figures.specs import Grid, Sheets
from experiments.figures.sprites import files, unpack
from experiments.figures.style import short

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

MOST = 720  # images in one PNG: with more it would be larger than anyone opens
TILE = 0.72  # inches
ACROSS = 12  # tiles in a row of a sheet that stands alone


class Part(NamedTuple):
    """Some images of a sheet, uint8 (m, S, S, 3), and how many tiles from its left they begin."""

    name: str
    left: float
    images: np.ndarray
    captions: list[str]


def draw_grid(figure: Grid, canvas: "Canvas") -> None:
    """Draw images row by row."""
    columns = min(figure.columns, len(figure.images)) or 1
    rows = -(-len(figure.images) // columns) or 1
    axis = axis_of(canvas, figure.title, max(4.0, 1.35 * columns), 1.5 * rows + 0.5)
    smooth = "antialiased" if figure.images.shape[1] >= 64 else "nearest"
    for number, (image, caption) in enumerate(zip(figure.images, figure.captions, strict=True)):
        row, column = divmod(number, columns)
        left, top = column * 1.1, row * 1.25
        axis.imshow(image, extent=(left, left + 1, top + 1, top), interpolation=smooth)
        axis.text(left + 0.5, top + 1.03, plain(short(caption, 20)), ha="center", va="top", size=7.5)
    axis.set(xlim=(-0.05, columns * 1.1 - 0.05), ylim=(rows * 1.25, -0.05), aspect="equal")
    axis.axis("off")


def draw_sheets(figure: Sheets, canvas: "Canvas") -> None:
    """Draw sheets row by row; of too many images the first of each part. One alone has rows of its own."""
    if len(figure.names) == 1:
        _draw_alone(figure, canvas)
        return
    most = max(map(len, figure.parts), default=1)
    shown = min(len(figure.names), MOST // most)
    each = max(1, MOST // max(sum(map(len, figure.parts[:shown])), 1))
    sheets = list(_sheets(figure, shown, each))
    wide = max((part.left + len(part.images) for _, parts in sheets for part in parts), default=1) + 0.6
    high = 1.8 if any(any(parts) for parts in figure.parts) else 1.6
    columns = max(1, round((shown * high / wide / 1.2) ** 0.5))
    width, height = max(columns * wide, 4.5 / TILE), max(1, -(-shown // columns)) * high
    largest = max((max(parts.values()) for parts in figure.parts), default=0)
    note = (
        f" (here {shown:,} of {len(figure.names):,} sheets, the first {each} of each part; the page has all)"
    )
    cut = shown < len(figure.names) or largest > each
    axis = axis_of(canvas, figure.title + note * cut, TILE * width, TILE * height + 0.5)
    for number, (name, parts) in enumerate(sheets):
        row, column = divmod(number, columns)
        _sheet(axis, column * wide, row * high, short(name, int(wide * 11)), parts, high - 1.3)
    axis.set(xlim=(-0.05, width), ylim=(height, -0.1), aspect="equal")
    axis.axis("off")


def _draw_alone(figure: Sheets, canvas: "Canvas") -> None:
    """Draw the parts of one sheet under each other, a dozen images a row."""
    each = max(ACROSS, MOST // max(len(figure.parts[0]), 1))
    ((name, parts),) = _sheets(figure, 1, each)
    lines = [len(part.images[::ACROSS]) * 1.3 + 0.5 for part in parts]
    wide = max((min(len(part.images), ACROSS) for part in parts), default=1)
    width, height = max(wide, 6.25), sum(lines) + 0.5
    cut = max(figure.parts[0].values(), default=0) > each
    note = f" (the first {each} of each part; the page has all)" * cut
    axis = axis_of(canvas, figure.title + note, TILE * width, TILE * height + 0.4)
    axis.text(0, 0, plain(short(name, int(width * 11))), ha="left", va="top", size=8.5, weight="bold")
    top = 0.35
    for part, line in zip(parts, lines, strict=True):
        axis.text(0, top + 0.35, plain(part.name), ha="left", va="bottom", size=7.5, color="0.35")
        for place, (image, caption) in enumerate(zip(part.images, part.captions, strict=True)):
            row, column = divmod(place, ACROSS)
            _tile(axis, image, caption, column, top + 0.4 + 1.3 * row)
        top += line
    axis.set(xlim=(-0.05, width), ylim=(height, -0.1), aspect="equal")
    axis.axis("off")


def _sheets(figure: Sheets, shown: int, each: int) -> Iterator[tuple[str, list[Part]]]:
    captions = iter(figure.captions)
    for name, parts, file in zip(
        figure.names[:shown], figure.parts, files(figure.images, figure.ends), strict=False
    ):
        images = unpack(file, sum(parts.values()), figure.side)
        found, left, start = [], 0.0, 0
        for part, count in parts.items():
            own = [next(captions) for _ in range(count)]
            found.append(Part(part, left, images[start : start + count][:each], own[:each]))
            left, start = left + min(count, each) + 0.12, start + count
        yield name, found


def _sheet(axis: Any, left: float, top: float, name: str, parts: list[Part], down: float) -> None:
    axis.text(left, top, plain(name), ha="left", va="top", size=7.5, weight="bold")
    for part in parts:
        start = left + part.left
        axis.text(start, top + 0.25, plain(part.name), ha="left", va="top", size=6.5, color="0.35")
        for place, (image, caption) in enumerate(zip(part.images, part.captions, strict=True)):
            _tile(axis, image, caption, start + place, top + down)


def _tile(axis: Any, image: np.ndarray, caption: str, x: float, y: float) -> None:
    smooth = "antialiased" if image.shape[0] >= 64 else "nearest"
    axis.imshow(image, extent=(x, x + 0.95, y + 0.95, y), interpolation=smooth)
    axis.text(x + 0.47, y + 0.98, plain(short(caption, 17)), ha="center", va="top", size=5.2)


def join(drawn: Sequence[bytes], across: int = 2) -> bytes:
    """Return PNGs next to and below each other as one."""
    from PIL import Image

    images = [Image.open(BytesIO(each)).convert("RGB") for each in drawn]
    width, height = max(each.width for each in images), max(each.height for each in images)
    paper = Image.new("RGB", (across * width, -(-len(images) // across) * height), "white")
    for number, image in enumerate(images):
        paper.paste(image, (number % across * width, number // across * height))
    png = BytesIO()
    paper.save(png, "PNG")
    return png.getvalue()
