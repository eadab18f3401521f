"""No reduction: what is clustered are the embeddings themselves."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.store.values import SavedFields


@dataclass(frozen=True, eq=False)
class Unchanged(SavedFields):
    """The projection that changes nothing."""

    def transform(self, embeddings: np.ndarray) -> np.ndarray:
        """Return float32 (n, d) as it came, without a copy."""
        return np.asarray(embeddings, np.float32)


@dataclass(frozen=True)
class Identity:
    """Hand the embeddings on."""

    VERSION: ClassVar[int] = 1
    LEARNS: ClassVar[bool] = False

    def width(self, n: int, d: int) -> int:
        """Return d."""
        return d

    def fit(self, embeddings: np.ndarray, ctx: Context) -> Unchanged:
        """Look at nothing."""
        return Unchanged()
