"""Embed images batch by batch, so that nothing is done twice after an interruption. Imports torch."""

import logging
import shutil
import time
from collections.abc import Generator
from contextlib import closing

import numpy as np
import torch
from torch import Tensor, nn

from experiments.backbone.inference.embedding import embedded_batches
from experiments.backbone.pretrained.card import Card
from experiments.context import Context

log = logging.getLogger(__name__)

BATCH_PIXELS = {"cpu": 16 * 224**2, "cuda": 256 * 224**2}  # embedded at a time


def embedded(network: nn.Module, pixels: np.ndarray, card: Card, place: str, ctx: Context) -> np.ndarray:
    """Return float32 (n, d) of uint8 pixels (n, S, S, 3).

    Each batch is appended to a file in the store's folder `place`: its length says how many are done, so
    what follows an interruption, a kill too, are the batches that are left, with the same images in each.
    """
    n, batch = len(pixels), max(1, BATCH_PIXELS[ctx.device] // card.resize.size**2)
    folder = ctx.store.workdir(place)
    path = folder / f"{batch}.float32"
    path.touch()
    row_bytes = 4 * card.width
    done = path.stat().st_size // (batch * row_bytes) * batch if path.stat().st_size < n * row_bytes else n
    if done:
        log.info("embedding goes on after image %d of %d", done, n)
    start = time.perf_counter()
    with path.open("r+b") as file, ctx.report.progress("embed images", n - done, "images") as advance:
        file.truncate(done * row_bytes)
        file.seek(0, 2)
        with closing(_embeddings(network, pixels[done:], batch, card, ctx)) as batches:
            for made in batches:
                file.write(made.tobytes())
                file.flush()
                advance(len(made))
    seconds = time.perf_counter() - start
    if n - done:
        log.info("embedded %d images in %.1f s, %.1f a second", n - done, seconds, (n - done) / seconds)
    out = np.fromfile(path, np.float32).reshape(n, card.width)
    shutil.rmtree(folder)
    return out


def _embeddings(
    network: nn.Module, pixels: np.ndarray, size: int, card: Card, ctx: Context
) -> Generator[np.ndarray]:
    """Embed the pixels `size` images at a time, normalised as the network wants them."""
    std = torch.tensor(card.std, device=ctx.device)
    scale, shift = 1 / (255 * std), -torch.tensor(card.mean, device=ctx.device) / std

    def normalised(batch: Tensor) -> Tensor:
        return (batch.float() * scale + shift).permute(0, 3, 1, 2)

    network = network.to(memory_format=torch.channels_last)
    return embedded_batches(network, normalised, pixels, size, ctx)
