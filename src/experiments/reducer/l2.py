"""Rows of length 1, whose Euclidean distances have the order of cosine distances."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.store.values import SavedFields

BATCH = 16_384  # rows scaled at a time


@dataclass(frozen=True, eq=False)
class Normalised(SavedFields):
    """A projection that scales each row to length 1; rows of zeros stay zero."""

    def transform(self, embeddings: np.ndarray) -> np.ndarray:
        """Map float32 (n, d) to float32 (n, d)."""
        reduced = np.empty(embeddings.shape, np.float32)
        for start in range(0, len(embeddings), BATCH):
            rows = np.asarray(embeddings[start : start + BATCH], np.float64)  # squares of float32 overflow
            lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None]
            reduced[start : start + BATCH] = rows / np.where(lengths > 0, lengths, 1)
        return reduced


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
