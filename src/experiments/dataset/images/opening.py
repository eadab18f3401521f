"""Open an image with Pillow, and correct how Pillow decodes some TIFF and PNM."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageFile, TiffImagePlugin

from experiments.dataset.images.formats import readable

BITS, PHOTOMETRIC, PLANAR, SAMPLE_FORMAT = 258, 262, 284, 339  # TIFF tags
MORE_TIFF = {  # kinds of TIFF that Pillow can decode but does not list; as PIL.TiffImagePlugin.OPEN_INFO
    (b"MM", 0, (1,), 1, (16,), ()): ("I;16B", "I;16B"),
    (b"II", 1, (3,), 1, (64,), ()): ("F", "F;64F"),
    (b"MM", 1, (3,), 1, (64,), ()): ("F", "F;64BF"),
    (b"MM", 1, (1,), 1, (32,), ()): ("I", "I;32B"),
}
NATIVE = {  # libtiff returns values in the machine's byte order, not the file's
    "I;16BS": "I;16NS", "I;16S": "I;16NS", "I;32BS": "I;32NS", "I;32S": "I;32NS", "I;32B": "I;32N",
    "F;32BF": "F;32NF", "F;32F": "F;32NF", "F;64BF": "F;64NF", "F;64F": "F;64NF", "I;16B": "I;16N",
}  # fmt: skip
BANDS = ("R", "G", "B", "A")  # raw modes of a TIFF with separate planes
SWAPPED = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ORIENTATION = 0x0112  # the EXIF tag


@contextmanager
def open_image(file: Path | BytesIO) -> Iterator[ImageFile.ImageFile]:
    """Open an image without decoding it."""
    if isinstance(file, BytesIO):
        file.seek(0)
    with Image.open(file, formats=_formats()) as image:
        if image.format in ("TIFF", "PPM"):
            _mend(image)
        yield image


def upright(image: Image.Image) -> Image.Image:
    """Return a decoded image, rotated upright."""
    turn = UPRIGHT.get(orientation(image))
    return image if turn is None else image.transpose(turn)


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 (upright) if there is none, it is damaged or does not count."""
    if image.format == "JXL" and not getattr(image, "jpeg", None):
        return 1  # the decoder has rotated it, unless the file is a repacked JPEG
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # Pillow raises exceptions of any type for damaged EXIF
        return 1


def raw_mode(image: ImageFile.ImageFile) -> str:
    """Return Pillow's raw mode of an undecoded image; "" if it has none."""
    return _raw(image.tile[0]) if image.tile else ""


def change_raw_mode(image: ImageFile.ImageFile, change: Callable[[str], str]) -> None:
    """Set the raw mode for decoding an image."""
    image.tile = [_with_raw(tile, change(_raw(tile))) for tile in image.tile]


def other_bytes(raw: str) -> str:
    """Return the raw mode of the low bytes of 16 bits, given that of the high bytes."""
    return raw[:-1] + SWAPPED[raw[-1]]


def tag(image: Image.Image, number: int, default: int) -> int:
    """Return the first value of a TIFF tag, or the default."""
    values = getattr(image, "tag_v2", {}).get(number, default)
    return int(values[0] if isinstance(values, tuple) else values)


@cache
def _formats() -> tuple[str, ...]:
    formats = readable()
    for kind, modes in MORE_TIFF.items():
        TiffImagePlugin.OPEN_INFO.setdefault(kind, modes)
    return formats


def _mend(image: ImageFile.ImageFile) -> None:
    if not image.tile:
        return
    raw, codec, args = raw_mode(image), image.tile[0].codec_name, image.tile[0].args
    if codec == "libtiff":
        change_raw_mode(image, lambda raw: NATIVE.get(raw, raw))
    elif codec == "raw" and raw in BANDS and tag(image, BITS, 8) == 16:  # Pillow decodes them as 8 bits
        order = "B" if image.tag_v2.prefix == b"MM" else "L"  # type: ignore[attr-defined]
        image.tile = [tile for tile in image.tile if _raw(tile) in BANDS]
        change_raw_mode(image, lambda raw: f"{raw};16{order}")
    elif codec == "ppm" and image.mode == "RGB" and isinstance(args, tuple) and args[1] == 65535:
        image.tile = [tile._replace(codec_name="raw", args=("RGB;16B", 0, 1)) for tile in image.tile]


def _raw(tile: ImageFile._Tile) -> str:
    args = tile.args
    return args if isinstance(args, str) else str(args[0]) if args else ""


def _with_raw(tile: ImageFile._Tile, raw: str) -> ImageFile._Tile:
    return tile._replace(args=raw if isinstance(tile.args, str) else (raw, *(tile.args or ())[1:]))
