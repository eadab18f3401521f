"""Vectors that are embeddings already: rows of a table, or features made elsewhere."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.samples import Samples
from experiments.store.values import SavedFields


@dataclass(frozen=True, eq=False)
class IdentityEncoder(SavedFields):
    """Hands the vectors on."""

    history: tuple[dict[str, float], ...] = ()
    trained: bool = False
    stopped: str = ""

    def embed(self, samples: Samples, ctx: Context) -> np.ndarray:
        """Return the vectors, float32 (n, d)."""
        return np.asarray(samples.content.vectors(), np.float32)


@dataclass(frozen=True)
class Identity:
    """The samples' own vectors."""

    VERSION: ClassVar[int] = 1
    TRAINS: ClassVar[bool] = False

    @property
    def resize(self) -> None:
        """Return None: it looks at vectors."""
        return None

    def width(self, samples: Samples) -> int:
        """Return d; raise ValueError if the samples hold no vectors."""
        samples.require("vectors", "backbone=identity")
        return int(samples.content.vectors().shape[1])

    def fit(self, samples: Samples, ctx: Context) -> IdentityEncoder:
        """Return the encoder: there is nothing to learn."""
        self.width(samples)
        return IdentityEncoder()
