"""Torch's settings under which a network repeats its results bit by bit. Imports torch."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from experiments.context import Context


@contextmanager
def computing(ctx: Context, *, threads: int | None = None) -> Iterator[None]:
    """Repeat bitwise, on a GPU too, and leave torch's settings as they were.

    Parameters
    ----------
    threads
        Of one operation of torch; None for `ctx.threads`.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads or ctx.threads)
    try:
        exact = ctx.dtype == "float32"  # cuDNN would otherwise round to 10 bits (TF32)
        with torch.backends.cudnn.flags(True, benchmark=False, deterministic=True, allow_tf32=not exact):
            yield
    finally:
        torch.set_num_threads(before)
