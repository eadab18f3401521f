"""Tables as people have them: CSV in several spellings, TSV and Parquet, with errors that name the line."""

import csv
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.dataset.tables.cell_text import unescape_formula
from experiments.dataset.tables.csv_dialect import KINDS, Dialect, check_names, detect_dialect, readable

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

csv.field_size_limit(1 << 24)  # characters; the standard library's 131,072 are fewer than some texts have
PARQUET = (".parquet", ".pq")


def is_parquet(path: Path) -> bool:
    """Tell a Parquet file by its ending."""
    return path.suffix.lower() in PARQUET


def text_table(path: Path, key: str, header: bool | None = None) -> "pd.DataFrame":
    """Read a CSV, TSV or Parquet file as text, spaces around it included, with missing values as NA.

    Its index is called `line`, with the line of each row, or `row`, counted from 1, of a Parquet file.

    Parameters
    ----------
    key
        Of the setting that names the file, for errors.
    header
        True if the first line names the columns, False if not; None: the first lines tell, as `form_of` does.

    Raises
    ------
    ValueError
        If it cannot be read, is broken, has no rows, or names two columns alike.
    """
    import pandas as pd

    if is_parquet(path):
        return _parquet_as_text(path, key)
    dialect = detect_dialect(path, key, header)
    if dialect.note:
        log.warning("%s: %s", path.name, dialect.note)
    numbered = list(read_rows(path, dialect, key))
    if not numbered:
        raise ValueError(no_rows(path, key))
    lines, rows = zip(*numbered, strict=True)
    columns = zip(dialect.columns, zip(*rows, strict=True), strict=True)
    return pd.DataFrame(
        {
            name: pd.array([_there(unescape_formula(text)) for text in texts], "string")
            for name, texts in columns
        },
        index=pd.Index(lines, name="line"),
    )


def read_rows(path: Path, dialect: Dialect, key: str) -> Iterator[tuple[int, list[str]]]:
    """Give each row's fields with the number of its line; raise ValueError at a line that is broken."""
    with readable(path, key), path.open(encoding=dialect.encoding, newline="") as lines:
        for _ in range(dialect.header):
            lines.readline()
        yield from parse_rows(lines, dialect.header + 1, path, dialect, key)


def parse_rows(
    lines: Iterable[str], first: int, path: Path, dialect: Dialect, key: str
) -> Iterator[tuple[int, list[str]]]:
    """Give the rows of some lines as `records` does; `first` is the number of the first of them."""
    reader = csv.reader(lines, delimiter=dialect.separator, strict=True)
    line = first
    try:
        for fields in reader:
            if fields and len(fields) != len(dialect.columns):
                top = "header" if dialect.named else "first line"
                raise ValueError(
                    f"{key}={path} is broken in line {line}: it has {len(fields)} fields, and the {top} "
                    f"{len(dialect.columns)} (separated by {dialect.separator!r}); repair that line"
                )
            if fields:
                yield line, fields
            line = first + reader.line_num
    except csv.Error as error:
        raise ValueError(f"{key}={path} is broken in line {line} ({error}); repair that line") from error


def _there(text: str) -> str | None:
    return text if text.strip() else None


def no_rows(path: Path, key: str) -> str:
    """Say that a table is empty."""
    return f"{key}={path} has a header and no rows; use a table with rows"


def _parquet_as_text(path: Path, key: str) -> "pd.DataFrame":
    import pandas as pd

    with readable(path, key):
        path.open("rb").close()  # what pandas raises has no reason to show
        try:
            table = pd.read_parquet(path)
        except ValueError as error:  # pyarrow's own are such
            raise ValueError(f"{key}={path} cannot be read as Parquet ({error}); {KINDS}") from error
    if table.index.name:
        table = table.reset_index()
    table = table.convert_dtypes().astype("string")
    table.columns = [str(name).strip() for name in table.columns]
    check_names(table.columns, path, key)
    if table.empty:
        raise ValueError(no_rows(path, key))
    texts = {name: [_there(text) for text in table[name].fillna("")] for name in table}
    rows = pd.RangeIndex(1, len(table) + 1, name="row")
    return pd.DataFrame({name: pd.array(column, "string") for name, column in texts.items()}, index=rows)
