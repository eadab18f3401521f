"""Threads on cores that other processes use as well: how many to run, and how they wait."""

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
SHORTEST = 0.05  # seconds: the system counts CPU time in steps of 0.01
LONGEST = 2.0  # seconds: what was measured over a longer time may be over
NOISE = 0.25  # of a core, which every system uses by itself

_asleep: set[str] = set()  # OpenMP libraries whose waiting threads sleep
_loaded_before = False  # an OpenMP library was loaded before this package


class CpuTime(NamedTuple):
    """Seconds since some moment: of the clock, of all cores at work, of this process at work."""

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

    def others(self, earlier: "CpuTime") -> float:
        """Return how many cores other processes kept at work since `earlier`."""
        system, process = self.system - earlier.system, self.process - earlier.process
        return max(0.0, system - process) / max(self.clock - earlier.clock, 1e-9)


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux alone
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free(threads: int, others: float, all_cores: int) -> int:
    """Return how many of `threads` have a core to themselves, at least 1.

    Parameters
    ----------
    others
        Cores that other processes keep at work.
    """
    return max(1, min(threads, all_cores - math.ceil(others - NOISE)))


def busy_cores(read: Callable[[], CpuTime] = CpuTime.now) -> float:
    """Return how many cores other processes keep at work; takes 0.05 s."""
    before = read()
    time.sleep(SHORTEST)
    return read().others(before)


@contextmanager
def following(
    most: int,
    *,
    measure: bool = False,
    read: Callable[[], CpuTime] = CpuTime.now,
    all_cores: int | None = None,
) -> Iterator[Callable[[], int]]:
    """Limit OpenMP and BLAS to `most` threads, and to fewer while other processes use the cores.

    For computations whose result does not depend on the number of threads. Two threads that wait for each
    other beside one busy process on two cores took 1.35 times as long as one thread (FAISS's k-means).

    Parameters
    ----------
    measure
        Take 0.05 s to measure before the first step; otherwise that one runs on `most` threads.

    Yields
    ------
    A function to be called before each parallel step: it measures what other processes did since its last
    call, sets the number of threads, and returns it.
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
            chosen, last = free(most, now.others(last), all_cores or cores()), now
            if chosen != limit:
                limit = chosen
                for controller in controllers:
                    controller.set_num_threads(limit)
            return limit

        yield adapt


def warn_if_busy(step: str, threads: int, *, others: float | None = None, all_cores: int = 0) -> None:
    """Warn that a step whose result depends on the number of threads may be faster with fewer.

    An epoch of the CNN on two threads took 1.07 to 1.18 times as long as on one next to a busy process on two
    cores, and .95 next to three (benchmarks/busy.py).

    Parameters
    ----------
    others
        Cores that other processes keep at work; None to measure it, which takes 0.05 s.
    """
    if threads == 1:
        return
    all_cores = all_cores or cores()
    others = busy_cores() if others is None else others
    faster = free(threads, others, all_cores)
    if faster < threads:
        log.warning(
            "other processes keep %.1f of %d cores busy: %s with threads=%d may take longer than with fewer; "
            "wait for them, or use threads=%d, which changes the result as another seed would",
            *(others, all_cores, step, threads, faster),
        )


def set_wait_policy(maps: Path = Path("/proc/self/maps")) -> None:
    """Let OpenMP's waiting threads sleep, in each library that is loaded from now on.

    Threads that wait must not burn the cores of other processes: with the cores shared, FAISS on two threads
    took 20 times as long without it. The user's own setting stays.
    """
    global _loaded_before
    if POLICY in os.environ:
        return
    os.environ[POLICY] = "PASSIVE"
    with suppress(OSError):  # Linux alone tells
        text = maps.read_text(encoding="utf-8", errors="replace")
        _loaded_before = any(name in text for name in ("libgomp", "libiomp", "libomp"))


def let_waiting_threads_sleep(*, loaded_before: bool | None = None) -> list[str]:
    """Make threads sleep that wait in an OpenMP library which was loaded before this package, in a notebook.

    OMP_WAIT_POLICY counts only where it is set before the library is loaded. Later, GNU's waits without
    burning a core only while it has more threads than there are cores: so a few sleep here for good.
    With scikit-learn and torch imported first, k-means of 8,000 x 64 on two threads and busy cores took 2.9 s
    with them, and 39 without.

    Returns
    -------
    The paths of the libraries for which that was done.
    """
    if not (_loaded_before if loaded_before is None else loaded_before):
        return []
    from threadpoolctl import threadpool_info

    openmp = [library for library in threadpool_info() if library["user_api"] == "openmp"]
    changed = [str(library["filepath"]) for library in openmp if library["filepath"] not in _asleep]
    for path in changed:
        _asleep.add(path)
        if "libgomp" in Path(path).name:
            _hold_threads(ctypes.CDLL(path), (os.cpu_count() or 1) + 1)
        else:
            log.warning(
                "%s was loaded before experiments, so its waiting threads burn the cores of other processes; "
                "import experiments first, or set %s=PASSIVE before Python starts",
                *(Path(path).name, POLICY),
            )
    return changed


def _hold_threads(library: ctypes.CDLL, count: int) -> None:
    """Start a team of `count` threads that belongs to a thread which never ends."""
    started = threading.Event()

    def hold() -> None:
        library.GOMP_parallel(library.omp_get_thread_num, None, count, 0)
        started.set()
        threading.Event().wait()

    threading.Thread(target=hold, name="openmp", daemon=True).start()
    started.wait()
