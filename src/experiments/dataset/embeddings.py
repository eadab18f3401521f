"""Precomputed embeddings in a CSV, TSV, Parquet, .npy or .npz file."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from experiments.dataset.tables.columns import KEY, Columns
from experiments.dataset.vectors.arrays import IDS_KEY, is_array
from experiments.dataset.vectors.vector_file import VectorFile
from experiments.dataset.vectors.vector_rows import Features, RawTable
from experiments.messages import DataError, setting

FAULTS = {  # kinds of invalid values: the fact and the suggestion of an error
    "text": ("is not a number", "correct it"),
    "missing": ("is missing", "fill it, or use dataset=table, which takes the median"),
    "infinite": ("is not finite in float32", "correct it"),
}


@dataclass(frozen=True, kw_only=True)
class Embeddings(VectorFile):
    """Precomputed embeddings; every column is a feature unless a setting names it.

    Parameters
    ----------
    ids
        File with an id for each row of an .npy file (.txt with one per line, .csv or .npy); None: the array
        `ids` of an .npz file, else row numbers.
    """

    VERSION: ClassVar[int] = 3

    ids: str | None = field(metadata={"path": True})

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        if self.ids is not None and not is_array(Path(self.path)):
            raise ValueError(
                f"dataset.ids={self.ids} is for .npy files, but {self.path} is a table; use "
                "dataset.id=<column>"
            )

    def _ids(self) -> str | None:
        return self.ids

    def _files(self) -> dict[str, Path]:
        return super()._files() | ({IDS_KEY: Path(self.ids)} if self.ids else {})

    def _check(self, columns: Columns) -> None:
        if columns.id:
            self._check_texts(columns)

    def _check_texts(self, columns: Columns) -> None:
        if columns.texts:
            name, (where, value) = next(iter(columns.texts.items()))
            raise DataError(
                KEY,
                self.path,
                f" has texts among the numbers: {value!r} in the column {name!r} ({where})",
                (
                    f"use {setting('dataset.exclude', columns.texts)} to leave such columns out, or "
                    f"{setting('dataset.label', name)}"
                ),
            )

    def _features(self, raw: RawTable, columns: Columns, ids: list[str]) -> Features:
        self._check_texts(columns)
        if raw.odd:
            self._refuse(raw, ids)
        return Features(np.arange(len(columns.numbers)), np.zeros(len(columns.numbers), np.float32))

    def _refuse(self, raw: RawTable, ids: list[str]) -> None:
        first = min(raw.odd.values(), key=lambda odd: odd.row)
        fact, remedy = FAULTS[first.kind]
        same_kind = [odd for odd in raw.odd.values() if odd.kind == first.kind]
        raise DataError(
            KEY,
            self.path,
            (
                f": {first.value!r} in the column {first.column!r} {fact} ({first.where}, id "
                f"{ids[first.row]!r}; such values in this column: {first.count}, in {len(same_kind)} "
                f"columns: {sum(odd.count for odd in same_kind)})"
            ),
            f"{remedy}, or leave the column out: {setting('dataset.exclude', [first.column])}",
        )
