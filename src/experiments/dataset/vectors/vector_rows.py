"""Read a table of vectors block by block into the store, with its rows sorted by id."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from experiments.dataset.tables.blocks import Block
from experiments.dataset.tables.csv_dialect import Chunking
from experiments.dataset.tables.matching import strip_spaces
from experiments.dataset.tables.odd_values import OddValue
from experiments.messages import DataError, join_few
from experiments.numerics.hashes import hash_rows
from experiments.store.values import SavedFields

UNORDERED, ORDERED = "unordered.f32", "values.npy"
WHOLE = 1 << 24  # float32 represents every integer up to here


@dataclass(frozen=True, eq=False)
class Rows(SavedFields):
    """A stored table of vectors, without the values.

    Parameters
    ----------
    ids, hashes
        str (n,), in ascending order of ids, unless these are row numbers.
    labels
        str (n,), "" for none; None without a column of labels.
    columns
        Names of the features.
    notes
        Decisions made while reading; logged at every load.
    """

    ids: np.ndarray
    hashes: np.ndarray
    labels: np.ndarray | None
    columns: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class RawTable:
    """A table as read from its file: values on disk, in the file's order.

    Parameters
    ----------
    texts
        The columns of texts by name, with surrounding spaces removed as by `strip_spaces`.
    odd
        Values that are not finite, by column and kind, counted over the whole file.
    low, high
        float32 (d,): smallest and largest value of each column; inf and -inf if all are missing.
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
        """Return the number of values of this kind in a column."""
        odd = self.odd.get((column, kind))
        return odd.count if odd else 0


@dataclass(frozen=True, eq=False)
class Features:
    """The columns that are features: indices, values that replace missing ones, and notes for the log."""

    columns: np.ndarray
    fill: np.ndarray
    notes: tuple[str, ...] = ()


def read_blocks(
    blocks: Iterable[Block], numbers: Iterable[str], folder: Path, done: Callable[[int], None]
) -> RawTable:
    """Write the values of all blocks to `folder` and collect the rest; call `done` with each block's rows."""
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
            for new in block.odd:
                first = odd.get((new.column, new.kind))
                odd[new.column, new.kind] = replace(first, count=first.count + new.count) if first else new
            low = np.fmin(low, np.fmin.reduce(block.values, axis=0, initial=np.inf))
            high = np.fmax(high, np.fmax.reduce(block.values, axis=0, initial=-np.inf))
            done(len(block.values))
    texts = {name: strip_spaces(column) for name, column in texts.items()}
    shape = (n, len(numbers))
    values = np.memmap(folder / UNORDERED, np.float32, "r", shape=shape) if n and numbers else np.empty(shape)
    return RawTable(values, texts, odd, low, high)


def write_rows(raw: RawTable, features: Features, rows: Rows, folder: Path, chunking: Chunking) -> None:
    """Save the rows in `folder`, sorted by id, with missing values filled and a hash of each row's values."""
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
    """Return the saved rows, and their values as a memory map, float32 (n, d)."""
    return Rows.load(folder), np.load(folder / ORDERED, mmap_mode="r", allow_pickle=False)


def format_shortest(value: np.float32) -> str:
    """Return the shortest decimal spelling that identifies a float32."""
    return np.format_float_positional(value, trim="-")


def note_rounding(raw: RawTable, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return a note on columns with numbers so large that float32 rounds integers."""
    largest = np.fmax(np.abs(raw.low), np.abs(raw.high))
    columns = np.flatnonzero(np.isfinite(largest) & (largest > WHOLE))
    steps = [
        f"{names[column]} (steps of {format_shortest(np.spacing(largest[column]))})" for column in columns
    ]
    if not steps:
        return ()
    return (
        f"float32 rounds whole numbers beyond {WHOLE}: {join_few(steps)}; subtract a constant "
        "from such a column in the file if small differences in it matter",
    )


def check_ids(
    ids: list[str], locate: Callable[[int], str], file: tuple[str, Path], column: str, remedy: str
) -> None:
    """Raise DataError if an id is missing or occurs twice.

    Parameters
    ----------
    locate
        Returns the line of a row.
    file
        The setting of the file, and its path.
    column
        Name of the column of ids.
    remedy
        Alternative to suggest for duplicate ids.
    """
    empty = next((row for row, name in enumerate(ids) if not name), None)
    if empty is not None:
        raise DataError(*file, f" has no {column} in {locate(empty)}", "fill it, or remove the row")
    if len(set(ids)) < len(ids):
        duplicates = [name for name, times in Counter(ids).items() if times > 1]
        rows = [row for row, name in enumerate(ids) if name == duplicates[0]]
        more = f", and {len(duplicates) - 1} others such as {duplicates[1]!r}" if len(duplicates) > 1 else ""
        fact = f" has the {column} {duplicates[0]!r} in {locate(rows[0])} and {locate(rows[1])}{more}"
        raise DataError(*file, fact, f"keep one row for each, or use {remedy}")
