"""The rows of a table: ids, texts and numbers of a CSV, TSV or Parquet file, in its order."""

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
from experiments.messages import few, setting


@dataclass(frozen=True)
class Source:
    """Rows in the order of a file.

    Parameters
    ----------
    n
        About how many.
    place
        Says where a row stands, counted from 0: its line, or its number from 1.
    ids
        Those of a file beside, if the rows have one.
    """

    columns: Columns
    blocks: Iterator[Block]
    n: int
    locate: Callable[[int], str]
    ids: list[str] | None = None


def table_source(path: Path, wanted: ColumnSettings, chunking: Chunking, named: bool | None = None) -> Source:
    """Look at a table's first rows, and make ready to read it; `named` is as `header` of `form_of`."""
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
    """Count the rows of a table, of a CSV by its lines."""
    if is_parquet(path):
        return int(parquet_file(path, KEY).metadata.num_rows)
    dialect, n = detect_dialect(path, KEY, named, chunking), 0
    with readable(path, KEY):
        for line, piece in read_chunks(path, dialect, chunking.block):
            if b'"' in piece or b"\n\n" in piece or b"\n\r\n" in piece:
                n += sum(1 for _ in chunk_rows(piece, line, path, dialect, KEY))
            else:
                n += piece.count(b"\n") + (not piece.endswith(b"\n"))
    return n


def find_ids(source: Source, raw: RawTable, path: Path) -> tuple[Columns, list[str]]:
    """Find the ids if no column is called like them: the one column of texts that all differ, or numbers."""
    columns, ids = source.columns, source.ids
    if not raw.n:
        raise ValueError(no_rows(path, KEY))
    if ids is None and columns.id is None:
        unique = [name for name in columns.texts if len(set(raw.texts[name]) - {""}) == raw.n]
        if len(unique) > 1:
            raise ValueError(
                f"{KEY}={path} has several columns that could be ids: {few(unique)}; use "
                f"{setting('dataset.id', unique[0])}"
            )
        found = unique[0] if unique else None
        left = {name: first for name, first in columns.texts.items() if name != found}
        columns = replace(columns, id=found, texts=left, notes=(*columns.notes, *_notes(found, columns, raw)))
    if ids is None:
        ids = raw.texts[columns.id] if columns.id else row_numbers(raw.n)
    return columns, ids


def _notes(found: str | None, columns: Columns, raw: RawTable) -> Iterator[str]:
    """Say what the ids are if no column is called so, and which numbers may be ids instead."""
    yield f"ids are {f'the texts of {found!r}' if found else 'row numbers'}, as no column is called like ids"
    for column, name in enumerate(columns.numbers if found is None else ()):
        low, high = float(raw.low[column]), float(raw.high[column])
        if high == low + raw.n - 1 > low and len(np.unique(raw.values[:, column])) == raw.n:
            yield f"the column {name!r} counts the rows; if it holds ids, use {setting('dataset.id', name)}"


def row_numbers(n: int) -> list[str]:
    """Return the numbers of n rows as text, of equal width."""
    width = len(str(n - 1))
    return [f"{row:0{width}}" for row in range(n)]
