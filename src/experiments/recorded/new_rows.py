"""Read new vectors for a recorded model: a table with its columns, or an array of its width."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from experiments.context import Context
from experiments.dataset.embeddings import Embeddings
from experiments.dataset.tables.columns import KEY, Columns, ColumnSettings, read_header
from experiments.dataset.tables.matching import SPELLING, match_names
from experiments.dataset.tables.tabular import PARQUET
from experiments.dataset.vectors.arrays import ARRAYS, is_array
from experiments.dataset.vectors.sources import AmbiguousIdsError, Source, table_source
from experiments.messages import DataError
from experiments.samples import Samples

NUMBERED = re.compile(r"column_\d+")  # names of columns in a table without a header
EXTENSIONS = (".csv", ".tsv", *PARQUET, *ARRAYS)


def new_rows(path: Path, features: Sequence[str], id_: str | None, key: str, ctx: Context) -> Samples:
    """Read the values of these features; other columns of the table are ignored.

    Parameters
    ----------
    features
        Column names in the model's order; empty: all columns.
    id_
        The run's column of ids, or None; ignored if the table lacks it.
    key
        Name of the file argument in errors.

    Raises
    ------
    ValueError
        If a column or a value is missing.
    """
    try:
        has_header = None if is_array(path) or not features else not all(map(NUMBERED.fullmatch, features))
        columns, id_column = features, None
        if not is_array(path):
            columns, id_column = _match_features(path, features, id_, has_header)
        samples = _NewRows(
            path=str(path), id=id_column, ids=None, exclude=(), label=None, images=None, image_size=1,
            mirror=False, limit=None, labels=None, corrections=None, unlabelled="keep",
            split={"train": 1.0}, split_seed=0,
            header=has_header, features=tuple(columns),
        ).load(ctx)  # fmt: skip
    except AmbiguousIdsError as error:
        raise DataError(key, path, error.fact, "name one of them image_id") from error
    except DataError as error:  # columns cannot be excluded here
        advice = "fill or correct it" if "dataset." in error.advice else error.advice
        raise DataError(key, path, error.fact, advice) from error
    width = samples.content.vectors().shape[1]
    if features and width != len(features):
        raise ValueError(
            f"{key}={path} has {width} values per row, but the run's rows have {len(features)}; use rows "
            "with the run's features"
        )
    return replace(samples, columns=tuple(features))


@dataclass(frozen=True, kw_only=True)
class _NewRows(Embeddings):
    """A table whose values are the columns `features`; another column may contain the ids."""

    features: tuple[str, ...]

    def _choice(self) -> list[Any]:
        return [*super()._choice(), self.features]

    def _source(self, ctx: Context) -> Source:
        if is_array(Path(self.path)):
            return super()._source(ctx)
        wanted = ColumnSettings(self.id, features=self.features)
        return table_source(Path(self.path), wanted, self._chunking(ctx.threads), self.header)

    def _check_texts(self, columns: Columns) -> None:
        wanted = self.features or tuple(columns.texts)
        texts = {name: first for name, first in columns.texts.items() if name in wanted}
        super()._check_texts(replace(columns, texts=texts))


def _match_features(
    path: Path, features: Sequence[str], id_: str | None, has_header: bool | None
) -> tuple[list[str], str | None]:
    """Return the table's names of the features, and the run's column of ids if the table has it.

    Raise ValueError if a feature is missing.
    """
    names = read_header(path, has_header).names
    rows = match_names(features, names, SPELLING).positions
    missing = [name for name, row in zip(features, rows, strict=True) if row < 0]
    if missing:
        columns = f"{len(missing)} of the {len(features)} columns of the run: {', '.join(missing[:5])}"
        raise DataError(KEY, path, f" lacks {columns}", "name its columns as in the run")
    return [names[row] for row in rows], id_ if id_ in names else None
