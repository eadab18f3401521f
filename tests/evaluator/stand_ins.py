"""Samples of tiny images, of vectors, and a clustering, for tests of evaluators."""

from typing import NamedTuple

import numpy as np

from experiments.dataset.images.content import ImageArrays
from experiments.dataset.vectors.content import Vectors
from experiments.numerics.hashes import hash_rows
from experiments.samples import Samples


class FakeClustering(NamedTuple):
    """A clustering of which only the assignments are required."""

    assignments: np.ndarray
    probabilities: np.ndarray | None = None
    centroids: np.ndarray | None = None
    inertia: float | None = None


def image_samples(n: int, *, labels: np.ndarray | None = None, folder: str = "") -> Samples:
    """Return n images of 12 x 10, each of a different grey."""
    greys = np.arange(n, dtype=np.uint8)[:, None, None, None]
    images = np.ascontiguousarray(np.broadcast_to(greys, (n, 10, 12, 3)))
    content = ImageArrays.whole(images, hash_rows(images))
    ids = np.array([f"{folder}{row:03}.png" for row in range(n)])
    names = tuple("abcdefgh") if labels is not None else ()
    return Samples("toy", "a formula", ids, content, labels, names, (np.arange(n) % 5 == 0).astype(np.int8))


def vector_samples(n: int) -> Samples:
    """Return samples of n vectors."""
    values = np.arange(n, dtype=np.float32)[:, None]
    ids = np.arange(n).astype(str)
    content = Vectors(values, hash_rows(values))
    return Samples("table", "a formula", ids, content, None, (), np.zeros(n, np.int8))
