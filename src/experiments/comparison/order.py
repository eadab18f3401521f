"""The order of a swept setting's values, of which some may be numbers and others words, such as null."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def in_order(values: Iterable[Any]) -> list[Any]:
    """Return each value once: numbers first, then texts, as pandas groups them."""
    return sorted(set(values), key=_place)


def sorted_by(table: "pd.DataFrame", keys: list[str]) -> "pd.DataFrame":
    """Return the rows in the order of these columns; equal ones stay as they were."""
    return table.sort_values(keys, kind="stable", ignore_index=True, key=_ranks)


def _ranks(column: "pd.Series") -> "pd.Series":
    places = {value: place for place, value in enumerate(in_order(column))}
    return column.map(places)


def _place(value: Any) -> tuple[bool, Any]:
    return isinstance(value, str), value
