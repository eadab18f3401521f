"""The map of a report as an image: for printing, without JavaScript, and until the script has drawn it."""

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

WIDTH, HEIGHT, MARGIN = 1100, 700, 24  # pixels
IMAGE_SIDE, IMAGE_DISTANCE, FRAME_WIDTH = 36, 54, 2  # pixels of, between and around images
MANY_POINTS = 2_000  # more points than this have smaller markers
OPACITY = 190  # of 255
OVERSAMPLING = 4  # for anti-aliased markers
QUALITY = 75
NEIGHBOUR_CELLS = [(across, down) for across in (-1, 0, 1) for down in (-1, 0, 1)]
Corner = tuple[float, float]


def _polygon(sides: int, turn: float, inner: float = 1.0) -> tuple[Corner, ...]:
    """Return the corners of a polygon or, with `inner` below 1, of a star, around 0, 0."""
    count, outer = (sides, 1.15) if inner == 1 else (2 * sides, 1.15)
    angles = [math.radians(turn - 90 + 360 / count * corner) for corner in range(count)]
    radii = [inner if inner < 1 and corner % 2 else outer for corner in range(count)]
    return tuple((r * math.cos(angle), r * math.sin(angle)) for r, angle in zip(radii, angles, strict=True))


CIRCLE = tuple((math.cos(math.tau * n / 24), math.sin(math.tau * n / 24)) for n in range(24))
SHAPES = (
    CIRCLE, _polygon(4, 45), _polygon(3, 0), _polygon(4, 0), _polygon(3, 180),
    _polygon(4, 0, 0.4), _polygon(4, 45, 0.4), _polygon(5, 0, 0.45), _polygon(5, 0), _polygon(6, 0),
)  # fmt: skip


def svg_path(shape: Sequence[Corner]) -> str:
    """Return a shape as an SVG path."""
    return f"M{'L'.join(f'{x:.3f},{y:.3f}' for x, y in shape)}Z"


def cluster_styles(groups: Sequence[Cluster]) -> list[tuple[str, Sequence[Corner]]]:
    """Return colour and shape of each cluster; shapes change when all colours are used, noise is grey."""
    return [
        (NOISE, CIRCLE)
        if group.number < 0
        else (GROUPED[number % len(GROUPED)], SHAPES[number // len(GROUPED) % len(SHAPES)])
        for number, group in enumerate(groups)
    ]


def map_image(points: np.ndarray, groups: Sequence[Cluster], images: np.ndarray) -> str:
    """Return the map as a data URI.

    Parameters
    ----------
    points
        Float (m, 2): coordinates of the members.
    images
        uint8 (m, S, S, 3): images that do not overlap are shown, the nearest to a centre first; may be empty.
    """
    paper = _markers(_to_pixels(points), groups)
    if len(images):
        _paste_images(paper, _to_pixels(points), groups, images)
    file = BytesIO()
    paper.save(file, "WEBP", quality=QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def _to_pixels(points: np.ndarray) -> np.ndarray:
    """Return the points in pixels of the image, int (m, 2), with equal scales on both axes."""
    flipped = points * [1, -1]
    extent = max(np.ptp(flipped, axis=0).max(), np.finfo(np.float64).tiny)
    units = (flipped - flipped.min(axis=0)) / extent
    sides, room = units.max(axis=0), np.array([WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN])
    scale = (room / np.maximum(sides, 1e-9)).min()
    pixels = np.array([WIDTH, HEIGHT]) / 2 + (units - sides / 2) * scale
    return np.asarray(np.rint(pixels), int)


def _markers(pixels: np.ndarray, groups: Sequence[Cluster]) -> "Image":
    """Draw a marker for each member, noise below the others."""
    from PIL import Image

    paper = Image.new("RGB", (WIDTH, HEIGHT), "white")
    radius = 3.0 if len(pixels) > MANY_POINTS else 4.5
    drawn = sorted(zip(groups, cluster_styles(groups), strict=True), key=lambda group: group[0].number >= 0)
    for group, (colour, shape) in drawn:
        mask = _marker(shape, radius)
        middle = mask.width // 2
        for x, y in pixels[group.members].tolist():
            paper.paste(colour, (x - middle, y - middle), mask)
    return paper


def _marker(shape: Sequence[Corner], radius: float) -> "Image":
    from PIL import Image, ImageDraw

    middle = math.ceil(1.2 * radius) + 1
    large = Image.new("L", (2 * middle * OVERSAMPLING, 2 * middle * OVERSAMPLING))
    corners = [(OVERSAMPLING * (middle + radius * x), OVERSAMPLING * (middle + radius * y)) for x, y in shape]
    ImageDraw.Draw(large).polygon(corners, fill=OPACITY)
    return large.reduce(OVERSAMPLING)


def _paste_images(paper: "Image", pixels: np.ndarray, groups: Sequence[Cluster], images: np.ndarray) -> None:
    """Paste images that do not overlap: the first of each cluster, then the second of each."""
    from PIL import Image, ImageDraw

    colours = {
        row: colour
        for group, (colour, _) in zip(groups, cluster_styles(groups), strict=True)
        for row in group.members
    }
    smooth = Image.Resampling.LANCZOS if images.shape[1] >= IMAGE_SIDE else Image.Resampling.NEAREST
    pen, half = ImageDraw.Draw(paper), IMAGE_SIDE // 2
    for row in _non_overlapping(pixels, groups):
        x, y = pixels[row].tolist()
        frame = (
            x - half - FRAME_WIDTH,
            y - half - FRAME_WIDTH,
            x + half + FRAME_WIDTH - 1,
            y + half + FRAME_WIDTH - 1,
        )
        pen.rectangle(frame, fill=colours[row])
        tile = Image.fromarray(np.ascontiguousarray(images[row])).resize((IMAGE_SIDE, IMAGE_SIDE), smooth)
        paper.paste(tile, (x - half, y - half))


def _non_overlapping(pixels: np.ndarray, groups: Sequence[Cluster]) -> list[int]:
    """Return members whose images do not overlap, the most central first."""
    ranked = sorted((rank, row) for group in groups for rank, row in enumerate(group.members))
    positions = pixels.tolist()
    row_in_cell: dict[tuple[int, int], int] = {}
    for _, row in ranked:
        x, y = positions[row]
        cell = (x // IMAGE_DISTANCE, y // IMAGE_DISTANCE)
        neighbours = (row_in_cell.get((cell[0] + across, cell[1] + down)) for across, down in NEIGHBOUR_CELLS)
        others = (positions[other] for other in neighbours if other is not None)
        if all(abs(left - x) >= IMAGE_DISTANCE or abs(top - y) >= IMAGE_DISTANCE for left, top in others):
            row_in_cell[cell] = row
    return list(row_in_cell.values())
