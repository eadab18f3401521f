"""The log of corrected labels: an append-only CSV file."""

import csv
import io
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from experiments.dataset.tables.cell_text import escape_formula, unescape_formula
from experiments.messages import DataError

log = logging.getLogger(__name__)

KEY = "dataset.corrections"
COLUMNS = ("when", "who", "run_id", "image_id", "hash", "from", "to")
HEADER = ",".join(COLUMNS)
CUT = ',"cut off'  # marks an incomplete line: the quote stays open, unlike in any complete line
PATIENCE = 60.0  # seconds to wait for the lock


@dataclass(frozen=True)
class Correction:
    """One line of the log.

    Parameters
    ----------
    when
        UTC, as in 2026-01-31T12:00:00+00:00.
    before
        The old label; "" for none.
    after
        The new label: equal to `before` if confirmed, "" if withdrawn.
    """

    when: str
    who: str
    run_id: str
    id: str
    hash: str
    before: str
    after: str

    def line(self) -> str:
        """Return the line of CSV; raise ValueError if a cell has a line break."""
        cells = (self.when, self.who, self.run_id, self.id, self.hash, self.before, self.after)
        broken = [cell for cell in cells if cell.splitlines() not in ([], [cell])]
        if broken:
            raise ValueError(f"{broken[0]!r} contains a line break, but a correction is one line; rename it")
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerow([escape_formula(cell) for cell in cells])
        return out.getvalue()


@contextmanager
def locked(path: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Lock the log for reading and appending, against other processes and threads.

    Raises
    ------
    ValueError
        If another process holds the lock for longer than `patience` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock_path = _lock(path)
    lock = FileLock(lock_path, is_singleton=True)  # reentrant
    try:
        lock.acquire(timeout=patience)
    except Timeout as error:
        raise ValueError(
            f"{path} is locked by another process ({lock_path}, waited {patience:g} s); try again when "
            "that process has ended"
        ) from error
    try:
        yield
    finally:
        lock.release()


def append_corrections(path: Path, corrections: Sequence[Correction]) -> None:
    """Append corrections in one write, synced to disk, while other processes wait."""
    text = "".join(correction.line() for correction in corrections)
    with locked(path), path.open("ab+") as file:
        file.seek(0)
        lines, half = _lines(file.read())
        if HEADER not in lines:
            text = f"{HEADER}\n{text}"
        if half:  # a process was killed while writing; its line stays, marked as incomplete
            text = f"{CUT}\n{text}"
        rest = memoryview(text.encode())
        while rest:
            rest = rest[os.write(file.fileno(), rest) :]
        os.fsync(file.fileno())


def read_log(path: Path, key: str = KEY) -> list[Correction]:
    """Return all corrections, oldest first; log a warning for an incomplete line and skip it.

    Raises
    ------
    ValueError
        If the file is missing, or is not a log of corrections.
    """
    try:
        # another process may be writing a line
        with locked(path) if path.is_file() and _can_lock(path) else nullcontext():
            lines, half = _lines(path.read_bytes())
    except OSError as error:
        raise DataError(
            key, path, f" cannot be read ({error})", "use a log that scripts/labels.py apply wrote"
        ) from error
    cut = [number for number, line in enumerate(lines, start=1) if line.endswith(CUT)]
    for number in [*cut, len(lines) + 1] if half else cut:
        log.warning("%s: line %d is incomplete, as after a killed process, and is skipped", path.name, number)
    whole = [(number, line) for number, line in enumerate(lines, start=1) if number not in cut]
    wrong = [whole[0]] if whole and whole[0][1] != HEADER else []
    parsed = [(number, line, _cells(line)) for number, line in whole[1:]]
    wrong += [
        (number, line) for number, line, cells in parsed if len(cells) != len(COLUMNS) or line == HEADER
    ]
    if wrong:
        raise DataError(
            key,
            path,
            (
                f" is not a log of corrections: line {wrong[0][0]} is {wrong[0][1][:80]!r}, but the "
                f"columns should be {HEADER}, in UTF-8"
            ),
            "use a log that scripts/labels.py apply wrote",
        )
    return [Correction(*cells) for _, _, cells in parsed]


def _lock(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _can_lock(path: Path) -> bool:
    """Return True if this user may write the lock file, not only read the log."""
    lock = _lock(path)
    return os.access(lock if lock.exists() else path.parent, os.W_OK)


def _lines(data: bytes) -> tuple[list[str], str]:
    """Return the complete lines and the incomplete rest, which may end within a character."""
    whole, end, half = data.decode("utf-8-sig", errors="replace").rpartition("\n")
    return f"{whole}{end}".splitlines(), half


def _cells(line: str) -> list[str]:
    """Return the cells of a line; [] if it is not valid CSV in UTF-8."""
    if "\N{REPLACEMENT CHARACTER}" in line:
        return []
    try:
        return [unescape_formula(cell) for cell in next(csv.reader([line], strict=True), [])]
    except csv.Error:
        return []
