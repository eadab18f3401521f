"""Synthetic classes around centres, for the evaluators of embeddings."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from experiments.samples import Samples


@dataclass(frozen=True)
class NoContent:
    """Content that is not used."""

    KIND = "vectors"


@pytest.fixture(scope="session")
def blobs() -> Callable[..., tuple[Samples, np.ndarray]]:
    """Return a function that makes samples and their embeddings, around one centre per class."""

    def make(
        sizes: tuple[int, ...] = (40, 30, 30, 20, 20, 20),
        *,
        d: int = 8,
        noise: float = 1.0,
        test: bool = False,
        labelled: bool = True,
    ) -> tuple[Samples, np.ndarray]:
        rng = np.random.default_rng(7)
        labels = np.repeat(np.arange(len(sizes)), sizes)
        centres = rng.normal(size=(len(sizes), d)) * 2
        embeddings = (centres[labels] + noise * rng.normal(size=(len(labels), d))).astype(np.float32)
        turn = (
            np.concatenate([np.arange(size) for size in sizes]) % 5
        )  # the first of each class is a training row
        split = np.where(turn == 3, 1, np.where(test & (turn == 4), 2, 0)).astype(np.int8)
        names = tuple(f"class{label}" for label in range(len(sizes)))
        ids = np.arange(len(labels)).astype(str)
        optional_labels = labels if labelled else None
        return Samples("blobs", "a formula", ids, NoContent(), optional_labels, names, split), embeddings

    return make
