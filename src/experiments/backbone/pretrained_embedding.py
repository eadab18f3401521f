"""Embed images batch by batch, so that nothing is done twice after an interruption. Imports torch."""

import logging
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import torch
from torch import Tensor, nn

from experiments.backbone.cnn_network import computing
from experiments.backbone.pretrained_card import Card
from experiments.types import Context

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
        with closing(_embeddings(network, pixels, done, batch, card, ctx)) as batches:
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
    network: nn.Module, pixels: np.ndarray, start: int, size: int, card: Card, ctx: Context
) -> Generator[np.ndarray]:
    """Embed the rows from `start` on, `size` at a time."""
    std = torch.tensor(card.std, device=ctx.device)
    scale, shift = 1 / (255 * std), -torch.tensor(card.mean, device=ctx.device) / std
    network = network.to(ctx.device).to(memory_format=torch.channels_last)

    def forward(given: Tensor) -> Tensor:
        images = (given.to(ctx.device, non_blocking=True).float() * scale + shift).permute(0, 3, 1, 2)
        with torch.autocast(ctx.device, torch.bfloat16, enabled=ctx.dtype == "bfloat16"):
            made: Tensor = network(images)
        return made.float()

    with computing(ctx), torch.inference_mode():
        for given in _batches(pixels, start, size, pinned=ctx.device == "cuda"):
            yield _fitting(forward, given).numpy(force=True)


def _fitting(forward: Callable[[Tensor], Tensor], given: Tensor) -> Tensor:
    """Embed a batch; in halves where it is more than the GPU's memory holds."""
    try:
        return forward(given)
    except torch.OutOfMemoryError:
        if len(given) == 1:
            raise
    torch.cuda.empty_cache()
    return torch.cat([_fitting(forward, half) for half in given.chunk(2)])


def _batches(pixels: np.ndarray, start: int, size: int, *, pinned: bool) -> Iterator[Tensor]:
    """Read pixels `size` images at a time, the next ones while a batch is embedded."""

    def read(row: int) -> Tensor:
        given = torch.from_numpy(np.array(pixels[row : row + size]))
        return given.pin_memory() if pinned else given

    with ThreadPoolExecutor(1) as pool:
        upcoming = pool.submit(read, start)
        for row in range(start, len(pixels), size):
            given = upcoming.result()
            if row + size < len(pixels):
                upcoming = pool.submit(read, row + size)
            yield given
