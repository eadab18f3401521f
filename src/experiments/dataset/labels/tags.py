"""Further labels of a table, of which a sample may have several: columns of 0 and 1, or of weights."""

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
)  # the sides of boxes around objects, and what their columns are called
log = logging.getLogger(__name__)


def tags_of(
    table: "pd.DataFrame",
    wanted: Sequence[str] | None,
    taken: Collection[str],
    places: np.ndarray,
    path: Path,
) -> tuple[tuple[str, ...], np.ndarray | None]:
    """Return the names of the tags, and their values at these rows: float32 (n, t), or None without tags.

    An empty value, or no row (place -1), counts as 0.

    Parameters
    ----------
    table
        Text.
    wanted
        Columns; None: every one that holds numbers from 0 to 1 alone, but for boxes and those `taken`.
    """
    if wanted is None:
        names = [str(name) for name in table if name not in taken and _is_tag(table[name])]
    else:
        names = list(wanted)
        _check(table, names, path)
    if not names:
        return (), None
    values = np.stack([_numbers(table[name]) for name in names], axis=1)
    empty = int(np.isnan(values).sum())
    if empty:
        log.warning("%s: %d empty values of %s count as 0", path.name, empty, ", ".join(names))
    found = np.where((places >= 0)[:, None], np.nan_to_num(values)[places], np.float32(0))
    return tuple(names), found.astype(np.float32)


def holds_numbers(column: "pd.Series[str]") -> bool:
    """Return True if all there is in a column of texts are numbers."""
    return _reason(column) == ""


def _is_tag(column: "pd.Series[str]") -> bool:
    """Return True if a column holds a tag by itself: 0 and 1, or weights, and no side of a box."""
    if BOX.fullmatch(str(column.name)) or not holds_numbers(column):
        return False
    values = _numbers(column.dropna())
    return bool(((values >= 0) & (values <= 1)).all())


def _check(table: "pd.DataFrame", names: Sequence[str], path: Path) -> None:
    for name in names:
        if name not in table:
            raise ValueError(
                f"dataset.labels.tags: {name} is no column of {path}; use some of "
                f"{', '.join(map(str, table))}"
            )
        reason = _reason(table[name])
        if reason:
            raise ValueError(
                f"dataset.labels.tags: {name} of {path} {reason}; use columns of 0 and 1 or of weights, or "
                "null for all such columns"
            )


def _reason(column: "pd.Series[str]") -> str:
    """Say why a column holds no tag; "" if it does."""
    there = column.dropna()
    if there.empty:
        return "is empty"
    wrong = np.flatnonzero(~np.isfinite(_numbers(there)))
    if len(wrong):
        return f"holds {there.iloc[wrong[0]]!r} in {there.index.name or 'line'} {there.index[wrong[0]]}"
    return ""


def _numbers(column: "pd.Series[str]") -> np.ndarray:
    """Return float32 (n,), nan for what is missing or no number; Parquet's true and false are 1 and 0."""
    import pandas as pd

    plain = column.str.strip().replace({"True": "1", "False": "0"})
    return pd.to_numeric(plain, errors="coerce").to_numpy(np.float32, na_value=np.nan)
