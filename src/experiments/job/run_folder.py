"""Folder of a run, used by one process at a time and emptied of an earlier run's results.

A hidden file lists every result before it is written, so that a later run in the same folder removes only
these files. The process that uses the folder locks this file.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from experiments.store.locks import Lock, try_lock

FILES = ".experiments-files"  # a relative path per line; locked by the process that uses the folder
NEW = ".experiments-new"  # results are written here first, then listed and moved
SECONDS = 1.0  # wait for a lock; a process that only checks it releases it at once
COMMON = (  # files of most runs and sweeps, checked before any work
    "result.json", "run.log", "traceback.txt", "config.yaml", "assignments.parquet", "stages.json",
    "report.html", "sweep.json", "sweep.csv", "sweep.md",
)  # fmt: skip


@contextmanager
def locked(folder: Path, key: str, sweep_folder: Path | None = None) -> Iterator[bool]:
    """Lock the folder of a run or sweep; yield False if the sweep of a job has locked it already.

    Parameters
    ----------
    key
        The setting of the folder: hydra.run.dir or hydra.sweep.dir.
    sweep_folder
        The folder that a job's sweep has locked.

    Raises
    ------
    ValueError
        Another process uses the folder, or it cannot be created.
    """
    if sweep_folder == folder:
        yield False
        return
    try:
        lock = Lock(folder / FILES, SECONDS)
    except TimeoutError as error:
        raise ValueError(
            f"{key}={folder} is used by another run; wait until it ends, or use {key}=<another folder>"
        ) from error
    except OSError as error:
        raise ValueError(
            f"{key}={folder} is not writable ({error.strerror}); use {key}=<a writable folder>"
        ) from error
    try:
        if sweep_folder and sweep_folder in folder.parents:
            list_files(sweep_folder, [(folder / FILES).relative_to(sweep_folder).as_posix()])
        yield True
    finally:
        lock.release(keep=bool(_listed(folder)))
        with suppress(OSError):  # it is not empty
            folder.rmdir()


def prepare(folder: Path, key: str) -> None:
    """Remove an earlier run's results; raise ValueError if a user's file has the name of a new result."""
    _remove(folder)
    (folder / FILES).write_text("", encoding="utf-8")  # not deleted, as it is locked
    list_files(folder, COMMON, key)


def clear(folder: Path) -> None:
    """Remove an earlier run's results from a folder and from the folders of its jobs, but no other files.

    Folders in use are not changed, such as that of a job still running after its sweep.
    """
    with try_lock(folder / FILES) as free:
        if free is not False:
            _remove(folder)
            (folder / FILES).unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder / NEW, ignore_errors=True)
    for name in _listed(folder):
        path = folder / name
        if path.name == FILES:
            clear(path.parent)
        else:
            path.unlink(missing_ok=True)
        for parent in Path(name).parents[:-1]:
            with suppress(OSError):  # it is not empty, or does not exist
                (folder / parent).rmdir()


def list_files(folder: Path, names: Iterable[str], key: str = "hydra.run.dir", *, mine: bool = False) -> None:
    """Add files to the folder's list before they are written.

    Parameters
    ----------
    mine
        True if this run wrote the existing files.

    Raises
    ------
    ValueError
        A file of this name exists, and no run wrote it.
    """
    before = set(_listed(folder))
    new = [name for name in dict.fromkeys(names) if name not in before]
    for name in new:
        if not mine and Path(name).name != FILES and os.path.lexists(folder / name):
            raise ValueError(
                f"{key}={folder} contains {name}, which no run wrote; move the file, or use {key}=<another "
                "folder>"
            )
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILES).open("a", encoding="utf-8") as file:  # jobs in parallel append to their sweep's
        file.write("".join(f"\n{name}\n" for name in new))  # \n first: a killed process may leave half a line


@contextmanager
def new_files(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder whose files are moved into `folder` at the end, also after an error."""
    new = folder / NEW
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        yield new
    finally:
        names = files_below(new)
        list_files(folder, names)
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).replace(folder / name)
        shutil.rmtree(new)


def files_below(folder: Path) -> list[str]:
    """Return the relative paths of all files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _listed(folder: Path) -> list[str]:
    try:
        return [name for name in (folder / FILES).read_text(encoding="utf-8").split("\n") if name]
    except OSError:
        return []
