"""New rows for a model that clustered vectors: a table with its columns, or an array of its width."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from experiments.dataset.content import Vectors, hash_rows
from experiments.dataset.embeddings import Embeddings, is_array
from experiments.dataset.tables.columns import KEY, header, usual_id
from experiments.dataset.tables.sources import ARRAYS
from experiments.dataset.tables.tabular import PARQUET
from experiments.types import Context, Samples

ENDINGS = (".csv", ".tsv", *PARQUET, *ARRAYS)


def new_rows(path: Path, features: Sequence[str], key: str, ctx: Context) -> Samples:
    """Read the values of these features, whatever other columns a table has.

    Parameters
    ----------
    features
        Names of the columns, in the order in which a model wants them; none: all columns.
    key
        What names the file in an error.

    Raises
    ------
    ValueError
        If a column is missing, or a value in one: what a gap should become, nobody knows.
    """
    try:
        exclude = () if is_array(path) else _others(path, features)
        samples = Embeddings(
            path=str(path), id=None, ids=None, exclude=exclude, label=None, images=None, image_size=1,
            mirror=False, limit=None, labels=None, corrections=None, split={"train": 1.0}, split_seed=0,
        ).load(ctx)  # fmt: skip
    except ValueError as error:
        raise ValueError(_told(str(error), key)) from error
    values = samples.content.vectors()
    if features and values.shape[1] != len(features):
        raise ValueError(
            f"{key}={path} has {values.shape[1]} values a row, and the run {len(features)}; use rows made "
            "as the run's were"
        )
    if features and not is_array(path):
        place = {name: column for column, name in enumerate(samples.columns)}
        values = np.ascontiguousarray(values[:, [place[name] for name in features]])
    return replace(samples, content=Vectors(values, hash_rows(values)), columns=tuple(features))


def _others(path: Path, features: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of a table that are neither features nor ids."""
    if not features:
        return ()
    head = header(path)
    absent = [name for name in features if name not in head.names]
    if absent:
        raise ValueError(
            f"{KEY}={path} lacks {len(absent)} of the {len(features)} columns of the run: "
            f"{', '.join(absent[:5])}; name its columns as the run's"
        )
    left = [name for name in head.names if name not in features and name not in head.unnamed]
    return tuple(name for name in left if name != usual_id(left))


def _told(error: str, key: str) -> str:
    """Say it of a file that is no data set: none of its columns can be left out."""
    error = error.replace(f"{KEY}=", f"{key}=")
    return f"{error.rpartition('; ')[0]}; fill or correct it" if "dataset." in error else error
