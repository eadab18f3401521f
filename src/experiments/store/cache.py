"""A content-addressed store: what is dear to compute is computed once, by one process, or not at all.

Layout: `<root>/<key>/` holds a finished value and its meta.json; `<root>/.partial/<key>@<random>/` what is
being written, `<root>/.locks/` one lock a key, `<root>/.work/<key>/` what an unfinished training needs to go
on. Whoever writes or removes any of these holds the key's lock: what is unlocked was left by a process that
ended.
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

from experiments.store.arrays import link, opened, reserve
from experiments.store.keys import Key
from experiments.store.libraries import versions
from experiments.store.locks import unheld
from experiments.store.values import T, class_name, file_digest, kept_class

log = logging.getLogger(__name__)

DIGEST = "digest.txt"  # beside an array: what names its values
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST)


class NotKeptError(LookupError):
    """A store that may not compute was asked for a value that it does not hold."""


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
    dataset
        The data set that values are computed for, which is noted as well.
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
            if not link(array, self.place.absolute(), folder / "array.npy"):
                np.save(folder / "array.npy", array, allow_pickle=False)

        return opened(self.folder(key, into))

    def fill(
        self, key: str, shape: tuple[int, ...], dtype: str, write: Callable[[np.ndarray], None]
    ) -> np.ndarray:
        """Return the array kept under `key`, or let `write` fill a memory map of it and keep that."""

        def into(folder: Path) -> None:
            array = np.lib.format.open_memmap(folder / "array.npy", mode="w+", dtype=dtype, shape=shape)
            reserve(folder / "array.npy")
            write(array)
            array.flush()

        return opened(self.folder(key, into))

    def digest(self, key: str) -> str:
        """Name the array kept under `key` by its values, "" if none is; found once, and kept beside it."""
        if not self.holds(key):
            return ""
        path = self.place / key / DIGEST
        if path.exists():
            return path.read_text(encoding="utf-8")
        found = file_digest(self.place / key / "array.npy")
        with suppress(OSError), FileLock(self._lock_path(key), timeout=0):  # else it is found again later
            partial = self._new_partial(key)
            (partial / DIGEST).write_text(found, encoding="utf-8")
            (partial / DIGEST).replace(path)
            partial.rmdir()
        return found

    def origin(self, key: str) -> dict[str, str]:
        """Return in which circumstances the value kept under `key` was computed: versions, `about`."""
        if not self.holds(key):
            return {}
        meta = json.loads((self.place / key / "meta.json").read_text(encoding="utf-8"))
        versions = {f"version.{name}": str(found) for name, found in meta["libraries"].items()}
        return {**versions, **meta.get("origin", {})}  # none of what was kept before there was one

    def workdir(self, key: str) -> Path:
        """Return a folder that survives an interruption; it goes when the value of `key` is kept."""
        folder = self.root / ".work" / key
        with self._writing(key):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def holds(self, key: str) -> bool:
        """Tell whether `key` is kept."""
        return (self.place / key / "meta.json").exists()

    def remove(self, key: str) -> bool:
        """Remove a value and its checkpoints unless a process works on it; tell whether they are gone."""
        try:
            with FileLock(self._lock_path(key), timeout=0):
                doomed = self._new_partial(key)
                with suppress(FileNotFoundError):  # another process removed it, or it was never finished
                    (self.root / key).replace(doomed / key)
                for left in (*self.root.glob(f".partial/{key}@*"), self.root / ".work" / key):
                    shutil.rmtree(left, ignore_errors=True)
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
        with suppress(OSError):  # a store that others keep can be read, though not marked as used
            os.utime(folder / "meta.json")
        if key not in self.computed and key not in self.kept:
            self.kept.append(key)
        return folder

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        with self._writing(key):
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
        with self._writing(key):
            partial = self._new_partial(key)
            start = time.perf_counter()
            try:
                write(partial)
                meta = {"key": key, "seconds": round(time.perf_counter() - start, 3), "libraries": versions()}
                meta |= {"origin": dict(self.about), "dataset": self.dataset}
                meta |= {"made_of": key.text} if isinstance(key, Key) else {}
                described = partial / "meta.json"
                meta |= json.loads(described.read_text(encoding="utf-8")) if described.exists() else {}
                described.write_text(json.dumps(meta, indent=1), encoding="utf-8")
                if not self.holds(key):  # else two computed it, as somebody removed the locks
                    partial.replace(self.place / key)
                shutil.rmtree(partial, ignore_errors=True)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
        return self.place / key

    @contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        """Name `cache.root` in the error of a disk that is full or closed."""
        try:
            yield
        except OSError as error:
            named = Path(error.filename or self.place)  # a maker may read files that are closed to it
            if error.errno not in FULL or not {self.root, self.place} & {named, *named.parents}:
                raise
            raise OSError(
                f"cache.root={self.place} cannot take {key}: {error.strerror}; nothing else is lost: "
                "free some (scripts/cache.py prune) or set cache.root=<a folder with room>, and try again"
            ) from error

    def _new_partial(self, key: str) -> Path:
        parent = self.place / ".partial"
        parent.mkdir(parents=True, exist_ok=True)
        self._sweep()
        partial = parent / f"{key}@{uuid.uuid4().hex[:8]}"
        partial.mkdir()
        return partial

    def _sweep(self) -> None:
        """Remove what processes that ended left half-written; once."""
        parent = self.root / ".partial"
        if self._swept or not self.enabled or not parent.is_dir():
            return
        self._swept = True
        for path in parent.iterdir():
            with unheld(self._lock_path(path.name.partition("@")[0])) as free:
                if free:
                    shutil.rmtree(path, ignore_errors=True)


def _save(value: Any, folder: Path) -> None:
    value.save(folder)
    (folder / "meta.json").write_text(json.dumps({"class": class_name(value)}), encoding="utf-8")


def _load(folder: Path) -> Any:
    return kept_class(json.loads((folder / "meta.json").read_text(encoding="utf-8"))["class"], folder).load(
        folder
    )
