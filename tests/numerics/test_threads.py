"""Threads on shared cores: how many to use, and how they wait."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.messages import says
from threadpoolctl import threadpool_info

from experiments.numerics import threads
from experiments.numerics.threads import CpuTime, adaptive_threads, usable_threads, warn_if_busy


@pytest.mark.parametrize(
    ("wanted", "busy", "cores", "threads"),
    [(2, 0.0, 2, 2), (2, 0.2, 2, 2), (2, 0.6, 2, 1), (2, 1.0, 2, 1), (2, 1.9, 2, 1), (1, 1.0, 2, 1),
     (16, 1.0, 16, 15), (16, 3.5, 16, 12), (4, 8.0, 16, 4), (16, 40.0, 16, 1)],
)  # fmt: skip
def test_threads_are_limited_to_free_cores(wanted: int, busy: float, cores: int, threads: int) -> None:
    assert usable_threads(wanted, busy, cores) == threads


def test_work_of_this_process_is_not_counted_as_busy_cores() -> None:
    start = CpuTime(clock=10.0, system=100.0, process=5.0)
    assert CpuTime(clock=12.0, system=103.0, process=7.0).busy_cores(start) == 0.5
    assert (
        CpuTime(clock=12.0, system=101.9, process=7.0).busy_cores(start) == 0
    )  # counters are not read at the same time
    assert CpuTime.now().clock > 0 < CpuTime.now().system


def limits() -> set[int]:
    import sklearn.metrics  # noqa: F401 (it brings pools of threads)

    return {library["num_threads"] for library in threadpool_info()}


def test_the_limit_follows_the_load_by_other_processes() -> None:
    """One core of four is busy in the second second, none in the third."""
    before = limits()
    counters: Iterator[CpuTime] = iter([
        CpuTime(0, 0, 0), CpuTime(0.01, 9, 0), CpuTime(1, 4, 4), CpuTime(2, 8, 7), CpuTime(3, 12, 11),
    ])  # fmt: skip
    with adaptive_threads(4, read=lambda: next(counters), all_cores=4) as adapt:
        assert adapt() == 4  # 0.01 s is too short for a measurement
        assert [adapt(), limits()] == [4, {4}]
        assert [adapt(), limits()] == [3, {3}]
        assert [adapt(), limits()] == [4, {4}]
    assert limits() == before


def test_a_measurement_over_a_long_time_is_repeated() -> None:
    counters = iter([CpuTime(0, 0, 0), CpuTime(60, 60, 0), CpuTime(60.05, 60, 0)])
    with adaptive_threads(2, read=lambda: next(counters), all_cores=2) as adapt:
        assert adapt() == 2  # a minute with a busy core, but none now


def test_measure_limits_the_first_step_too() -> None:
    counters = iter([CpuTime(0, 0, 0), CpuTime(0.01, 0, 0), CpuTime(0.06, 0.05, 0), CpuTime(0.07, 9, 0)])
    with adaptive_threads(2, measure=True, read=lambda: next(counters), all_cores=2) as adapt:
        assert [adapt(), adapt()] == [1, 1]


def test_a_warning_suggests_fewer_threads(caplog: pytest.LogCaptureFixture) -> None:
    warn_if_busy("training", 2, busy=0.1, all_cores=2)
    warn_if_busy("training", 1, busy=1.0, all_cores=2)
    assert caplog.messages == []
    with caplog.at_level(logging.WARNING):
        warn_if_busy("training", 2, busy=1.0, all_cores=2)
    [message] = caplog.messages
    says(message, key="threads=2", use="threads=1")


@pytest.mark.skipif(sys.platform != "linux", reason="GNU's OpenMP, as Linux loads it")
@pytest.mark.process
def test_waiting_threads_of_a_library_loaded_earlier_sleep() -> None:
    """Each library gets extra threads that never end; GNU's OpenMP does not spin then."""
    code = """
import os, sklearn.utils._openmp_helpers
from experiments.numerics import threads
count = lambda: len(os.listdir("/proc/self/task"))
before = count()
changed = threads.let_waiting_threads_sleep()
added = len(changed) * (os.cpu_count() + 1)
print(len(changed), count() - before == added > 0, threads.let_waiting_threads_sleep())
"""
    environ = {name: value for name, value in os.environ.items() if name != threads.POLICY}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    assert done.stdout.split() == ["1", "True", "[]"]


def test_libraries_loaded_later_are_not_changed() -> None:
    assert threads.let_waiting_threads_sleep(loaded_before=False) == []
