"""A content-addressed store: what is dear to compute is computed once, by one process, or not at all.

Layout: `<root>/<key>/` holds a finished value and its meta.json; `<root>/.partial/` what is being written,
`<root>/.locks/` one lock a key, `<root>/.work/` what an unfinished training needs to go on.
"""

import errno
import json
import logging
import os
import shutil
import socket
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from filelock import FileLock, Timeout

from experiments.kept import class_name, file_digest, kept_class
from experiments.libraries import versions
from experiments.types import T

log = logging.getLogger(__name__)

DIGEST = "digest.txt"  # beside an array: what names its values
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


class NotKeptError(LookupError):
    """A store that may not compute was asked for a value that it does not hold."""


@dataclass(frozen=True)
class Entry:
    """One kept value: its size in bytes and when it was last used (seconds since 1970)."""

    key: str
    size: int
    used: float


class Store:
    """Keep values in folders named by their keys.

    Parameters
    ----------
    enabled
        False neither reads nor writes `root`: values go to a temporary folder that ends with the process.
        Checkpoints of a running training are still kept.
    compute
        False raises NotKeptError where something would have to be computed.
    about
        What is noted beside each value that is computed, such as the number of threads.
    """

    def __init__(
        self,
        root: Path,
        *,
        enabled: bool = True,
        compute: bool = True,
        about: Mapping[str, str] | None = None,
    ) -> None:
        self.root = Path(root)
        self.enabled = enabled
        self.compute = compute
        self.about = about or {}
        self.computed: list[str] = []
        self.kept: list[str] = []
        self._swept = False
        self._scratch = None if enabled else tempfile.TemporaryDirectory(prefix="experiments-")
        self.place = Path(self._scratch.name) if self._scratch else self.root

    def fitted(self, key: str, make: Callable[[], T]) -> T:
        """Return the value kept under `key`, or make and keep it.

        A value that says it `stopped` before it was finished is returned and not kept.
        """
        with self._sole(key) as folder:
            if folder is not None:
                shutil.rmtree(self.root / ".work" / key, ignore_errors=True)  # a kill may have kept it
                return _load(folder)  # type: ignore[no-any-return]
            value = make()
            if getattr(value, "stopped", ""):
                return value
            self._publish(key, lambda folder: _save(value, folder))
            shutil.rmtree(self.root / ".work" / key, ignore_errors=True)
            return value

    def folder(self, key: str, write: Callable[[Path], None]) -> Path:
        """Return the folder kept under `key`, or let `write` fill an empty one and keep that."""
        with self._sole(key) as folder:
            return folder or self._publish(key, write)

    def array(self, key: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the array kept under `key` (read-only memory map), or make and keep it.

        What is another value of the store, unchanged, becomes a second name of its file.
        """

        def into(folder: Path) -> None:
            array = make()
            if not _link(array, self.place.absolute(), folder / "array.npy"):
                np.save(folder / "array.npy", array, allow_pickle=False)

        return _open(self.folder(key, into))

    def fill(
        self, key: str, shape: tuple[int, ...], dtype: str, write: Callable[[np.ndarray], None]
    ) -> np.ndarray:
        """Return the array kept under `key`, or let `write` fill a memory map of it and keep that."""

        def into(folder: Path) -> None:
            array = np.lib.format.open_memmap(folder / "array.npy", mode="w+", dtype=dtype, shape=shape)
            _reserve(folder / "array.npy")
            write(array)
            array.flush()

        return _open(self.folder(key, into))

    def digest(self, key: str) -> str:
        """Name the array kept under `key` by its values, "" if none is; found once, and kept beside it."""
        if not self.holds(key):
            return ""
        path = self.place / key / DIGEST
        if path.exists():
            return path.read_text()
        found = file_digest(self.place / key / "array.npy")
        with suppress(OSError):  # on a full disk it is found again another time
            partial = self._new_partial()
            (partial / DIGEST).write_text(found)
            (partial / DIGEST).replace(path)
            partial.rmdir()
        return found

    def origin(self, key: str) -> dict[str, str]:
        """Return in which circumstances the value kept under `key` was computed: versions, `about`."""
        if not self.holds(key):
            return {}
        meta = json.loads((self.place / key / "meta.json").read_text())
        versions = {f"version.{name}": str(found) for name, found in meta["libraries"].items()}
        return {**versions, **meta.get("origin", {})}  # none of what was kept before there was one

    def workdir(self, key: str) -> Path:
        """Return a folder that survives an interruption; it goes when the value of `key` is kept."""
        folder = self.root / ".work" / key
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def holds(self, key: str) -> bool:
        """Tell whether `key` is kept."""
        return (self.place / key / "meta.json").exists()

    def entries(self) -> list[Entry]:
        """List what is kept, largest first."""
        found = list(self.root.glob("[!.]*/meta.json"))
        entries = [Entry(path.parent.name, _size(path.parent), path.stat().st_mtime) for path in found]
        return sorted(entries, key=lambda entry: entry.size, reverse=True)

    def remove(self, key: str) -> bool:
        """Remove a value and its checkpoints unless a process works on it; tell whether they are gone."""
        try:
            with FileLock(self._lock_path(key), timeout=0):
                doomed = self._new_partial()
                with suppress(FileNotFoundError):  # another process removed it, or it was never finished
                    (self.root / key).replace(doomed / key)
                shutil.rmtree(doomed)
                shutil.rmtree(self.root / ".work" / key, ignore_errors=True)
        except Timeout:
            return False
        return True

    @contextmanager
    def _sole(self, key: str) -> Iterator[Path | None]:
        """Give the kept folder, or None to the one process that may now compute it."""
        self._sweep()
        folder = self._find(key)
        if folder is not None or not self.compute:
            if folder is None:
                raise NotKeptError(key)
            yield folder
            return
        with self._locked(key):
            folder = self._find(key)
            yield folder
            if folder is None:
                self.computed.append(key)

    def _find(self, key: str) -> Path | None:
        if not self.holds(key):
            return None
        folder = self.place / key
        os.utime(folder / "meta.json")
        if key not in self.computed and key not in self.kept:
            self.kept.append(key)
        return folder

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        lock = FileLock(self._lock_path(key))
        try:
            lock.acquire(timeout=0.1)
        except Timeout:
            log.info("waiting for whoever computes %s", key)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _lock_path(self, key: str) -> Path:
        path = self.root / ".locks" / f"{key}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _publish(self, key: str, write: Callable[[Path], None]) -> Path:
        """Write into a partial folder, then rename it: a reader sees all of it or nothing."""
        partial = self._new_partial()
        start = time.perf_counter()
        try:
            write(partial)
            meta = {"key": key, "seconds": round(time.perf_counter() - start, 3), "libraries": versions()}
            meta["origin"] = dict(self.about)
            described = partial / "meta.json"
            meta |= json.loads(described.read_text()) if described.exists() else {}
            described.write_text(json.dumps(meta, indent=1))
        except BaseException as error:
            shutil.rmtree(partial, ignore_errors=True)
            if isinstance(error, OSError) and error.errno in FULL:
                raise OSError(
                    f"cache.root={self.place} cannot take {key}: {error.strerror}; nothing else is lost: "
                    "free some (scripts/cache.py prune) or set cache.root=<a folder with room>, and try again"
                ) from error
            raise
        final = self.place / key
        partial.replace(final)
        return final

    def _new_partial(self) -> Path:
        parent = self.place / ".partial"
        parent.mkdir(parents=True, exist_ok=True)
        self._sweep()
        partial = parent / f"{os.getpid()}@{socket.gethostname()}@{uuid.uuid4().hex}"
        partial.mkdir()
        return partial

    def _sweep(self) -> None:
        """Remove what processes that are gone left half-written; once."""
        parent = self.place / ".partial"
        if self._swept or not parent.is_dir():
            return
        self._swept = True
        for path in parent.iterdir():
            process, host, _ = path.name.split("@")
            if host == socket.gethostname() and not psutil.pid_exists(int(process)):
                shutil.rmtree(path, ignore_errors=True)


def _save(value: Any, folder: Path) -> None:
    value.save(folder)
    (folder / "meta.json").write_text(json.dumps({"class": class_name(value)}))


def _load(folder: Path) -> Any:
    return kept_class(json.loads((folder / "meta.json").read_text())["class"], folder).load(folder)


def _link(array: np.ndarray, root: Path, path: Path) -> bool:
    """Link `path` to the file below `root` that a read-only memory map shows whole; False if it is none."""
    whole = array if isinstance(array, np.memmap) else array.base
    if not isinstance(whole, np.memmap) or whole.mode != "r" or not array.flags.c_contiguous:
        return False
    if whole.filename is None or root not in Path(whole.filename).parents:
        return False
    with suppress(OSError):  # some disks have no links
        os.link(whole.filename, path)
        kept = _open(path.parent)
        if kept.dtype == array.dtype and kept.shape == array.shape:
            return True
        path.unlink()
    return False


def _open(folder: Path) -> np.ndarray:
    return np.load(folder / "array.npy", mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]


def _reserve(path: Path) -> None:
    """Claim the disk that a sparse file will need: a full one is an error here, and would be SIGBUS later."""
    if hasattr(os, "posix_fallocate"):  # not on macOS
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
