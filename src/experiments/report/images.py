"""Image grids and contact sheets of evaluators, shown without scripts."""

import base64
from typing import NamedTuple

import numpy as np

from experiments.figures import ImageGrid, ImageSheets, pack
from experiments.figures.sprites import COLUMNS, jpegs, pitch

MAX_BYTES = 2_000_000  # bytes of these images in a page, in addition to the images of clusters

ImageFigure = ImageGrid | ImageSheets


def as_sheets(figure: ImageFigure) -> ImageSheets:
    """Return a grid as a single sheet; return sheets unchanged."""
    if isinstance(figure, ImageSheets):
        return figure
    packed, ends = pack([figure.images])
    count = len(figure.images)
    return ImageSheets(
        figure.title, [""], [{"": count}], figure.captions, packed, ends, figure.images.shape[1]
    )


def fit_into_page(
    figures: dict[str, ImageFigure], max_bytes: int = MAX_BYTES
) -> tuple[dict[str, ImageSheets], list[str]]:
    """Return the sheets that fit into a page, preferring small ones, and the names of the others."""
    sheets = {name: as_sheets(figure) for name, figure in figures.items() if _has_images(figure)}
    order = sorted(sheets, key=lambda name: len(sheets[name].images))
    bytes_left = dict(
        zip(order, max_bytes - np.cumsum([len(sheets[name].images) for name in order]), strict=True)
    )
    fitting = {name: sheet for name, sheet in sheets.items() if bytes_left[name] >= 0}
    return fitting, [name for name in figures if name not in fitting]


class Sheet(NamedTuple):
    """A sheet of images as template values.

    Parameters
    ----------
    image, width
        The JPEG sprite as base64, and its width in images.
    tiles
        Caption, left and top of each image in the sprite; left and top in images.
    """

    name: str
    heading: str
    image: str
    width: float
    tiles: list[tuple[str, float, float]]


class SheetGroup(NamedTuple):
    """The sheets of a figure, with its title."""

    title: str
    sheets: list[Sheet]


def html_sheets(name: str, figure: ImageSheets) -> SheetGroup:
    """Return the sheets of a figure, each with a unique anchor."""
    captions, step = iter(figure.captions), pitch(figure.side) / figure.side
    sheets = []
    images = jpegs(figure.images, figure.ends)
    for number, (heading, parts, jpeg) in enumerate(zip(figure.names, figure.parts, images, strict=True)):
        count = sum(parts.values())
        tiles = [(next(captions), step * (tile % COLUMNS), step * (tile // COLUMNS)) for tile in range(count)]
        image, width = base64.b64encode(jpeg).decode(), step * min(COLUMNS, count)
        sheets.append(Sheet(f"images-{name}-{number}", heading, image, width, tiles))
    return SheetGroup(figure.title, sheets)


def _has_images(figure: ImageFigure) -> bool:
    return len(figure.images) > 0
