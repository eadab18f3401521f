"""Images are decoded to upright RGB: expected pixels are literals or computed without Pillow."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from experiments.dataset.images.pixels import dimensions, load_rgb, resized
from experiments.samples import Resize

CORNERS = np.array(
    [[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[255, 255, 0], [0, 0, 0], [255, 255, 255]]], np.uint8
)


def stored(image: Image.Image, kind: str = "PNG", **options) -> np.ndarray:
    """Write an image and read it back as RGB."""
    file = BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return np.asarray(load_rgb(file, at_least=10_000))


def turned(orientation: int) -> Image.Image:
    """Return CORNERS as stored by a camera in this orientation."""
    values = CORNERS
    undo = {
        1: values,
        2: values[:, ::-1],
        3: values[::-1, ::-1],
        4: values[::-1],
        5: values.transpose(1, 0, 2),
        6: np.rot90(values, 1),
        7: values[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(values, -1),
    }
    return Image.fromarray(np.ascontiguousarray(undo[orientation]))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_applied(orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(stored(turned(orientation), kind, exif=exif, **options), CORNERS)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_dimensions_are_those_of_the_upright_image(tmp_path, orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (64, 32)).save(tmp_path / "image", kind, exif=exif)
    expected = (64, 32) if orientation < 5 else (32, 64)
    assert dimensions(tmp_path / "image") == expected
    assert load_rgb(tmp_path / "image", at_least=64).size == expected


def test_a_rotated_photograph_is_upright():
    values = np.zeros((32, 64, 3), np.uint8)
    values[:, 32:] = 255  # dark left, bright right, stored rotated
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = stored(Image.fromarray(np.ascontiguousarray(np.rot90(values, 1))), "JPEG", exif=exif)
    assert upright.shape == values.shape
    assert upright[:, :24].mean() < 10
    assert upright[:, 40:].mean() > 245


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_a_damaged_exif_block_does_not_hide_the_image():
    assert stored(Image.new("RGB", (4, 4), "red"), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff").shape == (
        4,
        4,
        3,
    )


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("L", (2, 2), 100), (100, 100, 100)),
        (Image.new("1", (2, 2), 1), (255, 255, 255)),
        (Image.new("P", (2, 2), 0), (0, 0, 0)),
        (Image.new("LA", (2, 2), (100, 255)), (100, 100, 100)),
        (Image.new("LA", (2, 2), (0, 0)), (255, 255, 255)),
        (Image.new("RGBA", (2, 2), (10, 20, 30, 255)), (10, 20, 30)),
        (Image.new("RGBA", (2, 2), (10, 20, 30, 0)), (255, 255, 255)),
        (Image.new("RGBA", (2, 2), (0, 100, 255, 128)), (127, 177, 255)),
    ],
)
def test_every_mode_becomes_rgb(image, expected):
    np.testing.assert_allclose(stored(image), np.broadcast_to(expected, (2, 2, 3)), atol=1)


def test_a_palette_with_a_transparent_colour_is_white_there():
    image = Image.new("P", (2, 1))
    image.putpalette([200, 10, 20, 30, 40, 50])
    image.putdata([0, 1])
    np.testing.assert_array_equal(stored(image, transparency=0), [[[255, 255, 255], [30, 40, 50]]])


def test_a_transparent_grey_value_is_white():
    image = Image.new("L", (2, 1))
    image.putdata([7, 90])
    np.testing.assert_array_equal(stored(image, transparency=7)[0, :, 0], [255, 90])


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk_is_not_inverted(kind):
    cyan = stored(Image.new("CMYK", (16, 16), (255, 0, 0, 0)), kind)
    np.testing.assert_allclose(cyan, np.broadcast_to((0, 255, 255), (16, 16, 3)), atol=3)


def test_sixteen_bits_are_scaled_and_not_clipped():
    ramp = np.array([[0, 257, 25700, 65535]], np.uint16)
    for kind in ("PNG", "TIFF"):
        np.testing.assert_array_equal(stored(Image.fromarray(ramp), kind)[0, :, 1], [0, 1, 100, 255])


@pytest.mark.parametrize(
    ("values", "expected"), [([0, 25700, 65535], [0, 100, 255]), ([-5, 0, 250], [0, 5, 255])]
)
def test_whole_numbers_of_32_bits_hold_sixteen_or_are_stretched(values, expected):
    assert list(stored(Image.fromarray(np.array([values], np.int32)), "TIFF")[0, :, 0]) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 0.5, 1], [0, 128, 255]),
        ([0, 100, 255], [0, 100, 255]),
        ([-1, 0, 3], [0, 64, 255]),
        ([np.nan, 0.2, 1], [0, 51, 255]),
        ([5000, 5000, 5000], [0, 0, 0]),
    ],
)
def test_floats_are_scaled(values, expected):
    grey = stored(Image.fromarray(np.array([values], np.float32)), "TIFF")
    assert list(grey[0, :, 2]) == expected


def test_an_animation_shows_its_first_frame():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    first = stored(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(first, np.broadcast_to((255, 0, 0), (4, 4, 3)))


def test_squash_keeps_all_and_crop_keeps_the_middle():
    values = np.zeros((10, 30, 3), np.uint8)
    values[:, 10:20] = 255  # a bright middle third
    image = Image.fromarray(values)
    assert np.asarray(resized(image, Resize(10, "crop"))).min() == 255
    squashed = np.asarray(resized(image, Resize(9)))
    assert squashed.shape == (9, 9, 3)
    np.testing.assert_array_equal(squashed[0, [0, 4, 8], 0], [0, 255, 0])


def test_a_jpeg_decoded_small_looks_like_one_decoded_whole():
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).resize(
        (512, 512), Image.Resampling.BICUBIC
    )
    file = BytesIO()
    smooth.save(file, "JPEG", quality=95)
    file.seek(0)
    small = load_rgb(file, at_least=64)
    assert small.size == (64, 64)
    file.seek(0)
    whole = load_rgb(file, at_least=512)
    pair = [np.asarray(resized(image, Resize(32)), np.int64) for image in (small, whole)]
    assert np.abs(pair[0] - pair[1]).mean() < 1.5
