"""Which runs are alive: a run's process holds a lock, named by a tag, until the run ends."""

import uuid
from collections.abc import Mapping
from pathlib import Path

from experiments.store.locks import Lock, is_held, try_lock
from experiments.tracking.server import sqlite_path

LOCK = "lock"  # the tag
FOLDER = ".running"  # folder of the locks next to a SQLite store, visible wherever the store is
SECONDS = 1.0  # wait for a lock; a process that only tests it releases it at once


def lock_run(uri: str, folder: Path) -> Lock | None:
    """Lock a new file for a run; None if that fails: other processes then cannot see if it is alive.

    For a server, the lock is in the run's folder, which other processes on the same machine can see.
    """
    name = f".{uuid.uuid4().hex}.lock"
    try:
        return Lock((_next_to(uri) or folder) / name, SECONDS)
    except OSError:
        return None


def lock_file(uri: str, tags: Mapping[str, str]) -> Path | None:
    """Return the lock file of a run; None if it has none."""
    if LOCK not in tags:
        return None
    path = Path(tags[LOCK])
    locks = _next_to(uri)
    return locks / path.name if locks else path


def is_alive(uri: str, tags: Mapping[str, str]) -> bool | None:
    """Return True if a process works on a run; None if its lock is not visible on this machine."""
    path = lock_file(uri, tags)
    return None if path is None else is_held(path)


def orphaned_locks(uri: str) -> list[Path]:
    """Return the lock files next to a SQLite store that no living process holds."""
    locks = _next_to(uri)
    return [path for path in locks.glob(".*.lock") if is_held(path) is False] if locks else []


def remove_orphaned(path: Path) -> None:
    """Remove a lock file unless a living process holds it."""
    with try_lock(path) as free:
        if free:
            path.unlink(missing_ok=True)


def _next_to(uri: str) -> Path | None:
    path = sqlite_path(uri)
    return path.parent / FOLDER if path else None
