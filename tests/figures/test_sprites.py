"""Images in packs: what comes out is what went in, but for what a JPEG loses, and tiles do not mix."""

import numpy as np
import pytest

from experiments.figures import sprites


@pytest.mark.parametrize("side", [8, 12, 16, 48, 80])
@pytest.mark.parametrize("count", [1, 5, 33, 70])
def test_images_come_out_as_they_went_in(side: int, count: int) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (count, 1, 1, 3), np.uint8)
    images = np.broadcast_to(colours, (count, side, side, 3))
    packed, ends = sprites.pack([images, images[:1]])
    first, second = sprites.files(packed, ends)
    found = sprites.unpack(first, count, side).astype(int)
    edge = 0 if side < sprites.TINY else 1  # where the colours of neighbours blend a little
    inner = slice(edge, side - edge)
    assert np.abs(found - images)[:, inner, inner].max() < 9
    assert np.abs(sprites.unpack(second, 1, side).astype(int) - images[:1]).max() < 9


def test_images_of_noise_which_take_more_room_than_pillow_holds_come_out_too() -> None:
    images = np.random.default_rng(0).integers(0, 256, (1024, 16, 16, 3), np.uint8)
    (file,) = sprites.files(*sprites.pack([images]))
    found = sprites.unpack(file, 1024, 16).astype(int)
    assert np.abs(found - images).mean() < 25


def test_no_images_make_no_file() -> None:
    packed, ends = sprites.pack([])
    assert (len(packed), ends) == (0, [])
    assert list(sprites.files(packed, ends)) == []
