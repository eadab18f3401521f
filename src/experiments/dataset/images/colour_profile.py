"""Convert colours to sRGB by the ICC profile in an image's file."""

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # Pillow's mode by the colour space of a profile
EQUAL = 3  # of 255; profiles that change no colour by more are sRGB, written by another program
LEVELS = 6  # of each channel, for comparing profiles
PROFILES = 64  # conversions to remember; files of one camera have the same


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return RGB, converted to sRGB; a damaged profile, or one of another kind of image, is ignored."""
    mode = image.mode if image.mode in ("L", "CMYK") else "RGB"
    conversion = _conversion(profile, mode) if profile else None
    if conversion is None:
        return image.convert("RGB")
    converted = ImageCms.applyTransform(image.convert(mode), conversion)
    return image.convert("RGB") if converted is None else converted


@lru_cache(PROFILES)
def _conversion(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the conversion from a profile to sRGB; None if colours stay the same."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if MODES.get(source.profile.xcolor_space.strip()) != mode:
            return None
        conversion = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (OSError, TypeError, ValueError, ImageCms.PyCMSError):  # of a damaged profile
        return None
    channels = len(Image.new(mode, (1, 1)).getbands())
    levels = np.linspace(0, 255, LEVELS if channels > 1 else 256, dtype=np.uint8)
    colours = np.stack(np.meshgrid(*[levels] * channels), axis=-1).reshape(1, -1, channels)
    probe = Image.frombytes(mode, (colours.shape[1], 1), colours.tobytes())
    converted = np.asarray(ImageCms.applyTransform(probe, conversion), int)
    return conversion if np.abs(converted - np.asarray(probe.convert("RGB"))).max() > EQUAL else None
