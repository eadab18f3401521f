"""Run small computations in threads, one core each, so that the number of workers does not change results."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

R = TypeVar("R")


def run_in_threads(
    functions: Sequence[Callable[[], R]], workers: int, done: Callable[[int], None] = lambda count: None
) -> list[R]:
    """Call the functions in a pool of threads; return their results in order.

    Only code that releases the GIL runs in parallel.

    Parameters
    ----------
    done
        Called with 1 after each function.
    """
    import faiss  # noqa: F401 (only thread pools of loaded libraries can be limited)
    import scipy.linalg  # noqa: F401
    import sklearn.metrics  # noqa: F401
    from threadpoolctl import threadpool_limits

    def limited(function: Callable[[], R]) -> R:
        with threadpool_limits(1):  # OpenMP has a limit for each thread
            return function()

    with threadpool_limits(1), ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(limited, function) for function in functions]
        try:
            for future in as_completed(futures):
                future.result()
                done(1)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # start no further function
            raise
    return [future.result() for future in futures]
