"""Assign the columns of a table: ids, labels, numbers, texts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.dataset.tables.blocks import parquet_file, reads_as_number
from experiments.dataset.tables.cell_text import clean, has_value
from experiments.dataset.tables.csv_dialect import (
    DEFAULT,
    UNNAMED,
    Chunking,
    Dialect,
    check_names,
    detect_dialect,
    readable,
)
from experiments.dataset.tables.header import IDS, LABEL_LIKE
from experiments.dataset.tables.matching import resolve_name
from experiments.dataset.tables.tabular import is_parquet, no_rows, read_rows
from experiments.messages import DataError, join_few
from experiments.messages import setting as override

if TYPE_CHECKING:
    import pyarrow as pa

KEY = "dataset.path"
SAMPLE_ROWS = 200  # rows for deciding if a column has texts or numbers
SAMPLE_BYTES = 1 << 20  # bytes read to estimate the number of lines
INDEX = "__index_level_"  # prefix of pandas' name of an unnamed index in Parquet


@dataclass(frozen=True)
class ColumnSettings:
    """The settings about the columns of a table.

    Parameters
    ----------
    id, label
        Names of columns; None if not set.
    exclude
        Columns to leave out.
    features
        Columns of numbers, in order; empty: all that remain.
    """

    id: str | None = None
    label: str | None = None
    exclude: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


@dataclass(frozen=True)
class Columns:
    """The columns of a table by purpose.

    Parameters
    ----------
    id
        None if no column is named like ids; then one of `texts` may be the ids.
    texts
        Columns of texts besides id and label, with the line and value of the first text.
    notes
        Decisions that a user may not expect, for the log.
    """

    id: str | None
    label: str | None
    numbers: tuple[str, ...]
    texts: Mapping[str, tuple[str, str]]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Header:
    """The first rows of a table.

    Parameters
    ----------
    texts
        Columns of texts, with the line and value of the first text.
    unnamed
        Columns without a name.
    index
        Column of ids if none is named like ids: an unnamed first column, or pandas' index; else None.
    counted
        A range index of pandas in Parquet that is not 0, 1, 2, ...; else None.
    n
        Approximate number of rows.
    dialect
        None for Parquet.
    nested
        Types of the columns with lists or structures.
    """

    names: tuple[str, ...]
    texts: Mapping[str, tuple[str, str]]
    unnamed: tuple[str, ...]
    index: str | None
    counted: range | None
    n: int
    dialect: Dialect | None
    nested: Mapping[str, str] = field(default_factory=dict)


def read_header(path: Path, named: bool | None = None, chunking: Chunking = DEFAULT) -> Header:
    """Read the first rows of a table; `named` is as `header` of `detect_dialect`."""
    if is_parquet(path):
        return _parquet_header(path)
    dialect = detect_dialect(path, KEY, named, chunking)
    texts: dict[str, tuple[str, str]] = {}
    with readable(path, KEY):
        rows = list(islice(read_rows(path, dialect, KEY), SAMPLE_ROWS))
    if not rows:
        raise no_rows(path, KEY)
    for column, name in enumerate(dialect.columns):
        cells = [(line, clean(fields[column])) for line, fields in rows]
        # placeholders such as "?" and "-" are ignored here
        cells = [(line, text) for line, text in cells if has_value(text)]
        words = [(line, text) for line, text in cells if not reads_as_number(text, dialect.decimal)]
        if 2 * len(words) > len(cells):
            texts[name] = (f"line {words[0][0]}", words[0][1])
    numbered = enumerate(dialect.columns if dialect.named else (), start=1)
    unnamed = [name for column, name in numbered if name == UNNAMED.format(column)]
    index = unnamed[0] if dialect.columns[0] in unnamed else None
    return Header(dialect.columns, texts, tuple(unnamed), index, None, _estimate_lines(path), dialect)


def assign_columns(head: Header, path: Path, wanted: ColumnSettings) -> Columns:
    """Assign every column; raise ValueError for a setting with an unknown column, or if no numbers remain."""
    features = wanted.features
    id_, label = (name and resolve_name(name, head.names) for name in (wanted.id, wanted.label))
    exclude = {resolve_name(name, head.names) for name in wanted.exclude}
    _check_names(head, path, id_, label, exclude)
    free = [name for name in head.names if name not in exclude and name != label]
    if not features:
        _check_nested(head, path, {*free, label, id_})
    others = [name for name in free if name not in features]
    id_ = id_ or usual_id(others) or (head.index if head.index in others else None)
    unnamed = [name for name in free if name != id_ and name in head.unnamed]
    free = [name for name in free if name != id_ and name not in unnamed]
    numbers = features or tuple(name for name in free if name not in head.texts)
    if not numbers:
        raise DataError(
            KEY, path, f" has no column of numbers among {join_few(head.names)}", "use a table with numbers"
        )
    notes = [f"a column without a name is left out: {join_few(unnamed)}"] if unnamed else []
    if head.dialect:
        notes += [head.dialect.note] if head.dialect.note else []
        notes += _commas(head.dialect, numbers, path)
    notes += _note_likely_ids(name for name in numbers if name not in features)
    texts = {name: first for name, first in head.texts.items() if name in free}
    return Columns(id_, label, numbers, texts, tuple(notes))


def _check_names(head: Header, path: Path, id_: str | None, label: str | None, exclude: set[str]) -> None:
    """Raise ValueError for a setting with an unknown column."""
    for key, name in (("id", id_), ("label", label), *(("exclude", name) for name in sorted(exclude))):
        if name is not None and name not in head.names:
            typed = override(f"dataset.{key}", [name] if key == "exclude" else name)
            raise ValueError(
                f"{typed} is not a column of {path}; use {'some' if key == 'exclude' else 'one'} of "
                f"{join_few(head.names)}"
            )


def _check_nested(head: Header, path: Path, used: set[str | None]) -> None:
    """Raise ValueError if a used column has lists or structures."""
    nested = [name for name in head.nested if name in used]
    if nested:
        raise DataError(
            KEY,
            path,
            f" has values of type {head.nested[nested[0]]} in the column {nested[0]!r}",
            (
                "write a column for each value, or an .npy file of the vectors, or leave it out: "
                f"{override('dataset.exclude', nested)}"
            ),
        )


def _note_likely_ids(names: Iterable[str]) -> list[str]:
    """Return a note for each feature that is named like labels or ids."""
    kinds = (("labels", "label", LABEL_LIKE), ("ids", "id", IDS))
    return [
        f"the column {name!r} is used as a feature; if it holds {kind}, use "
        f"{override(f'dataset.{setting}', name)}, or {override('dataset.exclude', [name])}"
        for name in names
        for kind, setting, usual in kinds
        if name.casefold() in usual
    ]


def _commas(dialect: Dialect, numbers: Iterable[str], path: Path) -> list[str]:
    """Return a note if commas are read as decimal; raise ValueError if they may separate thousands."""
    unclear = [name for name in numbers if name in dialect.unclear]
    if unclear:
        raise DataError(
            KEY,
            path,
            (
                f" has numbers such as {dialect.unclear[unclear[0]]} in the column {unclear[0]!r}, whose "
                "commas may be decimal or separate thousands"
            ),
            (
                "write decimal points and no separators of thousands, or leave such columns out: "
                f"{override('dataset.exclude', unclear)}"
            ),
        )
    return ["commas are read as decimal commas"] if dialect.decimal == "," else []


def _parquet_header(path: Path) -> Header:
    from pyarrow import types

    file = parquet_file(path, KEY)
    schema = file.schema_arrow
    texts, nested = {}, {}
    for column in schema:
        kind = column.type
        if types.is_nested(kind):
            nested[column.name] = str(kind)
        numeric = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
        if not (numeric or types.is_boolean(kind)):
            texts[column.name] = ("all rows", f"a {kind}")
    check_names(schema.names, path, KEY)
    bare = [name for name in schema.names if name.startswith(INDEX)]
    index, counted = _index(schema)
    return Header(
        tuple(schema.names), texts, tuple(bare), index, counted, file.metadata.num_rows, None, nested
    )


def _index(schema: "pa.Schema") -> tuple[str | None, range | None]:
    """Return pandas' index: the name of its column, or its range unless that is 0, 1, 2, ..."""
    columns = (schema.pandas_metadata or {}).get("index_columns", [])
    if len(columns) != 1:  # none, or a MultiIndex
        return None, None
    if isinstance(columns[0], str):
        return columns[0], None
    counted = range(columns[0]["start"], columns[0]["stop"], columns[0]["step"])
    default = columns[0]["name"] is None and counted == range(len(counted))
    return None, None if default else counted


def _estimate_lines(path: Path) -> int:
    """Estimate the number of lines from the first ones."""
    with path.open("rb") as file:
        first = file.read(SAMPLE_BYTES)
    return max(1, first.count(b"\n") * path.stat().st_size // max(1, len(first)))


def usual_id(names: list[str]) -> str | None:
    """Return the first column that is named like ids, in any case."""
    by_lower_case: dict[str, str] = {}
    for name in names:
        by_lower_case.setdefault(name.casefold(), name)
    return next((by_lower_case[usual] for usual in IDS if usual in by_lower_case), None)
