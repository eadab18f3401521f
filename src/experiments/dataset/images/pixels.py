"""Decode any image of Pillow's formats to upright RGB."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageFile

from experiments.dataset.images import deep
from experiments.dataset.images.colour_profile import to_srgb
from experiments.dataset.images.opening import open_image, orientation, raw_mode, upright
from experiments.samples import Resize, ValueRange

VERSION = 3  # raise when the decoded pixels of a file change
UNKNOWN = ValueRange()
SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap width and height
RIBBON = 8  # longest side before a crop, in units of the shorter one
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
SHEETS = (
    "AVIF",
    "DCX",
    "FLI",
    "GIF",
    "HEIF",
    "PNG",
    "TIFF",
    "WEBP",
)  # formats whose frames are separate images
ALPHA = ("AVIF", "GIF", "HEIF", "JPEG2000", "JXL", "PNG", "QOI", "WEBP")  # formats whose alpha is reliable


@dataclass(frozen=True)
class Facts:
    """Properties of a decoded image.

    Parameters
    ----------
    whole
        True if it has values deeper than 8 bits that are whole numbers.
    extent
        Smallest and largest value if deeper than 8 bits; None: 8 bits, or the file states the range.
    several
        True if the file has several images, such as an animation.
    """

    whole: bool = False
    extent: tuple[float, float] | None = None
    several: bool = False


ONE, SEVERAL = Facts(), Facts(several=True)


def load_rgb(file: Path | BytesIO, at_least: int, value_range: ValueRange = UNKNOWN) -> Image.Image:
    """Return the first frame as 8-bit RGB, upright, transparent parts white.

    - Values deeper than 8 bits: black and white are from the file's metadata, else from `value_range`; nan
      is black.
    - An alpha of 0 everywhere is ignored, because many programs leave it empty. But an image of one colour
      in a format of ALPHA is blank and becomes white.
    - Colours are converted to sRGB if the file has a profile; else they are used as they are.

    Parameters
    ----------
    at_least
        Smallest side in pixels: a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, and of a HEIC its
        thumbnail, but not below this side.
    value_range
        Black and white of images deeper than 8 bits; empty: from the image's own range.

    Raises
    ------
    Exception
        Of any type, from Pillow, for a damaged file.
    """
    with open_image(file) as image:
        profile = image.info.get("icc_profile")
        exact = deep.is_deep_colour(image) and (
            value_range.whole != deep.FULL or "transparency" in image.info or deep.significant_bits(image)
        )
        decoded = None if exact else _decoded(image, at_least)
    decoded = decoded or deep.colour(file)
    return to_srgb(decoded.image(value_range) if isinstance(decoded, deep.Deep) else decoded, profile)


def facts(file: Path | BytesIO) -> Facts:
    """Decode an image like `load_rgb`, at the smallest size, and return its properties."""
    with open_image(file) as image:
        is_deep = deep.is_deep_colour(image)
        at_least = max(image.size) if image.format == "HEIF" else 1  # a HEIC's thumbnail may be intact alone
        decoded = None if is_deep else _decoded(image, at_least)
        several = image.format in SHEETS and getattr(image, "is_animated", False)
    decoded = decoded or deep.colour(file)
    if isinstance(decoded, deep.Deep):
        return Facts(decoded.whole, decoded.extent(), several)
    return SEVERAL if several else ONE


def dimensions(file: Path) -> tuple[int, int]:
    """Return width and height of the upright image, from the header alone."""
    with open_image(file) as image:
        width, height = image.size
        swapped = orientation(image) in SIDEWAYS and image.format != "TIFF"  # Pillow rotates TIFF itself
        return (height, width) if swapped else (width, height)


def resized(image: Image.Image, resize: Resize) -> Image.Image:
    """Return `size` x `size` pixels, antialiased; sides and centre are rounded as in torchvision."""
    side, shorter = resize.scaled or resize.size, min(image.size)
    sides = (side, side)
    if resize.mode == "crop":  # first crop very long images, which would be scaled to a huge size
        image = _centre(image, min(image.width, RIBBON * shorter), min(image.height, RIBBON * shorter))
        sides = (int(side * image.width / shorter), int(side * image.height / shorter))
    return _centre(image.resize(sides, FILTERS[resize.interpolation]), resize.size, resize.size)


def _centre(image: Image.Image, width: int, height: int) -> Image.Image:
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    return image.crop((left, top, left + width, top + height))


def _decoded(image: ImageFile.ImageFile, at_least: int) -> Image.Image | deep.Deep:
    raw, bits = raw_mode(image), deep.significant_bits(image)
    image.draft(None, (at_least, at_least))
    image.load()
    turned = upright(image)
    return deep.grey(image, turned, raw, bits) or _opaque(turned, str(image.format))


def _opaque(image: Image.Image, kind: str) -> Image.Image:
    if not image.has_transparency_data:
        return image
    if image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.upper())
    image = image.convert("RGBA")
    if image.getchannel("A").getextrema() == (0, 0):
        shown = image.convert("RGB")
        blank = kind in ALPHA and shown.getcolors(1) is not None
        return Image.new("RGB", image.size, "white") if blank else shown
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
