"""Pages of image grids and contact sheets, without scripts."""

import base64
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np

from experiments.figures.html.markup import render
from experiments.figures.specs import ImageGrid, ImageSheets
from experiments.figures.sprites import COLUMNS, jpegs, pitch

MIN_SIDE = 96  # smallest side of a shown image in pixels


def grid_page(figure: ImageGrid) -> str:
    """Return the page of an image grid."""
    rendering = "pixelated" if figure.images.shape[1] < 64 else "auto"
    images = zip(map(_png, figure.images), figure.captions, strict=True)
    return render("grid.html", title=figure.title, columns=figure.columns, rendering=rendering, images=images)


def sheets_page(figure: ImageSheets) -> str:
    """Return the page of contact sheets, with links to each."""
    zoom = max(1, round(MIN_SIDE / max(figure.side, 1)))
    return render(
        "sheets.html",
        title=figure.title,
        shown=zoom * figure.side,
        rendering="pixelated" if figure.side < 64 else "auto",
        sheets=list(_sheet_values(figure, zoom * pitch(figure.side))),
        linked=len(figure.names) > 1 and all(":" in name for name in figure.names),
    )


def _png(pixels: np.ndarray) -> str:
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def _sheet_values(figure: ImageSheets, step: int) -> Iterator[dict[str, Any]]:
    """Yield the template values of each sheet: its sprite, and captions and corners of its tiles."""
    captions, images = iter(figure.captions), jpegs(figure.images, figure.ends)
    for name, parts, file in zip(figure.names, figure.parts, images, strict=True):
        corners = ((step * (tile % COLUMNS), step * (tile // COLUMNS)) for tile in range(sum(parts.values())))
        yield {
            "name": name,
            "image": base64.b64encode(file).decode(),
            "width": step * min(COLUMNS, sum(parts.values())),
            "parts": [
                (part, [(next(captions), *next(corners)) for _ in range(count)])
                for part, count in parts.items()
            ],
        }
