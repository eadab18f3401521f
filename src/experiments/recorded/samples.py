"""Load the data set of a past run again, and match its clustered samples by id."""

import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from omegaconf import DictConfig, OmegaConf

from experiments.config import compose
from experiments.config.stage import build_stage
from experiments.context import Context
from experiments.dataset.tables.matching import match_names
from experiments.evaluator.pictures.thumbnails import thumbnails
from experiments.messages import counted
from experiments.recorded import PastRun
from experiments.samples import Samples

log = logging.getLogger(__name__)

DATA_PATHS = (  # paths that may have changed since a run
    "dataset.root",
    "dataset.path",
    "dataset.images",
    "dataset.ids",
    "dataset.labels",
    "dataset.labels.path",
    "dataset.corrections",
)
UNMOVED: Mapping[str, Any] = {}  # the data set's paths are those of the run


def split_data_paths(settings: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Split settings into the current paths of a run's data and all others.

    Raises
    ------
    ValueError
        For a data set setting that is not a path.
    """
    paths, others = {}, []
    for override in compose.parse(settings):
        key = str(override.key_or_group)
        if key in DATA_PATHS and not override.is_sweep_override():
            paths[key] = override.value()
        elif key.partition(".")[0] == "dataset":
            raise ValueError(
                f"{override.input_line} would load other data than the run's; use only paths of moved "
                f"data: {', '.join(DATA_PATHS)}"
            )
        else:
            others.append(str(override.input_line))
    return paths, others


def samples_of(run: PastRun, ctx: Context, data_paths: Mapping[str, Any] = UNMOVED) -> Samples:
    """Load the data set of a run with all its samples, without the labels of a table.

    Parameters
    ----------
    data_paths
        Paths of data that was moved, by setting, from `split_data_paths`.
    """
    stage = dataset_of(run, config_of(run), data_paths)
    names = {f.name for f in fields(stage)}
    changed: dict[str, Any] = {name: None for name in ("limit", "labels", "corrections") if name in names}
    return cast(Samples, replace(stage, **changed).load(ctx))


def config_of(run: PastRun) -> DictConfig:
    """Return the recorded config of a run."""
    with tempfile.TemporaryDirectory(prefix="experiments-") as folder:
        return cast(DictConfig, OmegaConf.load(run.file("config.yaml", Path(folder))))


def dataset_of(run: PastRun, cfg: DictConfig, data_paths: Mapping[str, Any] = UNMOVED) -> Any:
    """Build the data set stage of a run with absolute paths.

    Raises
    ------
    ValueError
        If a path does not exist.
    """
    for key, value in data_paths.items():
        OmegaConf.update(cfg, key, value)
    with run.naming_other_code(data_paths):
        stage = build_stage("dataset", cfg.dataset, data_paths)
    names = {f.name for f in fields(stage)} - {key.removeprefix("dataset.") for key in data_paths}
    is_path = Path(run.source).is_absolute()
    changed: dict[str, str] = {name: run.source for name in ("root", "path") if name in names and is_path}
    for name in {"images", "ids"} & names:
        path = getattr(stage, name)
        if path and not Path(path).exists():  # it may be relative to this folder
            changed[name] = str(Path.cwd() / str(cfg.dataset[name]))
    moved = replace(stage, **changed)
    for name in ("root", "path", "images", "ids"):
        path = getattr(moved, name, None) if is_path else None
        if path and not Path(path).exists():
            raise ValueError(f"dataset.{name}={path} does not exist; use dataset.{name}=<where it is now>")
    return moved


def rows_of(run: PastRun, ids: np.ndarray, samples: Samples) -> np.ndarray:
    """Return the row of each id among the samples; raise ValueError if one is missing."""
    names = [str(name) for name in ids]
    matches = match_names(names, [str(name) for name in samples.ids])
    if matches.loosely():
        log.warning("ids of RUN_ID=%s equal those of the data set, %s", run.id, matches.loosely())
    missing = [name for name, row in zip(names, matches.positions, strict=True) if row < 0]
    if missing:
        raise ValueError(
            f"RUN_ID={run.id} clustered {counted(len(missing), 'image')} missing from {samples.source}, such "
            f"as {missing[0]}; restore {'it' if len(missing) == 1 else 'them'}, or use "
            "dataset.root=<folder with all of them>"
        )
    return matches.positions


def pictures_of(
    run: PastRun, ids: np.ndarray, side: int, ctx: Context, data_paths: Mapping[str, Any] = UNMOVED
) -> np.ndarray:
    """Return a thumbnail of each id, uint8 (n, S, S, 3) with S at most `side`; n = 0 without images."""
    samples = samples_of(run, ctx, data_paths)
    if not samples.content.has_images:
        return np.empty((0, side, side, 3), np.uint8)
    return thumbnails(samples, rows_of(run, ids, samples), side, ctx)
