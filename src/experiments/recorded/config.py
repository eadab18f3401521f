"""The config of a recorded run, with the settings that there were not yet when it ran."""

from pathlib import Path
from typing import cast

from omegaconf import DictConfig, OmegaConf

SINCE: dict[str, dict[str, str | None]] = {  # by another setting that such a data set has, what was done
    "corrections": {"unlabelled": "drop"},  # before one could choose
    "exclude": {"header": None},
}


def read_config(path: Path) -> DictConfig:
    """Read a run's config.yaml, or whatever stands in its place."""
    cfg = OmegaConf.load(path)
    dataset = cfg.get("dataset") if isinstance(cfg, DictConfig) else None
    if isinstance(dataset, DictConfig):
        for setting, since in SINCE.items():
            for name, value in since.items() if setting in dataset else ():
                dataset.setdefault(name, value)
    return cast(DictConfig, cfg)
