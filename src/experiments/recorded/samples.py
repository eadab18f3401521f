"""Find the samples of a recorded run again: its data set, from where it was, and what it clustered."""

import tempfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from omegaconf import DictConfig

from experiments import config
from experiments.evaluator.pictures.thumbnails import thumbnails
from experiments.recorded import Recorded
from experiments.recorded.config import read_config
from experiments.types import Context, Samples


def samples_of(run: Recorded, ctx: Context) -> Samples:
    """Load the data set of a run, from where it was, with all its samples and without labels of a table."""
    stage = dataset_of(run, config_of(run))
    names = {f.name for f in fields(stage)}
    changed: dict[str, Any] = {name: None for name in ("limit", "labels", "corrections") if name in names}
    return cast(Samples, replace(stage, **changed).load(ctx))


def config_of(run: Recorded) -> DictConfig:
    """Return the config that a run recorded."""
    with tempfile.TemporaryDirectory(prefix="experiments-") as fetched:
        return read_config(run.file("config.yaml", Path(fetched)))


def dataset_of(run: Recorded, cfg: DictConfig) -> Any:
    """Build the data set of a run: as typed, its paths were relative to who knows where."""
    stage = config.build_stage("dataset", cfg.dataset)
    names = {f.name for f in fields(stage)}
    is_path = Path(run.source).is_absolute()
    changed: dict[str, str] = {name: run.source for name in ("root", "path") if name in names and is_path}
    for name in {"images", "ids"} & names:
        place = getattr(stage, name)
        if place and not Path(place).exists():  # below the project; perhaps it was typed here
            changed[name] = str(Path.cwd() / str(cfg.dataset[name]))
    return replace(stage, **changed)


def rows_of(run: Recorded, ids: np.ndarray, samples: Samples) -> np.ndarray:
    """Return where each id is among the samples; raise ValueError if one is gone."""
    row_of = {name: row for row, name in enumerate(samples.ids)}
    gone = [name for name in ids if name not in row_of]
    if gone:
        raise ValueError(
            f"RUN_ID={run.id} clustered {len(gone)} images that {run.source} does not hold any more, such as "
            f"{gone[0]}; put them back"
        )
    return np.array([row_of[name] for name in ids])


def pictures_of(run: Recorded, ids: np.ndarray, side: int, ctx: Context) -> np.ndarray:
    """Return a small image of each id, uint8 (n, S, S, 3) with S at most `side`; none of bare vectors."""
    samples = samples_of(run, ctx)
    if not samples.content.pictured:
        return np.empty((0, side, side, 3), np.uint8)
    return thumbnails(samples, rows_of(run, ids, samples), side, ctx)
