"""Which runs are alive: each holds a lock, named by a tag, for as long as its process works on it."""

import uuid
from collections.abc import Mapping
from pathlib import Path

from experiments.store.locks import Lock, is_held, try_lock
from experiments.tracking.server import sqlite_path

LOCK = "lock"  # the tag
FOLDER = ".running"  # of the locks, next to a SQLite store: whoever sees the store sees them
SECONDS = 1.0  # a process that looks whether a lock is free holds it for a moment


def begin(uri: str, folder: Path) -> Lock | None:
    """Lock a new file for a run; None where none can be made, so that nobody can tell whether it is alive.

    Runs of a server have it in their folder, the one thing that others on the same machine see too.
    """
    name = f".{uuid.uuid4().hex}.lock"
    try:
        return Lock((_next_to(uri) or folder) / name, SECONDS)
    except OSError:
        return None


def lock_of(uri: str, tags: Mapping[str, str]) -> Path | None:
    """Return the file that a run's process locks; None if it has none."""
    if LOCK not in tags:
        return None
    path = Path(tags[LOCK])
    locks = _next_to(uri)
    return locks / path.name if locks else path


def is_alive(uri: str, tags: Mapping[str, str]) -> bool | None:
    """Return whether a process works on a run; None if its lock is not to be seen from here."""
    path = lock_of(uri, tags)
    return None if path is None else is_held(path)


def left_behind(uri: str) -> list[Path]:
    """Return the locks next to a SQLite store that no living process holds."""
    locks = _next_to(uri)
    return [path for path in locks.glob(".*.lock") if is_held(path) is False] if locks else []


def remove(path: Path) -> None:
    """Remove a lock that no living process holds."""
    with try_lock(path) as free:
        if free:
            path.unlink(missing_ok=True)


def _next_to(uri: str) -> Path | None:
    path = sqlite_path(uri)
    return path.parent / FOLDER if path else None
