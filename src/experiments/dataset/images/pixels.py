"""Make RGB of any image that Pillow reads, the right way up."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from experiments.types import Resize

VERSION = 1  # raise it when the same file would give other pixels
ORIENTATION = 0x0112  # the EXIF tag
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = (5, 6, 7, 8)
RIBBON = 8  # times the shorter side
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def load_rgb(file: Path | BytesIO, at_least: int) -> Image.Image:
    """Return the first frame as 8-bit RGB, upright, transparent parts white.

    Greys of 16 bits are scaled by their whole range and never stretched to the values that they hold, as
    brightness may tell images apart. So 12 or 14 bits in a 16-bit file come out nearly black (4095 becomes
    16): multiply them by 16 or 4 beforehand.

    Parameters
    ----------
    at_least
        Pixels a side that are enough: a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size down to these.

    Raises
    ------
    Exception
        Whatever Pillow meets in a damaged file.
    """
    with Image.open(file) as image:
        image.draft(None, (at_least, at_least))
        image.load()
        turn = UPRIGHT.get(_orientation(image))
        upright = image.transpose(turn) if turn is not None else image
        return _rgb(upright)


def dimensions(file: Path) -> tuple[int, int]:
    """Return width and height as `load_rgb` would show them, from the header alone."""
    with Image.open(file) as image:
        width, height = image.size
        lying = _orientation(image) in SIDEWAYS and image.format != "TIFF"  # a TIFF Pillow turns by itself
        return (height, width) if lying else (width, height)


def resized(image: Image.Image, resize: Resize) -> Image.Image:
    """Return `size` x `size` pixels, antialiased; sides and centre are rounded as torchvision does."""
    side, shorter = resize.scaled or resize.size, min(image.size)
    sides = (side, side)
    if resize.mode == "crop":  # cut first what would become a ribbon of any length
        image = _centre(image, min(image.width, RIBBON * shorter), min(image.height, RIBBON * shorter))
        sides = (int(side * image.width / shorter), int(side * image.height / shorter))
    return _centre(image.resize(sides, FILTERS[resize.interpolation]), resize.size, resize.size)


def _centre(image: Image.Image, width: int, height: int) -> Image.Image:
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    return image.crop((left, top, left + width, top + height))


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation; a damaged EXIF block hides it, and not the image."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # Pillow's EXIF reader raises whatever the damage leads to
        return 1


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode[0] in "IF":
        return Image.fromarray(_eight_bits(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(opaque, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """Scale to 0..255: integers of 16 bits, floats to 1 or to 255; stretch a wider range from end to end."""
    whole = values.dtype.kind in "iu"
    values = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    low, high = values.min(), values.max()
    fitting = [top for top in ((65535.0,) if whole else (1.0, 255.0)) if low >= 0 and high <= top]
    low, high = (0.0, fitting[0]) if fitting else (low, high)
    return np.rint((values - low) * (255 / ((high - low) or 1))).astype(np.uint8)
