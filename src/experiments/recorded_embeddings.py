"""The embeddings of a recorded run: from the store if they are kept, else computed again, and as a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments import config
from experiments.dataset.tables.tabular import guarded
from experiments.pipeline import Places
from experiments.recorded import Recorded
from experiments.recorded_samples import config_of, dataset_of
from experiments.types import Context, Stages

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


def embeddings_of(run: Recorded, ids: np.ndarray, ctx: Context) -> np.ndarray:
    """Return float32 (n, d), a row for each of these ids.

    Raises
    ------
    ValueError
        If the data set does not give the samples any more that were clustered.
    """
    cfg = config_of(run)
    chosen = {group: config.build_stage(group, cfg[group]) for group in config.GROUPS if group != "dataset"}
    protocol = str(cfg.protocol)
    stages = Stages(dataset=dataset_of(run, cfg), **chosen, evaluators={}, protocol=protocol)
    samples = stages.dataset.load(ctx)
    row_of = {str(name): row for row, name in enumerate(samples.ids)}
    gone = [str(name) for name in ids if str(name) not in row_of]
    if gone or len(ids) != len(row_of):
        raise ValueError(
            f"RUN_ID={run.id} clustered {len(ids)} samples, and {run.source} now gives {len(row_of)} others"
            f"{f', without {gone[0]}' if gone else ''}; put back what was there, or run it again"
        )
    at = Places.of(stages, samples, ctx)
    encoder = at.samples.fitted(stages.backbone, lambda: stages.backbone.fit(samples, at.samples))
    if encoder.stopped:
        at = Places.of(stages, samples, ctx, encoder.stopped)
    embeddings = ctx.store.array(at.embedded, lambda: encoder.embed(samples, ctx))
    rows = np.array([row_of[str(name)] for name in ids])
    return embeddings if (rows == np.arange(len(rows))).all() else np.asarray(embeddings[rows])


def write(ids: np.ndarray, embeddings: np.ndarray, folder: Path, kind: str) -> list[str]:
    """Write embeddings as `dataset=embeddings` reads them, bit for bit; return the names of the files."""
    check_kind(kind)
    name = f"{NAME}.{kind}"
    if kind != "npy":
        _write_table(ids, embeddings, folder / name, kind)
        return [name]
    broken = next((one for one in ids if "\n" in one or "\r" in one), None)
    if broken is not None:
        raise ValueError(
            f"--embeddings npy writes an id a line, and {broken!r} has a line break; use --embeddings parquet"
        )
    np.save(folder / name, np.asarray(embeddings, np.float32), allow_pickle=False)
    (folder / IDS).write_text("".join(f"{guarded(str(one))}\n" for one in ids), encoding="utf-8")
    return [name, IDS]


def _write_table(ids: np.ndarray, embeddings: np.ndarray, path: Path, kind: str) -> None:
    import pyarrow as pa
    from pyarrow import csv, parquet

    n, d = embeddings.shape
    schema = pa.schema([(ID, pa.string()), *((f"d{column}", pa.float32()) for column in range(d))])
    opened: Any = csv.CSVWriter if kind == "csv" else parquet.ParquetWriter
    size = max(1, VALUES // d)
    with opened(path, schema) as writer:
        for start in range(0, n, size):
            rows = slice(start, start + size)
            names = [guarded(str(one)) if kind == "csv" else str(one) for one in ids[rows]]
            writer.write_table(_table(names, embeddings[rows], schema))


def _table(names: list[str], values: np.ndarray, schema: "pa.Schema") -> "pa.Table":
    import pyarrow as pa

    columns = np.ascontiguousarray(np.asarray(values, np.float32).T)
    return pa.table([pa.array(names, pa.string()), *map(pa.array, columns)], schema=schema)
