"""What samples of vectors hold, and the images that they were made of."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from experiments.context import Context
from experiments.dataset.images.content import ALONE, ImageFiles
from experiments.samples import Resize, ValueRange
from experiments.store.short_repr import ShortRepr
from experiments.store.values import digest, joined


@dataclass(frozen=True, eq=False)
class Vectors(ShortRepr):
    """Vectors made elsewhere: float32 (n, d).

    Parameters
    ----------
    images
        The images that they were made of, to look at; None if there are none.
    """

    KIND: ClassVar[str] = "vectors"
    VERSION: ClassVar[int] = 1

    values: np.ndarray
    hashes: np.ndarray
    images: ImageFiles | None = None
    value_range: ClassVar[ValueRange] = ALONE

    @property
    def has_images(self) -> bool:
        """Tell whether there are images to look at."""
        return self.images is not None

    @property
    def image_key(self) -> str:
        """Name the images to look at, as the hashes are of the vectors."""
        if self.images is None:
            return ""
        value_range = [self.images.value_range] if self.images.value_range else []
        return digest(joined(self.images.hashes), *value_range)

    def take(self, rows: np.ndarray) -> Self:
        """Return the content of these rows alone."""
        images = None if self.images is None else self.images.take(rows)
        return replace(self, values=self.values[rows], hashes=self.hashes[rows], images=images)

    def pixels(self, resize: Resize, ctx: Context) -> np.ndarray:
        """Return the pixels of the images to look at; raise ValueError if there are none."""
        if self.images is None:
            raise ValueError("this backbone needs images, and these are vectors; use backbone=identity")
        return self.images.pixels(resize, ctx)

    def pixel_map(self, resize: Resize) -> tuple[str, int]:
        """Return the key and the bytes of what `pixels` keeps; ("", 0) if it keeps nothing."""
        return ("", 0) if self.images is None else self.images.pixel_map(resize)

    def vectors(self) -> np.ndarray:
        """Return float32 (n, d)."""
        return self.values

    def dimensions(self) -> np.ndarray:
        """Return width and height of the images to look at; raise ValueError if there are none."""
        if self.images is None:
            raise ValueError("width and height are of images, and these are vectors")
        return self.images.dimensions()
