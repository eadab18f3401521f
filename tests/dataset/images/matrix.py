"""Files to decode, each with its true image and the reason if OpenCV differs."""

import itertools
import struct
from dataclasses import dataclass

import numpy as np
from PIL import Image
from tests.dataset.images.writers import (  # fmt: skip
    COLOURS,
    HALF,
    RAMP,
    chunk,
    eight,
    pillow,
    png16,
    pnm,
    stored_as,
    tiff,
    tiff12,
)

OPENCV = {  # kinds of files that OpenCV decodes differently, and why ours is right
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
    """A file, its true image (uint8 RGB), and the tolerance of decoded pixels."""

    name: str
    data: bytes
    truth: np.ndarray
    off: int = 1
    opencv: str = ""  # reason why OpenCV differs


ORDERS = [("<", None), (">", None), ("<", "zlib"), (">", "zlib")]
GREYS = ("u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8")
INVERTED = ("u1", "u2", "f4")  # supported kinds in which the smallest value is white


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
FORMATS = (
    "PNG", "TIFF", "BMP", "GIF", "PPM", "PCX", "TGA", "SGI", "DDS", "QOI", "JPEG2000", "MSP", "XBM",
)  # fmt: skip
EXACT = {"WEBP": {"lossless": True, "exact": True}, "ICO": {"sizes": [(10, 6)]}}
UNWRITTEN = (OSError, KeyError, ValueError)  # Pillow's errors for a mode that a format lacks


def pillow_files():
    for (mode, (image, truth)), kind in itertools.product(MODES.items(), (*FORMATS, *EXACT)):
        if (kind in ("GIF", "WEBP") and mode[0] in "IF") or (kind, mode) in (("GIF", "LA"), ("GIF", "RGBA")):
            continue  # Pillow cuts their values when it writes
        if mode == "RGBA" and kind in ("BMP", "PPM"):  # Pillow writes no alpha there
            truth = COLOURS
        try:
            data = pillow(image, kind, **EXACT.get(kind, {}))
        except UNWRITTEN:
            continue
        if kind == "GIF" and mode == "RGB":  # exact in 256 colours
            image = image.quantize(60)
        reason = OPENCV["straight alpha in 8 bits"] if kind == "TIFF" and mode in ("LA", "RGBA") else ""
        reason = OPENCV["32 bits"] if (kind, mode) == ("TIFF", "I") else reason
        yield Written(f"{kind} {mode}", data, eight(truth), 2, reason)


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
    yield Written(
        "PNG sBIT 12 as it is", png16(twelve, chunk(b"sBIT", b"\x0c")), eight(RAMP), opencv=OPENCV["sBIT"]
    )
    clear = chunk(b"tRNS", struct.pack(">H", int(stored_as(RAMP, "u2")[2, 2])))
    spot = RAMP.copy()
    spot[2, 2] = 1
    yield Written(
        "PNG 16 with a clear grey", png16(stored_as(RAMP, "u2"), clear), eight(spot), opencv=OPENCV["tRNS"]
    )
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


def lossy_files():
    """Yield lossy files of smooth images; JPEG's CMYK is inverted, as Adobe writes it."""
    smooth = np.stack([RAMP.repeat(8, 0).repeat(8, 1)] * 3, -1)
    tinted = smooth * [0.9, 0.6, 0.3]
    for kind, mode, options in (
        ("JPEG", "L", {}), ("JPEG", "RGB", {"subsampling": 2}), ("JPEG", "RGB", {"progressive": True}),
        ("JPEG", "CMYK", {}), ("JPEG", "YCbCr", {}), ("TIFF", "YCbCr", {}),
        ("AVIF", "RGB", {"quality": 95}), ("WEBP", "RGB", {"quality": 95}),
        ("TIFF", "RGB", {"compression": "jpeg"}), ("TIFF", "YCbCr", {"compression": "jpeg"}),
        ("JPEG2000", "RGB", {"irreversible": True, "quality_layers": [2]}),
    ):  # fmt: skip
        picture = smooth if mode == "L" else tinted
        image = Image.fromarray(eight(picture)).convert(mode)
        yield Written(f"{kind} {mode} {options}", pillow(image, kind, **options), eight(picture), off=14)


FILES = [*grey_tiffs(), *colour_tiffs(), *pillow_files(), *files_by_hand(), *lossy_files()]
