"""Content hashes of files, computed again as soon as a file may have changed.

A hash is reused only while the file's device, inode, size, mtime and ctime are unchanged. A file that
replaces another can have the same size and mtime (`cp -p`, `tar -x`, `os.utime`), but not the same inode and
ctime. Two more rules make ctime safe:

- It must be exact. FAT, exFAT, HFS+ and some network file systems round it to seconds or hundredths, and FAT
  lets a program set it: their files are read each time.
- It must be in the past, as a file may change twice in one tick of the clock ("racy git"). A time in the
  future, after a clock was set back, is never trusted.
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
from experiments.store.values import SavedFields, Store

VERSION = 1
COARSE = 10_000_000  # ns; a multiple of this is assumed to be rounded by the file system
LARGE = 1_000_000_000  # bytes; reading a larger file is logged
TICK = 20_000_000  # ns; longer than a tick of any kernel's file clock (1 to 16 ms)

log = logging.getLogger(__name__)

Status = tuple[int, ...]  # device, inode, size, mtime and ctime in ns

_known: dict[Status, str] = {}  # hashes computed by this process


@dataclass(frozen=True, eq=False)
class Hash(SavedFields):
    """The SHA-256 of a file; a non-empty `stopped` is the reason why it must not be cached."""

    sha256: str
    stopped: str = ""


def status_of(status: os.stat_result) -> Status:
    """Return the parts of a file's status that change with its content."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def are_reliable(statuses: Iterable[Status]) -> bool:
    """Return True if any later change of these files will change their status.

    If a file was changed just now, wait for the next tick of the clock, at most 20 ms.
    """
    changed = [status[-1] for status in statuses]
    if any(ns % COARSE == 0 for ns in changed):
        return False
    wait = max(changed, default=0) + TICK - time.time_ns()
    if wait > TICK:
        return False
    time.sleep(max(0, wait) / 1e9)
    return True


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, computed once per process unless the file changes.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    status = _status_when_opened(path)
    if status in _known:
        return _known[status]
    reliable = are_reliable([status])
    if status[2] > LARGE:
        log.info("reading %s, %.1f GB, to hash its content", path.name, status[2] / 1e9)
    with path.open("rb") as file:
        value = hashlib.file_digest(file, "sha256").hexdigest()
    if reliable and _status_when_opened(path) == status:
        _known[status] = value
    return value


def content_hash(path: Path, key: str, store: Store) -> str:
    """Return the SHA-256 of a file, cached in the store until the file changes.

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
        status = _status_when_opened(path)
        if not are_reliable([status]):
            return sha256(path)

    def compute() -> Hash:
        with _readable(path, key):
            value = sha256(path)
        return Hash(value, "" if _known.get(status) == value else "it changed while it was read")

    return store.fitted(cache_key("content", status=status, version=VERSION), compute).sha256


@contextmanager
def _readable(path: Path, key: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"{key}={path} cannot be read ({error.strerror or error}); use a readable file"
        ) from error


def _status_when_opened(path: Path) -> Status:
    """Open a file and return its status: NFS updates it only when a file is opened."""
    file = os.open(path, os.O_RDONLY)
    try:
        return status_of(os.fstat(file))
    finally:
        os.close(file)
