"""Small square images of some samples, for the evaluators that show them."""

import logging
from dataclasses import replace

import numpy as np

from experiments.context import Context, Silent
from experiments.samples import Resize, Samples

log = logging.getLogger(__name__)

SMALLEST, LARGEST = 8, 512  # pixels a side
LOOKED_AT = 500  # images whose size is read to find a side for all


def check_side(place: str, side: int, usual: int, smallest: int = SMALLEST, largest: int = LARGEST) -> None:
    """Raise ValueError if an image cannot be shown at this size."""
    if not smallest <= side <= largest:
        raise ValueError(
            f"{place}.thumbnail={side} is no size; use {smallest} to {largest} pixels, such as {usual}"
        )


def has_images(samples: Samples, place: str) -> bool:
    """Tell whether there are images to show; say so in the log if not."""
    if samples.content.has_images:
        return True
    log.warning("%s shows no images, as %s holds %s", place, samples.name, samples.content.KIND)
    return False


def thumbnails(samples: Samples, rows: np.ndarray, side: int, ctx: Context) -> np.ndarray:
    """Return the middle squares of these rows, uint8 (m, S, S, 3) with S at most `side`.

    They are not made larger than the shorter side of half of the images.
    """
    unique, back = np.unique(rows, return_inverse=True)  # content is taken in ascending rows
    content = samples.content.take(unique)
    some = np.unique(np.linspace(0, len(unique) - 1, LOOKED_AT).astype(int))
    shorter = content.take(some).dimensions().min(axis=1)
    shorter = shorter[shorter > 0]  # 0: a vector without an image
    size = int(np.clip(np.median(shorter), SMALLEST, side)) if len(shorter) else SMALLEST
    report = ctx.report if len(unique) > LOOKED_AT else Silent()  # so few need no bar
    return np.asarray(content.pixels(Resize(size, "crop"), replace(ctx, report=report))[back])


def file_names(samples: Samples) -> np.ndarray:
    """Return the last part of each id, str (n,)."""
    return np.array([str(name).rpartition("/")[2] for name in samples.ids])


def captions(samples: Samples) -> np.ndarray:
    """Return what stands below each image, str (n,): its label, or its file where it has none."""
    files, labels = file_names(samples), samples.label_names
    return files if labels is None else np.where(labels == "", files, labels)
