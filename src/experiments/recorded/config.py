"""The config of a recorded run, with the settings that there were not yet when it ran."""

from pathlib import Path
from typing import cast

from omegaconf import DictConfig, OmegaConf

SINCE = {"unlabelled": "drop"}  # of data sets with `corrections`: what was done before one could choose


def read_config(path: Path) -> DictConfig:
    """Read a run's config.yaml, or whatever stands in its place."""
    cfg = OmegaConf.load(path)
    dataset = cfg.get("dataset") if isinstance(cfg, DictConfig) else None
    if isinstance(dataset, DictConfig) and "corrections" in dataset:
        for name, value in SINCE.items():
            dataset.setdefault(name, value)
    return cast(DictConfig, cfg)
