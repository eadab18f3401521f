"""Pack small images into a few JPEG sprites; thousands of separate files would be mostly headers."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import pairwise

import numpy as np

COLUMNS = 32  # tiles in a row
BLOCK = 16  # pixels of a JPEG block; tiles start on block borders, or neighbours would blend
QUALITY = 80
TINY = 32  # pixels a side; smaller images are saved without chroma subsampling


def pitch(side: int) -> int:
    """Return the distance between two tiles in pixels: `side` rounded up to whole blocks."""
    return -(-side // BLOCK) * BLOCK


def pack(groups: Iterable[np.ndarray]) -> tuple[np.ndarray, list[int]]:
    """Encode each group of images, uint8 (m, S, S, 3), as one JPEG of 32 tiles a row.

    Returns
    -------
    packed
        uint8: the bytes of all JPEGs, concatenated.
    ends
        End offset of each JPEG.
    """
    packed, ends = BytesIO(), []
    for images in groups:
        packed.write(_encode(images))
        ends.append(packed.tell())
    return np.frombuffer(packed.getvalue(), np.uint8), ends


def _encode(images: np.ndarray) -> bytes:
    from PIL import Image

    subsampling = 0 if images.shape[1] < TINY else 2  # Pillow's codes of 4:4:4 and 4:2:0
    sheet, file = Image.fromarray(_tile(images)), BytesIO()
    try:
        sheet.save(file, "JPEG", quality=QUALITY, subsampling=subsampling, optimize=True)
    except OSError:  # Pillow's buffer has a byte per pixel; noisy images need more
        file = BytesIO()
        sheet.save(file, "JPEG", quality=QUALITY, subsampling=subsampling)
    return file.getvalue()


def jpegs(packed: np.ndarray, ends: list[int]) -> Iterator[bytes]:
    """Yield the bytes of each JPEG."""
    for start, end in pairwise([0, *ends]):
        yield packed[start:end].tobytes()


def unpack(file: bytes, count: int, side: int) -> np.ndarray:
    """Decode the first `count` tiles of one JPEG: uint8 (count, S, S, 3)."""
    from PIL import Image

    sheet, step = np.asarray(Image.open(BytesIO(file))), pitch(side)
    corners = [(step * (tile // COLUMNS), step * (tile % COLUMNS)) for tile in range(count)]
    tiles = [sheet[top : top + side, left : left + side] for top, left in corners]
    return np.stack(tiles) if tiles else np.empty((0, side, side, 3), np.uint8)


def _tile(images: np.ndarray) -> np.ndarray:
    m, side = images.shape[:2]
    step, columns = pitch(side), min(COLUMNS, m)
    padded = np.pad(images, ((0, 0), (0, step - side), (0, step - side), (0, 0)), mode="edge")
    sheet = np.zeros((-(-m // columns) * columns, step, step, 3), np.uint8)
    sheet[:m] = padded
    tiles = sheet.reshape(-1, columns, step, step, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(tiles.reshape(-1, columns * step, 3))
