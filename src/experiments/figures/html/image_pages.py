"""Pages of images: grids and contact sheets. They need no script."""

import base64
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np

from experiments.figures.html.markup import render
from experiments.figures.specs import Grid, Sheets
from experiments.figures.sprites import COLUMNS, files, pitch

LEAST = 96  # pixels a side that an image of a sheet is shown at


def grid_page(figure: Grid) -> str:
    """Return images in rows."""
    rendering = "pixelated" if figure.images.shape[1] < 64 else "auto"
    images = zip(map(_png, figure.images), figure.captions, strict=True)
    return render("grid.html", title=figure.title, columns=figure.columns, rendering=rendering, images=images)


def sheets_page(figure: Sheets) -> str:
    """Return sheets with a heading each, and links to them."""
    zoom = max(1, round(LEAST / max(figure.side, 1)))
    return render(
        "sheets.html",
        title=figure.title,
        shown=zoom * figure.side,
        rendering="pixelated" if figure.side < 64 else "auto",
        sheets=list(_sheets(figure, zoom * pitch(figure.side))),
        linked=len(figure.names) > 1 and all(":" in name for name in figure.names),
    )


def _png(pixels: np.ndarray) -> str:
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def _sheets(figure: Sheets, step: int) -> Iterator[dict[str, Any]]:
    """Give each sheet: its image, and caption and corner of each tile of each part."""
    captions, images = iter(figure.captions), files(figure.images, figure.ends)
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
