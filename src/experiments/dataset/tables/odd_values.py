"""Values that are not finite: what kind each is, how many there are, and where the first stands."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from experiments.dataset.tables.cell_text import MISSING


@dataclass(frozen=True)
class OddValue:
    """How many values of a column are `missing`, `infinite`, or a `text`, and the first of them.

    `row` counts from 0 below the header, `place` is what a person looks for: its line, or its row from 1.
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
    """Describe what is not finite, column by column.

    Parameters
    ----------
    place, spelt
        Where a row stands, and how the file writes the value of a row and a column.
    above
        Rows that stand above; `place` counts them, `spelt` does not.
    texts
        A value that is not a number may be a text, not only missing: only `spelt` tells.
    """
    odd = ~np.isfinite(values)
    for column, name in enumerate(numbers):
        if not odd[:, column].any():
            continue
        found: dict[str, list[int]] = {}
        for row in np.flatnonzero(odd[:, column]).tolist():
            kind = "infinite" if np.isinf(values[row, column]) else "missing"
            if texts and kind == "missing" and not _is_missing(cell(row, column)):
                kind = "text"
            found.setdefault(kind, []).append(row)
        for kind, held in found.items():
            row = above + held[0]
            yield OddValue(name, kind, len(held), row, where(row), cell(held[0], column).strip(" \t"))


def _is_missing(text: str) -> bool:
    text = text.strip(" \t")
    return text in MISSING or text.lower().lstrip("+-") == "nan"
