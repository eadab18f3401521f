"""Embed images in batches, on all threads or on a GPU. Imports torch: import this where it is used."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from experiments.backbone.inference.determinism import deterministic
from experiments.context import Context

T = TypeVar("T")


def embed_batches(
    network: nn.Module, prepare: Callable[[Tensor], Tensor], pixels: np.ndarray, size: int, ctx: Context
) -> Generator[np.ndarray]:
    """Yield the embeddings float32 (b, d) of uint8 pixels (n, S, S, 3), `size` images at a time, in order.

    On the CPU, `ctx.threads` threads each embed whole batches, so the number of threads does not change
    values, and no thread waits for a slower one.

    Parameters
    ----------
    prepare
        Converts a batch of pixels on the device to the network's input, float32 (b, 3, S, S).
    """
    gpu = ctx.device == "cuda"
    network = network.to(ctx.device).eval()

    def forward(batch: Tensor) -> Tensor:
        with (
            torch.inference_mode(),
            torch.autocast(ctx.device, torch.bfloat16, enabled=ctx.dtype == "bfloat16"),
        ):
            embeddings: Tensor = network(prepare(batch.to(ctx.device, non_blocking=True)))
        return embeddings.float()

    def read(start: int) -> Tensor:
        batch = torch.from_numpy(np.array(pixels[start : start + size]))
        return batch.pin_memory() if gpu else batch

    def embed(batch: Tensor) -> np.ndarray:
        return _embed_in_halves(forward, batch).numpy(force=True)

    def read_and_embed(start: int) -> np.ndarray:
        return embed(read(start))

    starts = range(0, len(pixels), size)
    with deterministic(ctx, threads=ctx.threads if gpu else 1):
        if gpu:  # reads the next batch during the computation
            yield from map(embed, _prefetch(read, starts, workers=1))
        else:
            yield from _prefetch(read_and_embed, starts, workers=ctx.threads)


def _prefetch(work: Callable[[int], T], starts: Iterable[int], *, workers: int) -> Iterator[T]:
    """Yield results in order while threads compute the next ones."""
    remaining = iter(starts)
    with ThreadPoolExecutor(workers) as pool:
        running = deque(pool.submit(work, start) for start in islice(remaining, workers + 1))
        try:
            while running:
                result = running.popleft().result()
                running.extend(pool.submit(work, start) for start in islice(remaining, 1))
                yield result
        finally:
            pool.shutdown(cancel_futures=True)


def _embed_in_halves(forward: Callable[[Tensor], Tensor], batch: Tensor) -> Tensor:
    """Embed a batch, or its halves if it exceeds the GPU's memory."""
    try:
        return forward(batch)
    except torch.OutOfMemoryError:
        if len(batch) == 1:
            raise
    torch.cuda.empty_cache()
    return torch.cat([_embed_in_halves(forward, half) for half in batch.chunk(2)])
