"""What a file of vectors holds, read once, block by block, into the store: in the order of the ids."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from experiments.dataset.tables.blocks import Block
from experiments.dataset.tables.csv_dialect import Chunking
from experiments.dataset.tables.matching import strip_spaces
from experiments.dataset.tables.odd_values import OddValue
from experiments.messages import few
from experiments.numerics.hashes import hash_rows
from experiments.store.values import Record

UNORDERED, ORDERED = "unordered.f32", "values.npy"
WHOLE = 1 << 24  # beyond it, float32 has not every whole number


@dataclass(frozen=True, eq=False)
class Rows(Record):
    """Everything but the values themselves.

    Parameters
    ----------
    ids, hashes
        str (n,), ids ascending unless they are row numbers.
    labels
        str (n,), "" for none; None without a column of labels.
    columns
        Names of the values.
    notes
        What a person should know of how the file was read; logged at every load.
    """

    ids: np.ndarray
    hashes: np.ndarray
    labels: np.ndarray | None
    columns: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class RawTable:
    """A file read to its end: its values wait on disk in the file's order.

    Parameters
    ----------
    texts
        The columns that were read as text, without spaces around them unless only these differ.
    odd
        By column and kind, with their counts in the whole file.
    low, high
        float32 (d,): the smallest and largest value of each column; inf and -inf where all are missing.
    """

    values: np.ndarray
    texts: dict[str, list[str]]
    odd: dict[tuple[str, str], OddValue]
    low: np.ndarray
    high: np.ndarray

    @property
    def n(self) -> int:
        """Return the number of rows."""
        return len(self.values)

    def count(self, column: str, kind: str) -> int:
        """Return how many values of a column are odd in this way."""
        found = self.odd.get((column, kind))
        return found.count if found else 0


@dataclass(frozen=True, eq=False)
class Features:
    """Which columns are features: their places, what their missing values become, and what to say of it."""

    columns: np.ndarray
    fill: np.ndarray
    notes: tuple[str, ...] = ()


def read_blocks(
    blocks: Iterable[Block], numbers: Iterable[str], folder: Path, done: Callable[[int], None]
) -> RawTable:
    """Read every block, leaving the values in `folder` in the order of the file; `done` is told the rows."""
    numbers = list(numbers)
    texts: dict[str, list[str]] = {}
    odd: dict[tuple[str, str], OddValue] = {}
    low, high = np.full(len(numbers), np.inf, np.float32), np.full(len(numbers), -np.inf, np.float32)
    n = 0
    with (folder / UNORDERED).open("wb") as file:
        for block in blocks:
            block.values.tofile(file)
            n += len(block.values)
            for name, column in block.texts.items():
                texts.setdefault(name, []).extend(column)
            for one in block.odd:
                first = odd.get((one.column, one.kind))
                odd[one.column, one.kind] = replace(first, count=first.count + one.count) if first else one
            low = np.fmin(low, np.fmin.reduce(block.values, axis=0, initial=np.inf))
            high = np.fmax(high, np.fmax.reduce(block.values, axis=0, initial=-np.inf))
            done(len(block.values))
    texts = {name: strip_spaces(column) for name, column in texts.items()}
    shape = (n, len(numbers))
    values = np.memmap(folder / UNORDERED, np.float32, "r", shape=shape) if n and numbers else np.empty(shape)
    return RawTable(values, texts, odd, low, high)


def write_rows(raw: RawTable, features: Features, rows: Rows, folder: Path, chunking: Chunking) -> None:
    """Put the rows in the order of their ids, and keep them in `folder`; hashes are made of their values."""
    order = np.argsort(rows.ids, kind="stable")
    hashes = np.empty(raw.n, "U16")
    with (folder / ORDERED).open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (raw.n, len(features.columns))}
        np.lib.format.write_array_header_2_0(file, header)
        size = 2 * chunking.rows(raw.values.shape[1])
        for start in range(0, raw.n, size):
            values = np.array(raw.values[order[start : start + size]][:, features.columns], np.float32)
            missing = np.isnan(values)
            values[missing] = np.broadcast_to(features.fill, values.shape)[missing]
            hashes[start : start + size] = hash_rows(values)
            values.tofile(file)
    labels = None if rows.labels is None else rows.labels[order]
    replace(rows, ids=rows.ids[order], hashes=hashes, labels=labels).save(folder)
    (folder / UNORDERED).unlink()


def load_rows(folder: Path) -> tuple[Rows, np.ndarray]:
    """Return what `write` kept, and the values, float32 (n, d), which stay on disk."""
    return Rows.load(folder), np.load(folder / ORDERED, mmap_mode="r", allow_pickle=False)


def format_shortest(value: np.float32) -> str:
    """Spell a number with as many digits as tell it from its neighbours."""
    return np.format_float_positional(value, trim="-")


def note_rounding(raw: RawTable, names: tuple[str, ...]) -> tuple[str, ...]:
    """Say which columns hold numbers so large that whole ones become equal."""
    most = np.fmax(np.abs(raw.low), np.abs(raw.high))
    columns = np.flatnonzero(np.isfinite(most) & (most > WHOLE))
    steps = [f"{names[column]} (steps of {format_shortest(np.spacing(most[column]))})" for column in columns]
    if not steps:
        return ()
    return (
        f"float32 does not tell neighbouring whole numbers beyond {WHOLE} apart: {few(steps)}; subtract a "
        "constant from such a column in the file if small differences in it matter",
    )


def check_ids(ids: list[str], columns: Callable[[int], str], key: str, column: str, remedy: str) -> None:
    """Raise ValueError if an id is missing or stands twice; `places(row)` is its line.

    Parameters
    ----------
    key
        The setting and the file, as in `dataset.path=a.csv`.
    column
        What the ids are called.
    remedy
        What else can be typed where an id stands twice.
    """
    empty = next((row for row, name in enumerate(ids) if not name), None)
    if empty is not None:
        raise ValueError(f"{key} has no {column} in {columns(empty)}; fill it, or remove the row")
    if len(set(ids)) < len(ids):
        again = [name for name, times in Counter(ids).items() if times > 1]
        rows = [row for row, name in enumerate(ids) if name == again[0]]
        more = f", and {len(again) - 1} others such as {again[1]!r}" if len(again) > 1 else ""
        raise ValueError(
            f"{key} has the {column} {again[0]!r} in {columns(rows[0])} and {columns(rows[1])}{more}; keep one "
            f"row for each, or use {remedy}"
        )
