"""A table's numbers and texts, block by block: what is no number becomes NaN, and is noted with its line."""

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
from experiments.dataset.tables.csv_dialect import KINDS, Chunking, Dialect, readable
from experiments.dataset.tables.odd_values import OddValue, odd_values

if TYPE_CHECKING:
    import pyarrow as pa

FLAGS = {"true": "1", "false": "0"}  # in any case
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(inf|infinity|nan)", re.ASCII | re.I)
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, eq=False)
class Block:
    """Rows that follow one another: float32 (m, d), and the texts of each column of texts."""

    values: np.ndarray
    texts: dict[str, list[str]]
    odd: tuple[OddValue, ...]


def reads_as_number(text: str, decimal: str = ".") -> bool:
    """Tell whether a text is a number as `csv_blocks` reads it; a missing value, true and false are too."""
    text = text.strip(" \t")  # what Arrow takes away, which no other space is
    if text.lower() in FLAGS:
        return True
    if decimal != ".":
        text = "x" if "." in text else text.replace(decimal, ".")
    return text in MISSING or NUMBER.fullmatch(text) is not None


def csv_blocks(
    path: Path, dialect: Dialect, texts: Iterable[str], numbers: Iterable[str], chunking: Chunking, key: str
) -> Iterator[Block]:
    """Read a file of text piece by piece on several threads.

    Raises
    ------
    ValueError
        At a line that is broken.
    """
    reader = _CsvReader(path, dialect, tuple(texts), tuple(numbers), key)
    row = 0
    with readable(path, key):
        lines = read_chunks(path, dialect, chunking.block)
        for block in _in_order(lambda piece: reader.block(*piece), lines, chunking.threads):
            yield replace(block, odd=tuple(replace(odd, row=row + odd.row) for odd in block.odd))
            row += len(block.values)


def parquet_blocks(
    path: Path, texts: Iterable[str], numbers: Iterable[str], chunking: Chunking, key: str
) -> Iterator[Block]:
    """Read a Parquet file a few row groups at a time."""
    import pyarrow as pa

    texts, numbers = list(texts), list(numbers)
    size, row = chunking.rows(len(numbers)), 0
    try:
        with parquet_file(path, key) as file:
            for batch in file.iter_batches(size, columns=[*texts, *numbers]):
                yield _parquet_block(batch, texts, numbers, row)
                row += len(batch)
    except pa.ArrowException as error:
        raise ValueError(f"{key}={path} cannot be read as Parquet ({error}); {KINDS}") from error


def _parquet_block(batch: "pa.RecordBatch", texts: list[str], numbers: list[str], above: int) -> Block:
    """Take a block from a batch, above which so many rows stand."""
    values = np.empty((len(batch), len(numbers)), np.float32)
    for column, name in enumerate(numbers):
        values[:, column] = _floats(batch.column(name))
    odd = odd_values(values, numbers, lambda row: f"row {row + 1}", _cell_reader(batch, numbers), above)
    columns = {name: [text_of(value) for value in batch.column(name).to_pylist()] for name in texts}
    return Block(values, columns, tuple(odd))


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
    dialect: Dialect
    texts: tuple[str, ...]
    numbers: tuple[str, ...]
    key: str

    def block(self, first: int, piece: bytes) -> Block:
        """Read one piece, whose first line has this number."""
        from pyarrow import ArrowInvalid

        quotes, rewritten = piece.count(b'"'), False
        if quotes % 2:  # Arrow would close it at the piece's end
            self._check(piece, first)
        try:
            table = self._table(piece)
        except ArrowInvalid:  # a line is broken, which is raised here, or a text stands among the numbers
            table, rewritten = self._table(self._emptied(self.rows(piece, first))), True
        plain_lines = not quotes and piece.count(b"\n") + (not piece.endswith(b"\n")) == len(table)
        if quotes and not rewritten and piece.count(b"\n") > len(table):
            self._check(piece, first)  # two stray quotes would make one text of all lines between them
        values = np.empty((len(table), len(self.numbers)), np.float32)
        for column, name in enumerate(self.numbers):
            values[:, column] = table[name].to_numpy()
        odd: Iterable[OddValue] = ()
        if not np.isfinite(values).all():
            rows = _Lines(self, piece, first, plain_lines and not rewritten)
            odd = odd_values(values, self.numbers, rows.where, rows.cell, texts=rewritten)
        texts = {name: [unescape_formula(text) for text in table[name].to_pylist()] for name in self.texts}
        return Block(values, texts, tuple(odd))

    def rows(self, piece: bytes, first: int) -> Iterator[tuple[int, list[str]]]:
        return chunk_rows(piece, first, self.path, self.dialect, self.key)

    def _check(self, piece: bytes, first: int) -> None:
        """Raise ValueError at a line that is broken."""
        for _ in self.rows(piece, first):
            pass

    def _table(self, piece: bytes) -> "pa.Table":
        import pyarrow as pa
        from pyarrow import csv as pa_csv

        types = {name: pa.string() for name in self.texts} | {name: pa.float32() for name in self.numbers}
        return pa_csv.read_csv(
            pa.py_buffer(piece),
            pa_csv.ReadOptions(
                use_threads=False, block_size=len(piece) + 1, column_names=list(self.dialect.columns)
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

    def _emptied(self, rows: Iterable[tuple[int, list[str]]]) -> bytes:
        """Write the rows again without the texts among the numbers, so that one parser reads all numbers."""
        columns = [self.dialect.columns.index(name) for name in self.numbers]
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.dialect.separator)
        for _, fields in rows:
            kept = list(fields)
            for column in columns:
                if not reads_as_number(fields[column], self.dialect.decimal):
                    kept[column] = ""
                else:
                    kept[column] = FLAGS.get(fields[column].strip(" \t").lower(), fields[column])
            writer.writerow(kept)
        return out.getvalue().encode()


@dataclass(frozen=True)
class _Lines:
    """The lines of a piece as they are written, looked up only where something is odd.

    Parameters
    ----------
    first
        Number of the first of them.
    plain
        Each line is a row.
    """

    reader: _CsvReader
    piece: bytes
    first: int
    plain: bool

    def column(self, row: int) -> str:
        """Return the line of a row."""
        return f"line {self._row(row)[0]}"

    def cell(self, row: int, column: int) -> str:
        """Return a value as the file writes it."""
        dialect = self.reader.dialect
        return self._row(row)[1][dialect.columns.index(self.reader.numbers[column])]

    def _row(self, row: int) -> tuple[int, list[str]]:
        if self.plain:
            line = self.piece.split(b"\n", row + 1)[row].decode()
            return self.first + row, next(csv.reader([line], delimiter=self.reader.dialect.separator))
        return self._rows[row]

    @cached_property
    def _rows(self) -> list[tuple[int, list[str]]]:
        return list(self.reader.rows(self.piece, self.first))


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
    with np.errstate(over="ignore"):  # what is too large for float32 is infinite, and told as such
        return np.asarray(column.to_numpy(zero_copy_only=False), np.float32)


def text_of(value: Any) -> str:
    """Return a value as text: whole numbers that a gap made floats are whole again, bytes are UTF-8."""
    if value is None or value != value:  # NaN alone differs from itself
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _in_order(work: Callable[[T], U], items: Iterable[T], threads: int) -> Iterator[U]:
    """Give `work` of each item in order, at work on few more than there are threads."""
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
