"""Which columns of a table are ids, labels and numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from experiments.dataset.labels import ID_COLUMNS, LABEL_COLUMNS
from experiments.dataset.tables.blocks import MISSING, is_number, parquet_file
from experiments.dataset.tables.tabular import (
    SAMPLE,
    UNNAMED,
    Form,
    check_names,
    form_of,
    is_parquet,
    no_rows,
    plain,
    readable,
    records,
)

KEY = "dataset.path"
IDS = (*ID_COLUMNS, *(name for name in ("path", "name") if name not in ID_COLUMNS))
LABEL_LIKE = {*LABEL_COLUMNS, "cluster", "labels", "species", "target", "y"}
LOOKED_AT = 200  # rows that tell texts from numbers
INDEX = "__index_level_"  # how pandas calls an index without a name in Parquet


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
    n
        About how many rows there are.
    form
        How it is written; None of Parquet.
    """

    names: tuple[str, ...]
    texts: Mapping[str, tuple[str, str]]
    unnamed: tuple[str, ...]
    n: int
    form: Form | None


def header(path: Path) -> Header:
    """Look at the first rows of a table."""
    if is_parquet(path):
        return _parquet_header(path)
    form = form_of(path, KEY)
    texts: dict[str, tuple[str, str]] = {}
    with readable(path, KEY):
        rows = list(islice(records(path, form, KEY), LOOKED_AT))
    if not rows:
        raise ValueError(no_rows(path, KEY))
    for place, name in enumerate(form.columns):
        held = [(line, plain(fields[place])) for line, fields in rows]
        held = [(line, text) for line, text in held if text not in MISSING]
        odd = [(line, text) for line, text in held if not is_number(text, form.decimal)]
        if 2 * len(odd) > len(held):
            texts[name] = (f"line {odd[0][0]}", odd[0][1])
    unnamed = [name for place, name in enumerate(form.columns, start=1) if name == UNNAMED.format(place)]
    return Header(form.columns, texts, tuple(unnamed), _about(path), form)


def columns_of(
    head: Header, path: Path, id_: str | None, label: str | None, exclude: Iterable[str]
) -> Columns:
    """Assign every column; raise ValueError for a setting that names none, or if no numbers are left."""
    exclude = set(exclude)
    for key, name in (("id", id_), ("label", label), *(("exclude", name) for name in sorted(exclude))):
        if name is not None and name not in head.names:
            typed = f"[{name}]" if key == "exclude" else name
            raise ValueError(
                f"dataset.{key}={typed} is no column of {path}; use {'some' if key == 'exclude' else 'one'} "
                f"of {_few(head.names)}"
            )
    free = [name for name in head.names if name not in exclude and name != label]
    id_ = id_ or usual_id(free) or (free[0] if free and free[0] in head.unnamed[:1] else None)
    free = [name for name in free if name != id_]
    bare = [name for name in free if name in head.unnamed]
    notes = [f"a column without a name is left out: {', '.join(bare)}"] if bare else []
    free = [name for name in free if name not in bare]
    numbers = tuple(name for name in free if name not in head.texts)
    if not numbers:
        raise ValueError(
            f"{KEY}={path} has no column of numbers among {_few(head.names)}; use a table that has some"
        )
    labelled = [name for name in numbers if name.casefold() in LABEL_LIKE]
    notes += [
        f"the column {name!r} is taken for a feature; if it holds labels, use dataset.label={name}, or "
        f"dataset.exclude=[{name}]"
        for name in labelled
    ]
    texts = {name: first for name, first in head.texts.items() if name in free}
    return Columns(id_, label, numbers, texts, tuple(notes))


def _parquet_header(path: Path) -> Header:
    from pyarrow import types

    file = parquet_file(path, KEY)
    schema = file.schema_arrow
    texts = {}
    for column in schema:
        kind = column.type
        if types.is_nested(kind):
            raise ValueError(
                f"{KEY}={path} holds a {kind} in the column {column.name!r}; write a column for each value, "
                "or an .npy file of the vectors"
            )
        is_number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
        if not (is_number or types.is_boolean(kind)):
            texts[column.name] = ("all rows", f"a {kind}")
    check_names(schema.names, path, KEY)
    bare = [name for name in schema.names if name.startswith(INDEX)]
    return Header(tuple(schema.names), texts, tuple(bare), file.metadata.num_rows, None)


def _about(path: Path) -> int:
    """Guess the number of lines from the first of them."""
    with path.open("rb") as file:
        first = file.read(SAMPLE)
    return max(1, first.count(b"\n") * path.stat().st_size // max(1, len(first)))


def usual_id(names: list[str]) -> str | None:
    """Return the first column that is called as ids are, in any case."""
    called: dict[str, str] = {}
    for name in names:
        called.setdefault(name.casefold(), name)
    return next((called[usual] for usual in IDS if usual in called), None)


def _few(names: tuple[str, ...], most: int = 12) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
