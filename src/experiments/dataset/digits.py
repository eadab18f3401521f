"""scikit-learn's 1,797 scanned digits, 8 x 8 grey pixels each."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.dataset.images.content import ImageArrays
from experiments.dataset.selection.selection import Pool, Selection
from experiments.numerics.hashes import hash_rows
from experiments.samples import Samples


@dataclass(frozen=True, kw_only=True)
class Digits(Selection):
    """The digits 0 to 9, in scikit-learn's order."""

    VERSION: ClassVar[int] = 1

    def count(self) -> int:
        """Return the number of samples."""
        return self.limited(1797)

    def load(self, ctx: Context) -> Samples:
        """Return the samples, read by scikit-learn and then cached."""
        images = ctx.store.array(f"digits-images-{self.VERSION}", lambda: _digits()[0])
        labels = ctx.store.array(f"digits-labels-{self.VERSION}", lambda: _digits()[1])
        ids = np.array([f"{row:04}" for row in range(len(images))])
        content = ImageArrays.whole(images, hash_rows(images))
        names = tuple("0123456789")
        return self.samples(Pool("scikit-learn load_digits", ids, content, np.array(labels), names))


def _digits() -> tuple[np.ndarray, np.ndarray]:
    """Return images uint8 (1797, 8, 8), 0..16 scaled to 0..255, and labels int64 (1797,)."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return np.rint(digits.images * (255 / 16)).astype(np.uint8), digits.target.astype(np.int64)
