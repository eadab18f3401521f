"""Write an image as many kinds of files, some by hand, as no library writes them."""

import struct
import zlib
from io import BytesIO

import numpy as np
import tifffile
from PIL import Image

RAMP = np.linspace(0, 1, 60).reshape(6, 10)
COLOURS = np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], -1)
HALF = np.where(np.arange(10) < 5, 1.0, 0.5) * np.ones((6, 1))


def eight(picture: np.ndarray) -> np.ndarray:
    """Return uint8 RGB of values in 0..1."""
    picture = picture if picture.ndim == 3 else picture[..., None]
    return np.rint(np.broadcast_to(picture, (*picture.shape[:2], 3)) * 255).astype(np.uint8)


def stored_as(picture: np.ndarray, kind: str) -> np.ndarray:
    """Return values in 0..1 in the range of a type."""
    if np.dtype(kind).kind == "f":
        return picture.astype(kind)
    low, high = (int(end) for end in (np.iinfo(kind).min, np.iinfo(kind).max))
    return np.rint(picture * (high - low) + low).clip(low, high).astype(kind)


def tiff(values: np.ndarray, **options: object) -> bytes:
    file = BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def pillow(image: Image.Image, kind: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png16(values: np.ndarray, *chunks: bytes) -> bytes:
    """Return a PNG of 16 bits, grey, grey with alpha, RGB or RGBA, with these chunks before its pixels."""
    values = values if values.ndim == 3 else values[..., None]
    height, width, bands = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[bands], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    parts = [chunk(b"IHDR", header), *chunks, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def pnm(magic: str, values: np.ndarray, maximum: int) -> bytes:
    head = f"{magic} {values.shape[1]} {values.shape[0]} {maximum}\n".encode()
    if magic in ("P2", "P3"):
        return head + " ".join(map(str, values.ravel())).encode()
    return head + values.astype(">u2" if maximum > 255 else "u1").tobytes()


def tiff12(values: np.ndarray) -> bytes:
    """Return a TIFF of 12 bits a pixel, packed."""
    pairs = values.reshape(-1, 2).astype(int)
    packed = np.stack([pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1] & 255], 1)
    data, tags = packed.astype(np.uint8).tobytes(), [(256, 10), (257, 6), (258, 12), (259, 1), (262, 1)]
    tags += [(273, 8), (277, 1), (278, 6), (279, len(data))]
    table = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return (
        b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) + table + bytes(4)
    )


def bmp_with_alpha(values: np.ndarray) -> bytes:
    """Return a BITMAPV4 with masks of red, green, blue and alpha."""
    pixels = np.ascontiguousarray(values[::-1][..., [2, 1, 0, 3]]).tobytes()
    head = struct.pack(
        "<IiiHHIIiiII", 108, values.shape[1], values.shape[0], 1, 32, 3, len(pixels), 0, 0, 0, 0
    )
    head += struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48)
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(pixels), 0, 0, 14 + len(head)) + head + pixels


def tiff_lab(values: np.ndarray) -> bytes:
    """Return a TIFF of CIELab, with signed a and b."""
    stored = np.concatenate([values[..., :1], (values[..., 1:].astype(int) - 128).astype(np.uint8)], -1)
    return tiff(stored, photometric="cielab")
