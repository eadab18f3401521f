"""Vectors as their own embeddings: rows of a table, or features computed elsewhere."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.samples import Samples
from experiments.store.values import SavedFields


@dataclass(frozen=True, eq=False)
class IdentityEncoder(SavedFields):
    """An encoder that returns the vectors unchanged."""

    history: tuple[dict[str, float], ...] = ()
    trained: bool = False
    stopped: str = ""

    def embed(self, samples: Samples, ctx: Context) -> np.ndarray:
        """Return the vectors, float32 (n, d)."""
        return np.asarray(samples.content.vectors(), np.float32)


@dataclass(frozen=True)
class Identity:
    """The samples' vectors, unchanged."""

    VERSION: ClassVar[int] = 1
    TRAINS: ClassVar[bool] = False

    @property
    def resize(self) -> None:
        """Return None, as vectors have no image size."""
        return None

    def width(self, samples: Samples) -> int:
        """Return d; raise ValueError if the samples are not vectors."""
        samples.require("vectors", "backbone=identity")
        return int(samples.content.vectors().shape[1])

    def fit(self, samples: Samples, ctx: Context) -> IdentityEncoder:
        """Return the encoder, which needs no training."""
        self.width(samples)
        return IdentityEncoder()
