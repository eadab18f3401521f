"""Every kind of file that Pillow and tifffile write decodes to the picture that was written.

OpenCV gives the second opinion, wherever it reads the file too; where it disagrees, OPENCV says why.
"""

import itertools
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from experiments.dataset.images.pixels import dimensions, load_rgb
from experiments.types import ValueRange

RAMP = np.linspace(0, 1, 60).reshape(6, 10)
COLOURS = np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], -1)
HALF = np.where(np.arange(10) < 5, 1.0, 0.5) * np.ones((6, 1))
OPENCV = {  # kinds of files of which OpenCV makes another picture, and why ours is right
    "miniswhite of 16 bits": "it gives the stored values, and turns those of 8 bits round",
    "float miniswhite": "it gives the stored values",
    "planes of 16 bits": "it mixes the planes of 16-bit TIFFs that are stored one after another",
    "associated": "it gives colours with alpha multiplied into them, and calls them straight",
    "straight alpha in 8 bits": "it multiplies straight alpha into the colours of 8-bit TIFFs",
    "another sample": "it takes a fourth sample for alpha, whatever it is said to be",
    "32 bits": "its scale is the type's, and these use 16 of 32 bits",
    "PNM": "it does not scale by the maximum that the file states",
    "sBIT": "it ignores the chunk sBIT",
    "tRNS": "it ignores the chunk tRNS of greys",
}


@dataclass(frozen=True)
class Written:
    """A file, the picture that was written (uint8 RGB), and how far its pixels may be from it."""

    name: str
    data: bytes
    truth: np.ndarray
    off: int = 1
    opencv: str = ""  # why OpenCV disagrees


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


ORDERS = [("<", None), (">", None), ("<", "zlib"), (">", "zlib")]
GREYS = ("u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8")
INVERTED = ("u1", "u2", "f4")  # kinds that are read where the smallest value is white


def grey_tiffs():
    for kind, (order, packed) in itertools.product(GREYS, ORDERS):
        for photometric in ("minisblack", "miniswhite") if kind in INVERTED else ("minisblack",):
            stored = 1 - RAMP if photometric == "miniswhite" else RAMP
            options = {"photometric": photometric, "byteorder": order, "compression": packed}
            reason = ""
            if photometric == "miniswhite" and kind != "u1":
                reason = OPENCV["miniswhite of 16 bits" if kind == "u2" else "float miniswhite"]
            yield Written(
                f"TIFF {kind}{order} {photometric} {packed}", tiff(stored_as(stored, kind), **options),
                eight(RAMP), opencv=reason,
            )  # fmt: skip


def colour_tiffs():
    extras = (None, "unassalpha", "assocalpha", "unspecified")
    for kind, (order, packed), planar, extra in itertools.product(
        ("u1", "u2"), ORDERS, ("contig", "separate"), extras
    ):
        if (kind, planar, packed, extra) in REFUSED_PLANES:
            continue
        parts, truth = [COLOURS], COLOURS
        if extra:
            parts.append(HALF[..., None])
        if extra in ("unassalpha", "assocalpha"):  # on white
            truth = COLOURS * HALF[..., None] + 1 - HALF[..., None]
        if extra == "assocalpha":
            parts[0] = COLOURS * HALF[..., None]
        values = stored_as(np.concatenate(parts, -1), kind)
        if planar == "separate":
            values = np.ascontiguousarray(values.transpose(2, 0, 1))
        options = {"photometric": "rgb", "byteorder": order, "compression": packed, "planarconfig": planar}
        reason = OPENCV["planes of 16 bits"] if planar == "separate" and kind == "u2" else ""
        reason = OPENCV["associated"] if extra == "assocalpha" else reason
        if extra == "unspecified" and not reason:
            reason = OPENCV["another sample"]
        if extra == "unassalpha" and kind == "u1":
            reason = OPENCV["straight alpha in 8 bits"]
        yield Written(
            f"TIFF {kind}{order} rgb {planar} {extra} {packed}",
            tiff(values, extrasamples=[extra] if extra else None, **options), eight(truth), 2, reason,
        )  # fmt: skip


