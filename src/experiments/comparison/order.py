"""The order of a swept setting's values, which may mix numbers with words such as null."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def in_order(values: Iterable[Any]) -> list[Any]:
    """Return the distinct values in order: numbers first, then texts, as in pandas' groupby."""
    return sorted(set(values), key=_sort_key)


def sorted_by(table: "pd.DataFrame", keys: list[str]) -> "pd.DataFrame":
    """Return the rows sorted by these columns; equal rows keep their order."""
    return table.sort_values(keys, kind="stable", ignore_index=True, key=_ranks)


def _ranks(column: "pd.Series") -> "pd.Series":
    ranks = {value: rank for rank, value in enumerate(in_order(column))}
    return column.map(ranks)


def _sort_key(value: Any) -> tuple[bool, Any]:
    return isinstance(value, str), value
