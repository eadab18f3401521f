"""Recognise image files by their extension, or by their first bytes."""

import posixpath
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from PIL import Image

from experiments.dataset.images import plugins

PLAIN = (  # extensions of images only
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".bmp", ".dib", ".gif", ".webp", ".tif",
    ".tiff", ".pbm", ".pgm", ".ppm", ".pnm", ".pfm", ".avif", ".avifs", ".jp2", ".j2k", ".j2c", ".jpc",
    ".jpf", ".jpx", ".ico", ".icns", ".psd", ".qoi", ".tga", *plugins.EXTENSIONS,
)  # fmt: skip
SHARED = (  # extensions of images and other files, such as .pcd of point clouds
    ".blp", ".bw", ".cur", ".dcx", ".dds", ".fit", ".fits", ".flc", ".fli", ".ftc", ".ftu", ".gbr", ".icb",
    ".im", ".msp", ".pcd", ".pcx", ".pxr", ".ras", ".rgb", ".rgba", ".sgi", ".vda", ".vst", ".xbm", ".xpm",
)  # fmt: skip
IMAGE = PLAIN + SHARED
FOREIGN = (".dng", ".cr2", ".cr3", ".nef", ".arw", ".svg")
UNDECODED = {"BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF"}  # Pillow needs another program
SIGNED = (  # formats with a unique signature
    "JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "AVIF", "JPEG2000", "PSD", "QOI", "ICO", "ICNS",
    "DDS", "FITS", "HEIF", "JXL",
)  # fmt: skip
PREFIX = 2052  # bytes read to recognise a format
HEADERS = (12, 40, 52, 56, 64, 108, 124)  # sizes of the second header of a BMP
CHECKS: dict[str, Callable[[bytes], bool]] = {  # formats whose signature is too short, late or missing
    "BMP": lambda prefix: int.from_bytes(prefix[14:18], "little") in HEADERS,
    "PPM": lambda prefix: re.match(rb"P.\s+[0-9#]", prefix) is not None,
    "PCD": lambda prefix: prefix[2048:] == b"PCD_",
    "TGA": lambda prefix: prefix[1:2] in b"\0\1" and prefix[2:3] in b"\1\2\3\t\n\v",
}
EXTENSION = re.compile(r"\.[a-z][a-z0-9]{0,7}")
LEFTOVER = re.compile(r"te?mp|.*~", re.IGNORECASE | re.DOTALL)  # names of temporary and backup files


def extension(path: str) -> str:
    """Return the extension in lower case; "" for names such as `a`, `a.2` and `a.jpg?width=90`."""
    suffix = posixpath.splitext(path)[1].lower()
    return suffix if EXTENSION.fullmatch(suffix) else ""


@cache
def readable() -> tuple[str, ...]:
    """Return Pillow's names of all formats that it and the installed plugins decode.

    Formats with a signature come first, the most frequent ones first: Pillow tries them in this order.
    """
    Image.init()
    plugins.register()
    others = UNDECODED | (plugins.PLUGINS.keys() - plugins.installed())
    signed = [name for name in SIGNED if name in Image.OPEN and name not in others]
    return (*signed, *(name for name in Image.ID if name not in others and name not in signed))


def begins_as_an_image(path: Path, suffix: str) -> bool:
    """Return True if the first bytes fit the file's extension; without an extension, any format of SIGNED."""
    known = readable()
    formats = (Image.EXTENSION[suffix],) if suffix in IMAGE else SIGNED
    if LEFTOVER.fullmatch(path.name):
        return False
    try:
        with path.open("rb") as file:
            prefix = file.read(PREFIX)
    except OSError:  # not reported, as the file may not be an image
        return False
    return any(_begins(name, prefix) for name in formats if name in known)


def _begins(name: str, prefix: bytes) -> bool:
    accept, check = Image.OPEN[name][1], CHECKS.get(name)
    return bool(prefix) and (accept is None or bool(accept(prefix))) and (check is None or check(prefix))
