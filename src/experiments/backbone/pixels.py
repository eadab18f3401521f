"""Raw pixels as the embedding: a baseline for trained features."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.samples import Resize, Samples
from experiments.store.values import SavedFields


@dataclass(frozen=True, eq=False)
class PixelsEncoder(SavedFields):
    """An encoder that flattens images of `image_size` x `image_size` pixels."""

    image_size: int
    history: tuple[dict[str, float], ...] = ()
    trained: bool = False
    stopped: str = ""

    def embed(self, samples: Samples, ctx: Context) -> np.ndarray:
        """Return float32 (n, 3 * image_size**2), each value in [0, 1]."""
        pixels = samples.content.pixels(Resize(self.image_size), ctx)
        embeddings = np.empty((len(pixels), math.prod(pixels.shape[1:])), np.float32)
        np.divide(pixels.reshape(embeddings.shape), np.float32(255), out=embeddings, dtype=np.float32)
        return embeddings


@dataclass(frozen=True)
class Pixels:
    """The flattened RGB values of images of `image_size` x `image_size` pixels."""

    VERSION: ClassVar[int] = 1
    TRAINS: ClassVar[bool] = False

    image_size: int

    def __post_init__(self) -> None:
        if self.image_size < 1:
            raise ValueError(f"backbone.image_size={self.image_size} is not a size; use 1 or more")

    @property
    def resize(self) -> Resize:
        """Return the size of input images."""
        return Resize(self.image_size)

    def width(self, samples: Samples) -> int:
        """Return d; raise ValueError if the samples are not images."""
        samples.require("images", "backbone=pixels")
        return 3 * self.image_size**2

    def fit(self, samples: Samples, ctx: Context) -> PixelsEncoder:
        """Return the encoder, which needs no training."""
        self.width(samples)
        return PixelsEncoder(self.image_size)
