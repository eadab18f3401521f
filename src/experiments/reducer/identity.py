"""No reduction: the embeddings themselves are clustered."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.store.values import SavedFields


@dataclass(frozen=True, eq=False)
class Unchanged(SavedFields):
    """The identity projection."""

    def transform(self, embeddings: np.ndarray) -> np.ndarray:
        """Return float32 (n, d) unchanged, without a copy."""
        return np.asarray(embeddings, np.float32)


@dataclass(frozen=True)
class Identity:
    """Return the embeddings unchanged."""

    VERSION: ClassVar[int] = 1
    LEARNS: ClassVar[bool] = False

    def width(self, n: int, d: int) -> int:
        """Return d."""
        return d

    def fit(self, embeddings: np.ndarray, ctx: Context) -> Unchanged:
        """Return the projection; it learns nothing."""
        return Unchanged()
