"""Remove settings of a preset that belong to an option replaced on the command line."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from experiments.config import steps
from experiments.config.text_fields import schema

GROUP = "experiment"
STAGES = ("dataset", "backbone", "reducer", "cluster", "evaluator")


def remove_inapplicable(cfg: DictConfig, runtime: Any, typed: Iterable[str]) -> list[str]:
    """Remove the settings of a preset that the chosen options do not have; return their keys.

    Parameters
    ----------
    cfg
        A composed config, changed in place.
    runtime
        hydra.runtime of the config: its chosen options and its search path.
    typed
        The keys of the command line. These are not removed; a later check rejects invalid ones.
    """
    keys = _keys_of_preset(runtime).difference(typed)
    removed = sorted(key for key in keys if not _applies(key, cfg))
    for key in removed:
        _remove(key, cfg)
    return removed


def inapplicable(keys: Iterable[str], cfg: DictConfig) -> list[str]:
    """Return the keys that the chosen options do not have."""
    return [key for key in keys if not _applies(key, cfg)]


def _name(runtime: Any) -> str:
    chosen = runtime.choices.get(GROUP)
    return chosen if isinstance(chosen, str) else ""


def _keys_of_preset(runtime: Any) -> set[str]:
    """Return the keys of a preset and of its included presets."""
    if not _name(runtime):
        return set()
    folders = [Path(source.path) / GROUP for source in runtime.config_sources if source.schema == "file"]
    return {key for folder in folders for path in _files(folder, _name(runtime)) for key in _settings(path)}


def _files(folder: Path, name: str) -> Iterator[Path]:
    path = folder / f"{name}.yaml"
    if path.is_file():
        yield path
        node: Any = OmegaConf.load(path)
        for part in node.get("defaults", []):
            if isinstance(part, str) and part not in ("_self_", name):
                yield from _files(folder, part)


def _settings(path: Path) -> Iterator[str]:
    node: Any = OmegaConf.to_container(OmegaConf.load(path))
    for group in STAGES:
        yield from _leaves(node.get(group), group)


def _leaves(node: Any, key: str) -> Iterator[str]:
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from _leaves(value, f"{key}.{name}")
    elif node is not None or "." in key:
        yield key


def _applies(key: str, cfg: DictConfig) -> bool:
    """Return True if the chosen option has the setting, or if its class cannot be imported."""
    parts = key.split(".")
    depth = 2 if parts[0] == "evaluator" else 1
    prefix, name = ".".join(parts[:depth]), parts[depth] if len(parts) > depth else ""
    if parts[0] not in STAGES or not name:
        return True
    node = OmegaConf.select(cfg, prefix)
    stage = schema(prefix, cfg)
    if not isinstance(node, DictConfig) or "_target_" not in node:
        return False
    return stage is None or name in {*(f.name for f in fields(stage)), *(steps.names(node, stage) or ())}


def _remove(key: str, cfg: DictConfig) -> None:
    """Remove a setting, and parents that become empty."""
    parent, _, name = key.rpartition(".")
    node = OmegaConf.select(cfg, parent)
    if not isinstance(node, DictConfig) or name not in node:
        return
    with open_dict(cfg):
        node.pop(name)
    if not node and parent not in STAGES:
        _remove(parent, cfg)
