"""Raw pixels as the embedding: what any learnt feature has to beat."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.samples import Resize, Samples
from experiments.store.values import SavedFields


@dataclass(frozen=True, eq=False)
class PixelsEncoder(SavedFields):
    """Flattens images of `image_size`."""

    image_size: int
    history: tuple[dict[str, float], ...] = ()
    trained: bool = False
    stopped: str = ""

    def embed(self, samples: Samples, ctx: Context) -> np.ndarray:
        """Return float32 (n, 3 * image_size**2), each value in [0, 1]."""
        pixels = samples.content.pixels(Resize(self.image_size), ctx)
        out = np.empty((len(pixels), math.prod(pixels.shape[1:])), np.float32)
        np.divide(pixels.reshape(out.shape), np.float32(255), out=out, dtype=np.float32)
        return out


@dataclass(frozen=True)
class Pixels:
    """The values of an image of `image_size` x `image_size` RGB pixels."""

    VERSION: ClassVar[int] = 1
    TRAINS: ClassVar[bool] = False

    image_size: int

    def __post_init__(self) -> None:
        if self.image_size < 1:
            raise ValueError(f"backbone.image_size={self.image_size} is not a size; use 1 or more")

    @property
    def resize(self) -> Resize:
        """Return the pixels that it looks at."""
        return Resize(self.image_size)

    def width(self, samples: Samples) -> int:
        """Return d; raise ValueError if the samples hold no images."""
        samples.require("images", "backbone=pixels")
        return 3 * self.image_size**2

    def fit(self, samples: Samples, ctx: Context) -> PixelsEncoder:
        """Return the encoder: there is nothing to learn."""
        self.width(samples)
        return PixelsEncoder(self.image_size)
