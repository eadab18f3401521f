"""New rows for a model that clustered vectors: a table with its columns, or an array of its width."""

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
from experiments.dataset.vectors.sources import Source, table_source
from experiments.samples import Samples

NUMBERED = re.compile(r"column_\d+")  # what columns are called in a table without a header
ENDINGS = (".csv", ".tsv", *PARQUET, *ARRAYS)


def new_rows(path: Path, features: Sequence[str], id_: str | None, key: str, ctx: Context) -> Samples:
    """Read the values of these features, whatever other columns a table has.

    Parameters
    ----------
    features
        Names of the columns, in the order in which a model wants them; none: all columns.
    id_
        The column of ids that the run had, if one was named; it is taken if it is there.
    key
        What names the file in an error.

    Raises
    ------
    ValueError
        If a column is missing, or a value in one: what a gap should become, nobody knows.
    """
    try:
        named = None if is_array(path) or not features else not all(map(NUMBERED.fullmatch, features))
        own, column = (features, None) if is_array(path) else _known(path, features, id_, named)
        samples = _NewRows(
            path=str(path), id=column, ids=None, exclude=(), label=None, images=None, image_size=1,
            mirror=False, limit=None, labels=None, corrections=None, unlabelled="keep",
            split={"train": 1.0}, split_seed=0,
            header=named, features=tuple(own),
        ).load(ctx)  # fmt: skip
    except ValueError as error:
        raise ValueError(_told(str(error), key)) from error
    width = samples.content.vectors().shape[1]
    if features and width != len(features):
        raise ValueError(
            f"{key}={path} has {width} values a row, and the run {len(features)}; use rows made as the run's "
            "were"
        )
    return replace(samples, columns=tuple(features))


@dataclass(frozen=True, kw_only=True)
class _NewRows(Embeddings):
    """Rows of which only these columns are values; what else there is may tell the ids."""

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


def _known(
    path: Path, features: Sequence[str], id_: str | None, named: bool | None
) -> tuple[list[str], str | None]:
    """Return what the table calls the features, and the run's column of ids if the table has it.

    Raise ValueError if one of the features is missing.
    """
    names = read_header(path, named).names
    places = match_names(features, names, SPELLING).positions
    absent = [name for name, place in zip(features, places, strict=True) if place < 0]
    if absent:
        raise ValueError(
            f"{KEY}={path} lacks {len(absent)} of the {len(features)} columns of the run: "
            f"{', '.join(absent[:5])}; name its columns as the run's"
        )
    return [names[place] for place in places], id_ if id_ in names else None


def _told(error: str, key: str) -> str:
    """Say it of a file that is no data set: none of its columns can be left out."""
    error = error.replace(f"{KEY}=", f"{key}=")
    if "could be ids" in error:
        return f"{error.rpartition('; ')[0]}; call one image_id"
    return f"{error.rpartition('; ')[0]}; fill or correct it" if "dataset." in error else error
