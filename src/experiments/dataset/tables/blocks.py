"""A table's numbers and texts, block by block: what is no number becomes NaN, and is noted with its line."""

import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from experiments.dataset.tables.pieces import pieces, records_of
from experiments.dataset.tables.tabular import KINDS, Form, plain, readable

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "None", "<NA>")
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(inf|infinity|nan)", re.ASCII | re.I)
VALUES = 1 << 21  # of a Parquet file that are read at a time
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Odd:
    """How many values of a column are `missing`, `infinite`, or a `text`, and the first of them.

    `row` counts from 0 below the header, `place` is what a person looks for: its line, or its row from 1.
    """

    column: str
    kind: str
    count: int
    row: int
    place: str
    value: str


@dataclass(frozen=True, eq=False)
class Block:
    """Rows that follow one another: float32 (m, d), and the texts of each column of texts."""

    values: np.ndarray
    texts: dict[str, list[str]]
    odd: tuple[Odd, ...]


def is_number(text: str, decimal: str = ".") -> bool:
    """Tell whether a text is a number as `csv_blocks` reads it; a missing value is one too."""
    text = text.strip()
    if decimal != ".":
        text = "x" if "." in text else text.replace(decimal, ".")
    return text in MISSING or NUMBER.fullmatch(text) is not None


def csv_blocks(
    path: Path, form: Form, texts: Iterable[str], numbers: Iterable[str], threads: int, key: str
) -> Iterator[Block]:
    """Read a file of text piece by piece on several threads.

    Raises
    ------
    ValueError
        At a line that is broken.
    """
    reader = _CsvReader(path, form, tuple(texts), tuple(numbers), key)
    row = 0
    with readable(path, key):
        for block in _in_order(lambda piece: reader.block(*piece), pieces(path, form), threads):
            yield replace(block, odd=tuple(replace(odd, row=row + odd.row) for odd in block.odd))
            row += len(block.values)


