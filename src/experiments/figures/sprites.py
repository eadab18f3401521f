"""Small images packed into few JPEGs, as thousands of files of their own would be mostly headers."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import pairwise

import numpy as np

COLUMNS = 32  # tiles a row
BLOCK = 16  # pixels that a JPEG mixes: a tile begins on a new block, or its neighbour would shine through
QUALITY = 80
TINY = 32  # pixels a side below which colours are kept as fine as the light


def pitch(side: int) -> int:
    """Return how many pixels after one tile the next begins."""
    return -(-side // BLOCK) * BLOCK


def pack(groups: Iterable[np.ndarray]) -> tuple[np.ndarray, list[int]]:
    """Encode each group of images uint8 (m, S, S, 3) as one JPEG, 32 tiles a row.

    Returns
    -------
    packed
        uint8: the bytes of all JPEGs.
    ends
        Where each of them ends.
    """
    packed, ends = BytesIO(), []
    for images in groups:
        packed.write(_encoded(images))
        ends.append(packed.tell())
    return np.frombuffer(packed.getvalue(), np.uint8), ends


def _encoded(images: np.ndarray) -> bytes:
    from PIL import Image

    halved = 0 if images.shape[1] < TINY else 2  # Pillow's numbers of 4:4:4 and 4:2:0
    tiles, file = Image.fromarray(_tiled(images)), BytesIO()
    try:
        tiles.save(file, "JPEG", quality=QUALITY, subsampling=halved, optimize=True)
    except OSError:  # Pillow holds a byte a pixel for what it optimises, and images of noise need more
        file = BytesIO()
        tiles.save(file, "JPEG", quality=QUALITY, subsampling=halved)
    return file.getvalue()


def files(packed: np.ndarray, ends: list[int]) -> Iterator[bytes]:
    """Give each JPEG."""
    for start, end in pairwise([0, *ends]):
        yield packed[start:end].tobytes()


def unpack(file: bytes, count: int, side: int) -> np.ndarray:
    """Decode the first `count` tiles of one JPEG: uint8 (count, S, S, 3)."""
    from PIL import Image

    sheet, step = np.asarray(Image.open(BytesIO(file))), pitch(side)
    corners = [(step * (tile // COLUMNS), step * (tile % COLUMNS)) for tile in range(count)]
    tiles = [sheet[top : top + side, left : left + side] for top, left in corners]
    return np.stack(tiles) if tiles else np.empty((0, side, side, 3), np.uint8)


def _tiled(images: np.ndarray) -> np.ndarray:
    m, side = images.shape[:2]
    step, columns = pitch(side), min(COLUMNS, m)
    padded = np.pad(images, ((0, 0), (0, step - side), (0, step - side), (0, 0)), mode="edge")
    sheet = np.zeros((-(-m // columns) * columns, step, step, 3), np.uint8)
    sheet[:m] = padded
    rows = sheet.reshape(-1, columns, step, step, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(rows.reshape(-1, columns * step, 3))
