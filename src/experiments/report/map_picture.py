"""The map of a report as a picture: what is there before a script draws it, and on paper."""

import base64
import math
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from experiments.figures.style import GROUPED, NOISE
from experiments.report.clusters import Cluster

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH, HEIGHT, EDGE = 1100, 700, 24  # pixels
TILE, GAP, FRAME = 36, 54, 2  # of an image, from one to the next, and around it
MANY = 2_000  # points from which markers are smaller
OPAQUE = 190  # of 255
FINE = 4  # times larger a marker is drawn before it is reduced
QUALITY = 75
NEIGHBOURS = [(across, down) for across in (-1, 0, 1) for down in (-1, 0, 1)]
Corner = tuple[float, float]


def _shape(sides: int, turn: float, inner: float = 1.0) -> tuple[Corner, ...]:
    """Return the corners of a polygon or, with `inner` below 1, of a star around 0, 0."""
    count, outer = (sides, 1.15) if inner == 1 else (2 * sides, 1.15)
    angles = [math.radians(turn - 90 + 360 / count * corner) for corner in range(count)]
    radii = [inner if inner < 1 and corner % 2 else outer for corner in range(count)]
    return tuple((r * math.cos(angle), r * math.sin(angle)) for r, angle in zip(radii, angles, strict=True))


CIRCLE = tuple((math.cos(math.tau * n / 24), math.sin(math.tau * n / 24)) for n in range(24))
SHAPES = (
    CIRCLE, _shape(4, 45), _shape(3, 0), _shape(4, 0), _shape(3, 180),
    _shape(4, 0, 0.4), _shape(4, 45, 0.4), _shape(5, 0, 0.45), _shape(5, 0), _shape(6, 0),
)  # fmt: skip


def path(shape: Sequence[Corner]) -> str:
    """Return a shape as SVG draws it."""
    return f"M{'L'.join(f'{x:.3f},{y:.3f}' for x, y in shape)}Z"


def looks(groups: Sequence[Cluster]) -> list[tuple[str, Sequence[Corner]]]:
    """Return colour and shape of each cluster: the colours first, then other shapes; noise is grey."""
    return [
        (NOISE, CIRCLE)
        if group.number < 0
        else (GROUPED[place % len(GROUPED)], SHAPES[place // len(GROUPED) % len(SHAPES)])
        for place, group in enumerate(groups)
    ]


def picture(places: np.ndarray, groups: Sequence[Cluster], images: np.ndarray) -> str:
    """Return the map as a data URI.

    Parameters
    ----------
    places
        Float (m, 2): where each member is.
    images
        uint8 (m, S, S, 3): those nearest to a centre are shown where there is room; none if empty.
    """
    paper = _markers(_pixels(places), groups)
    if len(images):
        _paste(paper, _pixels(places), groups, images)
    file = BytesIO()
    paper.save(file, "WEBP", quality=QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def _pixels(places: np.ndarray) -> np.ndarray:
    """Return places on the picture, int (m, 2), both axes in the same scale."""
    flipped = places * [1, -1]
    extent = max(np.ptp(flipped, axis=0).max(), np.finfo(np.float64).tiny)
    units = (flipped - flipped.min(axis=0)) / extent
    sides, room = units.max(axis=0), np.array([WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE])
    scale = (room / np.maximum(sides, 1e-9)).min()
    pixels = np.array([WIDTH, HEIGHT]) / 2 + (units - sides / 2) * scale
    return np.asarray(np.rint(pixels), int)


def _markers(pixels: np.ndarray, groups: Sequence[Cluster]) -> "Image":
    """Draw a marker for each member, noise below the others."""
    from PIL import Image

    paper = Image.new("RGB", (WIDTH, HEIGHT), "white")
    radius = 3.0 if len(pixels) > MANY else 4.5
    drawn = sorted(zip(groups, looks(groups), strict=True), key=lambda group: group[0].number >= 0)
    for group, (colour, shape) in drawn:
        mask = _marker(shape, radius)
        middle = mask.width // 2
        for x, y in pixels[group.members].tolist():
            paper.paste(colour, (x - middle, y - middle), mask)
    return paper


def _marker(shape: Sequence[Corner], radius: float) -> "Image":
    from PIL import Image, ImageDraw

    middle = math.ceil(1.2 * radius) + 1
    large = Image.new("L", (2 * middle * FINE, 2 * middle * FINE))
    corners = [(FINE * (middle + radius * x), FINE * (middle + radius * y)) for x, y in shape]
    ImageDraw.Draw(large).polygon(corners, fill=OPAQUE)
    return large.reduce(FINE)


def _paste(paper: "Image", pixels: np.ndarray, groups: Sequence[Cluster], images: np.ndarray) -> None:
    """Show the images that have room: the first of each cluster, then the second of each."""
    from PIL import Image, ImageDraw

    colours = {
        row: colour for group, (colour, _) in zip(groups, looks(groups), strict=True) for row in group.members
    }
    smooth = Image.Resampling.LANCZOS if images.shape[1] >= TILE else Image.Resampling.NEAREST
    pen, half = ImageDraw.Draw(paper), TILE // 2
    for row in _with_room(pixels, groups):
        x, y = pixels[row].tolist()
        frame = (x - half - FRAME, y - half - FRAME, x + half + FRAME - 1, y + half + FRAME - 1)
        pen.rectangle(frame, fill=colours[row])
        tile = Image.fromarray(np.ascontiguousarray(images[row])).resize((TILE, TILE), smooth)
        paper.paste(tile, (x - half, y - half))


def _with_room(pixels: np.ndarray, groups: Sequence[Cluster]) -> list[int]:
    """Return members of which no two are nearer than GAP in both directions, the most central first."""
    ranks = sorted((rank, row) for group in groups for rank, row in enumerate(group.members))
    places = pixels.tolist()
    taken: dict[tuple[int, int], int] = {}
    for _, row in ranks:
        x, y = places[row]
        cell = (x // GAP, y // GAP)
        near = (taken.get((cell[0] + across, cell[1] + down)) for across, down in NEIGHBOURS)
        others = (places[other] for other in near if other is not None)
        if all(abs(left - x) >= GAP or abs(top - y) >= GAP for left, top in others):
            taken[cell] = row
    return list(taken.values())
