"""Study A's network. Imports torch: import this where it is used."""

from collections.abc import Mapping
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

MOMENTUM = 0.01  # of batch norm, what Keras calls .99


class Network(nn.Module):
    """Blocks of two convolutions, global average pooling, a dense layer (the embedding) and class scores.

    Parameters
    ----------
    filters
        Of each block's convolutions; every block halves the image.
    dense
        Width of the embedding.
    dropout, head_dropout
        After every block but the first, and before the class scores.
    """

    def __init__(
        self, filters: tuple[int, ...], dense: int, classes: int, dropout: float = 0, head_dropout: float = 0
    ) -> None:
        super().__init__()
        depths = enumerate(zip((3, *filters), filters, strict=False))
        with torch.random.fork_rng(devices=[]):  # torch draws weights at once, from everybody's generator
            blocks = [_block(given, made, dropout if i else 0) for i, (given, made) in depths]
            pool = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
            self.embed = nn.Sequential(*blocks, *pool, nn.Linear(filters[-1], dense), nn.ReLU())
            self.head = nn.Sequential(nn.Dropout(head_dropout), nn.Linear(dense, classes))
        # Measured on two cores: a step at 48x48 takes 0.70 of the time, at 16x16 0.85, at 8x8 the same.
        self.to(memory_format=torch.channels_last)

    def draw(self, seed: int) -> Self:
        """Draw weights as Keras does: Glorot-uniform kernels, and biases of zero."""
        generator = torch.Generator().manual_seed(seed)
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(layer.weight, generator=generator)
                nn.init.constant_(layer.bias, 0)  # type: ignore[arg-type]
        return self

    def take(self, weights: Mapping[str, np.ndarray]) -> Self:
        """Take over what `weights` of such a network returned."""
        self.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Map float (n, 3, S, S) in [0, 1] to class scores (n, c)."""
        scores: Tensor = self.head(self.embed(images))
        return scores

    def kernels(self) -> list[Tensor]:
        """Return what Keras calls kernels: every weight but biases and batch norm's."""
        return [weight for weight in self.parameters() if weight.ndim > 1]

    def settle(self, step: int) -> None:
        """Average plainly what batch norm met in the first steps, until Keras's .99 takes over.

        Keras starts at mean 0 and variance 1. Study A has left that behind after its first epoch of 640
        batches (.99**640 is .002); a training of 10 batches an epoch would stop before it has.
        """
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = max(MOMENTUM, 1 / (step + 1))

    def penalty(self) -> Tensor:
        """Return the sum of the squared kernels; Keras's L2 is lambda times this, without torch's half."""
        return torch.stack([kernel.square().sum() for kernel in self.kernels()]).sum()

    def weights(self) -> dict[str, np.ndarray]:
        """Return a copy of every weight and running mean by name."""
        return {name: value.numpy(force=True).copy() for name, value in self.state_dict().items()}


def _block(given: int, made: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(given, made, 3, padding="same"),
        nn.ReLU(),
        nn.Conv2d(made, made, 3, padding="same"),
        nn.ReLU(),
        nn.BatchNorm2d(made, momentum=MOMENTUM, eps=1e-3),
        nn.MaxPool2d(2),
        *([nn.Dropout(dropout)] if dropout else []),
    )
