"""Thumbnails of a page, packed into a few JPEG sprites that the browser decodes on first use."""

import base64
from importlib.resources import files

import numpy as np

from experiments.figures.sprites import COLUMNS, jpegs, pack, pitch

MAX_IMAGES = 10_000  # on a page
MAX_PIXELS = 24_000_000  # of all images of a page: about 10 MB
PER_SPRITE = 256  # images per JPEG; a browser decodes a JPEG as a whole
MIN_SIDE, MAX_SIDE = 16, 96  # pixels a side
PIXELATED_SIDE = 32  # smaller images are enlarged without smoothing


def tile_side(count: int) -> int:
    """Return the side in pixels at which `count` images fit into a page."""
    return int(np.clip(int((MAX_PIXELS / max(count, 1)) ** 0.5) // MIN_SIDE * MIN_SIDE, MIN_SIDE, MAX_SIDE))


def no_images(side: int) -> np.ndarray:
    """Return an empty array of images: uint8 (0, S, S, 3)."""
    return np.empty((0, side, side, 3), np.uint8)


def css_rules(images: np.ndarray) -> str:
    """Return the CSS rules of images, uint8 (m, S, S, 3), shown `--size` pixels a side.

    An image has a class for its JPEG, its column and its row: browsers style thousands of elements by classes
    faster than each by its own declaration with var().
    """
    packed, ends = pack(images[start : start + PER_SPRITE] for start in range(0, len(images), PER_SPRITE))
    step = pitch(images.shape[1]) / max(images.shape[1], 1)
    rules = ["i[class^=s] { display: block; width: var(--size); height: var(--size) }"]
    for axis, count in (("x", COLUMNS), ("y", PER_SPRITE // COLUMNS)):
        rules += [
            f".{axis}{number} {{ background-position-{axis}: calc(var(--size) * {-number * step:g}) }}"
            for number in range(count)
        ]
    for number, jpeg in enumerate(jpegs(packed, ends)):
        encoded = base64.b64encode(jpeg).decode()
        columns = min(COLUMNS, len(images) - number * PER_SPRITE)
        url = f"url(data:image/jpeg;base64,{encoded})"
        size = f"calc(var(--size) * {columns * step:g}) auto"
        rules.append(f".s{number} {{ background-size: {size}; background-image: {url} }}")
    if images.shape[1] < PIXELATED_SIDE:
        rules.append("i[class^=s] { image-rendering: pixelated }")
    return "\n".join(rules)


def layout(images: np.ndarray) -> dict[str, float]:
    """Return the layout of the sprites: images per sprite and per row, step and side of a tile."""
    side = images.shape[1]
    return {
        "per": PER_SPRITE if len(images) else 0,
        "columns": COLUMNS,
        "step": pitch(side) / max(side, 1),
        "side": side,
    }


def script(images: np.ndarray) -> str:
    """Return the JavaScript of `tile(row)`: the markup of a row's image, "" without images."""
    code = (files("experiments.figures") / "web" / "tile.js").read_text(encoding="utf-8")
    return f"const TILES = {layout(images)};\n{code}"
