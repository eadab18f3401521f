"""Colours are sRGB: expected values are computed without a library of colour management."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from tests.dataset.images.profiles import as_srgb, profile

from experiments.dataset.images.pixels import load_rgb

COLOURS = np.array([[[200, 80, 40], [30, 160, 90], [90, 90, 200], [128, 128, 128]]], np.uint8)
COLOURS = COLOURS.repeat(16, axis=0).repeat(16, axis=1)
P3, SRGB = profile("RGB", "P3"), profile("RGB", "sRGB")
LOSSLESS = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}, "HEIF": {"quality": -1},
            "AVIF": {"quality": 100, "subsampling": "4:4:4"}}  # fmt: skip


def decoded(image: Image.Image, kind: str = "PNG", **options) -> np.ndarray:
    """Write an image and read it back as RGB."""
    file = BytesIO()
    image.save(file, kind, **LOSSLESS.get(kind, {}), **options)
    return np.asarray(load_rgb(file, at_least=10_000), int)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF"])
def test_display_p3_becomes_srgb(kind):
    image = Image.fromarray(COLOURS)
    plain, converted = decoded(image, kind), decoded(image, kind, icc_profile=P3)
    assert np.abs(plain - COLOURS).max() <= 4, "without a profile nothing changes"
    assert np.abs(converted - as_srgb(COLOURS, "P3")).max() <= 6
    assert np.abs(converted - plain).max() > 20
    np.testing.assert_array_equal(decoded(image, kind, icc_profile=SRGB), plain)


def test_a_palette_and_transparent_parts_are_converted():
    image = Image.fromarray(COLOURS)
    expected = as_srgb(COLOURS, "P3")
    palette = image.quantize(4, dither=Image.Dither.NONE)
    assert np.abs(decoded(palette, icc_profile=P3) - expected).max() <= 2
    alpha = Image.fromarray(np.where(np.arange(64) < 32, 255, 0).astype(np.uint8)[None].repeat(16, axis=0))
    image.putalpha(alpha)
    transparent = decoded(image, icc_profile=P3)
    assert np.abs(transparent[:, :32] - expected[:, :32]).max() <= 2
    assert (transparent[:, 32:] == 255).all()


def test_sixteen_bits_are_converted(tmp_path):
    cv2 = pytest.importorskip("cv2")
    cv2.imwrite(str(tmp_path / "plain.png"), COLOURS[..., ::-1].astype(np.uint16) * 257)
    plain = (tmp_path / "plain.png").read_bytes()
    file = BytesIO()
    Image.new("RGB", (1, 1)).save(file, "PNG", icc_profile=P3)
    start = file.getvalue().index(b"iCCP") - 4
    size = int.from_bytes(file.getvalue()[start : start + 4], "big") + 12
    data = plain[:33] + file.getvalue()[start : start + size] + plain[33:]  # after IHDR
    assert np.abs(np.asarray(load_rgb(BytesIO(data), 1), int) - as_srgb(COLOURS, "P3")).max() <= 2


def test_grey_is_converted_by_the_profile_of_greys():
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    linear = (np.arange(256) / 255) ** 1.8
    expected = np.where(linear < 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    converted = decoded(ramp, icc_profile=profile("GRAY", gamma=1.8))
    assert np.abs(converted[0, :, 1] - 255 * expected).max() <= 2


@pytest.mark.parametrize("wrong", [b"", b"not a profile", P3[:200], profile("GRAY", gamma=1.0)])
def test_a_profile_that_cannot_be_used_is_ignored(wrong):
    np.testing.assert_array_equal(decoded(Image.fromarray(COLOURS), icc_profile=wrong), COLOURS)
