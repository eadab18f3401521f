"""File locks: the system releases a process's locks when it ends, even after a crash.

Process numbers, host names and clocks do not show whether a process in another container or on another
machine is alive. A lock does, if both see the same file. Child processes do not inherit it (filelock closes
their copy), so the lock of a killed run is free even if one of its workers is still alive.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout


class Lock:
    """A file locked by this process until `release` or the end of the process.

    Parameters
    ----------
    seconds
        How long to wait for another process; -1 waits without limit.

    Raises
    ------
    TimeoutError
        Another process holds the lock.
    OSError
        The file cannot be created, or its file system has no locks.
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
        """Release the lock, and remove the file unless `keep`."""
        if not keep and self._lock.is_locked:
            self.path.unlink(missing_ok=True)
        self._lock.release()


@contextmanager
def try_lock(path: Path) -> Iterator[bool | None]:
    """Try to take a lock for the length of a context: yield True if taken, False if a process holds it.

    Yield None if that is unknown: the file does not exist or is not visible, or its file system has no locks.
    """
    if not os.path.exists(path):  # also False if a parent folder is not readable
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
    """Return True if a living process holds a lock; None if that is unknown."""
    with try_lock(path) as free:
        return None if free is None else not free


def _lock(path: Path) -> FileLock:
    """Return a lock of the operating system: filelock's fallback relies on process numbers."""
    return FileLock(path, thread_local=False, fallback_to_soft=False)
