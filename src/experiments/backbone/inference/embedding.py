"""Embed pixels batch by batch, on all threads or on the GPU. Imports torch: import this where it is used."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from experiments.backbone.inference.determinism import computing
from experiments.context import Context

T = TypeVar("T")


def embedded_batches(
    network: nn.Module, prepare: Callable[[Tensor], Tensor], pixels: np.ndarray, size: int, ctx: Context
) -> Generator[np.ndarray]:
    """Yield the embeddings float32 (b, d) of uint8 pixels (n, S, S, 3), `size` images at a time, in order.

    On the CPU each of `ctx.threads` threads embeds batches of its own: the values do not depend on how many
    there are, and none waits for another that shares its core with other processes.

    Parameters
    ----------
    prepare
        Makes the network's input, float32 (b, 3, S, S), of a batch of pixels on the device.
    """
    gpu = ctx.device == "cuda"
    network = network.to(ctx.device).eval()

    def forward(batch: Tensor) -> Tensor:
        with (
            torch.inference_mode(),
            torch.autocast(ctx.device, torch.bfloat16, enabled=ctx.dtype == "bfloat16"),
        ):
            made: Tensor = network(prepare(batch.to(ctx.device, non_blocking=True)))
        return made.float()

    def read(start: int) -> Tensor:
        batch = torch.from_numpy(np.array(pixels[start : start + size]))
        return batch.pin_memory() if gpu else batch

    def embed(batch: Tensor) -> np.ndarray:
        return _fitting(forward, batch).numpy(force=True)

    def read_and_embed(start: int) -> np.ndarray:
        return embed(read(start))

    starts = range(0, len(pixels), size)
    with computing(ctx, threads=ctx.threads if gpu else 1):
        if gpu:  # the next batch is read while one is embedded
            yield from map(embed, _ahead(read, starts, workers=1))
        else:
            yield from _ahead(read_and_embed, starts, workers=ctx.threads)


def _ahead(work: Callable[[int], T], starts: Iterable[int], *, workers: int) -> Iterator[T]:
    """Yield the results in order, while the next ones are computed."""
    rest = iter(starts)
    with ThreadPoolExecutor(workers) as pool:
        running = deque(pool.submit(work, start) for start in islice(rest, workers + 1))
        try:
            while running:
                result = running.popleft().result()
                running.extend(pool.submit(work, start) for start in islice(rest, 1))
                yield result
        finally:
            pool.shutdown(cancel_futures=True)


def _fitting(forward: Callable[[Tensor], Tensor], batch: Tensor) -> Tensor:
    """Embed a batch; in halves where it is more than the GPU's memory holds."""
    try:
        return forward(batch)
    except torch.OutOfMemoryError:
        if len(batch) == 1:
            raise
    torch.cuda.empty_cache()
    return torch.cat([_fitting(forward, half) for half in batch.chunk(2)])
