"""Read CSV, TSV and Parquet files as text, with errors that name the line."""

import csv
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.dataset.tables.cell_text import unescape_formula
from experiments.dataset.tables.csv_dialect import USE_TABLE, Dialect, check_names, detect_dialect, readable
from experiments.messages import DataError

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

csv.field_size_limit(1 << 24)  # characters; the default of 131,072 is too few for some texts
PARQUET = (".parquet", ".pq")


def is_parquet(path: Path) -> bool:
    """Return True for the name of a Parquet file, by its extension."""
    return path.suffix.lower() in PARQUET


def text_table(path: Path, key: str, header: bool | None = None) -> "pd.DataFrame":
    """Read a CSV, TSV or Parquet file as text, spaces included, with missing values as NA.

    The index is called `line` and has each row's line number; of Parquet, `row`, counted from 1.

    Parameters
    ----------
    key
        Setting of the path, for errors.
    header
        True if the first line has column names, False if not; None: detected.

    Raises
    ------
    ValueError
        If the file cannot be read, is malformed, has no rows, or has two columns of one name.
    """
    import pandas as pd

    if is_parquet(path):
        return _parquet_as_text(path, key)
    dialect = detect_dialect(path, key, header)
    if dialect.note:
        log.warning("%s: %s", path.name, dialect.note)
    numbered = list(read_rows(path, dialect, key))
    if not numbered:
        raise no_rows(path, key)
    lines, rows = zip(*numbered, strict=True)
    columns = zip(dialect.columns, zip(*rows, strict=True), strict=True)
    return pd.DataFrame(
        {
            name: pd.array([_text_or_none(unescape_formula(text)) for text in texts], "string")
            for name, texts in columns
        },
        index=pd.Index(lines, name="line"),
    )


def read_rows(path: Path, dialect: Dialect, key: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row's line number and fields; raise ValueError at a malformed line."""
    with readable(path, key), path.open(encoding=dialect.encoding, newline="") as lines:
        for _ in range(dialect.header):
            lines.readline()
        yield from parse_rows(lines, dialect.header + 1, path, dialect, key)


def parse_rows(
    lines: Iterable[str], first: int, path: Path, dialect: Dialect, key: str
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of some lines as `read_rows` does; `first` is the number of the first line."""
    reader = csv.reader(lines, delimiter=dialect.separator, strict=True)
    line = first
    try:
        for fields in reader:
            if fields and len(fields) != len(dialect.columns):
                top = "header" if dialect.named else "first line"
                raise DataError(
                    key,
                    path,
                    (
                        f" is malformed in line {line}: it has {len(fields)} fields, but the {top} has "
                        f"{len(dialect.columns)} (separated by {dialect.separator!r})"
                    ),
                    "repair that line",
                )
            if fields:
                yield line, fields
            line = first + reader.line_num
    except csv.Error as error:
        raise DataError(key, path, f" is malformed in line {line} ({error})", "repair that line") from error


def _text_or_none(text: str) -> str | None:
    return text if text.strip() else None


def no_rows(path: Path, key: str) -> DataError:
    """Return the error of an empty table."""
    return DataError(key, path, " has a header but no rows", "use a table with rows")


def _parquet_as_text(path: Path, key: str) -> "pd.DataFrame":
    import pandas as pd

    with readable(path, key):
        path.open("rb").close()  # raises an OSError with a reason, which pandas' errors lack
        try:
            table = pd.read_parquet(path)
        except ValueError as error:  # pyarrow's errors are subclasses
            raise DataError(key, path, f" cannot be read as Parquet ({error})", USE_TABLE) from error
    if table.index.name:
        table = table.reset_index()
    table = table.convert_dtypes().astype("string")
    table.columns = [str(name).strip() for name in table.columns]
    check_names(table.columns, path, key)
    if table.empty:
        raise no_rows(path, key)
    texts = {name: [_text_or_none(text) for text in table[name].fillna("")] for name in table}
    rows = pd.RangeIndex(1, len(table) + 1, name="row")
    return pd.DataFrame({name: pd.array(column, "string") for name, column in texts.items()}, index=rows)
