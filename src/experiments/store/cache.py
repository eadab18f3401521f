"""A content-addressed store: expensive values are computed once, by one process, and reused.

Layout: `<root>/<key>/` has a finished value and its meta.json; `<root>/.partial/<key>@<random>/` a value
that is being written; `<root>/.locks/` one lock per key; `<root>/.work/<key>/` the checkpoints of an
unfinished training. A process that writes or removes any of these holds the key's lock, so partial folders
without a lock belong to processes that have ended.
"""

import errno
import json
import logging
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from experiments.store.arrays import link, open_array, reserve
from experiments.store.keys import Key
from experiments.store.libraries import versions
from experiments.store.locks import try_lock
from experiments.store.values import T, class_name, file_digest, load_saved_class

log = logging.getLogger(__name__)

DIGEST = "digest.txt"  # the digest of the array in the same folder
DISK_ERRORS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
    errno.EEXIST,
)


class NotCachedError(LookupError):
    """A value is not cached, and the store was opened with compute=False."""


class Store:
    """A cache of values, each in a folder named by its key.

    Parameters
    ----------
    enabled
        False neither reads nor writes values in `root`: they go to a temporary folder that is deleted when
        the process ends. Checkpoints of a running training are still written to `root`.
    compute
        False raises NotCachedError for any value that is not cached.
    about
        Circumstances of the computation, such as the number of threads; written to each value's meta.json.
    dataset
        Name of the data set; written to each value's meta.json.
    """

    def __init__(
        self,
        root: Path,
        *,
        enabled: bool = True,
        compute: bool = True,
        about: Mapping[str, str] | None = None,
        dataset: str = "",
    ) -> None:
        self.root = Path(root)
        self.enabled = enabled
        self.compute = compute
        self.about = about or {}
        self.dataset = dataset
        self.computed: list[str] = []
        self.reused: list[str] = []
        self._swept = False
        self._scratch = None if enabled else tempfile.TemporaryDirectory(prefix="experiments-")
        self.values_root = Path(self._scratch.name) if self._scratch else self.root

    def fitted(self, key: str, make: Callable[[], T]) -> T:
        """Return the value cached under `key`, or make and cache it.

        A value whose `stopped` is set, such as an unfinished training, is returned and not cached.
        """
        with self._cached_or_locked(key) as folder:
            if folder is not None:
                shutil.rmtree(self.root / ".work" / key, ignore_errors=True)  # left by a killed process
                return _load(folder)  # type: ignore[no-any-return]
            value = make()
            if getattr(value, "stopped", ""):
                return value
            self._publish(key, lambda folder: _save(value, folder))
            shutil.rmtree(self.root / ".work" / key, ignore_errors=True)
            return value

    def folder(self, key: str, write: Callable[[Path], None]) -> Path:
        with self._cached_or_locked(key) as folder:
            return folder or self._publish(key, write)

    def array(self, key: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the array cached under `key` (read-only memory map), or make and cache it.

        An array that equals another cached value is hard-linked to its file instead of copied.
        """

        def write_array(folder: Path) -> None:
            array = make()
            if not link(array, self.values_root.absolute(), folder / "array.npy"):
                np.save(folder / "array.npy", array, allow_pickle=False)

        return open_array(self.folder(key, write_array))

    def fill(
        self, key: str, shape: tuple[int, ...], dtype: str, write: Callable[[np.ndarray], None]
    ) -> np.ndarray:
        def write_mapped(folder: Path) -> None:
            array = np.lib.format.open_memmap(folder / "array.npy", mode="w+", dtype=dtype, shape=shape)
            reserve(folder / "array.npy")
            write(array)
            array.flush()

        return open_array(self.folder(key, write_mapped))

    def digest(self, key: str) -> str:
        """Return a digest of the array cached under `key`, "" if none is; written next to the array."""
        if not self.holds(key):
            return ""
        path = self.values_root / key / DIGEST
        if path.exists():
            return path.read_text(encoding="utf-8")
        value = file_digest(self.values_root / key / "array.npy")
        with (
            suppress(OSError),
            FileLock(self._lock_path(key), timeout=0),
        ):  # otherwise it is computed again next time
            partial = self._new_partial(key)
            (partial / DIGEST).write_text(value, encoding="utf-8")
            (partial / DIGEST).replace(path)
            partial.rmdir()
        return value

    def origin(self, key: str) -> dict[str, str]:
        """Return the circumstances in which the value of `key` was computed: library versions and `about`."""
        if not self.holds(key):
            return {}
        meta = json.loads((self.values_root / key / "meta.json").read_text(encoding="utf-8"))
        versions = {f"version.{name}": str(number) for name, number in meta["libraries"].items()}
        return {**versions, **meta.get("origin", {})}  # older values have no origin

    def workdir(self, key: str) -> Path:
        folder = self.root / ".work" / key
        with self._explaining_disk_errors(key):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def holds(self, key: str) -> bool:
        return (self.values_root / key / "meta.json").exists()

    def remove(self, key: str) -> bool:
        """Remove a value and its checkpoints; False if another process holds the key's lock."""
        try:
            with FileLock(self._lock_path(key), timeout=0):
                partial = self._new_partial(key)
                with suppress(FileNotFoundError):  # removed by another process, or never finished
                    (self.root / key).replace(partial / key)
                for path in (*self.root.glob(f".partial/{key}@*"), self.root / ".work" / key):
                    shutil.rmtree(path, ignore_errors=True)
        except Timeout:
            return False
        return True

    @contextmanager
    def _cached_or_locked(self, key: str) -> Iterator[Path | None]:
        """Yield the cached folder, or None while this process holds the key's lock and computes it."""
        self._sweep()
        folder = self._find(key)
        if folder is not None or not self.compute:
            if folder is None:
                raise NotCachedError(key)
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
        folder = self.values_root / key
        with suppress(OSError):  # a read-only store is readable, but its times cannot be updated
            os.utime(folder / "meta.json")
        if key not in self.computed and key not in self.reused:
            self.reused.append(key)
        return folder

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        with self._explaining_disk_errors(key):
            lock = FileLock(self._lock_path(key))
            try:
                lock.acquire(timeout=0.1)
            except Timeout:
                log.info("waiting for another process that computes %s", key)
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
        """Write into a partial folder, then rename it: readers see a whole value or none."""
        with self._explaining_disk_errors(key):
            partial = self._new_partial(key)
            start = time.perf_counter()
            try:
                write(partial)
                meta = {"key": key, "seconds": round(time.perf_counter() - start, 3), "libraries": versions()}
                meta |= {"origin": dict(self.about), "dataset": self.dataset}
                meta |= {"made_of": key.text} if isinstance(key, Key) else {}
                meta_file = partial / "meta.json"
                meta |= json.loads(meta_file.read_text(encoding="utf-8")) if meta_file.exists() else {}
                meta_file.write_text(json.dumps(meta, indent=1), encoding="utf-8")
                if not self.holds(key):  # two processes may compute it if somebody removed the locks
                    partial.replace(self.values_root / key)
                shutil.rmtree(partial, ignore_errors=True)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
        return self.values_root / key

    @contextmanager
    def _explaining_disk_errors(self, key: str) -> Iterator[None]:
        """Name `cache.root` in the error if the disk is full or not writable."""
        try:
            yield
        except OSError as error:
            path = Path(error.filename or self.values_root)  # `make` may fail on other files
            if error.errno not in DISK_ERRORS or not {self.root, self.values_root} & {path, *path.parents}:
                raise
            raise OSError(
                f"cache.root={self.values_root} cannot store {key}: {error.strerror}; free disk space "
                "(scripts/cache.py prune) or set cache.root=<a folder with room>, and run it again: all "
                "other values are still cached"
            ) from error

    def _new_partial(self, key: str) -> Path:
        parent = self.values_root / ".partial"
        parent.mkdir(parents=True, exist_ok=True)
        self._sweep()
        partial = parent / f"{key}@{uuid.uuid4().hex[:8]}"
        partial.mkdir()
        return partial

    def _sweep(self) -> None:
        """Remove the partial folders of processes that have ended; only once."""
        parent = self.root / ".partial"
        if self._swept or not self.enabled or not parent.is_dir():
            return
        self._swept = True
        for path in parent.iterdir():
            with try_lock(self._lock_path(path.name.partition("@")[0])) as free:
                if free:
                    shutil.rmtree(path, ignore_errors=True)


def _save(value: Any, folder: Path) -> None:
    value.save(folder)
    (folder / "meta.json").write_text(json.dumps({"class": class_name(value)}), encoding="utf-8")


def _load(folder: Path) -> Any:
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    return load_saved_class(meta["class"], folder).load(folder)
