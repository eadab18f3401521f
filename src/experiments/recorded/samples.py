"""Find the samples of a recorded run again: its data set, from where it was, and what it clustered."""

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
from experiments.recorded import Recorded
from experiments.samples import Samples

log = logging.getLogger(__name__)

DATA = (  # what may have been moved since a run
    "dataset.root",
    "dataset.path",
    "dataset.images",
    "dataset.ids",
    "dataset.labels",
    "dataset.labels.path",
    "dataset.corrections",
)
NOWHERE: Mapping[str, Any] = {}  # where the data of a run was moved to that is where it was


def moved(settings: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Tell what says where a run's data is now from the other settings.

    Raises
    ------
    ValueError
        For a setting of data that would make it another run.
    """
    places, others = {}, []
    for override in compose.parse(settings):
        key = str(override.key_or_group)
        if key in DATA and not override.is_sweep_override():
            places[key] = override.value()
        elif key.partition(".")[0] == "dataset":
            raise ValueError(
                f"{override.input_line} would make it another run's data; only {', '.join(DATA)} can be "
                "given here, where it was moved"
            )
        else:
            others.append(str(override.input_line))
    return places, others


def samples_of(run: Recorded, ctx: Context, places: Mapping[str, Any] = NOWHERE) -> Samples:
    """Load the data set of a run with all its samples, and without labels of a table.

    Parameters
    ----------
    places
        Where its data is now, as `moved` reads it; what is not told is where it was.
    """
    stage = dataset_of(run, config_of(run), places)
    names = {f.name for f in fields(stage)}
    changed: dict[str, Any] = {name: None for name in ("limit", "labels", "corrections") if name in names}
    return cast(Samples, replace(stage, **changed).load(ctx))


def config_of(run: Recorded) -> DictConfig:
    """Return the config that a run recorded."""
    with tempfile.TemporaryDirectory(prefix="experiments-") as fetched:
        return cast(DictConfig, OmegaConf.load(run.file("config.yaml", Path(fetched))))


def dataset_of(run: Recorded, cfg: DictConfig, places: Mapping[str, Any] = NOWHERE) -> Any:
    """Build the data set of a run: as typed, its paths were relative to who knows where.

    Raises
    ------
    ValueError
        If its data is gone from where it was, or is not where it was moved to.
    """
    for key, value in places.items():
        OmegaConf.update(cfg, key, value)
    with run.by_its_code(places):
        stage = build_stage("dataset", cfg.dataset, places)
    names = {f.name for f in fields(stage)} - {key.removeprefix("dataset.") for key in places}
    is_path = Path(run.source).is_absolute()
    changed: dict[str, str] = {name: run.source for name in ("root", "path") if name in names and is_path}
    for name in {"images", "ids"} & names:
        place = getattr(stage, name)
        if place and not Path(place).exists():  # below the project; perhaps it was typed here
            changed[name] = str(Path.cwd() / str(cfg.dataset[name]))
    found = replace(stage, **changed)
    for name in ("root", "path", "images", "ids"):
        place = getattr(found, name, None) if is_path else None
        if place and not Path(place).exists():
            raise ValueError(f"dataset.{name}={place} does not exist; pass dataset.{name}=<where it is now>")
    return found


def rows_of(run: Recorded, ids: np.ndarray, samples: Samples) -> np.ndarray:
    """Return where each id is among the samples; raise ValueError if one is gone."""
    names = [str(name) for name in ids]
    matches = match_names(names, [str(name) for name in samples.ids])
    if matches.loosely():
        log.warning("samples of RUN_ID=%s are those whose ids are equal: %s", run.id, matches.loosely())
    gone = [name for name, place in zip(names, matches.positions, strict=True) if place < 0]
    if gone:
        raise ValueError(
            f"RUN_ID={run.id} clustered {counted(len(gone), 'image')} that {samples.source} does not hold, "
            f"such as {gone[0]}; put {'it' if len(gone) == 1 else 'them'} back, or pass dataset.root=<where "
            "all are now>"
        )
    return matches.positions


def pictures_of(
    run: Recorded, ids: np.ndarray, side: int, ctx: Context, places: Mapping[str, Any] = NOWHERE
) -> np.ndarray:
    """Return a small image of each id, uint8 (n, S, S, 3) with S at most `side`; none of bare vectors."""
    samples = samples_of(run, ctx, places)
    if not samples.content.pictured:
        return np.empty((0, side, side, 3), np.uint8)
    return thumbnails(samples, rows_of(run, ids, samples), side, ctx)
