"""Many small computations beside each other, each on one core, so that they find the same however many."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

R = TypeVar("R")


def beside(
    work: Sequence[Callable[[], R]], workers: int, done: Callable[[int], None] = lambda count: None
) -> list[R]:
    """Return what each computes, in order; those that release the interpreter's lock run at the same time.

    Parameters
    ----------
    done
        Called with 1 as each ends.
    """
    import faiss  # noqa: F401 (these bring pools of threads, which have to be there to be limited)
    import scipy.linalg  # noqa: F401
    import sklearn.metrics  # noqa: F401
    from threadpoolctl import threadpool_limits

    def limited(one: Callable[[], R]) -> R:
        with threadpool_limits(1):  # OpenMP's limit is each thread's own
            return one()

    with threadpool_limits(1), ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(limited, one) for one in work]
        try:
            for future in as_completed(futures):
                future.result()
                done(1)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # what has not begun need not begin
            raise
    return [future.result() for future in futures]
