"""Every kind of file that Pillow and tifffile write decodes to the original image.

OpenCV must decode the same pixels, if it reads the file; OPENCV lists the exceptions and their reasons.
"""

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.dataset.images.matrix import FILES
from tests.dataset.images.writers import (
    COLOURS,
    RAMP,
    bmp_with_alpha,
    eight,
    pillow,
    stored_as,
    tiff,
    tiff_lab,
)
from tests.messages import says

from experiments.dataset.images.pixels import dimensions, load_rgb

REFUSED = {  # an error, as Pillow cannot decode these
    "i1 miniswhite": (stored_as(RAMP, "i1"), {"photometric": "miniswhite"}),
    "i2 miniswhite": (stored_as(RAMP, "i2"), {"photometric": "miniswhite"}),
    "f2": (stored_as(RAMP, "f2"), {}),
    "u8": (RAMP.astype("u8"), {}),
    "i2 rgb": (stored_as(COLOURS, "i2"), {"photometric": "rgb"}),
    "f4 rgb": (stored_as(COLOURS, "f4"), {"photometric": "rgb"}),
    "u1 rgb planes and associated alpha": (
        stored_as(np.stack([RAMP] * 4), "u1"),
        {"photometric": "rgb", "planarconfig": "separate", "extrasamples": ["assocalpha"]},
    ),
}


def test_the_matrix_is_as_large_as_it_was_written():
    kinds = {file.name.partition(" ")[0] for file in FILES}
    assert len(FILES) > 150
    assert kinds >= {"TIFF", "PNG", "BMP", "GIF", "PPM", "TGA", "SGI", "ICO", "WEBP", "JPEG2000", "P5", "P6"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_decodes_to_the_picture_that_was_written(file, tmp_path):
    decoded = np.asarray(load_rgb(BytesIO(file.data), 10_000)).astype(int)
    assert np.abs(decoded - file.truth).max() <= file.off
    (tmp_path / "file").write_bytes(file.data)
    assert dimensions(tmp_path / "file") == file.truth.shape[1::-1]


def opinion(data: bytes) -> np.ndarray | None:
    """Return uint8 RGB as decoded by OpenCV, alpha on white; None if it cannot."""
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        return None
    low, high = (
        (0, 1) if values.dtype.kind == "f" else (np.iinfo(values.dtype).min, np.iinfo(values.dtype).max)
    )
    picture = (values.astype(float) - low) / (float(high) - low)
    if picture.ndim == 3 and picture.shape[2] == 4:
        picture = picture[..., :3] * picture[..., 3:] + 1 - picture[..., 3:]
    return eight(picture[..., ::-1] if picture.ndim == 3 else picture)


def test_opencv_decodes_the_same_values_except_for_listed_reasons():
    agreed, apart = 0, []
    for file in FILES:
        other = opinion(file.data)
        if other is None:
            continue
        same = (
            other.shape == file.truth.shape and np.abs(other.astype(int) - file.truth).max() <= file.off + 1
        )
        agreed += same
        if same == bool(file.opencv):
            apart.append((file.name, file.opencv))
    assert apart == []
    assert agreed > 60


@pytest.mark.parametrize("name", REFUSED)
def test_what_pillow_cannot_decode_is_refused(name):
    values, options = REFUSED[name]
    with pytest.raises((OSError, ValueError)):
        load_rgb(BytesIO(tiff(values, **options)), 10_000)


def test_an_unsupported_tiff_is_distinguished_from_a_damaged_one(tmp_path, image_folder, ctx):
    (tmp_path / "float.tif").write_bytes(tiff(stored_as(COLOURS, "f4"), photometric="rgb"))
    for number in range(2):
        (tmp_path / f"{number}.tif").write_bytes(tiff(eight(COLOURS * number), photometric="rgb"))
    ((name, reason),) = image_folder(tmp_path).load(ctx).skipped
    assert name == "float.tif"
    says(reason, use="8 or 16 bits a channel")


def test_cielab_is_converted_from_its_white():
    values = np.stack([np.linspace(0, 255, 60).reshape(6, 10), *[np.full((6, 10), 128)] * 2], -1)
    grey = np.asarray(load_rgb(BytesIO(tiff_lab(values.astype(np.uint8))), 10_000)).astype(int)
    lightness = values[..., 0] / 255 * 100
    linear = np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness / 903.3)
    expected = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) * 255
    assert np.abs(grey - expected[..., None]).max() <= 3
    values[..., 1] = 200  # towards red
    red = np.asarray(load_rgb(BytesIO(tiff_lab(values.astype(np.uint8))), 10_000)).astype(int)
    assert (red[..., 0] - red[..., 1])[3:].min() > 50


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "TGA", "ICO", "BMP", "WEBP"])
def test_an_alpha_that_is_empty_is_ignored(kind):
    values = np.concatenate([eight(COLOURS), np.zeros((6, 10, 1), np.uint8)], -1)
    if kind == "BMP":
        data = bmp_with_alpha(values)
    else:
        options = (
            {"sizes": [(10, 6)]}
            if kind == "ICO"
            else {"lossless": True, "exact": True}
            if kind == "WEBP"
            else {}
        )
        data = pillow(Image.fromarray(values), kind, **options)
    np.testing.assert_array_equal(load_rgb(BytesIO(data), 10_000), eight(COLOURS))
    values[2, 2, 3] = 255  # then it is significant
    expected = np.full((6, 10, 3), 255)
    expected[2, 2] = values[2, 2, :3]
    if kind == "BMP":
        np.testing.assert_array_equal(load_rgb(BytesIO(bmp_with_alpha(values)), 10_000), expected)


def test_photographs_decode_as_they_did():
    """Images that Pillow converts to RGB without ambiguity keep its exact pixels."""
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (90, 120, 3), np.uint8))
    for kind, mode, options in (("JPEG", "RGB", {}), ("JPEG", "L", {}), ("PNG", "RGB", {}), ("PNG", "P", {})):
        data = pillow(image.convert(mode), kind, **options)
        for at_least in (10, 60, 1000):
            plain = Image.open(BytesIO(data))
            plain.draft(None, (at_least, at_least))
            np.testing.assert_array_equal(load_rgb(BytesIO(data), at_least), plain.convert("RGB"))
