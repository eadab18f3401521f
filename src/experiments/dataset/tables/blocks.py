"""Read a table in blocks of numbers and texts; a value that is not a number becomes NaN and is reported."""

import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from experiments.dataset.tables.cell_text import MISSING, unescape_formula
from experiments.dataset.tables.chunks import chunk_rows, read_chunks
from experiments.dataset.tables.csv_dialect import USE_TABLE, Chunking, Dialect, readable
from experiments.dataset.tables.odd_values import OddValue, odd_values
from experiments.messages import DataError

if TYPE_CHECKING:
    import pyarrow as pa

FLAGS = {"true": "1", "false": "0"}  # upper or lower case
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(inf|infinity|nan)", re.ASCII | re.I)
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive rows of a table: float32 (m, d), and the columns of texts by name."""

    values: np.ndarray
    texts: dict[str, list[str]]
    odd: tuple[OddValue, ...]


def reads_as_number(text: str, decimal: str = ".") -> bool:
    """Return True for a text that `csv_blocks` reads as a number, a missing value, true or false."""
    text = text.strip(" \t")  # Arrow strips only spaces and tabs
    if text.lower() in FLAGS:
        return True
    if decimal != ".":
        text = "x" if "." in text else text.replace(decimal, ".")
    return text in MISSING or NUMBER.fullmatch(text) is not None


def csv_blocks(
    path: Path, dialect: Dialect, texts: Iterable[str], numbers: Iterable[str], chunking: Chunking, key: str
) -> Iterator[Block]:
    """Read a CSV file in chunks, parsed by several threads.

    Raises
    ------
    ValueError
        At a malformed line.
    """
    reader = _CsvReader(path, dialect, tuple(texts), tuple(numbers), key)
    row = 0
    with readable(path, key):
        lines = read_chunks(path, dialect, chunking.block)
        for block in _in_order(lambda chunk: reader.block(*chunk), lines, chunking.threads):
            yield replace(block, odd=tuple(replace(odd, row=row + odd.row) for odd in block.odd))
            row += len(block.values)


def parquet_blocks(
    path: Path, texts: Iterable[str], numbers: Iterable[str], chunking: Chunking, key: str
) -> Iterator[Block]:
    """Read a Parquet file in batches of rows."""
    import pyarrow as pa

    texts, numbers = list(texts), list(numbers)
    size, row = chunking.rows(len(numbers)), 0
    try:
        with parquet_file(path, key) as file:
            for batch in file.iter_batches(size, columns=[*texts, *numbers]):
                yield _parquet_block(batch, texts, numbers, row)
                row += len(batch)
    except pa.ArrowException as error:
        raise DataError(key, path, f" cannot be read as Parquet ({error})", USE_TABLE) from error


def _parquet_block(batch: "pa.RecordBatch", texts: list[str], numbers: list[str], above: int) -> Block:
    """Convert a batch to a block; `above` is the number of rows before it."""
    values = np.empty((len(batch), len(numbers)), np.float32)
    for column, name in enumerate(numbers):
        values[:, column] = _floats(batch.column(name))
    odd = odd_values(values, numbers, lambda row: f"row {row + 1}", _cell_reader(batch, numbers), above)
    columns = {name: [text_of(value) for value in batch.column(name).to_pylist()] for name in texts}
    return Block(values, columns, tuple(odd))


def parquet_file(path: Path, key: str) -> Any:
    """Open a Parquet file; raise ValueError if it is not one."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    with readable(path, key):
        try:
            return ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
        except pa.ArrowException as error:
            raise DataError(key, path, f" cannot be read as Parquet ({error})", USE_TABLE) from error


