"""Locks that a living process holds: the system releases them when it ends, however it ends.

Process numbers, host names and clocks say nothing of a process in another container or on another machine.
A lock does, as long as both see the same file. Processes that the holder forks or starts do not keep it
(filelock closes their copy), so the lock of a killed run is free even where a worker of it lives on.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout


class Lock:
    """A file that this process has locked, until `release` or its end.

    Parameters
    ----------
    seconds
        How long to wait for another process; -1 until it is done.

    Raises
    ------
    TimeoutError
        Another process holds it.
    OSError
        The file cannot be made, or its file system has no locks.
    """

    def __init__(self, path: Path, seconds: float = 0.0) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(path)
        try:
            self._lock.acquire(timeout=seconds)
        except Timeout as error:
            raise TimeoutError(f"{path} is locked") from error

    def release(self, *, keep: bool = False) -> None:
        """Remove the file, unless it is to be kept, and end the lock."""
        if not keep and self._lock.is_locked:
            self.path.unlink(missing_ok=True)
        self._lock.release()


@contextmanager
def unheld(path: Path) -> Iterator[bool | None]:
    """Yield True if no living process holds a lock, which this one then does; False if one does, or None.

    None is unknown: the file is not to be seen, or its file system has no locks.
    """
    if not os.path.exists(path):  # False too where a folder above is closed
        yield None
        return
    lock = _lock(path)
    state: bool | None = True
    try:
        lock.acquire(timeout=0)
    except Timeout:
        state = False
    except OSError:
        state = None
    try:
        yield state
    finally:
        with suppress(OSError):
            lock.release()


def is_held(path: Path) -> bool | None:
    """Return whether a living process holds a lock, None if that is unknown."""
    with unheld(path) as free:
        return None if free is None else not free


def _lock(path: Path) -> FileLock:
    """Return a lock of the system's own: one that stands in where there is none would ask process numbers."""
    return FileLock(path, thread_local=False, fallback_to_soft=False)
