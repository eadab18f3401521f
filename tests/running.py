"""Run typed settings in this process."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiments.config import compose
from experiments.config.build import build
from experiments.job.perform import Job, Performed, perform


def run_typed(typed: Sequence[str], folder: Path, **job: Any) -> Performed:
    """Run typed settings, with the files in `folder`; raise the error of a failed job."""
    performed = perform(build(composed(typed), typed), folder, Job(typed, **job))
    assert performed.result
    return performed


def composed(typed: Sequence[str]) -> DictConfig:
    """Compose typed settings, once for all that differ only in paths and numbers: it takes half of a run."""
    words = {word.partition("=")[0]: word for word in typed}  # the last of a key counts
    values = {key: value for key, word in words.items() if (value := _value(word)) is not None}
    cfg = _composed(tuple(word for key, word in words.items() if key not in values)).copy()
    for key, value in values.items():
        OmegaConf.update(cfg, key, value)
    return cfg


_composed = cache(compose.compose_config)


def _value(word: str) -> int | str | None:
    """Return the number or absolute path of a setting; None for any other value."""
    key, _, value = word.partition("=")
    if not key.replace(".", "").replace("_", "").isalnum() or "." not in key:
        return None
    if value.isdecimal():
        return int(value)
    return value if value.startswith(("/", "sqlite:///")) else None
