"""Rows of length 1, whose Euclidean distances have the order of cosine distances."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.numerics.scale import unit_rows
from experiments.store.values import SavedFields


@dataclass(frozen=True, eq=False)
class Normalised(SavedFields):
    """A projection that scales each row to length 1; rows of zeros stay zero."""

    def transform(self, embeddings: np.ndarray) -> np.ndarray:
        """Map float32 (n, d) to float32 (n, d)."""
        return unit_rows(embeddings)


@dataclass(frozen=True)
class L2:
    """Divide each row by its Euclidean length."""

    VERSION: ClassVar[int] = 1
    LEARNS: ClassVar[bool] = False

    def width(self, n: int, d: int) -> int:
        """Return d."""
        return d

    def fit(self, embeddings: np.ndarray, ctx: Context) -> Normalised:
        """Return the projection; it learns nothing."""
        return Normalised()
