"""Tags: further labels of a table, any number per sample, in columns of 0 and 1 or of weights."""

import logging
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

BOX = re.compile(
    r"([xywh]|[xy]_?(min|max|c|0|1|2)|c[xy]|(bbox|box)\W*\w*|width|height|left|top|right|bottom)",
    re.IGNORECASE,
)  # names of columns with coordinates of bounding boxes
log = logging.getLogger(__name__)


def select_tags(
    table: "pd.DataFrame",
    wanted: Sequence[str] | None,
    used: Collection[str],
    rows: np.ndarray,
    path: Path,
) -> tuple[tuple[str, ...], np.ndarray | None]:
    """Return the names of the tags and their values: float32 (n, t), or None without tags.

    An empty cell and a sample without a row count as 0.

    Parameters
    ----------
    table
        Cells as text.
    wanted
        Columns; None: all columns of numbers from 0 to 1, except bounding boxes and columns in `used`.
    rows
        int64 (n,): the row of each sample, -1 for none.
    """
    if wanted is None:
        names = [str(name) for name in table if name not in used and _is_tag(table[name])]
    else:
        names = list(wanted)
        _check(table, names, path)
    if not names:
        return (), None
    values = np.stack([_numbers(table[name]) for name in names], axis=1)
    empty = int(np.isnan(values).sum())
    if empty:
        log.warning("%s: %d empty cells of %s count as 0", path.name, empty, ", ".join(names))
    sample_values = np.where((rows >= 0)[:, None], np.nan_to_num(values)[rows], np.float32(0))
    return tuple(names), sample_values.astype(np.float32)


def holds_numbers(column: "pd.Series[str]") -> bool:
    """Return True if a column of texts has values, and all of them are numbers."""
    return _reason(column) == ""


def _is_tag(column: "pd.Series[str]") -> bool:
    """Return True for a column of numbers from 0 to 1 whose name is not one of bounding boxes."""
    if BOX.fullmatch(str(column.name)) or not holds_numbers(column):
        return False
    values = _numbers(column.dropna())
    return bool(((values >= 0) & (values <= 1)).all())


def _check(table: "pd.DataFrame", names: Sequence[str], path: Path) -> None:
    for name in names:
        if name not in table:
            raise ValueError(
                f"dataset.labels.tags: {name} is not a column of {path}; use some of "
                f"{', '.join(map(str, table))}"
            )
        reason = _reason(table[name])
        if reason:
            raise ValueError(
                f"dataset.labels.tags: {name} of {path} {reason}; use columns of 0 and 1 or of weights, or "
                "null for all such columns"
            )


def _reason(column: "pd.Series[str]") -> str:
    """Return the reason why a column cannot be a tag; "" if it can."""
    values = column.dropna()
    if values.empty:
        return "is empty"
    wrong = np.flatnonzero(~np.isfinite(_numbers(values)))
    if len(wrong):
        return f"contains {values.iloc[wrong[0]]!r} in {values.index.name or 'line'} {values.index[wrong[0]]}"
    return ""


def _numbers(column: "pd.Series[str]") -> np.ndarray:
    """Return float32 (n,), nan for missing values and texts; Parquet's true and false become 1 and 0."""
    import pandas as pd

    texts = column.str.strip().replace({"True": "1", "False": "0"})
    return pd.to_numeric(texts, errors="coerce").to_numpy(np.float32, na_value=np.nan)
