"""Thumbnails: small square images of some samples."""

import logging
from dataclasses import replace

import numpy as np

from experiments.context import Context, Silent
from experiments.samples import Resize, Samples

log = logging.getLogger(__name__)

SMALLEST, LARGEST = 8, 512  # side in pixels
SIZED = 500  # number of images whose sizes determine the side of all thumbnails


def check_side(prefix: str, side: int, usual: int, smallest: int = SMALLEST, largest: int = LARGEST) -> None:
    """Raise ValueError if the side of a thumbnail is out of range."""
    if not smallest <= side <= largest:
        raise ValueError(
            f"{prefix}.thumbnail={side} is out of range; use {smallest} to {largest} pixels, such as {usual}"
        )


def has_images(samples: Samples, prefix: str) -> bool:
    """Return True if there are images to show; log a warning if not."""
    if samples.content.has_images:
        return True
    log.warning("%s shows no images, as %s has %s", prefix, samples.name, samples.content.KIND)
    return False


def thumbnails(samples: Samples, rows: np.ndarray, side: int, ctx: Context) -> np.ndarray:
    """Return the central squares of some rows' images, uint8 (m, S, S, 3) with S at most `side`.

    S is at most the median of the images' shorter sides.
    """
    unique, inverse = np.unique(rows, return_inverse=True)  # content is taken in ascending rows
    content = samples.content.take(unique)
    sized = np.unique(np.linspace(0, len(unique) - 1, SIZED).astype(int))
    shorter = content.take(sized).dimensions().min(axis=1)
    shorter = shorter[shorter > 0]  # 0: a vector without an image
    size = int(np.clip(np.median(shorter), SMALLEST, side)) if len(shorter) else SMALLEST
    report = ctx.report if len(unique) > SIZED else Silent()  # no progress bar for a few images
    return np.asarray(content.pixels(Resize(size, "crop"), replace(ctx, report=report))[inverse])


def file_names(samples: Samples) -> np.ndarray:
    """Return the last part of each id, str (n,)."""
    return np.array([str(name).rpartition("/")[2] for name in samples.ids])


def captions(samples: Samples) -> np.ndarray:
    """Return the caption of each image, str (n,): its label, or its file name if it has none."""
    files, labels = file_names(samples), samples.label_names
    return files if labels is None else np.where(labels == "", files, labels)
