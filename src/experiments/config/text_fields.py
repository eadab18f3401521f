"""Quote typed values of text settings, so that `dataset.root=1e3` is a folder's name and not 1000.0."""

import importlib
import typing
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiments.config.overrides import parse
from experiments.messages import text

PATH_KEY = "path_key"  # metadata {"path_key": "path"}: a dict field with a path under this key
ALWAYS = ("cache.root", "tracking.uri", "hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir")
OPTIONAL = ("tracking.experiment",)  # a text or null


def quote_texts(words: Sequence[str], cfg: DictConfig) -> list[str]:
    """Return overrides with quotes around values of text settings that Hydra would read as another type."""
    return [
        f"{o.input_line.partition('=')[0]}={quote_text(_value(o), o.key_or_group, cfg)}"
        if o.value_type is not None and not o.is_sweep_override()
        else str(o.input_line)
        for o in parse(words)
    ]


def quote_text(typed: str, key: str, cfg: DictConfig) -> str:
    """Return a typed value, in quotes if the setting is a text and Hydra would read another type."""
    value = parse([f"{key}={typed}"])[0].value()
    if isinstance(value, str) or (value is None and is_text(key, cfg, null=True)) or not is_text(key, cfg):
        return typed
    return text(typed)


def is_text(key: str, cfg: DictConfig, *, null: bool = False) -> bool:
    """Return True for a text setting; with `null`, for one that accepts text or null."""
    if key in ALWAYS or key in OPTIONAL:
        return not null or key in OPTIONAL
    parent, _, name = key.rpartition(".")
    stage = schema(parent, cfg)
    if stage is None:
        outer, _, field = parent.rpartition(".")
        inside = schema(outer, cfg)
        names = [f.metadata.get(PATH_KEY) for f in fields(inside) if f.name == field] if inside else []
        return name in names
    kinds = typing.get_type_hints(stage).get(name)
    return kinds == str | None or (kinds is str and not null)


def schema(key: str, cfg: DictConfig) -> Any:
    """Return the class of the stage at a key; None if there is no stage, or its class cannot be imported."""
    node = OmegaConf.select(cfg, key) if key else None
    module, _, name = str(node.get("_target_", "") if isinstance(node, DictConfig) else "").rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, ValueError, AttributeError):
        return None


def _value(override: Any) -> str:
    return str(override.input_line).partition("=")[2].strip()
