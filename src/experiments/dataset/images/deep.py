"""Images deeper than 8 bits: exact values, and the values of black and white.

The metadata of a file may have its range: the bits of a TIFF, the maximum of a PNM, sBIT of a PNG. Otherwise
a dark image cannot be distinguished from one that uses fewer than 16 bits; so one range is used for the whole
data set, which preserves differences in brightness.
"""

import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

from experiments.dataset.images.opening import (
    PHOTOMETRIC,
    PLANAR,
    SAMPLE_FORMAT,
    change_raw_mode,
    open_image,
    other_bytes,
    raw_mode,
    tag,
    upright,
)
from experiments.samples import ValueRange

FULL = (0.0, 65535.0)
TOPS = (1.0, 255.0, 65535.0)  # common maxima of floats
LOWER = 1 / 4  # a range is assumed if the largest value is above this fraction of the range
BEYOND = 0.05  # overshoot of resampling, as a fraction of the range


@dataclass(frozen=True, eq=False)
class Deep:
    """The values of an image, upright.

    Parameters
    ----------
    values
        Numbers (h, w) or (h, w, 3).
    alpha
        Numbers (h, w), the largest possible value is opaque; None: all pixels are opaque.
    stated
        White value in the file's metadata; None: none.
    inverted
        True if the smallest value is white.
    multiplied
        True if the values are premultiplied by alpha.
    """

    values: np.ndarray
    alpha: np.ndarray | None = None
    stated: float | None = None
    inverted: bool = False
    multiplied: bool = False

    @property
    def whole(self) -> bool:
        """True if the values are whole numbers."""
        return self.values.dtype.kind in "iu"

    def extent(self) -> tuple[float, float] | None:
        """Return the smallest and largest finite value; None without one, or if the file states its range."""
        finite = self.values if self.whole else self.values[np.isfinite(self.values)]
        if self.stated is not None or not finite.size:
            return None
        return float(finite.min()), float(finite.max())

    def image(self, value_range: ValueRange) -> Image.Image:
        """Return 8-bit RGB, transparent parts white."""
        black, white = self._range(value_range)
        values = np.nan_to_num(self.values.astype(np.float64), nan=black, posinf=white, neginf=black)
        grey = np.clip((values - black) * (255 / ((white - black) or 1)), 0, 255)
        if self.inverted:
            grey = 255 - grey
        if self.alpha is not None and self.alpha.any():  # an alpha of zeros is ignored
            top = white if self.alpha.max() <= white else FULL[1]
            alpha = (self.alpha / top).reshape(self.alpha.shape + (1,) * (grey.ndim - 2))
            grey = 255 - alpha * 255 + (grey if self.multiplied else grey * alpha)
        return Image.fromarray(np.rint(np.clip(grey, 0, 255)).astype(np.uint8)).convert("RGB")

    def _range(self, value_range: ValueRange) -> tuple[float, float]:
        if self.stated is not None:
            return 0.0, self.stated
        known = value_range.whole if self.whole else value_range.real
        return known or choose_range(self.whole, *(self.extent() or FULL))


def choose_range(whole: bool, low: float, high: float) -> tuple[float, float]:
    """Return the values of black and white for values from `low` to `high`.

    Nonnegative integers: 0 and the maximum of the smallest sufficient number of bits (16 instead of 15).
    Nonnegative floats: 0 and 1, 255 or 65535. Other values: `low` and `high`.
    """
    if whole:
        bits = max(8, int(high).bit_length())
        return (low, high) if low < 0 else FULL if 14 < bits <= 16 else (0.0, 2.0**bits - 1)
    for top in TOPS:
        if low >= -BEYOND * top and LOWER * top < high <= (1 + BEYOND) * top:
            return 0.0, top
    return low, high


def is_deep_colour(image: ImageFile.ImageFile) -> bool:
    """Return True for an undecoded colour image of 16 bits a channel; Pillow decodes only 8 of them."""
    return image.mode in ("RGB", "RGBA") and ";16" in raw_mode(image)


