"""A checked config as dataclasses: stages, settings of the whole run, cache and tracking."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig

from experiments.types import Stages


@dataclass(frozen=True)
class Cache:
    """The cache: its folder, and True to use it."""

    root: str = ""
    enabled: bool = True


@dataclass(frozen=True)
class Tracking:
    """MLflow store and experiment of the runs, and which jobs of a sweep record their model.

    `experiment=None` uses the data set's name. `log_model=best` records the model of a single run, or of the
    best job of a sweep.
    """

    uri: str = ""
    experiment: str | None = None
    log_model: str = "best"

    def __post_init__(self) -> None:
        _check_choice("tracking.log_model", self.log_model, ("best", "all", "none"))


@dataclass(frozen=True)
class Settings:
    """Settings of the whole run."""

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
    map: str = "auto"  # runs recorded by earlier commits lack it

    def __post_init__(self) -> None:
        _check_choice("protocol", self.protocol, ("held_out", "published"))
        _check_choice("device", self.device, ("auto", "cpu", "cuda"))
        _check_choice("precision", self.precision, ("auto", "float32", "bfloat16"))
        _check_choice("figures", self.figures, ("auto", "all", "none"))
        _check_choice("map", self.map, ("auto", "tsne", "pca"))
        _check_choice("report", self.report, ("auto", "all", "none"))
        if not 0 <= self.seed < 2**32:  # the range of scikit-learn
            raise ValueError(f"seed={self.seed} is out of range; use 0 to {2**32 - 1}")
        if self.threads != "auto" and not (isinstance(self.threads, int) and self.threads > 0):
            raise ValueError(f"threads={self.threads} is not a number of cores; use auto, or 1 or more")


@dataclass(frozen=True)
class Plan:
    """A checked run: its stages, settings and config."""

    cfg: DictConfig
    stages: Stages
    settings: Settings
    cache: Cache
    tracking: Tracking


def _check_choice(key: str, value: str, valid: Sequence[str]) -> None:
    if value not in valid:
        raise ValueError(f"{key}={value} is not an option; use {' or '.join(valid)}")