@dataclass(frozen=True)
class _CsvReader:
    path: Path
    dialect: Dialect
    texts: tuple[str, ...]
    numbers: tuple[str, ...]
    key: str

    def block(self, first: int, chunk: bytes) -> Block:
        """Parse one chunk; `first` is the number of its first line."""
        from pyarrow import ArrowInvalid

        quotes, rewritten = chunk.count(b'"'), False
        if quotes % 2:  # Arrow would close an open quote at the end of the chunk
            self._check(chunk, first)
        try:
            table = self._table(chunk)
        except ArrowInvalid:  # a malformed line, which `rows` raises, or a text in a column of numbers
            table, rewritten = self._table(self._without_texts(self.rows(chunk, first))), True
        line_per_row = not quotes and chunk.count(b"\n") + (not chunk.endswith(b"\n")) == len(table)
        if quotes and not rewritten and chunk.count(b"\n") > len(table):
            self._check(chunk, first)  # two stray quotes would merge all lines between them into one text
        values = np.empty((len(table), len(self.numbers)), np.float32)
        for column, name in enumerate(self.numbers):
            values[:, column] = table[name].to_numpy()
        odd: Iterable[OddValue] = ()
        if not np.isfinite(values).all():
            rows = _Lines(self, chunk, first, line_per_row and not rewritten)
            odd = odd_values(values, self.numbers, rows.where, rows.cell, texts=rewritten)
        texts = {name: [unescape_formula(text) for text in table[name].to_pylist()] for name in self.texts}
        return Block(values, texts, tuple(odd))

    def rows(self, chunk: bytes, first: int) -> Iterator[tuple[int, list[str]]]:
        return chunk_rows(chunk, first, self.path, self.dialect, self.key)

    def _check(self, chunk: bytes, first: int) -> None:
        """Raise ValueError at a malformed line."""
        for _ in self.rows(chunk, first):
            pass

    def _table(self, chunk: bytes) -> "pa.Table":
        import pyarrow as pa
        from pyarrow import csv as pa_csv

        types = {name: pa.string() for name in self.texts} | {name: pa.float32() for name in self.numbers}
        return pa_csv.read_csv(
            pa.py_buffer(chunk),
            pa_csv.ReadOptions(
                use_threads=False, block_size=len(chunk) + 1, column_names=list(self.dialect.columns)
            ),
            pa_csv.ParseOptions(delimiter=self.dialect.separator, newlines_in_values=True),
            pa_csv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                null_values=list(MISSING),
                strings_can_be_null=False,
                decimal_point=self.dialect.decimal,
            ),
        )

    def _without_texts(self, rows: Iterable[tuple[int, list[str]]]) -> bytes:
        """Return the rows as CSV, with texts in columns of numbers removed, so that Arrow can parse it."""
        columns = [self.dialect.columns.index(name) for name in self.numbers]
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.dialect.separator)
        for _, fields in rows:
            row = list(fields)
            for column in columns:
                if not reads_as_number(fields[column], self.dialect.decimal):
                    row[column] = ""
                else:
                    row[column] = FLAGS.get(fields[column].strip(" \t").lower(), fields[column])
            writer.writerow(row)
        return out.getvalue().encode()


@dataclass(frozen=True)
class _Lines:
    """The original lines of a chunk, parsed only to report values that are not finite.

    Parameters
    ----------
    first
        Number of the chunk's first line.
    line_per_row
        True if no row spans several lines.
    """

    reader: _CsvReader
    chunk: bytes
    first: int
    line_per_row: bool

    def where(self, row: int) -> str:
        """Return the line number of a row, as in `line 3`."""
        return f"line {self._row(row)[0]}"

    def cell(self, row: int, column: int) -> str:
        """Return a cell as written in the file."""
        dialect = self.reader.dialect
        return self._row(row)[1][dialect.columns.index(self.reader.numbers[column])]

    def _row(self, row: int) -> tuple[int, list[str]]:
        if self.line_per_row:
            line = self.chunk.split(b"\n", row + 1)[row].decode()
            return self.first + row, next(csv.reader([line], delimiter=self.reader.dialect.separator))
        return self._rows[row]

    @cached_property
    def _rows(self) -> list[tuple[int, list[str]]]:
        return list(self.reader.rows(self.chunk, self.first))


def _cell_reader(batch: "pa.RecordBatch", numbers: list[str]) -> Callable[[int, int], str]:
    def cell(row: int, column: int) -> str:
        value = batch.column(numbers[column])[row].as_py()
        return "" if value is None else str(value)

    return cell


def _floats(column: "pa.Array") -> np.ndarray:
    """Return float32 (m,), missing values as NaN."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_boolean(kind):
        column = column.cast(pa.uint8())
    elif pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    with np.errstate(over="ignore"):  # too large for float32: infinite, and reported as such
        return np.asarray(column.to_numpy(zero_copy_only=False), np.float32)


def text_of(value: Any) -> str:
    """Return a value as text: bytes as UTF-8, 7.0 as "7" (pandas stores integers with gaps as floats)."""
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _in_order(work: Callable[[T], U], items: Iterable[T], threads: int) -> Iterator[U]:
    """Yield the results of `work` in order of the items, with at most `threads` + 1 in flight."""
    waiting: deque[Future[U]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
