"""Paste images onto paper, by Pillow: grids and contact sheets. Matplotlib takes seconds for hundreds."""

import textwrap
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from experiments.figures.png.canvas import DPI
from experiments.figures.specs import Grid, Sheets
from experiments.figures.sprites import files, unpack
from experiments.figures.style import short

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

MOST = 720  # images in one PNG: with more it would be larger than anyone opens
TILE = round(0.72 * DPI)  # pixels from one image of a sheet to the next
SHOWN = 0.95  # of that, the side of an image
CELL, SIDE = round(1.35 * DPI), round(1.2 * DPI)  # the same of a grid
ACROSS = 12  # tiles in a row of a sheet that stands alone
SMOOTH = 64  # pixels a side from which images are smoothed; of smaller ones single pixels are shown
EDGE, LINE = 12, 22  # pixels of the margins, and of a line of the title
TITLE, NAME, PART, CAPTION, SMALL = 17, 12, 10, 11, 8  # pixels of letters
BLACK, GREY = "#000000", "#595959"


class Part(NamedTuple):
    """Some images of a sheet, uint8 (m, S, S, 3), and how many tiles from its left they begin."""

    name: str
    left: float
    images: np.ndarray
    captions: list[str]


class Paper:
    """A white sheet of so many pixels below a title, which takes the `top` ones."""

    def __init__(self, title: str, width: float, height: float) -> None:
        from PIL import Image, ImageDraw

        size = round(width) + 2 * EDGE
        lines = textwrap.wrap(title, max(int(size / DPI * 11), 1), break_on_hyphens=False)
        self.top = EDGE + LINE * len(lines)
        self.image = Image.new("RGB", (size, self.top + round(height) + EDGE), "white")
        self._pen = ImageDraw.Draw(self.image)
        for number, line in enumerate(lines):
            place = (size / 2, EDGE // 2 + LINE * number)
            self._pen.text(place, line, BLACK, _font(TITLE), anchor="ma")

    def write(
        self, x: float, y: float, text: str, size: int, *, bold: bool = False, grey: bool = False
    ) -> None:
        """Write a text below and to the right of a place."""
        self._pen.text((EDGE + x, self.top + y), text, GREY if grey else BLACK, _font(size, bold=bold))

    def paste(self, x: float, y: float, side: float, image: np.ndarray, caption: str, size: int) -> None:
        """Show an image at a place, and a text below its middle."""
        from PIL import Image

        side = round(side)
        smooth = image.shape[0] >= SMOOTH or image.shape[0] > side
        how = Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST
        left, top = round(EDGE + x), round(self.top + y)
        tile = Image.fromarray(np.ascontiguousarray(image)).resize((side, side), how)
        self.image.paste(tile, (left, top))
        self._pen.text((left + side / 2, top + side + 3), caption, BLACK, _font(size), anchor="ma")


def paste_grid(figure: Grid) -> Paper:
    """Show images row by row."""
    columns = min(figure.columns, len(figure.images)) or 1
    rows, down = -(-len(figure.images) // columns) or 1, SIDE + 3 * CAPTION
    paper = Paper(figure.title, max(4.0 * DPI, CELL * columns), down * rows)
    for number, (image, caption) in enumerate(zip(figure.images, figure.captions, strict=True)):
        row, column = divmod(number, columns)
        paper.paste(CELL * column, down * row, SIDE, image, short(caption, 20), CAPTION)
    return paper


def paste_sheets(figure: Sheets) -> Paper:
    """Show sheets row by row; of too many images the first of each part. One alone has rows of its own."""
    if len(figure.names) == 1:
        return _alone(figure)
    most = max(map(len, figure.parts), default=1)
    shown = min(len(figure.names), MOST // most)
    each = max(1, MOST // max(sum(map(len, figure.parts[:shown])), 1))
    sheets = list(_sheets(figure, shown, each))
    wide = max((part.left + len(part.images) for _, parts in sheets for part in parts), default=1) + 0.6
    high = 1.8 if any(any(parts) for parts in figure.parts) else 1.6
    columns = max(1, round((shown * high / wide / 1.2) ** 0.5))
    largest = max((max(parts.values()) for parts in figure.parts), default=0)
    note = (
        f" (here {shown:,} of {len(figure.names):,} sheets, the first {each} of each part; the page has all)"
    )
    cut = shown < len(figure.names) or largest > each
    width, height = max(TILE * columns * wide, 4.5 * DPI), TILE * max(1, -(-shown // columns)) * high
    paper = Paper(figure.title + note * cut, width, height)
    for number, (name, parts) in enumerate(sheets):
        row, column = divmod(number, columns)
        left, top = TILE * column * wide, TILE * row * high
        paper.write(left, top, short(name, int(wide * 11)), NAME, bold=True)
        for part in parts:
            start = left + TILE * part.left
            paper.write(start, top + 0.25 * TILE, part.name, PART)
            _row(paper, start, top + TILE * (high - 1.3), part.images, part.captions)
    return paper


def _alone(figure: Sheets) -> Paper:
    """Show the parts of one sheet under each other, a dozen images a row."""
    each = max(ACROSS, MOST // max(len(figure.parts[0]), 1))
    ((name, parts),) = _sheets(figure, 1, each)
    wide = max((min(len(part.images), ACROSS) for part in parts), default=1)
    width = TILE * max(wide, 6.25)
    height = sum(len(part.images[::ACROSS]) * 1.3 + 0.5 for part in parts) + 0.5
    cut = max(figure.parts[0].values(), default=0) > each
    note = f" (the first {each} of each part; the page has all)" * cut
    paper = Paper(figure.title + note, width, TILE * height)
    paper.write(0, 0, short(name, int(width / TILE * 11)), NAME + 2, bold=True)
    top = 0.35 * TILE
    for part in parts:
        paper.write(0, top + 0.15 * TILE, part.name, PART + 1)
        for start in range(0, len(part.images), ACROSS):
            row, line = slice(start, start + ACROSS), top + TILE * (0.4 + 1.3 * start / ACROSS)
            _row(paper, 0, line, part.images[row], part.captions[row])
        top += TILE * (len(part.images[::ACROSS]) * 1.3 + 0.5)
    return paper


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


def _row(paper: Paper, left: float, top: float, images: np.ndarray, captions: Sequence[str]) -> None:
    for place, (image, caption) in enumerate(zip(images, captions, strict=True)):
        paper.paste(left + TILE * place, top, SHOWN * TILE, image, short(caption, 17), SMALL)


@cache
def _font(size: int, *, bold: bool = False) -> "FreeTypeFont":
    """Return matplotlib's font of so many pixels, which other figures have too."""
    from PIL import ImageFont

    found: Any = find_spec("matplotlib")
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / name), size)


def join(drawn: Sequence[bytes], across: int = 2) -> bytes:
    """Return PNGs next to and below each other as one."""
    from PIL import Image

    images = [Image.open(BytesIO(png)).convert("RGB") for png in drawn]
    width, height = max(image.width for image in images), max(image.height for image in images)
    paper = Image.new("RGB", (across * width, -(-len(images) // across) * height), "white")
    for number, image in enumerate(images):
        paper.paste(image, (number % across * width, number // across * height))
    return encoded(paper)


def encoded(image: "Image") -> bytes:
    """Return an image as PNG."""
    png = BytesIO()
    image.save(png, "PNG")
    return png.getvalue()
