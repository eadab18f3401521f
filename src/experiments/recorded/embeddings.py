"""The embeddings of a past run: from the cache or computed again, and written to a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.config.stage import GROUPS, build_stage
from experiments.context import Context
from experiments.dataset.tables.cell_text import escape_formula
from experiments.dataset.tables.matching import match_names
from experiments.pipeline import StepKeys
from experiments.recorded import PastRun
from experiments.recorded.samples import UNMOVED, config_of, dataset_of
from experiments.samples import Samples
from experiments.types import Stages

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = ("csv", "parquet", "npy")
FILE_NAME = "embeddings"
IDS_FILE = f"{FILE_NAME}_ids.txt"
ID_COLUMN = "image_id"
BLOCK_VALUES = 1 << 21  # values written at a time


def check_kind(kind: str) -> None:
    """Raise ValueError unless embeddings can be written in this format."""
    if kind not in KINDS:
        raise ValueError(f"--embeddings {kind} is not an option; use {', '.join(KINDS)}")


def embeddings_of(
    run: PastRun, ids: np.ndarray, hashes: np.ndarray, ctx: Context, data_paths: Mapping[str, Any] = UNMOVED
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the embeddings that a run clustered, from the cache or computed again.

    Parameters
    ----------
    ids, hashes
        The recorded ids and content hashes of its samples.
    data_paths
        Paths of data that was moved, from `samples.split_data_paths`.

    Returns
    -------
    float32 (n, d), a row for each id, and the names of the d values: the vectors' columns if the backbone
    returns them unchanged, else d0, d1, ...

    Raises
    ------
    ValueError
        If the data set's samples are not those of the run.
    """
    cfg = config_of(run)
    with run.naming_other_code():
        stages_by_group = {group: build_stage(group, cfg[group]) for group in GROUPS if group != "dataset"}
    protocol = str(cfg.protocol)
    dataset = dataset_of(run, cfg, data_paths)
    stages = Stages(dataset=dataset, **stages_by_group, evaluators={}, protocol=protocol)
    samples = stages.dataset.load(ctx)
    rows = match_names([str(name) for name in ids], [str(name) for name in samples.ids]).positions
    missing = ids[rows < 0]
    if len(missing) or len(ids) != len(samples):
        raise ValueError(
            f"RUN_ID={run.id} clustered {len(ids)} samples, but {samples.source} now has {len(samples)}"
            f"{f', without {missing[0]}' if len(missing) else ''}; restore the data, or run it again"
        )
    changed = np.flatnonzero(samples.content.hashes[rows] != hashes)
    if len(changed):
        raise ValueError(
            f"RUN_ID={run.id}: {len(changed)} of its {len(ids)} samples changed in {samples.source}, such as "
            f"{ids[changed[0]]}; restore the data, or run it again"
        )
    keys = StepKeys.of(stages, samples, ctx)
    encoder = keys.for_backbone.fitted(
        stages.backbone, lambda: stages.backbone.fit(samples, keys.for_backbone)
    )
    if encoder.stopped:
        keys = StepKeys.of(stages, samples, ctx, encoder.stopped)
    embeddings = ctx.store.array(keys.embeddings, lambda: encoder.embed(samples, ctx))
    names = _names(samples, embeddings)
    return (embeddings if (rows == np.arange(len(rows))).all() else np.asarray(embeddings[rows])), names


def _names(samples: Samples, embeddings: np.ndarray) -> tuple[str, ...]:
    columns = samples.columns
    if columns and ID_COLUMN not in columns and np.array_equal(embeddings, samples.content.vectors()):
        return columns
    return tuple(f"d{column}" for column in range(embeddings.shape[1]))


def write(
    ids: np.ndarray, embeddings: np.ndarray, columns: tuple[str, ...], folder: Path, kind: str
) -> list[str]:
    """Write embeddings in the format of `dataset=embeddings`, bit for bit; return the file names."""
    check_kind(kind)
    name = f"{FILE_NAME}.{kind}"
    if kind != "npy":
        _write_table(ids, embeddings, columns, folder / name, kind)
        return [name]
    multiline = next((id_ for id_ in ids if "\n" in id_ or "\r" in id_), None)
    if multiline is not None:
        raise ValueError(
            f"--embeddings npy writes one id per line, but {multiline!r} has a line break; use --embeddings "
            "parquet"
        )
    np.save(folder / name, np.asarray(embeddings, np.float32), allow_pickle=False)
    (folder / IDS_FILE).write_text("".join(f"{escape_formula(str(id_))}\n" for id_ in ids), encoding="utf-8")
    return [name, IDS_FILE]


def _write_table(
    ids: np.ndarray, embeddings: np.ndarray, columns: tuple[str, ...], path: Path, kind: str
) -> None:
    import pyarrow as pa
    from pyarrow import csv, parquet

    n, d = embeddings.shape
    names = [escape_formula(name) if kind == "csv" else name for name in columns]
    schema = pa.schema([(ID_COLUMN, pa.string()), *((name, pa.float32()) for name in names)])
    open_writer: Any = csv.CSVWriter if kind == "csv" else parquet.ParquetWriter
    size = max(1, BLOCK_VALUES // d)
    with open_writer(path, schema) as writer:
        for start in range(0, n, size):
            rows = slice(start, start + size)
            texts = [escape_formula(str(id_)) if kind == "csv" else str(id_) for id_ in ids[rows]]
            writer.write_table(_table(texts, embeddings[rows], schema))


def _table(texts: list[str], values: np.ndarray, schema: "pa.Schema") -> "pa.Table":
    import pyarrow as pa

    columns = np.ascontiguousarray(np.asarray(values, np.float32).T)
    return pa.table([pa.array(texts, pa.string()), *map(pa.array, columns)], schema=schema)
