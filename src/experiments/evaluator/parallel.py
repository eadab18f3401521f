"""Many small computations beside each other, each on one core, so that they find the same however many."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np

from experiments.types import Context


def beside(work: Sequence[Callable[[], np.ndarray]], ctx: Context, task: str) -> list[np.ndarray]:
    """Return what each computes, in order; those that release the interpreter's lock run on all threads.

    A GPU is given one after the other: its memory is shared, and it is busy with one alone.
    """
    import faiss  # noqa: F401 (these bring thread pools, which have to be there to be limited)
    import scipy.linalg  # noqa: F401
    import sklearn.metrics  # noqa: F401
    from threadpoolctl import threadpool_limits

    def limited(one: Callable[[], np.ndarray]) -> np.ndarray:
        with threadpool_limits(1):  # OpenMP's limit is each thread's own
            return one()

    workers = 1 if ctx.device == "cuda" else ctx.threads
    with (
        threadpool_limits(1),
        ThreadPoolExecutor(workers) as pool,
        ctx.report.progress(task, len(work), "fits") as done,
    ):
        futures = [pool.submit(limited, one) for one in work]
        try:
            for future in as_completed(futures):
                future.result()
                done(1)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # what has not begun need not begin
            raise
    return [future.result() for future in futures]
