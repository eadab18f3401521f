"""Batches of images, gathered by row number from decoded pixels. Imports torch."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Batches:
    """Pixels uint8 (b, S, S, 3) and labels (b,) of `rows` in that order, `size` at a time.

    Gathering from a memory map is so cheap that worker processes would only cost; `pinned` memory is
    copied to a GPU while it computes.
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
    """Turn uint8 (n, S, S, 3) into float32 (n, 3, S, S) in [0, 1], channels last in memory as it came."""
    return pixels.permute(0, 3, 1, 2).float().div_(255)
