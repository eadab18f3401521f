"""The embeddings of a recorded run: from the store if they are kept, else computed again, and as a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.config.stage import GROUPS, build_stage
from experiments.context import Context
from experiments.dataset.tables.cell_text import escape_formula
from experiments.dataset.tables.matching import match_names
from experiments.pipeline import Places
from experiments.recorded import Recorded
from experiments.recorded.samples import NOWHERE, config_of, dataset_of
from experiments.samples import Samples
from experiments.types import Stages

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = ("csv", "parquet", "npy")
NAME = "embeddings"
IDS = f"{NAME}_ids.txt"
ID = "image_id"
VALUES = 1 << 21  # written at a time


def check_kind(kind: str) -> None:
    """Raise ValueError unless embeddings can be written so."""
    if kind not in KINDS:
        raise ValueError(f"--embeddings {kind} is not an option; use {', '.join(KINDS)}")


def embeddings_of(
    run: Recorded, ids: np.ndarray, hashes: np.ndarray, ctx: Context, places: Mapping[str, Any] = NOWHERE
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Compute what was clustered, or take it from the store.

    Parameters
    ----------
    ids, hashes
        The samples, and what each was made of, as the run recorded them.
    places
        Where its data is now, as `samples.moved` reads it.

    Returns
    -------
    float32 (n, d), a row for each of these ids, and what its values are called: as the vectors' own columns
    if the backbone hands those on, else d0, d1, ...

    Raises
    ------
    ValueError
        If the data set does not give the samples any more that were clustered.
    """
    cfg = config_of(run)
    with run.by_its_code():
        chosen = {group: build_stage(group, cfg[group]) for group in GROUPS if group != "dataset"}
    protocol = str(cfg.protocol)
    stages = Stages(dataset=dataset_of(run, cfg, places), **chosen, evaluators={}, protocol=protocol)
    samples = stages.dataset.load(ctx)
    rows = match_names([str(name) for name in ids], [str(name) for name in samples.ids]).positions
    gone = ids[rows < 0]
    if len(gone) or len(ids) != len(samples):
        raise ValueError(
            f"RUN_ID={run.id} clustered {len(ids)} samples, and {samples.source} now gives {len(samples)} "
            f"others{f', without {gone[0]}' if len(gone) else ''}; put back what was there, or run it again"
        )
    changed = np.flatnonzero(samples.content.hashes[rows] != hashes)
    if len(changed):
        raise ValueError(
            f"RUN_ID={run.id} clustered other values than {samples.source} now gives for {len(changed)} of "
            f"{len(ids)} samples, such as {ids[changed[0]]}; put back what was there, or run it again"
        )
    at = Places.of(stages, samples, ctx)
    encoder = at.samples.fitted(stages.backbone, lambda: stages.backbone.fit(samples, at.samples))
    if encoder.stopped:
        at = Places.of(stages, samples, ctx, encoder.stopped)
    embeddings = ctx.store.array(at.embedded, lambda: encoder.embed(samples, ctx))
    names = _names(samples, embeddings)
    return (embeddings if (rows == np.arange(len(rows))).all() else np.asarray(embeddings[rows])), names


def _names(samples: Samples, embeddings: np.ndarray) -> tuple[str, ...]:
    columns = samples.columns
    if columns and ID not in columns and np.array_equal(embeddings, samples.content.vectors()):
        return columns
    return tuple(f"d{column}" for column in range(embeddings.shape[1]))


def write(
    ids: np.ndarray, embeddings: np.ndarray, columns: tuple[str, ...], folder: Path, kind: str
) -> list[str]:
    """Write embeddings as `dataset=embeddings` reads them, bit for bit; return the names of the files."""
    check_kind(kind)
    name = f"{NAME}.{kind}"
    if kind != "npy":
        _write_table(ids, embeddings, columns, folder / name, kind)
        return [name]
    broken = next((one for one in ids if "\n" in one or "\r" in one), None)
    if broken is not None:
        raise ValueError(
            f"--embeddings npy writes an id a line, and {broken!r} has a line break; use --embeddings parquet"
        )
    np.save(folder / name, np.asarray(embeddings, np.float32), allow_pickle=False)
    (folder / IDS).write_text("".join(f"{escape_formula(str(one))}\n" for one in ids), encoding="utf-8")
    return [name, IDS]


def _write_table(
    ids: np.ndarray, embeddings: np.ndarray, columns: tuple[str, ...], path: Path, kind: str
) -> None:
    import pyarrow as pa
    from pyarrow import csv, parquet

    n, d = embeddings.shape
    names = [escape_formula(name) if kind == "csv" else name for name in columns]
    schema = pa.schema([(ID, pa.string()), *((name, pa.float32()) for name in names)])
    opened: Any = csv.CSVWriter if kind == "csv" else parquet.ParquetWriter
    size = max(1, VALUES // d)
    with opened(path, schema) as writer:
        for start in range(0, n, size):
            rows = slice(start, start + size)
            texts = [escape_formula(str(one)) if kind == "csv" else str(one) for one in ids[rows]]
            writer.write_table(_table(texts, embeddings[rows], schema))


def _table(texts: list[str], values: np.ndarray, schema: "pa.Schema") -> "pa.Table":
    import pyarrow as pa

    columns = np.ascontiguousarray(np.asarray(values, np.float32).T)
    return pa.table([pa.array(texts, pa.string()), *map(pa.array, columns)], schema=schema)
