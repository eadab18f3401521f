"""Which columns of a table are ids, labels and numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.dataset.tables.blocks import parquet_file, reads_as_number
from experiments.dataset.tables.cell_text import clean, has_value
from experiments.dataset.tables.csv_dialect import (
    UNNAMED,
    USUAL,
    Chunking,
    Dialect,
    check_names,
    detect_dialect,
    readable,
)
from experiments.dataset.tables.header import IDS, LABEL_LIKE
from experiments.dataset.tables.matching import resolve_name
from experiments.dataset.tables.tabular import is_parquet, no_rows, read_rows
from experiments.messages import few
from experiments.messages import setting as override

if TYPE_CHECKING:
    import pyarrow as pa

KEY = "dataset.path"
LOOKED_AT = 200  # rows that tell texts from numbers
COUNTED = 1 << 20  # bytes whose lines tell about how many there are
INDEX = "__index_level_"  # how pandas calls an index without a name in Parquet


@dataclass(frozen=True)
class ColumnSettings:
    """What settings say of the columns of a table.

    Parameters
    ----------
    id, label
        Names of columns; None if none is named.
    exclude
        Columns to leave out.
    features
        The columns of numbers, in their order, if they are known.
    """

    id: str | None = None
    label: str | None = None
    exclude: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


@dataclass(frozen=True)
class Columns:
    """What each column of a table is for.

    Parameters
    ----------
    id
        None if none is called like one; then `texts` may hold it.
    texts
        Columns of texts besides id and label, and the place and value of the first of each.
    notes
        What was decided that a person may not expect.
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
        The columns that hold texts, and the place and value of the first of each.
    unnamed
        Those without a name of their own.
    index
        The column that names the rows where none is called as ids are: one without a name that stands first,
        or pandas' own; None if there is none.
    counted
        The same of a Parquet file which says only how they are counted.
    n
        About how many rows there are.
    form
        How it is written; None of Parquet.
    nested
        The types of the columns that hold lists and the like.
    """

    names: tuple[str, ...]
    texts: Mapping[str, tuple[str, str]]
    unnamed: tuple[str, ...]
    index: str | None
    counted: range | None
    n: int
    dialect: Dialect | None
    nested: Mapping[str, str] = field(default_factory=dict)


def read_header(path: Path, named: bool | None = None, chunking: Chunking = USUAL) -> Header:
    """Look at the first rows of a table; `named` as `header` of `form_of`."""
    if is_parquet(path):
        return _parquet_header(path)
    dialect = detect_dialect(path, KEY, named, chunking)
    texts: dict[str, tuple[str, str]] = {}
    with readable(path, KEY):
        rows = list(islice(read_rows(path, dialect, KEY), LOOKED_AT))
    if not rows:
        raise ValueError(no_rows(path, KEY))
    for column, name in enumerate(dialect.columns):
        held = [(line, clean(fields[column])) for line, fields in rows]
        # whether "?" or "-" stands for a gap here, the whole column tells
        held = [(line, text) for line, text in held if has_value(text)]
        odd = [(line, text) for line, text in held if not reads_as_number(text, dialect.decimal)]
        if 2 * len(odd) > len(held):
            texts[name] = (f"line {odd[0][0]}", odd[0][1])
    numbered = enumerate(dialect.columns if dialect.named else (), start=1)
    unnamed = [name for column, name in numbered if name == UNNAMED.format(column)]
    index = unnamed[0] if dialect.columns[0] in unnamed else None
    return Header(dialect.columns, texts, tuple(unnamed), index, None, _about(path), dialect)


def assign_columns(head: Header, path: Path, wanted: ColumnSettings) -> Columns:
    """Assign every column; raise ValueError for a setting that names none, or if no numbers are left."""
    features = wanted.features
    id_, label = (name and resolve_name(name, head.names) for name in (wanted.id, wanted.label))
    exclude = {resolve_name(name, head.names) for name in wanted.exclude}
    _check_names(head, path, id_, label, exclude)
    free = [name for name in head.names if name not in exclude and name != label]
    if not features:
        _check_nested(head, path, {*free, label, id_})
    others = [name for name in free if name not in features]
    id_ = id_ or usual_id(others) or (head.index if head.index in others else None)
    bare = [name for name in free if name != id_ and name in head.unnamed]
    free = [name for name in free if name != id_ and name not in bare]
    numbers = features or tuple(name for name in free if name not in head.texts)
    if not numbers:
        raise ValueError(
            f"{KEY}={path} has no column of numbers among {few(head.names)}; use a table that has some"
        )
    notes = [f"a column without a name is left out: {few(bare)}"] if bare else []
    if head.dialect:
        notes += [head.dialect.note] if head.dialect.note else []
        notes += _commas(head.dialect, numbers, path)
    notes += _perhaps_no_features(name for name in numbers if name not in features)
    texts = {name: first for name, first in head.texts.items() if name in free}
    return Columns(id_, label, numbers, texts, tuple(notes))


def _check_names(head: Header, path: Path, id_: str | None, label: str | None, exclude: set[str]) -> None:
    """Raise ValueError for a setting that names no column."""
    for key, name in (("id", id_), ("label", label), *(("exclude", name) for name in sorted(exclude))):
        if name is not None and name not in head.names:
            typed = override(f"dataset.{key}", [name] if key == "exclude" else name)
            raise ValueError(
                f"{typed} is no column of {path}; use {'some' if key == 'exclude' else 'one'} of "
                f"{few(head.names)}"
            )


def _check_nested(head: Header, path: Path, used: set[str | None]) -> None:
    """Raise ValueError if a column that is used holds lists and the like."""
    nested = [name for name in head.nested if name in used]
    if nested:
        raise ValueError(
            f"{KEY}={path} holds a {head.nested[nested[0]]} in the column {nested[0]!r}; write a column for "
            "each value, or an .npy file of the vectors, or leave it out: "
            f"{override('dataset.exclude', nested)}"
        )


def _perhaps_no_features(names: Iterable[str]) -> list[str]:
    """Point out columns of numbers that are called as labels or ids are."""
    kinds = (("labels", "label", LABEL_LIKE), ("ids", "id", IDS))
    return [
        f"the column {name!r} is taken for a feature; if it holds {kind}, use "
        f"{override(f'dataset.{setting}', name)}, or {override('dataset.exclude', [name])}"
        for name in names
        for kind, setting, usual in kinds
        if name.casefold() in usual
    ]


def _commas(dialect: Dialect, numbers: Iterable[str], path: Path) -> list[str]:
    """Say that commas are decimals; raise ValueError if they may be of thousands."""
    unclear = [name for name in numbers if name in dialect.unclear]
    if unclear:
        raise ValueError(
            f"{KEY}={path} has numbers such as {dialect.unclear[unclear[0]]} in the column {unclear[0]!r}, "
            "whose commas may be of decimals or of thousands; write decimal points, and no commas of "
            f"thousands, or leave such columns out: {override('dataset.exclude', unclear)}"
        )
    return ["commas are taken for decimals"] if dialect.decimal == "," else []


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
    """Return pandas' index: the name of its column, or how it is counted if it has none."""
    held = (schema.pandas_metadata or {}).get("index_columns", [])
    if len(held) != 1:  # several together name a row
        return None, None
    if isinstance(held[0], str):
        return held[0], None
    counted = range(held[0]["start"], held[0]["stop"], held[0]["step"])
    usual = held[0]["name"] is None and counted == range(len(counted))
    return None, None if usual else counted


def _about(path: Path) -> int:
    """Guess the number of lines from the first of them."""
    with path.open("rb") as file:
        first = file.read(COUNTED)
    return max(1, first.count(b"\n") * path.stat().st_size // max(1, len(first)))


def usual_id(names: list[str]) -> str | None:
    """Return the first column that is called as ids are, in any case."""
    called: dict[str, str] = {}
    for name in names:
        called.setdefault(name.casefold(), name)
    return next((called[usual] for usual in IDS if usual in called), None)
