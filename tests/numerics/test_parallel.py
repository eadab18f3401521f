"""What runs beside each other comes in order, each on one thread, and stops at the first error."""

import time
from functools import partial

import pytest

from experiments.numerics.parallel import beside


def limits() -> set[int]:
    import sklearn.metrics  # noqa: F401 (it brings pools of threads)
    from threadpoolctl import threadpool_info

    return {library["num_threads"] for library in threadpool_info()}


def test_results_come_in_the_order_of_the_work_and_each_end_is_told() -> None:
    def slow(number: int) -> int:
        time.sleep(0.02 * (3 - number))
        return number

    told: list[int] = []
    assert beside([partial(slow, number) for number in range(4)], 4, told.append) == [0, 1, 2, 3]
    assert told == [1] * 4


@pytest.mark.parametrize("workers", [1, 2])
def test_each_has_one_thread_and_all_are_given_back(workers: int) -> None:
    before = limits()
    assert beside([limits] * 3, workers) == [{1}] * 3
    assert limits() == before


def test_an_error_ends_what_has_not_begun() -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        time.sleep(0.01)
        if number == 0:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        beside([partial(work, number) for number in range(100)], 1)
    assert len(begun) < 100