REFUSED_PLANES = {
    ("u1", "separate", None, "assocalpha"), ("u1", "separate", None, "unspecified"),
    ("u2", "separate", None, "assocalpha"),
}  # fmt: skip
REFUSED = {  # what Pillow does not decode is refused, and never misread
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

MODES = {  # Pillow's modes: an image of each, and the picture that it is
    "1": (Image.fromarray(RAMP > 0.5), (RAMP > 0.5).astype(float)),
    "L": (Image.fromarray(eight(RAMP)[..., 0]), RAMP),
    "RGB": (Image.fromarray(eight(COLOURS)), COLOURS),
    "LA": (
        Image.merge("LA", [Image.fromarray(eight(part)[..., 0]) for part in (RAMP, HALF)]),
        RAMP * HALF + 1 - HALF,
    ),
    "RGBA": (
        Image.fromarray(np.concatenate([eight(COLOURS), eight(HALF)[..., :1]], -1)),
        COLOURS * HALF[..., None] + 1 - HALF[..., None],
    ),
    "CMYK": (
        Image.fromarray(np.concatenate([255 - eight(COLOURS), eight(RAMP)[..., :1]], -1), "CMYK"),
        COLOURS * (1 - RAMP[..., None]),
    ),
    "I;16": (Image.fromarray(stored_as(RAMP, "u2")), RAMP),
    "I": (Image.fromarray(np.rint(RAMP * 65535).astype("i4")), RAMP),
    "F": (Image.fromarray(RAMP.astype("f4")), RAMP),
}
FORMATS = {  # options with which Pillow writes what was given
    "PNG": {}, "TIFF": {}, "BMP": {}, "GIF": {}, "PPM": {}, "PCX": {}, "TGA": {}, "SGI": {}, "IM": {}, "DDS": {}, "QOI": {}, "JPEG2000": {}, "WEBP": {"lossless": True, "exact": True}, "ICO": {"sizes": [(10, 6)]},
    "MSP": {}, "XBM": {},
}  # fmt: skip
UNWRITTEN = (OSError, KeyError, ValueError)  # what Pillow raises for a mode that a format has not


def pillow_files():
    for (mode, (image, truth)), (kind, options) in itertools.product(MODES.items(), FORMATS.items()):
        if (kind in ("GIF", "WEBP") and mode[0] in "IF") or (kind, mode) in (("GIF", "LA"), ("GIF", "RGBA")):
            continue  # Pillow cuts their values when it writes
        if mode == "RGBA" and kind in ("BMP", "PPM"):  # Pillow writes no alpha there
            truth = COLOURS
        try:
            data = pillow(image, kind, **options)
        except UNWRITTEN:
            continue
        if kind == "GIF" and mode == "RGB":  # in 256 colours, all of which it has
            image = image.quantize(60)
        reason = OPENCV["straight alpha in 8 bits"] if kind == "TIFF" and mode in ("LA", "RGBA") else ""
        reason = OPENCV["32 bits"] if (kind, mode) == ("TIFF", "I") else reason
        yield Written(f"{kind} {mode}", data, eight(truth), 2, reason)


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
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) + table + bytes(4)


