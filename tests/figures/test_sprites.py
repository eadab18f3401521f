"""Packed images are unpacked with JPEG's losses only, and tiles do not blend."""

import numpy as np
import pytest

from experiments.figures import sprites


@pytest.mark.parametrize("side", [8, 12, 16, 48, 80])
@pytest.mark.parametrize("count", [1, 5, 33, 70])
def test_unpacked_images_are_close_to_the_packed_ones(side: int, count: int) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (count, 1, 1, 3), np.uint8)
    images = np.broadcast_to(colours, (count, side, side, 3))
    packed, ends = sprites.pack([images, images[:1]])
    first, second = sprites.jpegs(packed, ends)
    unpacked = sprites.unpack(first, count, side).astype(int)
    edge = 0 if side < sprites.TINY else 1  # where colours of neighbours blend a little
    inner = slice(edge, side - edge)
    assert np.abs(unpacked - images)[:, inner, inner].max() < 9
    assert np.abs(sprites.unpack(second, 1, side).astype(int) - images[:1]).max() < 9


def test_noisy_images_that_exceed_pillows_buffer_are_packed() -> None:
    images = np.random.default_rng(0).integers(0, 256, (1024, 16, 16, 3), np.uint8)
    (file,) = sprites.jpegs(*sprites.pack([images]))
    unpacked = sprites.unpack(file, 1024, 16).astype(int)
    assert np.abs(unpacked - images).mean() < 25


def test_no_images_make_no_file() -> None:
    packed, ends = sprites.pack([])
    assert (len(packed), ends) == (0, [])
    assert list(sprites.jpegs(packed, ends)) == []
