"""A table of measurements: numeric columns in their own units, missing values filled with medians."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.dataset.tables.cell_text import has_comma
from experiments.dataset.tables.columns import KEY, Columns
from experiments.dataset.tables.header import LABEL_LIKE
from experiments.dataset.vectors.vector_file import VectorFile
from experiments.dataset.vectors.vector_rows import Features, RawTable, format_shortest
from experiments.messages import DataError, join_few, setting


@dataclass(frozen=True, kw_only=True)
class Table(VectorFile):
    """Tabular data with a row of measurements for each sample.

    Columns that have texts, are empty or are constant are left out; a missing value becomes its column's
    median over all rows of the file. The log lists both.
    """

    VERSION: ClassVar[int] = 3

    def _features(self, raw: RawTable, columns: Columns, ids: list[str]) -> Features:
        for name, (where, value) in columns.texts.items():
            self._check_commas(name, value, where)
        texts, features, fill = list(columns.texts), [], []
        dropped: dict[str, list[str]] = {"empty": [], "constant": []}
        filled: list[str] = []
        for column, name in enumerate(columns.numbers):
            if self._is_text(raw, name, ids):
                texts.append(name)
                continue
            if raw.count(name, "infinite"):
                self._refuse(raw, name, "infinite", "is not finite in float32", ids)
            missing = raw.count(name, "missing")
            if missing == raw.n:
                dropped["empty"].append(name)
            elif raw.low[column] == raw.high[column]:
                dropped["constant"].append(f"{name} (always {format_shortest(raw.low[column])})")
            else:
                features.append(column)
                fill.append(np.nanmedian(np.array(raw.values[:, column], np.float64)) if missing else 0)
                filled += [f"{name} ({missing})"] if missing else []
        notes = [f"{len(names)} {kind} columns are left out: {join_few(names)}" for kind, names in
                 (("text", texts), *dropped.items()) if names]  # fmt: skip
        notes += [
            f"if the column {name!r} has labels, use {setting('dataset.label', name)}"
            for name in texts
            if name.casefold() in LABEL_LIKE and not columns.label
        ]
        if filled:
            notes.append(f"missing values are filled with the median of their column: {join_few(filled)}")
        return Features(np.array(features, np.int64), np.array(fill, np.float32), tuple(notes))

    def _is_text(self, raw: RawTable, name: str, ids: list[str]) -> bool:
        """Return True for a column of mostly texts; raise ValueError for one of numbers with some texts."""
        texts, missing = raw.count(name, "text"), raw.count(name, "missing")
        numbers = raw.n - texts - missing
        if texts and numbers >= texts:
            self._refuse(raw, name, "text", "is not a number, unlike most values of the column", ids)
        if texts:
            odd = raw.odd[name, "text"]
            self._check_commas(name, odd.value, odd.where)
        return bool(texts)

    def _check_commas(self, name: str, value: str, where: str) -> None:
        """Raise ValueError if a text is a number with commas."""
        if has_comma(value):
            raise DataError(
                KEY,
                self.path,
                (
                    f": {value!r} in the column {name!r} ({where}) has a comma, but the file uses decimal "
                    "points or is separated by commas"
                ),
                (
                    "write all numbers with decimal points, or leave the column out: "
                    f"{setting('dataset.exclude', [name])}"
                ),
            )

    def _refuse(self, raw: RawTable, name: str, kind: str, fact: str, ids: list[str]) -> None:
        odd = raw.odd[name, kind]
        raise DataError(
            KEY,
            self.path,
            (
                f": {odd.value!r} in the column {name!r} {fact} ({odd.where}, id {ids[odd.row]!r}; "
                f"{odd.count} such values)"
            ),
            f"correct it, or leave the column out: {setting('dataset.exclude', [name])}",
        )
