"""The options of conf/ as stages, with settings small enough for a test."""

from dataclasses import fields, replace
from functools import cache
from typing import Any

from experiments.config import compose
from experiments.config.stage import build_stage

SMALL = {  # of whichever option has the setting
    "backbone": {"image_size": 8},
    "reducer": {"n_components": 8, "n_neighbors": 10, "n_epochs": 20},
    "cluster": {
        "k": 10, "n_redo": 3, "n_init": 1, "max_iter": 300, "eps": 20.0,
        "covariance_type": "diag", "reg": 1e-3, "breath": 8,
    },
}  # fmt: skip


def option(group: str, name: str, **settings: Any) -> Any:
    """Build an option of conf/ with these settings, or with small ones."""
    return small(configured(group, name), settings or SMALL[group])


@cache
def configured(group: str, name: str) -> Any:
    """Build an option with the settings of conf/."""
    return build_stage(group, compose.compose_config([f"{group}={name}"])[group])


def small(stage: Any, settings: dict[str, Any]) -> Any:
    """Change settings of a stage, or of the stages inside a chain."""
    names = {f.name for f in fields(stage)}
    changed: dict[str, Any] = {name: value for name, value in settings.items() if name in names}
    if "steps" in names:
        changed["steps"] = tuple((name, small(step, settings)) for name, step in stage.steps)
    return replace(stage, **changed)


def every(group: str) -> list[Any]:
    """Build all options of a group, including new ones (a class and a YAML file)."""
    return [option(group, name) for name in compose.options(group)]
