"""Functions run in threads: results in order, one thread each, a stop at the first error."""

import time
from functools import partial

import pytest

from experiments.numerics.parallel import run_in_threads


def limits() -> set[int]:
    import sklearn.metrics  # noqa: F401 (it brings pools of threads)
    from threadpoolctl import threadpool_info

    return {library["num_threads"] for library in threadpool_info()}


def test_results_are_in_order_and_progress_is_reported() -> None:
    def slow(number: int) -> int:
        time.sleep(0.02 * (3 - number))
        return number

    progress: list[int] = []
    assert run_in_threads([partial(slow, number) for number in range(4)], 4, progress.append) == [0, 1, 2, 3]
    assert progress == [1] * 4


@pytest.mark.parametrize("workers", [1, 2])
def test_each_function_has_one_thread_and_the_limit_is_restored(workers: int) -> None:
    before = limits()
    assert run_in_threads([limits] * 3, workers) == [{1}] * 3
    assert limits() == before


def test_after_an_error_no_function_is_started() -> None:
    started: list[int] = []

    def work(number: int) -> None:
        started.append(number)
        time.sleep(0.01)
        if number == 0:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run_in_threads([partial(work, number) for number in range(100)], 1)
    assert len(started) < 100
