"""What a checked config holds: stages, settings of the whole run, cache and tracking."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig

from experiments.types import Stages


@dataclass(frozen=True)
class Cache:
    """Where finished work is kept."""

    root: str = ""
    enabled: bool = True


@dataclass(frozen=True)
class Tracking:
    """Where runs are recorded; `experiment` None names it after the data set.

    `log_model` says which jobs of a sweep record their model; a single run is its own best.
    """

    uri: str = ""
    experiment: str | None = None
    log_model: str = "best"

    def __post_init__(self) -> None:
        _one_of("tracking.log_model", self.log_model, ("best", "all", "none"))


@dataclass(frozen=True)
class Settings:
    """What holds for a whole run."""

    seed: int
    protocol: str
    objective: str
    device: str
    precision: str
    threads: Any
    figures: str
    report: str
    label_free: bool
    resume: Any
    plan: bool
    map: str = "auto"  # which runs recorded by earlier commits lack

    def __post_init__(self) -> None:
        _one_of("protocol", self.protocol, ("held_out", "published"))
        _one_of("device", self.device, ("auto", "cpu", "cuda"))
        _one_of("precision", self.precision, ("auto", "float32", "bfloat16"))
        _one_of("figures", self.figures, ("auto", "all", "none"))
        _one_of("map", self.map, ("auto", "tsne", "pca"))
        _one_of("report", self.report, ("auto", "all", "none"))
        if not 0 <= self.seed < 2**32:  # scikit-learn takes no larger ones
            raise ValueError(f"seed={self.seed} is not a seed; use 0 to {2**32 - 1}")
        if self.threads != "auto" and not (isinstance(self.threads, int) and self.threads > 0):
            raise ValueError(f"threads={self.threads} is not a number of cores; use auto, or 1 or more")


@dataclass(frozen=True)
class Plan:
    """One checked run: its stages, its settings, and the config that they were built from."""

    cfg: DictConfig
    stages: Stages
    settings: Settings
    cache: Cache
    tracking: Tracking


def _one_of(key: str, value: str, valid: Sequence[str]) -> None:
    if value not in valid:
        raise ValueError(f"{key}={value} is not an option; use {' or '.join(valid)}")
