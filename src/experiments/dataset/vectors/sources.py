"""Sources of rows: the columns and blocks of a CSV, TSV or Parquet file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from experiments.dataset.tables.blocks import Block, csv_blocks, parquet_blocks, parquet_file
from experiments.dataset.tables.chunks import chunk_rows, read_chunks
from experiments.dataset.tables.columns import KEY, Columns, ColumnSettings, assign_columns, read_header
from experiments.dataset.tables.csv_dialect import Chunking, detect_dialect, readable
from experiments.dataset.tables.tabular import is_parquet, no_rows, read_rows
from experiments.dataset.vectors.vector_rows import RawTable
from experiments.messages import DataError, join_few, setting


class AmbiguousIdsError(DataError):
    """Several columns of a table could be its ids."""


@dataclass(frozen=True)
class Source:
    """The rows of a file, in its order.

    Parameters
    ----------
    n
        Approximate number of rows.
    locate
        Returns the line of a row counted from 0, or its number from 1, as in `line 3`.
    ids
        Ids from elsewhere, such as a second file or pandas' index; None: from a column, or row numbers.
    """

    columns: Columns
    blocks: Iterator[Block]
    n: int
    locate: Callable[[int], str]
    ids: list[str] | None = None


def table_source(path: Path, wanted: ColumnSettings, chunking: Chunking, named: bool | None = None) -> Source:
    """Return the source of a table, from its first rows; `named` is as `header` of `detect_dialect`."""
    head = read_header(path, named, chunking)
    columns = assign_columns(head, path, wanted)
    texts = [columns.id] if columns.id else list(columns.texts)
    texts += [columns.label] if columns.label and columns.label not in texts else []
    dialect = head.dialect
    if dialect is None:
        blocks = parquet_blocks(path, texts, columns.numbers, chunking, KEY)
        counted = None if columns.id or head.counted is None else [str(row) for row in head.counted]
        return Source(columns, blocks, head.n, lambda row: f"row {row + 1}", counted)

    def locate(row: int) -> str:
        return f"line {next(islice(read_rows(path, dialect, KEY), row, None))[0]}"

    return Source(columns, csv_blocks(path, dialect, texts, columns.numbers, chunking, KEY), head.n, locate)


def table_rows(path: Path, named: bool | None, chunking: Chunking) -> int:
    """Count the rows of a table; those of a CSV by its lines."""
    if is_parquet(path):
        return int(parquet_file(path, KEY).metadata.num_rows)
    dialect, n = detect_dialect(path, KEY, named, chunking), 0
    with readable(path, KEY):
        for line, chunk in read_chunks(path, dialect, chunking.block):
            if b'"' in chunk or b"\n\n" in chunk or b"\n\r\n" in chunk:
                n += sum(1 for _ in chunk_rows(chunk, line, path, dialect, KEY))
            else:
                n += chunk.count(b"\n") + (not chunk.endswith(b"\n"))
    return n


def find_ids(source: Source, raw: RawTable, path: Path) -> tuple[Columns, list[str]]:
    """Return the columns and the ids: of the id column, else the only column of unique texts, else numbers.

    Raises
    ------
    ValueError
        If there are no rows, or several columns of unique texts.
    """
    columns, ids = source.columns, source.ids
    if not raw.n:
        raise no_rows(path, KEY)
    if ids is None and columns.id is None:
        unique = [name for name in columns.texts if len(set(raw.texts[name]) - {""}) == raw.n]
        if len(unique) > 1:
            raise AmbiguousIdsError(
                KEY,
                path,
                f" has several columns that could be ids: {join_few(unique)}",
                f"use {setting('dataset.id', unique[0])}",
            )
        id_ = unique[0] if unique else None
        texts = {name: first for name, first in columns.texts.items() if name != id_}
        columns = replace(columns, id=id_, texts=texts, notes=(*columns.notes, *_notes(id_, columns, raw)))
    if ids is None:
        ids = raw.texts[columns.id] if columns.id else row_numbers(raw.n)
    return columns, ids


def _notes(id_: str | None, columns: Columns, raw: RawTable) -> Iterator[str]:
    """Yield notes on the ids of a table without a usual id column, and on columns that may be ids."""
    ids = f"the texts of {id_!r}" if id_ else "row numbers"
    yield f"ids are {ids}, as no column has a name such as id or image_id"
    for column, name in enumerate(columns.numbers if id_ is None else ()):
        low, high = float(raw.low[column]), float(raw.high[column])
        if high == low + raw.n - 1 > low and len(np.unique(raw.values[:, column])) == raw.n:
            yield f"the column {name!r} numbers the rows; if it has ids, use {setting('dataset.id', name)}"


def row_numbers(n: int) -> list[str]:
    """Return the numbers of n rows as texts of equal width."""
    width = len(str(n - 1))
    return [f"{row:0{width}}" for row in range(n)]