def files_by_hand():
    twelve = np.rint(RAMP * 4095).astype("u2")
    white = COLOURS * HALF[..., None] + 1 - HALF[..., None]
    deep = {
        "grey": (stored_as(RAMP, "u2"), RAMP),
        "grey and alpha": (stored_as(np.stack([RAMP, HALF], -1), "u2"), RAMP * HALF + 1 - HALF),
        "RGB": (stored_as(COLOURS, "u2"), COLOURS),
        "RGBA": (stored_as(np.concatenate([COLOURS, HALF[..., None]], -1), "u2"), white),
    }
    for name, (values, truth) in deep.items():
        yield Written(f"PNG 16 {name}", png16(values), eight(truth), off=2)
        bits = chunk(b"sBIT", bytes([12] * (values.shape[-1] if values.ndim == 3 else 1)))
        yield Written(f"PNG 16 {name}, sBIT 12, scaled", png16(values & 0xFFF0, bits), eight(truth), off=2)
    yield Written("PNG sBIT 12 as it is", png16(twelve, chunk(b"sBIT", b"\x0c")), eight(RAMP), opencv=OPENCV["sBIT"])
    clear = chunk(b"tRNS", struct.pack(">H", int(stored_as(RAMP, "u2")[2, 2])))
    spot = RAMP.copy()
    spot[2, 2] = 1
    yield Written("PNG 16 with a clear grey", png16(stored_as(RAMP, "u2"), clear), eight(spot), opencv=OPENCV["tRNS"])
    clear = chunk(b"tRNS", struct.pack(">HHH", *stored_as(COLOURS, "u2")[2, 2]))
    spot = COLOURS.copy()
    spot[2, 2] = 1
    yield Written("PNG 16 with a clear colour", png16(deep["RGB"][0], clear), eight(spot))
    for maximum in (15, 255, 4095, 65535):
        grey, colour = (np.rint(picture * maximum).astype(int) for picture in (RAMP, COLOURS))
        off = 9 if maximum == 15 else 1
        for magic, values in (("P2", grey), ("P5", grey), ("P3", colour), ("P6", colour)):
            truth = eight(RAMP if values is grey else COLOURS)
            reason = OPENCV["PNM"] if maximum in (15, 4095) else ""
            yield Written(f"{magic} {maximum}", pnm(magic, values, maximum), truth, off, reason)
    yield Written("TIFF of 12 bits", tiff12(twelve), eight(RAMP))
    for bits in (1, 2, 4):
        index = (np.arange(60).reshape(6, 10) % 2**bits).astype(np.uint8)
        image = Image.fromarray(index, "P")
        palette = np.random.default_rng(bits).integers(0, 256, (2**bits, 3), np.uint8)
        image.putpalette(palette.tobytes())
        yield Written(f"PNG palette of {bits} bits", pillow(image, "PNG", bits=bits), palette[index])
        yield Written(f"TIFF palette, {bits} used", pillow(image, "TIFF"), palette[index])
        clear = palette[index].copy()
        clear[index == 0] = 255
        data = pillow(image, "PNG", bits=bits, transparency=0)
        yield Written(f"PNG palette of {bits} bits, one clear", data, clear)


FILES = [*grey_tiffs(), *colour_tiffs(), *pillow_files(), *files_by_hand()]


def test_the_matrix_is_as_large_as_it_was_written():
    kinds = {file.name.partition(" ")[0] for file in FILES}
    assert len(FILES) > 150
    assert kinds >= {"TIFF", "PNG", "BMP", "GIF", "PPM", "TGA", "SGI", "ICO", "WEBP", "JPEG2000", "P5", "P6"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_decodes_to_the_picture_that_was_written(file, tmp_path):
    decoded = np.asarray(load_rgb(BytesIO(file.data), 10_000)).astype(int)
    assert np.abs(decoded - file.truth).max() <= file.off
    (tmp_path / "file").write_bytes(file.data)
    assert dimensions(tmp_path / "file") == (10, 6)


def opinion(data: bytes) -> np.ndarray | None:
    """Return uint8 RGB as OpenCV reads a file, alpha on white; None if it does not."""
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        return None
    low, high = (0, 1) if values.dtype.kind == "f" else (np.iinfo(values.dtype).min, np.iinfo(values.dtype).max)
    picture = (values.astype(float) - low) / (float(high) - low)
    if picture.ndim == 3 and picture.shape[2] == 4:
        picture = picture[..., :3] * picture[..., 3:] + 1 - picture[..., 3:]
    return eight(picture[..., ::-1] if picture.ndim == 3 else picture)


def test_opencv_agrees_but_where_it_is_said_why_not():
    agreed, apart = 0, []
    for file in FILES:
        other = opinion(file.data)
        if other is None:
            continue
        same = other.shape == file.truth.shape and np.abs(other.astype(int) - file.truth).max() <= file.off + 1
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
