"""The config of a recorded run, with the settings that there were not yet when it ran."""

from pathlib import Path
from typing import cast

from omegaconf import DictConfig, OmegaConf

SINCE = (  # of data sets that have the first: a setting, and what was done before one could choose
    ("corrections", "unlabelled", "drop"),
    ("max_unreadable", "class_level", 1),
    ("exclude", "header", None),
)


def read_config(path: Path) -> DictConfig:
    """Read a run's config.yaml, or whatever stands in its place."""
    cfg = OmegaConf.load(path)
    dataset = cfg.get("dataset") if isinstance(cfg, DictConfig) else None
    if isinstance(dataset, DictConfig):
        for known, name, value in SINCE:
            if known in dataset:
                dataset.setdefault(name, value)
    return cast(DictConfig, cfg)
