"""Values that are not finite: their kind, their number, and the first of each column."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from experiments.dataset.tables.cell_text import MISSING


@dataclass(frozen=True)
class OddValue:
    """The values of a column that are `missing`, `infinite`, or a `text`: their number and the first.

    `row` counts from 0 below the header; `where` is for messages: the line, or the row from 1.
    """

    column: str
    kind: str
    count: int
    row: int
    where: str
    value: str


def odd_values(
    values: np.ndarray,
    numbers: Iterable[str],
    where: Callable[[int], str],
    cell: Callable[[int, int], str],
    above: int = 0,
    *,
    texts: bool = False,
) -> Iterator[OddValue]:
    """Yield the values that are not finite, column by column.

    Parameters
    ----------
    where
        Returns the line of a row, for messages.
    cell
        Returns the text of a cell, by row and column.
    above
        Rows of the file above `values`; `where` counts them, `cell` does not.
    texts
        True if NaN may stand for a text, which `cell` distinguishes from a missing value.
    """
    odd = ~np.isfinite(values)
    for column, name in enumerate(numbers):
        if not odd[:, column].any():
            continue
        by_kind: dict[str, list[int]] = {}
        for row in np.flatnonzero(odd[:, column]).tolist():
            kind = "infinite" if np.isinf(values[row, column]) else "missing"
            if texts and kind == "missing" and not _is_missing(cell(row, column)):
                kind = "text"
            by_kind.setdefault(kind, []).append(row)
        for kind, rows in by_kind.items():
            row = above + rows[0]
            yield OddValue(name, kind, len(rows), row, where(row), cell(rows[0], column).strip(" \t"))


def _is_missing(text: str) -> bool:
    text = text.strip(" \t")
    return text in MISSING or text.lower().lstrip("+-") == "nan"