def colour(file: Path | BytesIO) -> Deep:
    """Return the values of a colour image of 16 bits a channel; Pillow decodes high and low bytes separately.

    Pillow decodes only the high bytes of compressed TIFF planes, so 8 of 16 bits remain.
    """
    with open_image(file) as image:
        raw, bits, clear = raw_mode(image), significant_bits(image), image.info.get("transparency")
        if (
            raw == "LA;16B"
        ):  # Pillow lacks a mode for its low bytes; RGBA gives two bytes of grey, two of alpha
            change_raw_mode(image, lambda raw: "RGBA")
            pairs = _decoded(image)
            values = pairs[..., ::2].astype(np.uint16) << 8 | pairs[..., 1::2]
            return Deep(values[..., 0], values[..., 1], _stated(values[..., 0], bits))
        packed_planes = tag(image, PLANAR, 1) == 2 and image.tile[0].codec_name == "libtiff"
        multiplied = "RGBa" in raw and not packed_planes
        if multiplied:
            change_raw_mode(image, _straight)
        high = _decoded(image).astype(np.uint16)
    low = high
    if not packed_planes:
        with open_image(file) as image:
            change_raw_mode(image, lambda raw: other_bytes(_straight(raw)))
            low = _decoded(image)
    values = high << 8 | low
    colours = values[..., :3]
    alpha = values[..., 3] if values.shape[-1] == 4 else _alpha(colours, clear)
    return Deep(colours, alpha, _stated(colours, bits), multiplied=multiplied)


def grey(image: Image.Image, turned: Image.Image, raw: str, bits: int | None) -> Deep | None:
    """Return the values of a decoded greyscale image; None if they have 8 bits.

    Parameters
    ----------
    turned
        The image, upright.
    raw, bits
        Results of `raw_mode` and `significant_bits` before decoding.
    """
    if image.mode[0] not in "LIF":
        return None
    signed = tag(image, SAMPLE_FORMAT, 1) == 2
    if image.mode[0] == "L":
        return Deep(np.asarray(turned).view(np.int8)) if signed and image.mode == "L" else None
    values = np.asarray(turned)
    if image.mode == "I" and image.format == "TIFF" and not signed:
        values = values.view(np.uint32)
    stated = 4095.0 if raw == "I;12" else _stated(values, bits)
    alpha = _alpha(values, image.info.get("transparency"))
    return Deep(values, alpha, stated, inverted=tag(image, PHOTOMETRIC, 1) == 0)


def significant_bits(image: ImageFile.ImageFile) -> int | None:
    """Return the number of significant bits, of 16, in an undecoded image's metadata; None if missing."""
    if image.format == "PPM" and image.mode == "I":  # Pillow has scaled these to 16 bits
        args = image.tile[0].args
        return 16 if isinstance(args, tuple) and args[1] != 65535 else None
    file, bits = image.fp, None
    if file is None or image.format != "PNG" or ";16" not in raw_mode(image):
        return None
    before = file.tell()
    file.seek(8)
    while (head := file.read(8))[4:] != b"IDAT" and len(head) == 8:
        size = int.from_bytes(head[:4], "big")
        if head[4:] == b"sBIT":
            bits = max(file.read(size))
            break
        file.seek(size + 4, os.SEEK_CUR)
    file.seek(before)
    return bits


def _stated(values: np.ndarray, bits: int | None) -> float | None:
    """Return the value of white if `bits` of 16 bits are significant.

    PNG requires them to be scaled up to 16 bits, by a shift or by repetition; some programs do not.
    """
    if bits is None or not 8 <= bits <= 16:
        return None
    low = values & ((1 << 16 - bits) - 1)
    scaled = bits == 16 or values.max() >= 1 << bits or not low.any() or (low == values >> bits).all()
    return FULL[1] if scaled else 2.0**bits - 1


def _alpha(values: np.ndarray, clear: int | tuple[int, ...] | bytes | None) -> np.ndarray | None:
    """Return an alpha of 0 for pixels of the transparent colour; None without such a colour."""
    if not isinstance(clear, (int, tuple)):
        return None
    same = values == np.asarray(clear)
    return np.where(same.all(axis=2) if values.ndim == 3 else same, 0, FULL[1])


def _decoded(image: ImageFile.ImageFile) -> np.ndarray:
    image.load()
    return np.asarray(upright(image))


def _straight(raw: str) -> str:
    """Return the raw mode that does not divide the colours by alpha."""
    return raw.replace("RGBa", "RGBA")
