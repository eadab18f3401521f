"""Draw image grids and contact sheets with Pillow; matplotlib takes seconds for hundreds of images."""

import textwrap
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from experiments.figures.png.canvas import DPI
from experiments.figures.specs import ImageGrid, ImageSheets
from experiments.figures.sprites import jpegs, unpack
from experiments.figures.style import shorten

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

MAX_IMAGES = 720  # images in one PNG; more would make it too large to open
TILE = round(0.72 * DPI)  # pixels between two images of a sheet
IMAGE_SHARE = 0.95  # side of an image of a sheet, as a share of TILE
GRID_STEP, GRID_SIDE = round(1.35 * DPI), round(1.2 * DPI)  # pixels between images of a grid, and their side
ROW_IMAGES = 12  # images in a row of a single sheet
SMOOTH_SIDE = 64  # pixels a side; smaller images are enlarged without smoothing
MARGIN, LINE_HEIGHT = 12, 22  # pixels; height of a line of the title
TITLE_SIZE, NAME_SIZE, PART_SIZE, CAPTION_SIZE, SMALL_SIZE = 17, 12, 10, 11, 8  # font sizes in pixels
BLACK, GREY = "#000000", "#595959"


class Part(NamedTuple):
    """Images of a part of a sheet, uint8 (m, S, S, 3), and its distance from the left in tiles."""

    name: str
    left: float
    images: np.ndarray
    captions: list[str]


