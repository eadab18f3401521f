"""Settings of torch for bitwise reproducible results. Imports torch."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from experiments.context import Context


@contextmanager
def deterministic(ctx: Context, *, threads: int | None = None) -> Iterator[None]:
    """Compute bitwise reproducibly, also on a GPU, and restore torch's settings afterwards.

    Parameters
    ----------
    threads
        Threads of a torch operation; None for `ctx.threads`.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads or ctx.threads)
    try:
        exact = ctx.dtype == "float32"  # else cuDNN may round to 10 bits (TF32)
        with torch.backends.cudnn.flags(True, benchmark=False, deterministic=True, allow_tf32=not exact):
            yield
    finally:
        torch.set_num_threads(before)
