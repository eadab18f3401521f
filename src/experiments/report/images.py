"""The images that evaluators show, which need no script."""

import base64
from typing import NamedTuple

import numpy as np

from experiments.figures import ImageGrid, ImageSheets, pack
from experiments.figures.sprites import COLUMNS, jpegs, pitch

ROOM = 2_000_000  # bytes that a page has for them beside the images of the clusters

Pictured = ImageGrid | ImageSheets


def as_sheets(figure: Pictured) -> ImageSheets:
    """Return a grid as one sheet, sheets as they are."""
    if isinstance(figure, ImageSheets):
        return figure
    packed, ends = pack([figure.images])
    count = len(figure.images)
    return ImageSheets(
        figure.title, [""], [{"": count}], figure.captions, packed, ends, figure.images.shape[1]
    )


def fitting(pictures: dict[str, Pictured], room: int = ROOM) -> tuple[dict[str, ImageSheets], list[str]]:
    """Return those that a page has room for, the smallest first taken, and the names of the others."""
    sheets = {name: as_sheets(figure) for name, figure in pictures.items() if _shown(figure)}
    order = sorted(sheets, key=lambda name: len(sheets[name].images))
    room_left = dict(zip(order, room - np.cumsum([len(sheets[name].images) for name in order]), strict=True))
    kept = {name: sheet for name, sheet in sheets.items() if room_left[name] >= 0}
    return kept, [name for name in pictures if name not in kept]


class Sheet(NamedTuple):
    """A sheet of images under one another.

    Parameters
    ----------
    image, width
        The JPEG of all of them as base64, and how many times an image is wide it is.
    tiles
        Caption, and from where in images to the left and the top, of each.
    """

    name: str
    heading: str
    image: str
    width: float
    tiles: list[tuple[str, float, float]]


class Pictures(NamedTuple):
    """The sheets of a figure, under its title."""

    title: str
    sheets: list[Sheet]


def sheets(name: str, figure: ImageSheets) -> Pictures:
    """Return the sheets of a figure, each with a name of its own on the page."""
    captions, step = iter(figure.captions), pitch(figure.side) / figure.side
    found = []
    images = jpegs(figure.images, figure.ends)
    for number, (heading, parts, file) in enumerate(zip(figure.names, figure.parts, images, strict=True)):
        count = sum(parts.values())
        tiles = [(next(captions), step * (tile % COLUMNS), step * (tile // COLUMNS)) for tile in range(count)]
        image, width = base64.b64encode(file).decode(), step * min(COLUMNS, count)
        found.append(Sheet(f"images-{name}-{number}", heading, image, width, tiles))
    return Pictures(figure.title, found)


def _shown(figure: Pictured) -> bool:
    return len(figure.images) > 0
