"""Threads on cores shared with other processes: how many to run, and how they wait."""

import ctypes
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

log = logging.getLogger(__name__)

POLICY = "OMP_WAIT_POLICY"
SHORTEST = 0.05  # seconds of a measurement: the system counts CPU time in steps of 0.01
LONGEST = 2.0  # seconds of a measurement: a mean over a longer time may be out of date
NOISE = 0.25  # of a core: load of an idle system

_asleep: set[str] = set()  # OpenMP libraries whose waiting threads sleep
_loaded_before = False  # an OpenMP library was loaded before this package


class CpuTime(NamedTuple):
    """Seconds of wall-clock time, and CPU time of all processes and of this one."""

    clock: float
    system: float
    process: float

    @classmethod
    def now(cls) -> "CpuTime":
        """Read the system's counters."""
        import psutil

        total = psutil.cpu_times()
        system = total.user + total.system + getattr(total, "nice", 0.0)
        return cls(time.perf_counter(), system, sum(os.times()[:4]))

    def busy_cores(self, earlier: "CpuTime") -> float:
        """Return the mean number of cores that other processes used since `earlier`."""
        system, process = self.system - earlier.system, self.process - earlier.process
        return max(0.0, system - process) / max(self.clock - earlier.clock, 1e-9)


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # on Linux only
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def usable_threads(threads: int, busy: float, all_cores: int) -> int:
    """Return the largest number of threads, up to `threads`, that have a core each; at least 1.

    Parameters
    ----------
    busy
        Cores that other processes use.
    """
    return max(1, min(threads, all_cores - math.ceil(busy - NOISE)))


def busy_cores(read: Callable[[], CpuTime] = CpuTime.now) -> float:
    """Return the number of cores that other processes use, measured for 0.05 s."""
    before = read()
    time.sleep(SHORTEST)
    return read().busy_cores(before)


@contextmanager
def adaptive_threads(
    most: int,
    *,
    measure: bool = False,
    read: Callable[[], CpuTime] = CpuTime.now,
    all_cores: int | None = None,
) -> Iterator[Callable[[], int]]:
    """Limit OpenMP and BLAS to `most` threads, and to fewer while other processes use the cores.

    For computations whose result does not depend on the number of threads. With one of two cores busy,
    FAISS's k-means took 1.35 times as long on two threads as on one.

    Parameters
    ----------
    measure
        Measure for 0.05 s before the first step; otherwise it runs on `most` threads.

    Yields
    ------
    A function to call before each parallel step: it measures the load by other processes since its last call,
    sets the number of threads, and returns it.
    """
    from threadpoolctl import ThreadpoolController, threadpool_limits

    last, limit = read(), most
    with threadpool_limits(most):
        controllers = ThreadpoolController().lib_controllers if most > 1 else []

        def adapt() -> int:
            nonlocal last, limit, measure
            now = read()
            seconds = now.clock - last.clock
            if not controllers or (seconds < SHORTEST and not measure):
                return limit
            if measure or seconds > LONGEST:
                last, measure = now, False
                time.sleep(SHORTEST)
                now = read()
            usable, last = usable_threads(most, now.busy_cores(last), all_cores or cores()), now
            if usable != limit:
                limit = usable
                for controller in controllers:
                    controller.set_num_threads(limit)
            return limit

        yield adapt


def warn_if_busy(step: str, threads: int, *, busy: float | None = None, all_cores: int = 0) -> None:
    """Warn that a step whose result depends on the number of threads may be faster with fewer.

    On two cores, an epoch of the CNN took 1.07 to 1.18 times as long on two threads as on one while one other
    process was busy, and .95 times as long while three were (benchmarks/busy.py).

    Parameters
    ----------
    busy
        Cores that other processes use; None measures them for 0.05 s.
    """
    if threads == 1:
        return
    all_cores = all_cores or cores()
    busy = busy_cores() if busy is None else busy
    faster = usable_threads(threads, busy, all_cores)
    if faster < threads:
        log.warning(
            "other processes use %.1f of %d cores: %s with threads=%d may take longer than with fewer; "
            "wait for them, or use threads=%d, which changes the result as another seed would",
            *(busy, all_cores, step, threads, faster),
        )


def set_wait_policy(maps: Path = Path("/proc/self/maps")) -> None:
    """Set OMP_WAIT_POLICY=PASSIVE, unless it is set: waiting threads of libraries loaded later then sleep.

    By default they spin, which takes cores from other processes: on shared cores FAISS with two threads took
    20 times as long.
    """
    global _loaded_before
    if POLICY in os.environ:
        return
    os.environ[POLICY] = "PASSIVE"
    with suppress(OSError):  # exists on Linux only
        text = maps.read_text(encoding="utf-8", errors="replace")
        _loaded_before = any(name in text for name in ("libgomp", "libiomp", "libomp"))


def let_waiting_threads_sleep(*, loaded_before: bool | None = None) -> list[str]:
    """Make waiting threads sleep in OpenMP libraries that were loaded before this package, as in a notebook.

    A library reads OMP_WAIT_POLICY only when it is loaded. Later, GNU's OpenMP lets waiting threads sleep
    only while it has more threads than there are cores, so this starts extra threads that never end. With
    scikit-learn and torch imported first, k-means of 8,000 x 64 on two threads and busy cores took 2.9 s with
    this, and 39 s without.

    Returns
    -------
    The paths of the changed libraries.
    """
    if not (_loaded_before if loaded_before is None else loaded_before):
        return []
    from threadpoolctl import threadpool_info

    openmp = [library for library in threadpool_info() if library["user_api"] == "openmp"]
    changed = [str(library["filepath"]) for library in openmp if library["filepath"] not in _asleep]
    for path in changed:
        _asleep.add(path)
        if "libgomp" in Path(path).name:
            _add_idle_threads(ctypes.CDLL(path), (os.cpu_count() or 1) + 1)
        else:
            log.warning(
                "%s was loaded before experiments, so its waiting threads take cores from other processes; "
                "import experiments first, or set %s=PASSIVE before Python starts",
                *(Path(path).name, POLICY),
            )
    return changed


def _add_idle_threads(library: ctypes.CDLL, count: int) -> None:
    """Start `count` OpenMP threads that never end."""
    started = threading.Event()

    def start_and_wait() -> None:
        library.GOMP_parallel(library.omp_get_thread_num, None, count, 0)
        started.set()
        threading.Event().wait()

    threading.Thread(target=start_and_wait, name="openmp", daemon=True).start()
    started.wait()
