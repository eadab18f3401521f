"""The log of labels that people corrected: a CSV to which lines are only ever added.

The last line about an image counts. A line is about the image of its id and content; else about the one of
its content, which was renamed; else about the one of its id, whose content was changed.
"""

import csv
import io
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from filelock import FileLock

from experiments.dataset.labels import Found, natural
from experiments.dataset.tables.tabular import guarded, plain

log = logging.getLogger(__name__)

KEY = "dataset.corrections"
COLUMNS = ("when", "who", "run_id", "image_id", "hash", "from", "to")
HEADER = ",".join(COLUMNS)
CUT = ',"cut off'  # ends a half-written line as no whole one can end: its quote is never closed
FEW = 3


@dataclass(frozen=True)
class Correction:
    """One line of the log.

    Parameters
    ----------
    when
        UTC, as in 2026-01-31T12:00:00+00:00.
    before
        The label until then; "" for none.
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


def append(path: Path, corrections: Sequence[Correction]) -> None:
    """Add lines to the log, in one write that has reached the disk; other processes wait meanwhile."""
    text = "".join(correction.line() for correction in corrections)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f"{path.name}.lock")), path.open("ab+") as file:
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


def _lines(data: bytes) -> tuple[list[str], str]:
    """Return the lines that have an end, and what comes after them; a letter may have been cut through."""
    whole, end, half = data.decode("utf-8-sig", errors="replace").rpartition("\n")
    return f"{whole}{end}".splitlines(), half


def _cells(line: str) -> list[str]:
    """Return the cells of a line, none if it was never written so."""
    if "\N{REPLACEMENT CHARACTER}" in line:
        return []
    try:
        return [plain(cell) for cell in next(csv.reader([line], strict=True), [])]
    except csv.Error:
        return []


def latest(
    corrections: Sequence[Correction], ids: np.ndarray, hashes: np.ndarray
) -> tuple[dict[int, Correction], list[Correction]]:
    """Return the correction that counts of each row that has one, and those that are about no row."""
    of_id = _rows(ids, {each.id for each in corrections})
    of_hash = _rows(hashes, {each.hash for each in corrections})
    both = {row for each in corrections for row in of_id.get(each.id, ()) if str(hashes[row]) == each.hash}
    last: dict[int, tuple[Correction, str]] = {}
    lost: dict[tuple[str, str], Correction] = {}
    torn: dict[int, str] = {}
    for each in corrections:
        same, named = of_hash.get(each.hash, []), of_id.get(each.id, [])
        exact = [row for row in same if row in named]
        copies = [row for row in same if row not in both]  # of equal images, one may have its own correction
        way = "content" if same else "id"
        for row in exact or copies or same or named:
            earlier, other = last.get(row, (each, way))
            if other != way and earlier.after != each.after:
                torn[row] = f"{ids[row]} ({earlier.after!r} by its {other}, then {each.after!r} by its {way})"
            last[row] = each, way
        if not (same or named):
            lost[each.id, each.hash] = each
    _warn(ids, last, torn)
    return {row: each for row, (each, _) in last.items()}, list(lost.values())


def _warn(ids: np.ndarray, last: dict[int, tuple[Correction, str]], torn: dict[int, str]) -> None:
    if torn:
        some = ", ".join(list(torn.values())[:FEW])
        log.warning("%d images have two corrections, of which the later one counts: %s", len(torn), some)
    changed = [str(ids[row]) for row, (_, way) in last.items() if way == "id"]
    if changed:
        some = ", ".join(changed[:FEW])
        log.warning(
            "%d corrected images have another content now, and keep their label: %s", len(changed), some
        )


def _rows(values: np.ndarray, wanted: set[str]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row in np.flatnonzero(np.isin(values, sorted(wanted))) if wanted else ():
        rows.setdefault(str(values[row]), []).append(int(row))
    return rows


def corrected(found: Found, path: Path, ids: np.ndarray, hashes: np.ndarray) -> Found:
    """Replace labels by their last corrections; new classes come after those that are known."""
    last, lost = latest(read(path), ids, hashes)
    if found.labels is None and not last:
        raise ValueError(
            f"{KEY}={path} has a label for none of the {len(ids)} samples, and they have none of their own; "
            "use the log of this data set"
        )
    labels = np.full(len(ids), -1, np.int64) if found.labels is None else np.array(found.labels)
    new = {each.after for each in last.values()} - set(found.class_names)
    names = (*found.class_names, *sorted(new, key=natural))
    number = {name: label for label, name in enumerate(names)}
    changed = 0
    for row, each in last.items():
        changed += int(labels[row] != number[each.after])
        labels[row] = number[each.after]
    log.info("%s: %d of %d labels are corrected, %d of them to another one",
             path.name, len(last), len(ids), changed)  # fmt: skip
    reason = f"correction in {path.name} to {{}} matches no image, by content or by id"
    unmatched = tuple((each.id, reason.format(repr(each.after))) for each in lost)
    if unmatched:
        log.warning("%s: %d corrections match no image; see unmatched_labels.csv", path.name, len(unmatched))
    return replace(found, labels=labels, class_names=names, unmatched=found.unmatched + unmatched)
