"""What a preset sets for an option that another was chosen for: left out, as nobody typed it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from experiments.config import steps
from experiments.config.text_fields import schema

GROUP = "experiment"
STAGES = ("dataset", "backbone", "reducer", "cluster", "evaluator")


def leave_out(cfg: DictConfig, runtime: Any, typed: Iterable[str]) -> list[str]:
    """Remove the settings of a preset that the options chosen do not have; return their keys.

    Parameters
    ----------
    cfg
        A composed config; it is changed.
    runtime
        Hydra's account of it: the options chosen, and where configs were looked for.
    typed
        The keys of the command line: what was typed is not removed, but refused later.
    """
    keys = _set_by_preset(runtime).difference(typed)
    gone = sorted(key for key in keys if not _has_place(key, cfg))
    for key in gone:
        _remove(key, cfg)
    return gone


def without_place(keys: Iterable[str], cfg: DictConfig) -> list[str]:
    """Return the keys that belong to another option than the one chosen."""
    return [key for key in keys if not _has_place(key, cfg)]


def _name(runtime: Any) -> str:
    chosen = runtime.choices.get(GROUP)
    return chosen if isinstance(chosen, str) else ""


def _set_by_preset(runtime: Any) -> set[str]:
    """Return the keys that a preset sets, and those that it includes."""
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


def _has_place(key: str, cfg: DictConfig) -> bool:
    """Return True if the option chosen has the setting, or if that cannot be told."""
    parts = key.split(".")
    depth = 2 if parts[0] == "evaluator" else 1
    place, name = ".".join(parts[:depth]), parts[depth] if len(parts) > depth else ""
    if parts[0] not in STAGES or not name:
        return True
    node = OmegaConf.select(cfg, place)
    stage = schema(place, cfg)
    if not isinstance(node, DictConfig) or "_target_" not in node:
        return False
    return stage is None or name in {*(f.name for f in fields(stage)), *(steps.names(node, stage) or ())}


def _remove(key: str, cfg: DictConfig) -> None:
    """Remove a setting, and what stood around it alone."""
    place, _, name = key.rpartition(".")
    node = OmegaConf.select(cfg, place)
    if not isinstance(node, DictConfig) or name not in node:
        return
    with open_dict(cfg):
        node.pop(name)
    if not node and place not in STAGES:
        _remove(place, cfg)
