"""Embed images in batches and resume after an interruption. Imports torch."""

import logging
import shutil
import time
from collections.abc import Generator
from contextlib import closing

import numpy as np
import torch
from torch import Tensor, nn

from experiments.backbone.inference.embedding import embed_batches
from experiments.backbone.pretrained.card import Card
from experiments.context import Context

log = logging.getLogger(__name__)

BATCH_PIXELS = {"cpu": 16 * 224**2, "cuda": 256 * 224**2}  # pixels in a batch


def embed_resumably(network: nn.Module, pixels: np.ndarray, card: Card, key: str, ctx: Context) -> np.ndarray:
    """Return the embeddings, float32 (n, d), of images, uint8 (n, S, S, 3).

    Each batch is appended to a file in the working folder of `key`. After an interruption, even by kill -9,
    the file size gives the number of finished batches. The remaining batches have the same images as without
    the interruption.
    """
    n, batch = len(pixels), max(1, BATCH_PIXELS[ctx.device] // card.resize.size**2)
    folder = ctx.store.workdir(key)
    path = folder / f"{batch}.float32"
    path.touch()
    row_bytes = 4 * card.width
    done = path.stat().st_size // (batch * row_bytes) * batch if path.stat().st_size < n * row_bytes else n
    if done:
        log.info("resuming the embedding after image %d of %d", done, n)
    started_at = time.perf_counter()
    with path.open("r+b") as file, ctx.report.progress("embed images", n - done, "images") as advance:
        file.truncate(done * row_bytes)
        file.seek(0, 2)
        with closing(_embeddings(network, pixels[done:], batch, card, ctx)) as batches:
            for embeddings in batches:
                file.write(embeddings.tobytes())
                file.flush()
                advance(len(embeddings))
    seconds = time.perf_counter() - started_at
    if n - done:
        log.info("embedded %d images in %.1f s, %.1f a second", n - done, seconds, (n - done) / seconds)
    result = np.fromfile(path, np.float32).reshape(n, card.width)
    shutil.rmtree(folder)
    return result


def _embeddings(
    network: nn.Module, pixels: np.ndarray, size: int, card: Card, ctx: Context
) -> Generator[np.ndarray]:
    """Yield embeddings in batches of `size` images, normalised for the network."""
    std = torch.tensor(card.std, device=ctx.device)
    scale, shift = 1 / (255 * std), -torch.tensor(card.mean, device=ctx.device) / std

    def normalise(batch: Tensor) -> Tensor:
        return (batch.float() * scale + shift).permute(0, 3, 1, 2)

    network = network.to(memory_format=torch.channels_last)
    return embed_batches(network, normalise, pixels, size, ctx)
