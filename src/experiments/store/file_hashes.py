"""Names of files by their content: a hash, taken again as soon as a file may have changed.

A hash is reused only while device, inode, size and both times of change are what they were. A file that takes
another's path can bring that one's size and time of writing (`cp -p`, `tar -x`, `os.utime`), but not the
inode together with the time at which the file system put it there (ctime). Two more rules make ctime safe:

- It counts only if it is exact. FAT, exFAT, HFS+ and some network file systems tick in whole seconds or
  hundredths, and FAT lets a program set it: their files are read each time.
- It counts only once the clock has moved past it, as a file may change twice in one tick ("racy git"). A
  time in the future, after a clock was set back, never counts.
"""

import hashlib
import logging
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from experiments.store.keys import cache_key
from experiments.store.values import Record, Store

VERSION = 1
EXACT = 10_000_000  # ns: a time that is a multiple of this is taken for one of a file system that rounds
LARGE = 1_000_000_000  # bytes that take seconds to read
TICK = 20_000_000  # ns: longer than a tick of any kernel's clock for files (1 to 16 ms)

log = logging.getLogger(__name__)

Status = tuple[int, ...]  # device, inode, size, and ns of the last writing and of any change

_known: dict[Status, str] = {}  # of this process


@dataclass(frozen=True, eq=False)
class Hash(Record):
    """The SHA-256 of a file; `stopped` says why the store does not keep it."""

    sha256: str
    stopped: str = ""


def status_of(status: os.stat_result) -> Status:
    """Return what of a file's status changes when its content does."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def settled(statuses: Iterable[Status]) -> bool:
    """Return True if these statuses stand for what is read of the files from now on.

    It waits for the next tick of the clock, 20 ms at most, where a file was changed just now.
    """
    changed = [status[-1] for status in statuses]
    if any(ns % EXACT == 0 for ns in changed):
        return False
    wait = max(changed, default=0) + TICK - time.time_ns()
    if wait > TICK:
        return False
    time.sleep(max(0, wait) / 1e9)
    return True


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, taken once per process while the file stays as it is.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    status = _opened(path)
    if status in _known:
        return _known[status]
    proven = settled([status])
    if status[2] > LARGE:
        log.info("reading %s, %.1f GB, for a hash of its content", path.name, status[2] / 1e9)
    with path.open("rb") as file:
        value = hashlib.file_digest(file, "sha256").hexdigest()
    if proven and _opened(path) == status:
        _known[status] = value
    return value


def content_hash(path: Path, key: str, store: Store) -> str:
    """Return the SHA-256 of a file's bytes, which the store remembers while the file stays as it is.

    Parameters
    ----------
    key
        The setting that names the file, as in `dataset.path`.

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    with _readable(path, key):
        status = _opened(path)
        if not settled([status]):
            return sha256(path)

    def hashed() -> Hash:
        with _readable(path, key):
            value = sha256(path)
        return Hash(value, "" if _known.get(status) == value else "it changed while it was read")

    return store.fitted(cache_key("content", status=status, version=VERSION), hashed).sha256


@contextmanager
def _readable(path: Path, key: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"{key}={path} cannot be read ({error.strerror or error}); use a file that may be read"
        ) from error


def _opened(path: Path) -> Status:
    """Return the status of an opened file: NFS asks its server only when a file is opened."""
    file = os.open(path, os.O_RDONLY)
    try:
        return status_of(os.fstat(file))
    finally:
        os.close(file)
