"""The network of Study A. Imports torch: import this where it is used."""

from collections.abc import Mapping
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

MOMENTUM = 0.01  # momentum of batch norm; .99 in Keras's convention


class Network(nn.Module):
    """Blocks of two convolutions, global average pooling, a dense layer (the embedding) and a class layer.

    Parameters
    ----------
    filters
        Channels of each block's convolutions; each block halves the image.
    dense
        Width of the embedding.
    dropout, head_dropout
        Dropout after all blocks except the first, and before the class layer.
    """

    def __init__(
        self, filters: tuple[int, ...], dense: int, classes: int, dropout: float = 0, head_dropout: float = 0
    ) -> None:
        super().__init__()
        depths = enumerate(zip((3, *filters), filters, strict=False))
        with torch.random.fork_rng(devices=[]):  # layers draw weights from the global generator
            blocks = [
                _block(in_channels, out_channels, dropout if block else 0)
                for block, (in_channels, out_channels) in depths
            ]
            pool = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
            self.embed = nn.Sequential(*blocks, *pool, nn.Linear(filters[-1], dense), nn.ReLU())
            self.head = nn.Sequential(nn.Dropout(head_dropout), nn.Linear(dense, classes))
        # faster: on two cores a step takes 0.70 of the time at 48x48, 0.85 at 16x16, the same at 8x8
        self.to(memory_format=torch.channels_last)

    def init_weights(self, seed: int) -> Self:
        """Initialise weights as Keras does: Glorot-uniform kernels, zero biases; return the network."""
        generator = torch.Generator().manual_seed(seed)
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(layer.weight, generator=generator)
                nn.init.constant_(layer.bias, 0)  # type: ignore[arg-type]
        return self

    def load_weights(self, weights: Mapping[str, np.ndarray]) -> Self:
        """Load the arrays of `weights`; return the network."""
        self.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Map float (n, 3, S, S) in [0, 1] to class scores (n, c)."""
        scores: Tensor = self.head(self.embed(images))
        return scores

    def kernels(self) -> list[Tensor]:
        """Return the kernels in Keras's sense: all weights except biases and those of batch norm."""
        return [weight for weight in self.parameters() if weight.ndim > 1]

    def settle_batch_norm(self, step: int) -> None:
        """Set batch norm to plain averages in the first 100 steps, and to Keras's momentum of .99 later.

        Keras's running averages start at mean 0 and variance 1. In Study A these initial values lose their
        weight within one epoch of 640 batches (.99**640 is .002); with 10 batches an epoch they would stop
        the training too early.
        """
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = max(MOMENTUM, 1 / (step + 1))

    def penalty(self) -> Tensor:
        """Return the sum of squared kernels; Keras's L2 is lambda times this, without a factor of 1/2."""
        return torch.stack([kernel.square().sum() for kernel in self.kernels()]).sum()

    def weights(self) -> dict[str, np.ndarray]:
        """Return copies of all weights and running statistics, by name."""
        return {name: value.numpy(force=True).copy() for name, value in self.state_dict().items()}


def _block(in_channels: int, out_channels: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding="same"),
        nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, 3, padding="same"),
        nn.ReLU(),
        nn.BatchNorm2d(out_channels, momentum=MOMENTUM, eps=1e-3),
        nn.MaxPool2d(2),
        *([nn.Dropout(dropout)] if dropout else []),
    )