def parquet_blocks(path: Path, texts: Iterable[str], numbers: Iterable[str], key: str) -> Iterator[Block]:
    """Read a Parquet file a few row groups at a time."""
    import pyarrow as pa

    texts, numbers = list(texts), list(numbers)
    row = 0
    try:
        with parquet_file(path, key) as file:
            size = max(1, VALUES // max(1, len(numbers)))
            for batch in file.iter_batches(size, columns=[*texts, *numbers]):
                values = np.empty((len(batch), len(numbers)), np.float32)
                for place, name in enumerate(numbers):
                    values[:, place] = _floats(batch.column(name))
                places = [f"row {row + one + 1}" for one in range(len(batch))]
                spelt = _spelt(batch, numbers)
                odd = tuple(odd_values(values, numbers, places, spelt, row))
                yield Block(values, {name: _texts(batch.column(name)) for name in texts}, odd)
                row += len(batch)
    except pa.ArrowException as error:
        raise ValueError(f"{key}={path} cannot be read as Parquet ({error}); {KINDS}") from error


def parquet_file(path: Path, key: str) -> Any:
    """Open a Parquet file; raise ValueError if it is none."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    with readable(path, key):
        try:
            return ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
        except pa.ArrowException as error:
            raise ValueError(f"{key}={path} cannot be read as Parquet ({error}); {KINDS}") from error


@dataclass(frozen=True)
class _CsvReader:
    path: Path
    form: Form
    texts: tuple[str, ...]
    numbers: tuple[str, ...]
    key: str

    def block(self, first: int, piece: bytes) -> Block:
        """Read one piece, whose first line has this number."""
        from pyarrow import ArrowInvalid

        rows: list[tuple[int, list[str]]] = []
        if piece.count(b'"') % 2:  # Arrow would close it at the piece's end
            rows = list(self._records(piece, first))
        try:
            table = self._table(piece)
        except ArrowInvalid:  # a line is broken, which is raised here, or a text stands among the numbers
            rows = rows or list(self._records(piece, first))
            table = self._table(self._emptied(rows))
        values = np.empty((len(table), len(self.numbers)), np.float32)
        for place, name in enumerate(self.numbers):
            values[:, place] = table[name].to_numpy()
        odd: Iterable[Odd] = ()
        if not np.isfinite(values).all():
            rows = rows or list(self._records(piece, first))
            columns = [self.form.columns.index(name) for name in self.numbers]
            odd = odd_values(
                values,
                self.numbers,
                [f"line {line}" for line, _ in rows],
                lambda row, place: rows[row][1][columns[place]],
            )
        texts = {name: [plain(text) for text in table[name].to_pylist()] for name in self.texts}
        return Block(values, texts, tuple(odd))

    def _records(self, piece: bytes, first: int) -> Iterator[tuple[int, list[str]]]:
        return records_of(piece, first, self.path, self.form, self.key)

    def _table(self, piece: bytes) -> "pa.Table":
        import pyarrow as pa
        from pyarrow import csv as pa_csv

        types = {name: pa.string() for name in self.texts} | {name: pa.float32() for name in self.numbers}
        return pa_csv.read_csv(
            pa.py_buffer(piece),
            pa_csv.ReadOptions(
                use_threads=False, block_size=len(piece) + 1, column_names=list(self.form.columns)
            ),
            pa_csv.ParseOptions(delimiter=self.form.separator, newlines_in_values=True),
            pa_csv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                null_values=list(MISSING),
                strings_can_be_null=False,
                decimal_point=self.form.decimal,
            ),
        )

    def _emptied(self, rows: list[tuple[int, list[str]]]) -> bytes:
        """Write the rows again without the texts among the numbers, so that one parser reads all numbers."""
        columns = [self.form.columns.index(name) for name in self.numbers]
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.form.separator)
        for _, fields in rows:
            kept = list(fields)
            for column in columns:
                if not is_number(fields[column], self.form.decimal):
                    kept[column] = ""
            writer.writerow(kept)
        return out.getvalue().encode()


def odd_values(
    values: np.ndarray,
    numbers: Iterable[str],
    places: list[str],
    spelt: Callable[[int, int], str],
    above: int = 0,
) -> Iterator[Odd]:
    """Describe what is not finite, column by column; `spelt(row, column)` is how the file writes it."""
    finite = np.isfinite(values)
    for column, name in enumerate(numbers):
        rows = np.flatnonzero(~finite[:, column])
        found: dict[str, list[int]] = {}
        for row in rows.tolist():
            written = spelt(row, column).strip()
            kind = "infinite" if np.isinf(values[row, column]) else "text"
            kind = "missing" if written in MISSING or written.lower().lstrip("+-") == "nan" else kind
            found.setdefault(kind, []).append(row)
        for kind, held in found.items():
            row = held[0]
            yield Odd(name, kind, len(held), above + row, places[row], spelt(row, column).strip())


def _spelt(batch: "pa.RecordBatch", numbers: list[str]) -> Callable[[int, int], str]:
    def spelt(row: int, column: int) -> str:
        value = batch.column(numbers[column])[row].as_py()
        return "" if value is None else str(value)

    return spelt


def _floats(column: "pa.Array") -> np.ndarray:
    """Return float32 (m,), missing values as NaN."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_boolean(kind):
        column = column.cast(pa.uint8())
    elif pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    with np.errstate(over="ignore"):  # what is too large for float32 is infinite, and told as such
        return np.asarray(column.to_numpy(zero_copy_only=False), np.float32)


def _texts(column: "pa.Array") -> list[str]:
    """Spell each value; a whole number that a missing neighbour made a float is whole again."""
    texts = []
    for value in column.to_pylist():
        if value is None or value != value:  # NaN alone differs from itself
            texts.append("")
        elif isinstance(value, float) and value.is_integer():
            texts.append(str(int(value)))
        else:
            texts.append(plain(str(value)))
    return texts


def _in_order(work: Callable[[T], U], items: Iterable[T], threads: int) -> Iterator[U]:
    """Give `work` of each item in order, at work on few more than there are threads."""
    waiting: deque[Future[U]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(partial(work, item)))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
