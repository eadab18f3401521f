"""Images of a page as backgrounds: each is a tile of one of some JPEGs, decoded when it is first seen."""

import base64
from importlib.resources import files

import numpy as np

from experiments.figures.sprites import COLUMNS, pack, pitch
from experiments.figures.sprites import files as sheets

MOST = 10_000  # images of a page
AREA = 24_000_000  # pixels of all of them together: about 10 MB
PER = 256  # images that a browser decodes at a time
SMALLEST, LARGEST = 16, 96  # pixels a side
COARSE = 32  # pixels a side below which single pixels are shown


def side(count: int) -> int:
    """Return pixels a side at which so many images fit into a page."""
    return int(np.clip(int((AREA / max(count, 1)) ** 0.5) // SMALLEST * SMALLEST, SMALLEST, LARGEST))


def none(side: int) -> np.ndarray:
    """Return the images of a page that has none: uint8 (0, S, S, 3)."""
    return np.empty((0, side, side, 3), np.uint8)


def style(images: np.ndarray) -> str:
    """Return the rules that make the images uint8 (m, S, S, 3) backgrounds, `--size` pixels a side.

    The image stands apart from what is computed: a browser reads a declaration with var() for each element.
    """
    packed, ends = pack(images[at : at + PER] for at in range(0, len(images), PER))
    step = pitch(images.shape[1]) / max(images.shape[1], 1)
    rules = ["i[class^=s] { display: block; width: var(--size); height: var(--size) }"]
    for number, file in enumerate(sheets(packed, ends)):
        held = base64.b64encode(file).decode()
        across = min(COLUMNS, len(images) - number * PER)
        place = f"url(data:image/jpeg;base64,{held})"
        size = f"calc(var(--size) * {across * step:g}) auto"
        rules.append(f".s{number} {{ background-size: {size}; background-image: {place} }}")
    if images.shape[1] < COARSE:
        rules.append("i[class^=s] { image-rendering: pixelated }")
    return "\n".join(rules)


def layout(images: np.ndarray) -> dict[str, float]:
    """Return where the image at a place is on the sheets: how many a sheet and a row, their step and side."""
    wide = images.shape[1]
    return {
        "per": PER if len(images) else 0,
        "columns": COLUMNS,
        "step": pitch(wide) / max(wide, 1),
        "side": wide,
    }


def script(images: np.ndarray) -> str:
    """Return `tile(place)` in JavaScript: the markup of the image at a place, "" without images."""
    code = (files("experiments.figures") / "web" / "tile.js").read_text(encoding="utf-8")
    return f"const TILES = {layout(images)};\n{code}"
