"""Columns standardised to mean 0 and variance 1, so that their units do not matter."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.store.values import SavedFields

BATCH = 16_384  # rows scaled at a time


@dataclass(frozen=True, eq=False)
class Standardized(SavedFields):
    """A projection that standardises each column by the mean and variance of the fitted rows.

    Parameters
    ----------
    mean, scale
        float64 (d,): subtracted from each row, then divided by; the scale of a constant column is inf.
    """

    mean: np.ndarray
    scale: np.ndarray

    def transform(self, embeddings: np.ndarray) -> np.ndarray:
        """Map float32 (n, d) to float32 (n, d)."""
        reduced = np.empty(embeddings.shape, np.float32)
        for start in range(0, len(embeddings), BATCH):
            rows = slice(start, start + BATCH)
            reduced[rows] = (embeddings[rows] - self.mean) / self.scale
        return reduced


@dataclass(frozen=True)
class Standardize:
    """Standardise each column to mean 0 and variance 1 over the fitted rows; a constant column becomes 0."""

    VERSION: ClassVar[int] = 1

    def width(self, n: int, d: int) -> int:
        """Return d."""
        return d

    def fit(self, embeddings: np.ndarray, ctx: Context) -> Standardized:
        """Fit float32 (m, d)."""
        from sklearn.preprocessing import StandardScaler

        if not np.isfinite(np.ptp(embeddings, axis=0)).all():
            raise ValueError("reducer=standardize got nan or inf; use finite values")
        scaler = StandardScaler()
        for start in range(0, len(embeddings), BATCH):
            scaler.partial_fit(np.asarray(embeddings[start : start + BATCH], np.float64))
        constant = np.ptp(embeddings, axis=0) == 0
        return Standardized(scaler.mean_, np.where(constant, np.inf, np.sqrt(scaler.var_)))
