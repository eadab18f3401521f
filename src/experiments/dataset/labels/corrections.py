"""The log of labels that people corrected: a CSV to which lines are only ever added."""

import csv
import io
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from experiments.dataset.tables.cells import guarded, unguarded

log = logging.getLogger(__name__)

KEY = "dataset.corrections"
COLUMNS = ("when", "who", "run_id", "image_id", "hash", "from", "to")
HEADER = ",".join(COLUMNS)
CUT = ',"cut off'  # ends a half-written line as no whole one can end: its quote is never closed
PATIENCE = 60.0  # seconds that a process waits for the others


@dataclass(frozen=True)
class Correction:
    """One line of the log.

    Parameters
    ----------
    when
        UTC, as in 2026-01-31T12:00:00+00:00.
    before
        The label until then; "" for none.
    after
        The label from then on; that of before where a person confirmed it, "" where it was withdrawn.
    """

    when: str
    who: str
    run_id: str
    id: str
    hash: str
    before: str
    after: str

    def line(self) -> str:
        """Return it as CSV; raise ValueError if it does not fit into a line."""
        cells = (self.when, self.who, self.run_id, self.id, self.hash, self.before, self.after)
        broken = [cell for cell in cells if cell.splitlines() not in ([], [cell])]
        if broken:
            raise ValueError(f"{broken[0]!r} has a line break, and a correction is one line; rename it")
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerow([guarded(cell) for cell in cells])
        return out.getvalue()


@contextmanager
def held(path: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Keep other processes and threads from the log; whoever holds it may read and append.

    Raises
    ------
    ValueError
        If somebody else holds it for longer than `patience` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    place = _lock(path)
    lock = FileLock(place, is_singleton=True)  # so that its holder comes in again
    try:
        lock.acquire(timeout=patience)
    except Timeout as error:
        raise ValueError(
            f"{path} is in use by another process, which held {place} for {patience:g} s; try again when "
            "that process has ended"
        ) from error
    try:
        yield
    finally:
        lock.release()


def append(path: Path, corrections: Sequence[Correction]) -> None:
    """Add lines to the log, in one write that has reached the disk; other processes wait meanwhile."""
    text = "".join(correction.line() for correction in corrections)
    with held(path), path.open("ab+") as file:
        file.seek(0)
        lines, half = _lines(file.read())
        if HEADER not in lines:
            text = f"{HEADER}\n{text}"
        if half:  # a process was killed: its line stays as it is, and can be told from whole ones
            text = f"{CUT}\n{text}"
        rest = memoryview(text.encode())
        while rest:
            rest = rest[os.write(file.fileno(), rest) :]
        os.fsync(file.fileno())


def read(path: Path, key: str = KEY) -> list[Correction]:
    """Return every correction, oldest first; a line that was cut off is left out, and said to be.

    Raises
    ------
    ValueError
        If there is no such file, or it holds anything else.
    """
    try:
        # a writer may be in the middle of a line
        with held(path) if path.is_file() and _can_hold(path) else nullcontext():
            lines, half = _lines(path.read_bytes())
    except OSError as error:
        raise ValueError(
            f"{key}={path} cannot be read ({error}); use a log that scripts/labels.py apply wrote"
        ) from error
    cut = [number for number, line in enumerate(lines, start=1) if line.endswith(CUT)]
    for number in [*cut, len(lines) + 1] if half else cut:
        log.warning("%s: line %d was cut off, as by a killed process, and is left out", path.name, number)
    whole = [(number, line) for number, line in enumerate(lines, start=1) if number not in cut]
    wrong = [whole[0]] if whole and whole[0][1] != HEADER else []
    parsed = [(number, line, _cells(line)) for number, line in whole[1:]]
    wrong += [
        (number, line) for number, line, cells in parsed if len(cells) != len(COLUMNS) or line == HEADER
    ]
    if wrong:
        raise ValueError(
            f"{key}={path} is no log of corrections: line {wrong[0][0]} is {wrong[0][1][:80]!r}, and its "
            f"columns are {HEADER}, in UTF-8; use a log that scripts/labels.py apply wrote, and nothing else"
        )
    return [Correction(*cells) for _, _, cells in parsed]


def _lock(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _can_hold(path: Path) -> bool:
    """Tell whether this user can hold a log, and not only read it."""
    lock = _lock(path)
    return os.access(lock if lock.exists() else path.parent, os.W_OK)


def _lines(data: bytes) -> tuple[list[str], str]:
    """Return the lines that have an end, and what comes after them; a letter may have been cut through."""
    whole, end, half = data.decode("utf-8-sig", errors="replace").rpartition("\n")
    return f"{whole}{end}".splitlines(), half


def _cells(line: str) -> list[str]:
    """Return the cells of a line, none if it was never written so."""
    if "\N{REPLACEMENT CHARACTER}" in line:
        return []
    try:
        return [unguarded(cell) for cell in next(csv.reader([line], strict=True), [])]
    except csv.Error:
        return []
