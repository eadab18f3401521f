"""The rows of a table: ids, texts and numbers of a CSV, TSV or Parquet file, in its order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from experiments.dataset.tables.blocks import Block, csv_blocks, parquet_blocks, parquet_file
from experiments.dataset.tables.columns import KEY, Columns, Wanted, columns_of, header
from experiments.dataset.tables.form import Portions, form_of, readable
from experiments.dataset.tables.pieces import pieces, records_of
from experiments.dataset.tables.tabular import is_parquet, no_rows, records
from experiments.dataset.vectors.vector_rows import Read
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
    place: Callable[[int], str]
    ids: list[str] | None = None


def table_source(path: Path, wanted: Wanted, portions: Portions, named: bool | None = None) -> Source:
    """Look at a table's first rows, and make ready to read it; `named` is as `header` of `form_of`."""
    head = header(path, named, portions)
    columns = columns_of(head, path, wanted)
    texts = [columns.id] if columns.id else list(columns.texts)
    texts += [columns.label] if columns.label and columns.label not in texts else []
    form = head.form
    if form is None:
        blocks = parquet_blocks(path, texts, columns.numbers, portions, KEY)
        counted = None if columns.id or head.counted is None else [str(row) for row in head.counted]
        return Source(columns, blocks, head.n, lambda row: f"row {row + 1}", counted)

    def place(row: int) -> str:
        return f"line {next(islice(records(path, form, KEY), row, None))[0]}"

    return Source(columns, csv_blocks(path, form, texts, columns.numbers, portions, KEY), head.n, place)


def table_rows(path: Path, named: bool | None, portions: Portions) -> int:
    """Count the rows of a table, of a CSV by its lines."""
    if is_parquet(path):
        return int(parquet_file(path, KEY).metadata.num_rows)
    form, n = form_of(path, KEY, named, portions), 0
    with readable(path, KEY):
        for line, piece in pieces(path, form, portions.block):
            if b'"' in piece or b"\n\n" in piece or b"\n\r\n" in piece:
                n += sum(1 for _ in records_of(piece, line, path, form, KEY))
            else:
                n += piece.count(b"\n") + (not piece.endswith(b"\n"))
    return n


def identified(source: Source, read: Read, path: Path) -> tuple[Columns, list[str]]:
    """Find the ids if no column is called like them: the one column of texts that all differ, or numbers."""
    columns, ids = source.columns, source.ids
    if not read.n:
        raise ValueError(no_rows(path, KEY))
    if ids is None and columns.id is None:
        unique = [name for name in columns.texts if len(set(read.texts[name]) - {""}) == read.n]
        if len(unique) > 1:
            raise ValueError(
                f"{KEY}={path} has several columns that could be ids: {few(unique)}; use "
                f"{setting('dataset.id', unique[0])}"
            )
        found = unique[0] if unique else None
        left = {name: first for name, first in columns.texts.items() if name != found}
        columns = replace(
            columns, id=found, texts=left, notes=(*columns.notes, *_notes(found, columns, read))
        )
    if ids is None:
        ids = read.texts[columns.id] if columns.id else row_numbers(read.n)
    return columns, ids


def _notes(found: str | None, columns: Columns, read: Read) -> Iterator[str]:
    """Say what the ids are if no column is called so, and which numbers may be ids instead."""
    yield f"ids are {f'the texts of {found!r}' if found else 'row numbers'}, as no column is called like ids"
    for place, name in enumerate(columns.numbers if found is None else ()):
        low, high = float(read.low[place]), float(read.high[place])
        if high == low + read.n - 1 > low and len(np.unique(read.values[:, place])) == read.n:
            yield f"the column {name!r} counts the rows; if it holds ids, use {setting('dataset.id', name)}"


def row_numbers(n: int) -> list[str]:
    """Return the numbers of n rows as text, of equal width."""
    width = len(str(n - 1))
    return [f"{row:0{width}}" for row in range(n)]
