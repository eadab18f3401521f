"""Images that use fewer bits than their file format has, for all formats of 16 bits or more."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from tests.dataset.images.writers import COLOURS, RAMP, eight, pillow, png16, pnm, tiff

from experiments.dataset.images.pixels import load_rgb
from experiments.samples import ValueRange

SEPARATE = {"planarconfig": "separate"}


def planes(values):
    return np.ascontiguousarray(values.transpose(2, 0, 1))


def with_alpha(values, opaque):
    return np.concatenate([values, np.full_like(values[..., :1], opaque)], -1)


DEPTHS = {  # an image in 0..1, and the encoding of its values
    "PNG grey": (RAMP, png16),
    "PNG grey and alpha": (RAMP, lambda values, top=0: png16(with_alpha(values[..., None], top))),
    "PNG RGB": (COLOURS, png16),
    "PNG RGBA": (
        COLOURS,
        lambda values, top=0: png16(with_alpha(values, top)),
    ),
    "TIFF grey": (RAMP, lambda values: tiff(values, byteorder=">")),
    "TIFF inverted": (1 - RAMP, lambda values: tiff(values, photometric="miniswhite")),
    "TIFF RGB": (COLOURS, lambda values: tiff(values, photometric="rgb", byteorder=">")),
    "TIFF RGB packed": (COLOURS, lambda values: tiff(values, photometric="rgb", compression="zlib")),
    "TIFF RGB planes": (COLOURS, lambda values: tiff(planes(values), photometric="rgb", **SEPARATE)),
    "P5": (RAMP, lambda values: pnm("P5", values, 65535)),
    "P6": (COLOURS, lambda values: pnm("P6", values, 65535)),
    "TIFF signed": (RAMP, lambda values: tiff(values.astype("i4"))),
    "TIFF of 32 bits": (RAMP, lambda values: tiff(values.astype("u4"), byteorder=">")),
}


@pytest.mark.parametrize("kind", DEPTHS)
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_fewer_bits_in_sixteen_are_scaled_by_the_range_given_or_found(kind, bits):
    picture, write = DEPTHS[kind]
    top = 2**bits - 1
    values = np.rint(picture * top).astype("u2")
    data = write(values, top) if "alpha" in kind or kind == "PNG RGBA" else write(values)
    truth = eight(RAMP if picture.ndim == 2 else COLOURS).astype(int)
    for value_range in (ValueRange(), ValueRange(whole=(0, top))):
        assert np.abs(np.asarray(load_rgb(BytesIO(data), 10_000, value_range)) - truth).max() <= 1
    wider = np.asarray(load_rgb(BytesIO(data), 10_000, ValueRange(whole=(0, 2 * top + 1))))
    if kind not in ("PNG grey and alpha", "PNG RGBA", "TIFF inverted"):  # alpha or white depends on it
        assert np.abs(wider - truth / 2).max() <= 1.5


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["AVIF", "PNG", "TIFF"])
def test_deep_images_are_upright_too(orientation, kind):
    """A rotated camera stores a rotated image."""
    undo = [None, None, 0, 3, 1, 5, 2, 6, 4][orientation]  # Image.Transpose that stores it so
    picture = COLOURS.repeat(4, 0).repeat(4, 1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    if kind == "AVIF":
        image = Image.fromarray(eight(picture))
        data = pillow(image if undo is None else image.transpose(undo), kind, exif=exif, quality=95)
    else:
        deep = np.rint(picture[..., 0] * 4095).astype("u2")
        image = Image.fromarray(deep)
        data = pillow(image if undo is None else image.transpose(undo), kind, exif=exif)
    decoded = np.asarray(load_rgb(BytesIO(data), 10_000)).astype(int)
    truth = eight(picture if kind == "AVIF" else picture[..., 0])
    assert decoded.shape == truth.shape
    assert np.abs(decoded - truth).mean() < (6 if kind == "AVIF" else 1)