class Paper:
    """A white image below a title; width, height and `title_height` are in pixels."""

    def __init__(self, title: str, width: float, height: float) -> None:
        from PIL import Image, ImageDraw

        size = round(width) + 2 * MARGIN
        lines = textwrap.wrap(title, max(int(size / DPI * 11), 1), break_on_hyphens=False)
        self.title_height = MARGIN + LINE_HEIGHT * len(lines)
        self.image = Image.new("RGB", (size, self.title_height + round(height) + MARGIN), "white")
        self._pen = ImageDraw.Draw(self.image)
        for number, line in enumerate(lines):
            position = (size / 2, MARGIN // 2 + LINE_HEIGHT * number)
            self._pen.text(position, line, BLACK, _font(TITLE_SIZE), anchor="ma")

    def write(
        self, x: float, y: float, text: str, size: int, *, bold: bool = False, grey: bool = False
    ) -> None:
        """Write a text whose top left corner is at x, y."""
        self._pen.text(
            (MARGIN + x, self.title_height + y), text, GREY if grey else BLACK, _font(size, bold=bold)
        )

    def paste(self, x: float, y: float, side: float, image: np.ndarray, caption: str, size: int) -> None:
        """Paste an image with its top left corner at x, y, and its caption below."""
        from PIL import Image

        side = round(side)
        smooth = image.shape[0] >= SMOOTH_SIDE or image.shape[0] > side
        resampling = Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST
        left, top = round(MARGIN + x), round(self.title_height + y)
        tile = Image.fromarray(np.ascontiguousarray(image)).resize((side, side), resampling)
        self.image.paste(tile, (left, top))
        self._pen.text((left + side / 2, top + side + 3), caption, BLACK, _font(size), anchor="ma")


def paste_grid(figure: ImageGrid) -> Paper:
    """Return the paper of an image grid."""
    columns = min(figure.columns, len(figure.images)) or 1
    rows, step = -(-len(figure.images) // columns) or 1, GRID_SIDE + 3 * CAPTION_SIZE
    paper = Paper(figure.title, max(4.0 * DPI, GRID_STEP * columns), step * rows)
    for number, (image, caption) in enumerate(zip(figure.images, figure.captions, strict=True)):
        row, column = divmod(number, columns)
        paper.paste(GRID_STEP * column, step * row, GRID_SIDE, image, shorten(caption, 20), CAPTION_SIZE)
    return paper


def paste_sheets(figure: ImageSheets) -> Paper:
    """Return the paper of contact sheets; too many images are cut to the first of each part."""
    if len(figure.names) == 1:
        return _paste_one_sheet(figure)
    most_parts = max(map(len, figure.parts), default=1)
    count = min(len(figure.names), MAX_IMAGES // most_parts)
    limit = max(1, MAX_IMAGES // max(sum(map(len, figure.parts[:count])), 1))
    sheets = list(_unpack_sheets(figure, count, limit))
    sheet_width = (
        max((part.left + len(part.images) for _, parts in sheets for part in parts), default=1) + 0.6
    )
    sheet_height = 1.8 if any(any(parts) for parts in figure.parts) else 1.6
    columns = max(1, round((count * sheet_height / sheet_width / 1.2) ** 0.5))
    largest = max((max(parts.values()) for parts in figure.parts), default=0)
    note = (
        f" (here {count:,} of {len(figure.names):,} sheets, the first {limit} of each part; the page has all)"
    )
    cut = count < len(figure.names) or largest > limit
    width, height = (
        max(TILE * columns * sheet_width, 4.5 * DPI),
        TILE * max(1, -(-count // columns)) * sheet_height,
    )
    paper = Paper(figure.title + note * cut, width, height)
    for number, (name, parts) in enumerate(sheets):
        row, column = divmod(number, columns)
        left, top = TILE * column * sheet_width, TILE * row * sheet_height
        paper.write(left, top, shorten(name, int(sheet_width * 11)), NAME_SIZE, bold=True)
        for part in parts:
            start = left + TILE * part.left
            paper.write(start, top + 0.25 * TILE, part.name, PART_SIZE)
            _paste_row(paper, start, top + TILE * (sheet_height - 1.3), part.images, part.captions)
    return paper


def _paste_one_sheet(figure: ImageSheets) -> Paper:
    """Return the paper of a single sheet, its parts below each other with 12 images a row."""
    limit = max(ROW_IMAGES, MAX_IMAGES // max(len(figure.parts[0]), 1))
    ((name, parts),) = _unpack_sheets(figure, 1, limit)
    columns = max((min(len(part.images), ROW_IMAGES) for part in parts), default=1)
    width = TILE * max(columns, 6.25)
    height = sum(len(part.images[::ROW_IMAGES]) * 1.3 + 0.5 for part in parts) + 0.5
    cut = max(figure.parts[0].values(), default=0) > limit
    note = f" (the first {limit} of each part; the page has all)" * cut
    paper = Paper(figure.title + note, width, TILE * height)
    paper.write(0, 0, shorten(name, int(width / TILE * 11)), NAME_SIZE + 2, bold=True)
    top = 0.35 * TILE
    for part in parts:
        paper.write(0, top + 0.15 * TILE, part.name, PART_SIZE + 1)
        for start in range(0, len(part.images), ROW_IMAGES):
            row, line = slice(start, start + ROW_IMAGES), top + TILE * (0.4 + 1.3 * start / ROW_IMAGES)
            _paste_row(paper, 0, line, part.images[row], part.captions[row])
        top += TILE * (len(part.images[::ROW_IMAGES]) * 1.3 + 0.5)
    return paper


def _unpack_sheets(figure: ImageSheets, count: int, limit: int) -> Iterator[tuple[str, list[Part]]]:
    captions = iter(figure.captions)
    for name, parts, jpeg in zip(
        figure.names[:count], figure.parts, jpegs(figure.images, figure.ends), strict=False
    ):
        images = unpack(jpeg, sum(parts.values()), figure.side)
        sheet_parts, left, start = [], 0.0, 0
        for part, size in parts.items():
            part_captions = [next(captions) for _ in range(size)]
            sheet_parts.append(Part(part, left, images[start : start + size][:limit], part_captions[:limit]))
            left, start = left + min(size, limit) + 0.12, start + size
        yield name, sheet_parts


def _paste_row(paper: Paper, left: float, top: float, images: np.ndarray, captions: Sequence[str]) -> None:
    for number, (image, caption) in enumerate(zip(images, captions, strict=True)):
        paper.paste(left + TILE * number, top, IMAGE_SHARE * TILE, image, shorten(caption, 17), SMALL_SIZE)


@cache
def _font(size: int, *, bold: bool = False) -> "FreeTypeFont":
    """Return DejaVu Sans, the font of matplotlib's figures; `size` is in pixels."""
    from PIL import ImageFont

    matplotlib: Any = find_spec("matplotlib")
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf" / name), size)


def join_pngs(pngs: Sequence[bytes], columns: int = 2) -> bytes:
    """Return one PNG with several PNGs in a grid."""
    from PIL import Image

    images = [Image.open(BytesIO(png)).convert("RGB") for png in pngs]
    width, height = max(image.width for image in images), max(image.height for image in images)
    paper = Image.new("RGB", (columns * width, -(-len(images) // columns) * height), "white")
    for number, image in enumerate(images):
        paper.paste(image, (number % columns * width, number // columns * height))
    return encode_png(paper)


def encode_png(image: "Image") -> bytes:
    """Return an image as PNG."""
    png = BytesIO()
    image.save(png, "PNG")
    return png.getvalue()
