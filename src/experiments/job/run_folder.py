"""A run's folder: one process at a time works in it, and finds no results of an earlier run there.

A hidden list in it is locked meanwhile, and names what is written before it is, so that a later run in the
same folder removes that alone: a person's own files stay.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from experiments.store.locks import Lock, try_lock

FILES = ".experiments-files"  # a path a line, below the folder; locked by the process that works there
NEW = ".experiments-new"  # where results are written before they are named and moved
SECONDS = 1.0  # a process that looks whether a lock is free holds it for a moment
USUAL = (  # what most runs and sweeps write: looked for before any work
    "result.json", "run.log", "traceback.txt", "config.yaml", "assignments.parquet", "stages.json",
    "report.html", "sweep.json", "sweep.csv", "sweep.md",
)  # fmt: skip


@contextmanager
def held(folder: Path, key: str, above: Path | None = None) -> Iterator[bool]:
    """Hold a folder that a run or a sweep is to write into; yield False if its command does already.

    Parameters
    ----------
    key
        The setting that names it: hydra.run.dir or hydra.sweep.dir.
    above
        The folder that the command of a job holds.

    Raises
    ------
    ValueError
        Another process works in it, or it cannot be made.
    """
    if above == folder:
        yield False
        return
    try:
        lock = Lock(folder / FILES, SECONDS)
    except TimeoutError as error:
        raise ValueError(
            f"{key}={folder} is the folder of a run that is at work; wait for its end, or set {key}=<another "
            "folder>"
        ) from error
    except OSError as error:
        raise ValueError(
            f"{key}={folder} cannot be written ({error.strerror}); set {key}=<a folder that can be>"
        ) from error
    try:
        if above and above in folder.parents:
            add(above, [(folder / FILES).relative_to(above).as_posix()])
        yield True
    finally:
        lock.release(keep=bool(_written(folder)))
        with suppress(OSError):  # it holds something, as it should
            folder.rmdir()


def begin(folder: Path, key: str) -> None:
    """Make room for a run; raise ValueError if a person's own file has the name of one that it writes."""
    _remove(folder)
    (folder / FILES).write_text("", encoding="utf-8")  # it stays the file that is locked
    add(folder, USUAL, key)


def clear(folder: Path) -> None:
    """Remove what an earlier run wrote into a folder, and into those of its jobs; all else stays.

    A folder that a process works in, as that of a job which outlived its sweep, is left alone.
    """
    with try_lock(folder / FILES) as free:
        if free is not False:
            _remove(folder)
            (folder / FILES).unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder / NEW, ignore_errors=True)
    for name in _written(folder):
        path = folder / name
        if path.name == FILES:
            clear(path.parent)
        else:
            path.unlink(missing_ok=True)
        for parent in Path(name).parents[:-1]:
            with suppress(OSError):  # it holds more, or is not there
                (folder / parent).rmdir()


def add(folder: Path, names: Iterable[str], key: str = "hydra.run.dir", *, mine: bool = False) -> None:
    """Name files that are now to be written.

    Parameters
    ----------
    mine
        Those that are there are this run's.

    Raises
    ------
    ValueError
        One is there that no run wrote.
    """
    before = set(_written(folder))
    new = [name for name in dict.fromkeys(names) if name not in before]
    for name in new:
        if not mine and Path(name).name != FILES and os.path.lexists(folder / name):
            raise ValueError(
                f"{key}={folder} holds {name}, which no run wrote there; move it away, or set {key}=<another "
                "folder>"
            )
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILES).open("a", encoding="utf-8") as file:  # jobs in parallel append to their sweep's
        file.write("".join(f"\n{name}\n" for name in new))  # a kill may have left half a line


@contextmanager
def new_files(folder: Path) -> Iterator[Path]:
    """Yield an empty folder; what is written into it is moved into `folder` at the end, also of an error."""
    new = folder / NEW
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        yield new
    finally:
        names = files_below(new)
        add(folder, names)
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).replace(folder / name)
        shutil.rmtree(new)


def files_below(folder: Path) -> list[str]:
    """Return the paths of all files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _written(folder: Path) -> list[str]:
    try:
        return [name for name in (folder / FILES).read_text(encoding="utf-8").split("\n") if name]
    except OSError:
        return []
