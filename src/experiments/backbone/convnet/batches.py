"""Batches of decoded images and labels. Imports torch."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Batches:
    """Iterate over pixels uint8 (b, S, S, 3) and labels (b,) of `rows`, in batches of `size`.

    Reading from a memory map is fast, so there are no worker processes. `pinned` memory is copied while the
    GPU computes.
    """

    pixels: np.ndarray
    labels: np.ndarray
    rows: np.ndarray
    size: int
    pinned: bool

    def __len__(self) -> int:
        return math.ceil(len(self.rows) / self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for start in range(0, len(self.rows), self.size):
            rows = self.rows[start : start + self.size]
            pixels, labels = torch.from_numpy(self.pixels[rows]), torch.from_numpy(self.labels[rows])
            yield (pixels.pin_memory(), labels.pin_memory()) if self.pinned else (pixels, labels)


def as_input(pixels: Tensor) -> Tensor:
    """Convert pixels, uint8 (n, S, S, 3), to float32 (n, 3, S, S) in [0, 1], channels last in memory."""
    return pixels.permute(0, 3, 1, 2).float().div_(255)
