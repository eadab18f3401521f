"""Content of samples that are vectors, with the images from which they were computed."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from experiments.context import Context
from experiments.dataset.images.content import PER_IMAGE, ImageFiles
from experiments.samples import Resize, ValueRange
from experiments.store.short_repr import ShortRepr
from experiments.store.values import digest, joined


@dataclass(frozen=True, eq=False)
class Vectors(ShortRepr):
    """Vectors read from a file: float32 (n, d).

    Parameters
    ----------
    images
        The images from which they were computed, for figures; None if there are none.
    """

    KIND: ClassVar[str] = "vectors"
    VERSION: ClassVar[int] = 1

    values: np.ndarray
    hashes: np.ndarray
    images: ImageFiles | None = None
    value_range: ClassVar[ValueRange] = PER_IMAGE

    @property
    def has_images(self) -> bool:
        """True if there are images."""
        return self.images is not None

    @property
    def image_key(self) -> str:
        """Return the cache key of the images, which `hashes` does not include; "" without images."""
        if self.images is None:
            return ""
        value_range = [self.images.value_range] if self.images.value_range else []
        return digest(joined(self.images.hashes), *value_range)

    def take(self, rows: np.ndarray) -> Self:
        """Return the content of these rows alone."""
        images = None if self.images is None else self.images.take(rows)
        return replace(self, values=self.values[rows], hashes=self.hashes[rows], images=images)

    def pixels(self, resize: Resize, ctx: Context) -> np.ndarray:
        """Return the pixels of the images; raise ValueError if there are none."""
        if self.images is None:
            raise ValueError("this backbone needs images, but the samples are vectors; use backbone=identity")
        return self.images.pixels(resize, ctx)

    def pixel_map(self, resize: Resize) -> tuple[str, int]:
        """Return the cache key and the size in bytes of the pixels; ("", 0) if they are not cached."""
        return ("", 0) if self.images is None else self.images.pixel_map(resize)

    def vectors(self) -> np.ndarray:
        """Return float32 (n, d)."""
        return self.values

    def dimensions(self) -> np.ndarray:
        """Return width and height of the images; raise ValueError if there are none."""
        if self.images is None:
            raise ValueError("vectors without images have no width and height")
        return self.images.dimensions()
